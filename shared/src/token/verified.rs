//! Tokens whose signature was verified already: a signature costs as much as everything else about a request together.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use lru::LruCache;
use sha2::{Digest, Sha256};

use super::jwt::{Claims, check, signed};
use super::{Jwk, JwkSet};
use crate::error::Result;

/// Tokens remembered; one takes about 2 kB.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();

/// Verified tokens by their digest, least recently used forgotten first.
pub struct VerifiedTokens(Mutex<LruCache<[u8; 32], Arc<Verified>>>);

struct Verified {
    claims: Claims,
    /// The key that signed it.
    key: Jwk,
}

impl Default for VerifiedTokens {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(REMEMBERED)))
    }
}

impl VerifiedTokens {
    /// As [`super::verify`]. Only the signature is remembered, and only as long as its key is one of `keys`: issuer,
    /// audience and times are looked at each time.
    ///
    /// # Errors
    /// As [`super::verify`].
    pub fn verify(
        &self,
        token: &str,
        keys: &JwkSet,
        issuer: &str,
        audience: Option<&str>,
        now: Timestamp,
    ) -> Result<Claims> {
        let digest: [u8; 32] = Sha256::digest(token).into();
        let known = self.lock().get(&digest).cloned();
        if let Some(known) = known.filter(|known| keys.keys.contains(&known.key)) {
            check(&known.claims, issuer, audience, now.as_second())?;
            return Ok(known.claims.clone());
        }
        let (claims, key) = signed(token, keys)?;
        check(&claims, issuer, audience, now.as_second())?;
        let verified = Verified {
            claims: claims.clone(),
            key: key.clone(),
        };
        self.lock().put(digest, Arc::new(verified));
        Ok(claims)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, LruCache<[u8; 32], Arc<Verified>>> {
        // Whole after every statement: a panic elsewhere leaves nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::{SharedRandom, SystemRandom};
    use crate::token::SigningKey;

    #[test]
    fn a_remembered_token_is_refused_for_whatever_a_new_one_would_be() {
        let random: SharedRandom = Arc::new(SystemRandom);
        let (key, other) = (
            SigningKey::generate(&random).unwrap(),
            SigningKey::generate(&random).unwrap(),
        );
        let set = |key: &SigningKey| JwkSet {
            keys: vec![key.public_jwk().unwrap()],
        };
        let claims = json!({ "iss": "us", "aud": "them", "exp": 1_000 });
        let token = key.sign(claims.as_object().unwrap()).unwrap();
        let forged = other.sign(claims.as_object().unwrap()).unwrap();
        let tokens = VerifiedTokens::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        for _ in 0..2 {
            for (token, keys, issuer, audience, now, holds) in [
                (&token, &set(&key), "us", "them", 900, true),
                (&token, &set(&key), "us", "them", 1_031, false),
                (&token, &set(&key), "others", "them", 900, false),
                (&token, &set(&key), "us", "others", 900, false),
                (&token, &set(&other), "us", "them", 900, false),
                (&forged, &set(&key), "us", "them", 900, false),
            ] {
                let verified = tokens.verify(token, keys, issuer, Some(audience), at(now));
                assert_eq!(verified.is_ok(), holds, "{issuer} {audience} {now}");
            }
        }
    }
}
