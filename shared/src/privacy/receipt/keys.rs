//! What receipts are signed with: one Ed25519 key (RFC 8037) for the platform, made when the first receipt is due.

use ed25519_dalek::pkcs8::{EncodePrivateKey as _, KeypairBytes};
use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

use super::store;
use crate::app::App;
use crate::clock::SharedRandom;
use crate::control::failure;
use crate::error::{Error, Result};

/// A key that signs.
pub(crate) struct Signer {
    pub(super) kid: String,
    pub(super) key: EncodingKey,
}

impl Signer {
    fn new(kid: String, der: &[u8]) -> Self {
        Self {
            kid,
            key: EncodingKey::from_ed_der(der),
        }
    }

    fn public(&self) -> Result<Value> {
        let mut jwk = Jwk::from_encoding_key(&self.key, Algorithm::EdDSA).map_err(Error::internal)?;
        jwk.common.key_id = Some(self.kid.clone());
        jwk.common.public_key_use = Some(PublicKeyUse::Signature);
        serde_json::to_value(jwk).map_err(Error::internal)
    }
}

/// The private half of a new key: PKCS#8 without the public one, as RFC 8410 has it.
fn generate(random: &SharedRandom) -> Result<Vec<u8>> {
    let pair = KeypairBytes {
        // Any 32 bytes are a key.
        secret_key: random.bytes(),
        public_key: None,
    };
    let der = pair
        .to_pkcs8_der()
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(der.as_bytes().to_vec())
}

/// The key that signs now; made when there is none. Of two makers at once, one makes it and the other takes that one.
/// Takes a connection of the control database: ask before holding one.
///
/// # Errors
/// When the vault or the database fails.
pub(crate) async fn current(app: &App) -> Result<Signer> {
    if let Some(signer) = find(app).await? {
        return Ok(signer);
    }
    make(app).await?;
    find(app)
        .await?
        .ok_or_else(|| Error::internal("there is no key to sign receipts with"))
}

async fn find(app: &App) -> Result<Option<Signer>> {
    let client = app.control.get().await?;
    let found = store::current_key(&*client).await?;
    drop(client);
    let Some((kid, envelope)) = found else { return Ok(None) };
    let envelope = serde_json::from_value(envelope).map_err(Error::internal)?;
    Ok(Some(Signer::new(kid, &app.vault.open(None, &envelope).await?)))
}

async fn make(app: &App) -> Result<()> {
    let der = generate(&app.random)?;
    let signer = Signer::new(app.random.token(16), &der);
    let envelope = app.vault.seal(&app.random, None, &der).await?;
    let envelope = serde_json::to_value(envelope).map_err(Error::internal)?;
    let (public, now) = (signer.public()?, app.clock.now());
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    if store::add_key(&transaction, &signer.kid, &public, now).await? {
        store::add_secret(&transaction, app.random.uuid(), &signer.kid, &envelope, now).await?;
    }
    transaction.commit().await.map_err(failure)
}

/// The public halves of all keys that receipts were ever signed with, as a set (RFC 7517).
///
/// # Errors
/// When the database fails.
pub async fn public_keys(app: &App) -> Result<Value> {
    let client = app.control.get().await?;
    Ok(serde_json::json!({ "keys": store::public_keys(&*client).await? }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn a_key_signs_and_its_public_half_verifies() {
        let random: SharedRandom = Arc::new(SystemRandom);
        let signer = Signer::new("k".to_owned(), &generate(&random).unwrap());
        let public = signer.public().unwrap();
        assert_eq!(
            (
                &public["kty"],
                &public["crv"],
                &public["alg"],
                &public["use"],
                &public["kid"]
            ),
            (
                &json!("OKP"),
                &json!("Ed25519"),
                &json!("EdDSA"),
                &json!("sig"),
                &json!("k")
            )
        );
        assert_eq!(public.get("d"), None);
        let header = jsonwebtoken::Header::new(Algorithm::EdDSA);
        let jws = jsonwebtoken::encode(&header, &json!({"a": 1}), &signer.key).unwrap();
        let jwk: Jwk = serde_json::from_value(public).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).unwrap();
        let mut validation = jsonwebtoken::Validation::new(Algorithm::EdDSA);
        validation.required_spec_claims.clear();
        let claims = jsonwebtoken::decode::<Value>(&jws, &key, &validation).unwrap().claims;
        assert_eq!(claims, json!({"a": 1}));
    }
}
