//! Key sets (RFC 7517): our own, and those of outside issuers, fetched and cached.

use std::num::NonZeroUsize;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use lru::LruCache;
use tokio::sync::Mutex;

use crate::config::Outbound;
use crate::control::{fetch, outbound};
use crate::error::{Error, ErrorKind, Result};

use jsonwebtoken::DecodingKey;
pub use jsonwebtoken::jwk::{Jwk, JwkSet};

/// How long a fetched set is used without asking again.
const FRESH: Duration = Duration::from_secs(600);
/// How often an unknown `kid` may cause a fetch: a forged one must not make us hammer the issuer.
const UNKNOWN_KID_PAUSE: Duration = Duration::from_secs(10);
const FETCH_DEADLINE: Duration = Duration::from_secs(3);
const LARGEST_SET: usize = 256 * 1024;

/// Sets kept, each of 256 kB at most and usually of 1 kB.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(256).unwrap();

/// Fetches and caches the key sets of issuers.
#[derive(Debug)]
pub struct RemoteKeys {
    /// Each has a lock of its own: a slow issuer keeps its own users waiting.
    sets: std::sync::Mutex<LruCache<String, Arc<Mutex<Option<Fetched>>>>>,
    client: std::sync::OnceLock<reqwest::Client>,
    /// Where users name the URLs: what they may reach.
    guard: Option<Arc<Outbound>>,
}

impl Default for RemoteKeys {
    fn default() -> Self {
        Self {
            sets: std::sync::Mutex::new(LruCache::new(REMEMBERED)),
            client: std::sync::OnceLock::new(),
            guard: None,
        }
    }
}

#[derive(Debug, Clone)]
struct Fetched {
    set: Arc<JwkSet>,
    at: Instant,
    /// When a key that was not in it last caused a fetch.
    asked_again: Option<Instant>,
}

impl RemoteKeys {
    /// For URLs that users name: what they resolve to is checked before it is dialled.
    pub fn guarded(guard: Arc<Outbound>) -> Self {
        Self {
            guard: Some(guard),
            ..Self::default()
        }
    }

    /// The set at `url` that should hold `kid`: cached for ten minutes, fetched again when the key is not in it (keys
    /// rotate) but not more than every ten seconds. A set that cannot be refreshed is used on.
    ///
    /// # Errors
    /// `auth/issuer-unavailable` (503) when there is no set at all.
    pub async fn get(&self, url: &str, kid: Option<&str>) -> Result<Arc<JwkSet>> {
        let slot = {
            let mut sets = self.sets.lock().unwrap_or_else(PoisonError::into_inner);
            sets.get_or_insert(url.to_owned(), Arc::default).clone()
        };
        let mut slot = slot.lock().await;
        let known = slot.clone();
        if let Some(known) = &known {
            let has_key = kid.is_none_or(|kid| known.set.find(kid).is_some());
            let asked_lately = known.asked_again.is_some_and(|at| at.elapsed() < UNKNOWN_KID_PAUSE);
            let good = if has_key {
                known.at.elapsed() < FRESH
            } else {
                asked_lately
            };
            if good {
                return Ok(known.set.clone());
            }
        }
        let now = Instant::now();
        let unknown_key = known.as_ref().is_some_and(|known| known.at.elapsed() < FRESH);
        let asked_again = unknown_key.then_some(now);
        match (self.fetch(url).await, known) {
            (Ok(set), _) => {
                let set = Arc::new(set);
                *slot = Some(Fetched {
                    set: set.clone(),
                    at: now,
                    asked_again,
                });
                Ok(set)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(%error, url, "a key set could not be refreshed; the known one is used on");
                *slot = Some(Fetched {
                    at: now,
                    asked_again,
                    ..known.clone()
                });
                Ok(known.set)
            }
            (Err(error), None) => Err(error),
        }
    }

    async fn fetch(&self, url: &str) -> Result<JwkSet> {
        let unavailable = |source: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(
                ErrorKind::Unavailable,
                "auth/issuer-unavailable",
                "The token's issuer cannot be reached right now",
            )
            .with_retry_after(2)
            .with_source(source)
        };
        if let Some(guard) = &self.guard {
            outbound::check_url(guard, url).map_err(|refused| unavailable(refused.into()))?;
        }
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let built = fetch::client(self.guard.clone(), None, FETCH_DEADLINE)
                    .map_err(|error| unavailable(error.into()))?;
                self.client.get_or_init(|| built)
            }
        };
        let reply = client
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        let mut reply = reply.map_err(|error| unavailable(error.into()))?;
        let mut body = Vec::new();
        while let Some(chunk) = reply.chunk().await.map_err(|error| unavailable(error.into()))? {
            body.extend_from_slice(&chunk);
            if body.len() > LARGEST_SET {
                return Err(unavailable("the key set is larger than 256 kB".into()));
            }
        }
        parse(&body).map_err(|error| unavailable(error.into()))
    }
}

/// Keys of kinds we do not know are skipped, not an error: issuers publish encryption keys in the same set.
fn parse(body: &[u8]) -> Result<JwkSet, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct Loose {
        keys: Vec<serde_json::Value>,
    }
    let loose: Loose = serde_json::from_slice(body)?;
    let known = loose
        .keys
        .into_iter()
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter(|key| DecodingKey::from_jwk(key).is_ok());
    Ok(JwkSet { keys: known.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_kinds_of_keys_are_skipped() {
        let set = parse(
            br#"{"keys":[{"kty":"XYZ","kid":"a"},{"kty":"EC","crv":"P-256","kid":"b","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}"#,
        )
        .unwrap();
        assert_eq!(set.keys.len(), 1);
        assert!(set.find("b").is_some());
        assert!(parse(b"not json").is_err());
    }
}
