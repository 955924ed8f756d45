//! Catalogs remembered per process.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::{Place, Records, Snapshot};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident};
use crate::query::row_rules::{Policies, RuleBook};

/// Catalogs kept; one of a hundred columns takes about 20 kB.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// How long the catalog of a place without versions is used: nothing tells when it changes.
const UNVERSIONED_AGE: Duration = Duration::from_secs(30);
/// Doubts that are heeded at once, for each backend; then one more with every [`DOUBT_EVERY`]. Whoever asks for columns
/// that are not there must not make us read a large catalog over and over.
const DOUBTS: u32 = 5;
const DOUBT_EVERY: Duration = Duration::from_secs(5);

/// The catalogs of the backends that were asked last. One that is versioned is proven fresh by each request's version
/// check.
pub struct Catalogs {
    known: Mutex<LruCache<Key, Remembered>>,
    /// Held while a catalog is read: however many ask for it, it is read once.
    reading: Mutex<LruCache<Key, Arc<tokio::sync::Mutex<()>>>>,
    doubts: Mutex<LruCache<BackendId, Doubts>>,
    /// The row rules that were parsed against a snapshot.
    books: Mutex<LruCache<BackendId, Book>>,
}

/// A backend and one of its schemas.
type Key = (BackendId, Ident);

/// Row rules, and the snapshot that they were parsed against.
type Book = (Arc<Snapshot>, Arc<RuleBook>);

struct Remembered {
    snapshot: Arc<Snapshot>,
    place: Place,
    at: Instant,
}

struct Doubts {
    left: u32,
    since: Instant,
}

impl Default for Catalogs {
    fn default() -> Self {
        Self {
            known: Mutex::new(LruCache::new(REMEMBERED)),
            reading: Mutex::new(LruCache::new(REMEMBERED)),
            doubts: Mutex::new(LruCache::new(REMEMBERED)),
            books: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }
}

impl Catalogs {
    /// The catalog of one schema of the backend, remembered or read now; and whether it was remembered.
    ///
    /// # Errors
    /// As [`Records::catalog`]; `PGRST002` when somebody else has been reading it for longer than `deadline`.
    pub async fn get(
        &self,
        backend: BackendId,
        place: &Place,
        records: &dyn Records,
        deadline: Duration,
    ) -> Result<(Arc<Snapshot>, bool)> {
        if let Some(snapshot) = self.remembered(backend, place) {
            return Ok((snapshot, true));
        }
        // Boxed: it is seldom needed, and would be a part of every request's future.
        Box::pin(self.read(backend, place, records, deadline)).await
    }

    async fn read(
        &self,
        backend: BackendId,
        place: &Place,
        records: &dyn Records,
        deadline: Duration,
    ) -> Result<(Arc<Snapshot>, bool)> {
        let key = (backend, place.schema.clone());
        let gate = lock(&self.reading).get_or_insert(key.clone(), Arc::default).clone();
        let alone = tokio::time::timeout(deadline, gate.lock()).await;
        let _alone = alone.map_err(|_| slow())?;
        if let Some(snapshot) = self.remembered(backend, place) {
            return Ok((snapshot, true));
        }
        // What changes while it is read may be missing in it.
        let at = Instant::now();
        let snapshot = Arc::new(records.catalog(place, deadline).await?);
        let fresh = Remembered {
            snapshot: snapshot.clone(),
            place: place.clone(),
            at,
        };
        lock(&self.known).put(key, fresh);
        Ok((snapshot, false))
    }

    /// The row rules of a backend's tables, parsed once for each snapshot: a place without versions is read anew when its
    /// project's version moves, as it does with every change of the policies.
    pub fn rule_book(&self, backend: BackendId, snapshot: &Arc<Snapshot>, policies: &Policies) -> Arc<RuleBook> {
        if let Some((of, book)) = lock(&self.books).get(&backend)
            && Arc::ptr_eq(of, snapshot)
        {
            return book.clone();
        }
        let book = Arc::new(RuleBook::new(policies, &snapshot.catalog));
        lock(&self.books).put(backend, (snapshot.clone(), book.clone()));
        book
    }

    /// Forgets a backend's catalogs: it has changed.
    pub fn forget(&self, backend: BackendId) {
        self.forget_if(backend, |_| true);
    }

    /// Forgets those of a backend's catalogs that were read before `than`: of many requests that found the same change,
    /// the first reads what the others then use.
    pub fn forget_older(&self, backend: BackendId, than: Instant) {
        self.forget_if(backend, |known| known.at < than);
    }

    fn forget_if(&self, backend: BackendId, which: impl Fn(&Remembered) -> bool) {
        let mut known = lock(&self.known);
        let its = known.iter().filter(|((of, _), known)| *of == backend && which(known));
        let its: Vec<_> = its.map(|(key, _)| key.clone()).collect();
        for key in its {
            known.pop(&key);
        }
    }

    /// Says that a backend without versions answered as if its catalog were old: it is forgotten, unless that was said
    /// too often lately. Returns whether it is worth trying again.
    pub fn doubt(&self, backend: BackendId) -> bool {
        let heeded = {
            let mut all = lock(&self.doubts);
            let fresh = || Doubts {
                left: DOUBTS,
                since: Instant::now(),
            };
            all.get_or_insert_mut(backend, fresh).take()
        };
        if heeded {
            self.forget(backend);
        }
        heeded
    }

    fn remembered(&self, backend: BackendId, place: &Place) -> Option<Arc<Snapshot>> {
        let mut all = lock(&self.known);
        let known = all.get(&(backend, place.schema.clone()))?;
        let fresh = place.versioned || known.at.elapsed() < UNVERSIONED_AGE;
        (fresh && known.place == *place).then(|| known.snapshot.clone())
    }
}

impl Doubts {
    fn take(&mut self) -> bool {
        let grown = u32::try_from(self.since.elapsed().as_secs() / DOUBT_EVERY.as_secs()).unwrap_or(DOUBTS);
        if grown > 0 {
            self.left = self.left.saturating_add(grown).min(DOUBTS);
            self.since = Instant::now();
        }
        let some = self.left > 0;
        self.left = self.left.saturating_sub(1);
        some
    }
}

fn slow() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "PGRST002",
        "Could not query the database for the schema cache. Retrying.",
    )
    .with_retry_after(1)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The caches are whole after every statement: a panic elsewhere leaves nothing half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubts_are_heeded_a_few_times_at_once() {
        let catalogs = Catalogs::default();
        let (one, other) = (BackendId(uuid::Uuid::from_u128(1)), BackendId(uuid::Uuid::from_u128(2)));
        let heeded = (0..20).filter(|_| catalogs.doubt(one)).count();
        assert_eq!(heeded, DOUBTS as usize);
        assert!(catalogs.doubt(other));
    }
}
