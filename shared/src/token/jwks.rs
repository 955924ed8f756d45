//! Key sets (RFC 7517): our own, and those of outside issuers, fetched and cached.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use crate::error::{Error, ErrorKind, Result};

use jsonwebtoken::DecodingKey;
pub use jsonwebtoken::jwk::{Jwk, JwkSet};

/// How long a fetched set is used without asking again.
const FRESH: Duration = Duration::from_secs(600);
/// How often an unknown `kid` may cause a fetch: a forged one must not make us hammer the issuer.
const UNKNOWN_KID_PAUSE: Duration = Duration::from_secs(10);
const FETCH_DEADLINE: Duration = Duration::from_secs(3);
const LARGEST_SET: usize = 256 * 1024;

/// Fetches and caches the key sets of configured issuers.
#[derive(Debug, Default)]
pub struct RemoteKeys {
    sets: Mutex<HashMap<String, Fetched>>,
    client: std::sync::OnceLock<reqwest::Client>,
}

#[derive(Debug, Clone)]
struct Fetched {
    set: Arc<JwkSet>,
    at: Instant,
    /// When a key that was not in it last caused a fetch.
    asked_again: Option<Instant>,
}

impl RemoteKeys {
    /// The set at `url` that should hold `kid`: cached for ten minutes, fetched again when the key is not in it (keys
    /// rotate) but not more than every ten seconds. A set that cannot be refreshed is used on.
    ///
    /// # Errors
    /// `auth/issuer-unavailable` (503) when there is no set at all.
    pub async fn get(&self, url: &str, kid: Option<&str>) -> Result<Arc<JwkSet>> {
        let mut sets = self.sets.lock().await;
        let known = sets.get(url).cloned();
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
                sets.insert(
                    url.to_owned(),
                    Fetched {
                        set: set.clone(),
                        at: now,
                        asked_again,
                    },
                );
                Ok(set)
            }
            (Err(error), Some(known)) => {
                tracing::warn!(%error, url, "a key set could not be refreshed; the known one is used on");
                sets.insert(
                    url.to_owned(),
                    Fetched {
                        at: now,
                        asked_again,
                        ..known.clone()
                    },
                );
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
        let client = match self.client.get() {
            Some(client) => client,
            None => {
                let built = client().map_err(|error| unavailable(error.into()))?;
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

#[expect(
    clippy::disallowed_methods,
    reason = "this is the one client for key sets, with its own trust and limits"
)]
fn client() -> Result<reqwest::Client, Error> {
    let roots = rustls::RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .timeout(FETCH_DEADLINE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .map_err(Error::internal)
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
