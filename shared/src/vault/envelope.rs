//! The envelope itself.

use std::fmt;

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::SharedRandom;
use crate::error::{Error, Result};
use crate::sensitive::Sensitive;

/// A sealed secret as it is stored. Safe to show, useless without the key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Which master key sealed it.
    pub key: String,
    /// 96 random bits, base64.
    pub nonce: String,
    /// Ciphertext and tag, base64.
    pub sealed: String,
}

/// Master keys by id, the first one current.
pub struct Keyring {
    keys: Vec<(String, Aes256Gcm)>,
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|(id, _)| id)).finish()
    }
}

impl Keyring {
    /// Takes the master keys, the current one first. Any string will do: it is hashed when it is not 32 bytes.
    ///
    /// # Errors
    /// When there is none.
    pub fn new(keys: &[Sensitive]) -> Result<Self> {
        if keys.is_empty() || keys.iter().any(|key| key.expose().is_empty()) {
            return Err(Error::internal("the master key is empty"));
        }
        let keys = keys
            .iter()
            .map(|key| {
                let text = key.expose().as_bytes();
                let bytes: [u8; 32] = text.try_into().unwrap_or_else(|_| Sha256::digest(text).into());
                // The id is a digest of the key: known wherever the key is, and tells nothing about it.
                let id = Sha256::digest([b"plinth master key id".as_slice(), &bytes].concat());
                let id: String = id.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
                (id, Aes256Gcm::new(&Key::<Aes256Gcm>::from(bytes)))
            })
            .collect();
        Ok(Self { keys })
    }

    /// Seals with the current key and a fresh nonce.
    ///
    /// # Errors
    /// Only for texts beyond AES-GCM's limit of 64 GB.
    pub fn seal(&self, random: &SharedRandom, associated: &[u8], secret: &[u8]) -> Result<Envelope> {
        let Some((id, cipher)) = self.keys.first() else {
            return Err(unreadable());
        };
        let nonce: [u8; 12] = random.bytes();
        let sealed = cipher
            .encrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: secret,
                    aad: associated,
                },
            )
            .map_err(|_| Error::internal("a secret could not be sealed"))?;
        Ok(Envelope {
            key: id.clone(),
            nonce: STANDARD.encode(nonce),
            sealed: STANDARD.encode(sealed),
        })
    }

    /// Opens with whichever key sealed it.
    ///
    /// # Errors
    /// `vault/sealed`.
    pub fn open(&self, associated: &[u8], envelope: &Envelope) -> Result<Vec<u8>> {
        let (_, cipher) = self
            .keys
            .iter()
            .find(|(id, _)| *id == envelope.key)
            .ok_or_else(unreadable)?;
        let nonce: [u8; 12] = STANDARD
            .decode(&envelope.nonce)
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .ok_or_else(unreadable)?;
        let sealed = STANDARD.decode(&envelope.sealed).map_err(|_| unreadable())?;
        cipher
            .decrypt(
                &Nonce::from(nonce),
                Payload {
                    msg: &sealed,
                    aad: associated,
                },
            )
            .map_err(|_| unreadable())
    }
}

fn unreadable() -> Error {
    Error::new(
        crate::error::ErrorKind::Internal,
        "vault/sealed",
        "A stored secret cannot be opened",
    )
    .with_hint("The operator must configure the master key that sealed it")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemRandom;

    fn ring(keys: &[&str]) -> Keyring {
        Keyring::new(&keys.iter().map(|key| Sensitive::new(*key)).collect::<Vec<_>>()).unwrap()
    }

    fn random() -> SharedRandom {
        Arc::new(SystemRandom)
    }

    #[test]
    fn a_secret_comes_back_only_for_its_own_project() {
        let keyring = ring(&["any string"]);
        let envelope = keyring.seal(&random(), b"project one", b"secret").unwrap();
        assert_eq!(keyring.open(b"project one", &envelope).unwrap(), b"secret");
        assert!(keyring.open(b"project two", &envelope).is_err());
    }

    #[test]
    fn one_changed_byte_is_refused() {
        let keyring = ring(&["any string"]);
        let envelope = keyring.seal(&random(), b"p", b"secret").unwrap();
        let sealed = STANDARD.decode(&envelope.sealed).unwrap();
        for position in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            let tampered = Envelope {
                sealed: STANDARD.encode(&changed),
                ..envelope.clone()
            };
            assert!(keyring.open(b"p", &tampered).is_err(), "byte {position}");
        }
    }

    #[test]
    fn equal_secrets_are_sealed_differently() {
        let keyring = ring(&["any string"]);
        let seal = || keyring.seal(&random(), b"p", b"secret").unwrap();
        assert_ne!(seal().sealed, seal().sealed);
    }

    #[test]
    fn an_old_key_still_opens_what_it_sealed() {
        let envelope = ring(&["old"]).seal(&random(), b"p", b"secret").unwrap();
        assert_eq!(ring(&["new", "old"]).open(b"p", &envelope).unwrap(), b"secret");
        assert_eq!(ring(&["new"]).open(b"p", &envelope).unwrap_err().code(), "vault/sealed");
    }
}
