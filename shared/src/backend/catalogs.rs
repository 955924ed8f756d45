//! Catalogs remembered per process.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use tokio::sync::Notify;
use tokio::sync::futures::OwnedNotified;

use super::{Place, Records, Snapshot};
use crate::error::Result;
use crate::ident::{BackendId, Ident};

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
    /// What is being read right now: a thousand requests at once read a catalog once.
    reading: Mutex<HashMap<Key, Arc<Notify>>>,
    doubts: Mutex<LruCache<BackendId, Doubts>>,
}

type Key = (BackendId, Ident);

/// Whose turn it is to read a catalog.
enum Turn<'a> {
    /// The caller's, as long as it holds this.
    Read(Reading<'a>),
    /// Another one's: done when this is.
    Wait(OwnedNotified),
}

/// Says that it is over when dropped, also when the reading failed or was given up.
struct Reading<'a> {
    catalogs: &'a Catalogs,
    key: Key,
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        if let Some(done) = lock(&self.catalogs.reading).remove(&self.key) {
            done.notify_waiters();
        }
    }
}

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
            reading: Mutex::default(),
            doubts: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }
}

impl Catalogs {
    /// The catalog of one schema of the backend, remembered or read now; and whether it was remembered.
    ///
    /// # Errors
    /// As [`Records::catalog`].
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
        let _reading = match self.begin((backend, place.schema.clone())) {
            Turn::Read(reading) => Some(reading),
            Turn::Wait(read) => {
                // However long it takes: then everybody helps themselves.
                let _waited = tokio::time::timeout(deadline, read).await;
                if let Some(snapshot) = self.remembered(backend, place) {
                    return Ok((snapshot, true));
                }
                None
            }
        };
        let snapshot = Arc::new(records.catalog(place, deadline).await?);
        let fresh = Remembered {
            snapshot: snapshot.clone(),
            place: place.clone(),
            at: Instant::now(),
        };
        lock(&self.known).put((backend, place.schema.clone()), fresh);
        Ok((snapshot, false))
    }

    /// Forgets a backend's catalogs: it has changed.
    pub fn forget(&self, backend: BackendId) {
        let mut known = lock(&self.known);
        let its = known.iter().map(|(key, _)| key).filter(|(of, _)| *of == backend);
        let its: Vec<_> = its.cloned().collect();
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

    fn begin(&self, key: Key) -> Turn<'_> {
        let mut reading = lock(&self.reading);
        if let Some(other) = reading.get(&key) {
            return Turn::Wait(other.clone().notified_owned());
        }
        reading.insert(key.clone(), Arc::default());
        Turn::Read(Reading { catalogs: self, key })
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

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // The caches are whole after every statement: a panic elsewhere leaves nothing half-done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_catalog_is_read_by_one_and_waited_for_by_the_rest() {
        let catalogs = Catalogs::default();
        let key = || (BackendId(uuid::Uuid::from_u128(1)), Ident::fixed("public"));
        let Turn::Read(reading) = catalogs.begin(key()) else {
            panic!()
        };
        let Turn::Wait(done) = catalogs.begin(key()) else {
            panic!()
        };
        let other = (BackendId(uuid::Uuid::from_u128(1)), Ident::fixed("other"));
        assert!(matches!(catalogs.begin(other), Turn::Read(_)), "each schema by itself");
        drop(reading);
        done.await;
        assert!(
            matches!(catalogs.begin(key()), Turn::Read(_)),
            "also after one that failed"
        );
    }

    #[test]
    fn doubts_are_heeded_a_few_times_at_once() {
        let catalogs = Catalogs::default();
        let (one, other) = (BackendId(uuid::Uuid::from_u128(1)), BackendId(uuid::Uuid::from_u128(2)));
        let heeded = (0..20).filter(|_| catalogs.doubt(one)).count();
        assert_eq!(heeded, DOUBTS as usize);
        assert!(catalogs.doubt(other));
    }
}
