//! Tokens of a user's own issuer, as PostgREST takes them: a shared secret, a key or a set of keys; no issuer is named
//! and an expiry is not required.

use std::collections::HashSet;
use std::fmt;

use jiff::Timestamp;
use jsonwebtoken::jwk::AlgorithmParameters;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde_json::Value;

use super::jwt::SKEW;
use super::{Claims, Jwk, JwkSet};
use crate::error::{Error, ErrorKind, Result};

/// What tokens are verified with.
#[derive(Clone)]
pub enum TokenKeys {
    /// A text that both sides know (HS256, HS384, HS512).
    Secret(DecodingKey),
    /// Keys, symmetric ones among them.
    Set(JwkSet),
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl TokenKeys {
    /// Takes what PostgREST calls `jwt-secret`: a JSON Web Key, a set of them, or else the secret itself.
    pub fn parse(secret: &str) -> Self {
        if let Ok(set) = serde_json::from_str::<JwkSet>(secret) {
            return Self::Set(set);
        }
        match serde_json::from_str::<Jwk>(secret) {
            Ok(key) => Self::Set(JwkSet { keys: vec![key] }),
            Err(_) => Self::Secret(DecodingKey::from_secret(secret.as_bytes())),
        }
    }

    /// Keys that an issuer publishes. What everybody can read is never a shared secret.
    pub fn published(set: &JwkSet) -> Self {
        let public = |key: &&Jwk| !matches!(key.algorithm, AlgorithmParameters::OctetKey(_));
        Self::Set(JwkSet {
            keys: set.keys.iter().filter(public).cloned().collect(),
        })
    }

    /// The claims of a token that one of the keys has signed. Nothing is said about times yet: see [`check_times`].
    ///
    /// # Errors
    /// `PGRST301`, in PostgREST's words.
    pub fn verify(&self, token: &str) -> Result<Claims> {
        let parts = token.split('.').count();
        if parts != 3 {
            return Err(undecodable(format!("Expected 3 parts in JWT; got {parts}")));
        }
        let header = jsonwebtoken::decode_header(token)
            .map_err(|error| undecodable("JWT couldn't be decoded").with_source(error))?;
        let algorithm = header.alg;
        let claims = match self {
            Self::Secret(key) if is_symmetric(algorithm) => decode(token, key, algorithm),
            Self::Secret(_) => None,
            Self::Set(set) => {
                let named = |key: &&Jwk| header.kid.is_none() || key.common.key_id == header.kid;
                let fitting = set.keys.iter().filter(|key| fits(key, algorithm));
                // A key without an id, or of another name, may still be the one: as upstream, all are tried.
                let (first, rest): (Vec<_>, Vec<_>) = fitting.partition(named);
                let mut keys = first.into_iter().chain(rest);
                keys.find_map(|key| decode(token, &DecodingKey::from_jwk(key).ok()?, algorithm))
            }
        };
        claims.ok_or_else(no_key)
    }
}

/// No key has signed the token.
fn no_key() -> Error {
    undecodable("No suitable key or wrong key type").with_details("None of the keys was able to decode the JWT")
}

/// The refusal of what is no token.
pub fn undecodable(public: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Unauthorized, "PGRST301", public)
}

fn is_symmetric(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512)
}

/// Whether a key is of the algorithm's kind: a public key must never be taken for a shared secret.
fn fits(key: &Jwk, algorithm: Algorithm) -> bool {
    let kind = match &key.algorithm {
        AlgorithmParameters::OctetKey(_) => is_symmetric(algorithm),
        AlgorithmParameters::EllipticCurve(_) => matches!(algorithm, Algorithm::ES256 | Algorithm::ES384),
        AlgorithmParameters::OctetKeyPair(_) => algorithm == Algorithm::EdDSA,
        AlgorithmParameters::RSA(_) => matches!(
            algorithm,
            Algorithm::RS256
                | Algorithm::RS384
                | Algorithm::RS512
                | Algorithm::PS256
                | Algorithm::PS384
                | Algorithm::PS512
        ),
        _ => false,
    };
    let declared = key.common.key_algorithm;
    kind && declared.is_none_or(|declared| declared.to_string() == format!("{algorithm:?}"))
}

fn decode(token: &str, key: &DecodingKey, algorithm: Algorithm) -> Option<Claims> {
    let mut validation = Validation::new(algorithm);
    // Times are checked against our own clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims = HashSet::new();
    Some(jsonwebtoken::decode::<Claims>(token, key, &validation).ok()?.claims)
}

/// Whether the token counts at `now` and, if one is asked for, for that audience; 30 s of clock skew. A token without
/// an audience is for everybody.
///
/// # Errors
/// `PGRST303`, in PostgREST's words.
pub fn check_times(claims: &Claims, audience: Option<&str>, now: Timestamp) -> Result<()> {
    let now = now.as_second();
    let time = |name: &'static str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
            let wrong = || refused(format!("The JWT '{name}' claim must be a number"));
            seconds.map(Some).ok_or_else(wrong)
        }
    };
    if time("exp")?.is_some_and(|expiry| now > expiry.saturating_add(SKEW)) {
        return Err(refused("JWT expired"));
    }
    if time("nbf")?.is_some_and(|from| now < from.saturating_sub(SKEW)) {
        return Err(refused("JWT not yet valid"));
    }
    if time("iat")?.is_some_and(|issued| now < issued.saturating_sub(SKEW)) {
        return Err(refused("JWT issued at future"));
    }
    check_audience(claims.get("aud"), audience)
}

