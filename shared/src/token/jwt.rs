//! JSON Web Tokens (RFC 7519), signed with ES256, verified against a key set.

use std::collections::HashSet;

use http::HeaderMap;
use jiff::Timestamp;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use p256::SecretKey;
use p256::pkcs8::EncodePrivateKey;
use serde_json::{Map, Value};

use super::{Jwk, JwkSet};
use crate::clock::SharedRandom;
use crate::error::{Error, ErrorKind, Result};

/// Clocks may differ by this much, in seconds, as PostgREST allows.
pub(super) const SKEW: i64 = 30;

/// A token's claims.
pub type Claims = Map<String, Value>;

/// An ES256 key that signs; its private half is stored sealed as PKCS#8 DER.
pub struct SigningKey {
    kid: String,
    der: Vec<u8>,
    key: EncodingKey,
}

impl SigningKey {
    /// Draws a new key.
    ///
    /// # Errors
    /// Only if the library refuses its own encoding.
    pub fn generate(random: &SharedRandom) -> Result<Self> {
        // A 256-bit draw is outside the curve's order about once in 2^32; draw again then.
        let secret = loop {
            if let Ok(secret) = SecretKey::from_slice(&random.bytes::<32>()) {
                break secret;
            }
        };
        let der = secret
            .to_pkcs8_der()
            .map_err(|error| Error::internal(error.to_string()))?;
        Ok(Self::from_der(random.token(16), der.as_bytes().to_vec()))
    }

    /// Takes a stored key.
    pub fn from_der(kid: String, der: Vec<u8>) -> Self {
        Self {
            key: EncodingKey::from_ec_der(&der),
            kid,
            der,
        }
    }

    /// The key's id.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The private half, PKCS#8 DER: for sealing only.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The public half as a JWK, with `kid`, `alg` and `use`.
    ///
    /// # Errors
    /// Only if the library cannot read its own key.
    pub fn public_jwk(&self) -> Result<Jwk> {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::ES256).map_err(Error::internal)?;
        jwk.common.key_id = Some(self.kid.clone());
        jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Signature);
        Ok(jwk)
    }

    /// Signs `claims`.
    ///
    /// # Errors
    /// Only if the library refuses its own key.
    pub fn sign(&self, claims: &Claims) -> Result<String> {
        let header = Header {
            kid: Some(self.kid.clone()),
            ..Header::new(Algorithm::ES256)
        };
        jsonwebtoken::encode(&header, claims, &self.key).map_err(Error::internal)
    }
}

/// The token of an `Authorization: Bearer` header, the scheme in any letter case.
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
        .filter(|token| !token.is_empty())
}

/// The issuer a token claims, to choose the key set by. It proves nothing before [`verify`].
pub fn unverified_issuer(token: &str) -> Option<String> {
    let claims: Claims = jsonwebtoken::dangerous::insecure_decode_claims(token).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

/// Verifies a token: signature by a key of `keys` (chosen by `kid`), exact `iss`, `aud` if one is asked for, `exp`
/// required, `nbf` and `iat` not in the future, all with 30 s of clock skew.
///
/// # Errors
/// [`ErrorKind::Unauthorized`] with PostgREST's codes: `PGRST301` for what cannot be decoded or verified, `PGRST303` for
/// claims that do not hold.
pub fn verify(token: &str, keys: &JwkSet, issuer: &str, audience: Option<&str>, now: Timestamp) -> Result<Claims> {
    let (claims, _) = signed(token, keys)?;
    check(&claims, issuer, audience, now.as_second())?;
    Ok(claims)
}

/// What a token says whose signature holds, and the key that signed it.
pub(super) fn signed<'a>(token: &str, keys: &'a JwkSet) -> Result<(Claims, &'a Jwk)> {
    let header = jsonwebtoken::decode_header(token).map_err(|error| undecodable("JWT could not be decoded", error))?;
    if !matches!(
        header.alg,
        Algorithm::ES256 | Algorithm::ES384 | Algorithm::RS256 | Algorithm::RS384 | Algorithm::RS512
    ) {
        // Public keys never verify HMAC: a JWK set must not become a shared secret.
        return Err(undecodable(
            "JWT is signed with an algorithm that is not accepted",
            "algorithm",
        ));
    }
    let unknown = || undecodable("No suitable key was found to decode the JWT", "kid");
    let jwk = match &header.kid {
        Some(kid) => keys.find(kid).ok_or_else(unknown)?,
        None if keys.keys.len() == 1 => &keys.keys[0],
        None => return Err(unknown()),
    };
    if jwk
        .common
        .key_algorithm
        .is_some_and(|algorithm| algorithm.to_string() != format!("{:?}", header.alg))
    {
        return Err(unknown());
    }
    let key = DecodingKey::from_jwk(jwk).map_err(|error| undecodable("JWT could not be decoded", error))?;
    let mut validation = Validation::new(header.alg);
    // Times are checked below, against our own clock.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation.required_spec_claims = HashSet::new();
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .map_err(|error| undecodable("JWT could not be verified", error))?
        .claims;
    Ok((claims, jwk))
}

