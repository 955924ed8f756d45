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
            return Err(Error::internal("the keyring is empty"));
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

    /// The id of the key that seals.
    pub fn current(&self) -> &str {
        self.keys.first().map(|(id, _)| id.as_str()).unwrap_or_default()
    }

    /// Whether the key of that id is there.
    pub fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|(known, _)| known == id)
    }

    /// Opens with whichever key sealed it.
    ///
    /// # Errors
    /// `vault/sealed`; for the log, its source names the key that is missing.
    pub fn open(&self, associated: &[u8], envelope: &Envelope) -> Result<Vec<u8>> {
        let unreadable = || unreadable("it was sealed for somebody else, or a byte of it was changed");
        let Some((_, cipher)) = self.keys.iter().find(|(id, _)| *id == envelope.key) else {
            // The id comes from the row: nothing that is no id belongs into a log.
            let id: String = envelope.key.chars().filter(char::is_ascii_hexdigit).take(8).collect();
            return Err(self::unreadable(format!("it was sealed with the master key {id}")));
        };
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

fn unreadable(why: impl Into<String>) -> Error {
    Error::new(
        crate::error::ErrorKind::Internal,
        "vault/sealed",
        "A stored secret cannot be opened",
    )
    .with_hint("The operator must configure the master key that sealed it")
    .with_source(why.into())
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
    fn key_id_nonce_and_tag_are_stored() {
        let keyring = ring(&["any string"]);
        let envelope = keyring.seal(&random(), b"p", b"secret").unwrap();
        assert_eq!(envelope.key, keyring.current());
        assert_eq!(STANDARD.decode(&envelope.nonce).unwrap().len(), 12);
        assert_eq!(STANDARD.decode(&envelope.sealed).unwrap().len(), b"secret".len() + 16);
        assert!(!format!("{envelope:?} {keyring:?}").contains("any string"));
    }

    #[test]
    fn one_changed_byte_is_refused() {
        let keyring = ring(&["any string", "another"]);
        let envelope = keyring.seal(&random(), b"p", b"secret").unwrap();
        let changes = |text: &str| {
            let bytes = STANDARD.decode(text).unwrap();
            let change = move |position: usize| {
                let mut changed = bytes.clone();
                changed[position] ^= 1;
                STANDARD.encode(changed)
            };
            (0..STANDARD.decode(text).unwrap().len())
                .map(change)
                .collect::<Vec<_>>()
        };
        let with_sealed = changes(&envelope.sealed).into_iter().map(|sealed| Envelope {
            sealed,
            ..envelope.clone()
        });
        let with_nonce = changes(&envelope.nonce).into_iter().map(|nonce| Envelope {
            nonce,
            ..envelope.clone()
        });
        let with_key = (0..envelope.key.len()).map(|at| {
            let mut key = envelope.key.clone();
            let other = if &key[at..=at] == "0" { "1" } else { "0" };
            key.replace_range(at..=at, other);
            Envelope {
                key,
                ..envelope.clone()
            }
        });
        let other_key = std::iter::once(Envelope {
            key: ring(&["another"]).current().to_owned(),
            ..envelope.clone()
        });
        for tampered in with_sealed.chain(with_nonce).chain(with_key).chain(other_key) {
            assert!(keyring.open(b"p", &tampered).is_err(), "{tampered:?}");
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
        let error = ring(&["new"]).open(b"p", &envelope).unwrap_err();
        assert_eq!(error.code(), "vault/sealed");
        let why = std::error::Error::source(&error).unwrap().to_string();
        assert_eq!(why, format!("it was sealed with the master key {}", envelope.key));
    }
}