fn check_audience(claim: Option<&Value>, wanted: Option<&str>) -> Result<()> {
    let fits = |one: &str| wanted.is_none_or(|wanted| wanted == one);
    let matches = match claim {
        None | Some(Value::Null) => true,
        Some(Value::String(one)) => fits(one),
        Some(Value::Array(many)) if many.iter().all(Value::is_string) => {
            many.is_empty() || many.iter().filter_map(Value::as_str).any(fits)
        }
        Some(_) => {
            return Err(refused(
                "The JWT 'aud' claim must be a string, URI or an array of mixed strings or URIs",
            ));
        }
    };
    if matches {
        Ok(())
    } else {
        Err(refused("JWT not in audience"))
    }
}

fn refused(public: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Unauthorized, "PGRST303", public)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    use super::*;
    use crate::clock::{SharedRandom, SystemRandom};
    use crate::token::SigningKey;

    const SECRET: &str = "a secret of thirty-two characters";
    const NOW: i64 = 1_800_000_000;

    fn signed(body: &Value, secret: &str) -> String {
        let key = EncodingKey::from_secret(secret.as_bytes());
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), body, &key).unwrap()
    }

    #[test]
    fn a_secret_a_key_and_a_set_verify_what_they_signed() {
        let random: SharedRandom = Arc::new(SystemRandom);
        let (own, other) = (
            SigningKey::generate(&random).unwrap(),
            SigningKey::generate(&random).unwrap(),
        );
        let jwk = serde_json::to_value(own.public_jwk().unwrap()).unwrap();
        let other_jwk = serde_json::to_value(other.public_jwk().unwrap()).unwrap();
        let octets = json!({"kty": "oct", "k": "YSBzZWNyZXQgb2YgdGhpcnR5LXR3byBjaGFyYWN0ZXJz", "alg": "HS256"});
        let body = json!({"role": "a"});
        let (symmetric, curve) = (signed(&body, SECRET), own.sign(body.as_object().unwrap()).unwrap());
        for (secret, token, fine) in [
            (SECRET.to_owned(), &symmetric, true),
            ("another secret of thirty-two letters".to_owned(), &symmetric, false),
            (octets.to_string(), &symmetric, true),
            (json!({"keys": [octets, jwk]}).to_string(), &symmetric, true),
            (json!({"keys": [octets, jwk]}).to_string(), &curve, true),
            (jwk.to_string(), &curve, true),
            (jwk.to_string(), &symmetric, false),
            (other_jwk.to_string(), &curve, false),
            (SECRET.to_owned(), &curve, false),
        ] {
            let verified = TokenKeys::parse(&secret).verify(token);
            assert_eq!(verified.is_ok(), fine, "{secret}");
            if let Err(error) = verified {
                assert_eq!(error.public(), "No suitable key or wrong key type");
            }
        }
        let set = serde_json::from_value(json!({"keys": [octets]})).unwrap();
        assert!(TokenKeys::published(&set).verify(&symmetric).is_err());
        for (token, said) in [
            ("a", "Expected 3 parts in JWT; got 1"),
            ("a.b", "Expected 3 parts in JWT; got 2"),
            ("a.b.c", "JWT couldn't be decoded"),
            ("eyJhbGciOiJub25lIn0.e30.", "JWT couldn't be decoded"),
        ] {
            let error = TokenKeys::parse(SECRET).verify(token).unwrap_err();
            assert_eq!((error.code(), error.public()), ("PGRST301", said));
        }
    }

    #[test]
    fn times_and_audience_are_upstreams() {
        let aud = "The JWT 'aud' claim must be a string, URI or an array of mixed strings or URIs";
        for (claims, said) in [
            (json!({}), ""),
            (json!({"exp": NOW - 30, "nbf": NOW + 30, "iat": NOW + 30}), ""),
            (json!({"exp": NOW - 31}), "JWT expired"),
            (json!({"nbf": NOW + 31}), "JWT not yet valid"),
            (json!({"iat": NOW + 31}), "JWT issued at future"),
            (json!({"exp": "x"}), "The JWT 'exp' claim must be a number"),
            (json!({"nbf": []}), "The JWT 'nbf' claim must be a number"),
            (json!({"iat": true}), "The JWT 'iat' claim must be a number"),
            (json!({"exp": (NOW + 1) as f64 + 0.5}), ""),
            (json!({"aud": "a"}), ""),
            (json!({"aud": ["b", "a"]}), ""),
            (json!({"aud": []}), ""),
            (json!({"aud": null}), ""),
            (json!({"aud": "b"}), "JWT not in audience"),
            (json!({"aud": ["b"]}), "JWT not in audience"),
            (json!({"aud": 1}), aud),
            (json!({"aud": ["a", 1]}), aud),
        ] {
            let now = Timestamp::from_second(NOW).unwrap();
            let checked = check_times(claims.as_object().unwrap(), Some("a"), now);
            let told = checked.map_or_else(|error| error.public().to_owned(), |()| String::new());
            assert_eq!(told, said, "{claims}");
        }
    }
}