/// Whether what a token says holds for us, now.
pub(super) fn check(claims: &Claims, issuer: &str, audience: Option<&str>, now: i64) -> Result<()> {
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(refused("JWT issuer does not match"));
    }
    let time = |name: &str| match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64));
            seconds.map(Some).ok_or_else(|| refused("JWT times must be numbers"))
        }
    };
    match time("exp")? {
        None => return Err(refused("JWT has no expiry")),
        Some(expiry) if now > expiry.saturating_add(SKEW) => return Err(refused("JWT expired")),
        Some(_) => {}
    }
    if time("nbf")?.is_some_and(|from| now < from.saturating_sub(SKEW)) {
        return Err(refused("JWT not yet valid"));
    }
    if time("iat")?.is_some_and(|issued| now < issued.saturating_sub(SKEW)) {
        return Err(refused("JWT issued at future"));
    }
    let matches = |wanted: &str| match claims.get("aud") {
        Some(Value::String(one)) => one == wanted,
        Some(Value::Array(many)) => many.iter().any(|one| one.as_str() == Some(wanted)),
        _ => false,
    };
    match audience {
        Some(wanted) if !matches(wanted) => Err(refused("JWT not in audience")),
        _ => Ok(()),
    }
}

fn undecodable(public: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::Unauthorized, "PGRST301", public).with_source(source)
}

fn refused(public: &'static str) -> Error {
    Error::new(ErrorKind::Unauthorized, "PGRST303", public).with_hint("Sign in again to get a new token")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::clock::SystemRandom;

    const ISSUER: &str = "http://127.0.0.1:8787/auth/v1";
    const NOW: i64 = 1_800_000_000;

    fn key() -> SigningKey {
        let random: SharedRandom = Arc::new(SystemRandom);
        SigningKey::generate(&random).unwrap()
    }

    fn set(keys: &[&SigningKey]) -> JwkSet {
        JwkSet {
            keys: keys.iter().map(|key| key.public_jwk().unwrap()).collect(),
        }
    }

    fn claims(value: Value) -> Claims {
        value.as_object().unwrap().clone()
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_signed_token_verifies_by_its_kid() {
        let (first, second) = (key(), key());
        let token = second
            .sign(&claims(json!({"iss": ISSUER, "sub": "x", "exp": NOW + 60, "aud": "a"})))
            .unwrap();
        let verified = verify(&token, &set(&[&first, &second]), ISSUER, Some("a"), at(NOW)).unwrap();
        assert_eq!(verified["sub"], "x");
        assert_eq!(
            verify(&token, &set(&[&first]), ISSUER, None, at(NOW))
                .unwrap_err()
                .code(),
            "PGRST301"
        );
    }

    #[test]
    fn claims_that_do_not_hold_are_refused() {
        let key = key();
        for (body, code, text) in [
            (json!({"iss": ISSUER, "exp": NOW - 31}), "PGRST303", "JWT expired"),
            (json!({"iss": ISSUER}), "PGRST303", "JWT has no expiry"),
            (
                json!({"iss": ISSUER, "exp": "soon"}),
                "PGRST303",
                "JWT times must be numbers",
            ),
            (
                json!({"iss": ISSUER, "exp": NOW + 9, "nbf": NOW + 31}),
                "PGRST303",
                "JWT not yet valid",
            ),
            (
                json!({"iss": ISSUER, "exp": NOW + 9, "iat": NOW + 31}),
                "PGRST303",
                "JWT issued at future",
            ),
            (
                json!({"iss": "http://127.0.0.1/other", "exp": NOW + 9}),
                "PGRST303",
                "JWT issuer does not match",
            ),
            (
                json!({"iss": ISSUER, "exp": NOW + 9, "aud": ["b"]}),
                "PGRST303",
                "JWT not in audience",
            ),
        ] {
            let token = key.sign(&claims(body.clone())).unwrap();
            let error = verify(&token, &set(&[&key]), ISSUER, Some("a"), at(NOW)).unwrap_err();
            assert_eq!((error.code(), error.public()), (code, text), "{body}");
        }
        let skewed = key
            .sign(&claims(json!({"iss": ISSUER, "exp": NOW - 30, "aud": ["b", "a"]})))
            .unwrap();
        assert!(verify(&skewed, &set(&[&key]), ISSUER, Some("a"), at(NOW)).is_ok());
    }

    #[test]
    fn a_public_key_is_never_an_hmac_secret() {
        let key = key();
        let jwk = serde_json::to_vec(&key.public_jwk().unwrap()).unwrap();
        let header = Header {
            kid: Some(key.kid().to_owned()),
            ..Header::new(Algorithm::HS256)
        };
        let body = claims(json!({"iss": ISSUER, "exp": NOW + 60}));
        let forged = jsonwebtoken::encode(&header, &body, &EncodingKey::from_secret(&jwk)).unwrap();
        assert_eq!(
            verify(&forged, &set(&[&key]), ISSUER, None, at(NOW))
                .unwrap_err()
                .code(),
            "PGRST301"
        );
        for garbage in ["", "a.b.c", "eyJhbGciOiJub25lIn0.e30."] {
            assert!(verify(garbage, &set(&[&key]), ISSUER, None, at(NOW)).is_err());
        }
    }

    #[test]
    fn bearer_takes_the_scheme_in_any_case() {
        let header = |value: &str| HeaderMap::from_iter([(http::header::AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer(&header("bEaReR abc")), Some("abc"));
        assert_eq!(bearer(&header("Basic abc")), None);
        assert_eq!(bearer(&header("Bearer ")), None);
    }
}
