//! Signing keys that were opened already.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;

use super::SigningKey;

const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).unwrap();
/// A key leaves the process's memory this long after it was opened, used or not.
const KEPT: Duration = Duration::from_secs(600);

/// Opened keys by `kid`, bounded in number and time.
pub struct OpenedKeys(Mutex<LruCache<String, (Arc<SigningKey>, Instant)>>);

impl Default for OpenedKeys {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl OpenedKeys {
    /// The key, if it was opened lately.
    pub fn get(&self, kid: &str) -> Option<Arc<SigningKey>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (key, opened) = keys.get(kid)?;
        if opened.elapsed() < KEPT {
            return Some(key.clone());
        }
        keys.pop(kid);
        None
    }

    /// Remembers an opened key.
    pub fn put(&self, key: Arc<SigningKey>) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        keys.put(key.kid().to_owned(), (key, Instant::now()));
    }
}
