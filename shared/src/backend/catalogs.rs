//! Catalogs remembered per process.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::{Place, Records, Snapshot};
use crate::error::Result;
use crate::ident::BackendId;

/// Catalogs kept; one of a hundred columns takes about 20 kB.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// How long the catalog of a place without versions is used: nothing tells when it changes.
const UNVERSIONED_AGE: Duration = Duration::from_secs(30);

/// The catalogs of the backends that were asked last. One that is versioned is proven fresh by each request's version
/// check.
pub struct Catalogs(Mutex<LruCache<BackendId, Remembered>>);

struct Remembered {
    snapshot: Arc<Snapshot>,
    place: Place,
    at: Instant,
}

impl Default for Catalogs {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl Catalogs {
    /// The backend's catalog, remembered or read now; and whether it was remembered.
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
        let snapshot = Arc::new(records.catalog(place, deadline).await?);
        let fresh = Remembered {
            snapshot: snapshot.clone(),
            place: place.clone(),
            at: Instant::now(),
        };
        self.lock().put(backend, fresh);
        Ok((snapshot, false))
    }

    /// Forgets a backend's catalog: it has changed.
    pub fn forget(&self, backend: BackendId) {
        self.lock().pop(&backend);
    }

    fn remembered(&self, backend: BackendId, place: &Place) -> Option<Arc<Snapshot>> {
        let mut all = self.lock();
        let known = all.get(&backend)?;
        let fresh = place.versioned || known.at.elapsed() < UNVERSIONED_AGE;
        (fresh && known.place == *place).then(|| known.snapshot.clone())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<BackendId, Remembered>> {
        // The cache is whole after every statement: a panic elsewhere leaves nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
