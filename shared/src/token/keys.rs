//! Project keys: `plinth_publishable_<ref>_<secret>` for browsers, `plinth_secret_<ref>_<secret>` for servers.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock::SharedRandom;
use crate::error::{Error, ErrorKind};
use crate::ident::Ref;
use crate::sensitive::Sensitive;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyClass {
    /// May be shown to anybody: the role is `anon` until an end user signs in.
    Publishable,
    /// For servers only: the role is `service_role`.
    Secret,
}

impl KeyClass {
    /// The name in keys, JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Publishable => "publishable",
            Self::Secret => "secret",
        }
    }
}

impl FromStr for KeyClass {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "publishable" => Ok(Self::Publishable),
            "secret" => Ok(Self::Secret),
            _ => Err(Error::invalid("keys/class", "A key's class is publishable or secret")),
        }
    }
}

/// A key as its holder presents it.
#[derive(Debug, Clone)]
pub struct ProjectKey {
    /// What it says it may do; the stored row decides.
    pub class: KeyClass,
    /// The project it names.
    pub reference: Ref,
    text: Sensitive,
}

const PREFIX: &str = "plinth_";
/// 43 letters and digits are 256 bits.
const SECRET_LENGTH: usize = 43;

impl ProjectKey {
    /// Draws a new key.
    pub fn generate(random: &SharedRandom, class: KeyClass, reference: &Ref) -> Self {
        let text = format!("{PREFIX}{}_{reference}_{}", class.as_str(), random.token(SECRET_LENGTH));
        Self {
            class,
            reference: reference.clone(),
            text: text.into(),
        }
    }

    /// The key's text: shown once to whoever made it.
    pub fn text(&self) -> &Sensitive {
        &self.text
    }

    /// What is stored of it.
    pub fn hash(&self) -> Vec<u8> {
        key_hash(self.text.expose())
    }

    /// The end of the key, for lists: enough to recognise one, useless to anybody else.
    pub fn hint(&self) -> String {
        let text = self.text.expose();
        format!("…{}", &text[text.len() - 4..])
    }
}

impl FromStr for ProjectKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = || {
            let (class, rest) = text.strip_prefix(PREFIX)?.split_once('_')?;
            let (reference, secret) = rest.split_once('_')?;
            let well_formed = secret.len() == SECRET_LENGTH && secret.bytes().all(|b| b.is_ascii_alphanumeric());
            well_formed.then_some(())?;
            Some((class.parse().ok()?, reference.parse().ok()?))
        };
        let (class, reference) = parts().ok_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "keys/invalid", "Invalid API key")
                .with_hint("Copy the whole key; it begins with plinth_publishable_ or plinth_secret_")
        })?;
        Ok(Self {
            class,
            reference,
            text: Sensitive::new(text),
        })
    }
}

/// SHA-256 of a key. The key has 256 random bits, so a slow hash would add nothing.
pub fn key_hash(text: &str) -> Vec<u8> {
    Sha256::digest(text).to_vec()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::SystemRandom;

    #[test]
    fn a_key_names_its_class_and_project() {
        let random: SharedRandom = Arc::new(SystemRandom);
        let reference = random.project_ref();
        let key = ProjectKey::generate(&random, KeyClass::Secret, &reference);
        let read: ProjectKey = key.text().expose().parse().unwrap();
        assert_eq!(
            (read.class, &read.reference, read.hash()),
            (KeyClass::Secret, &reference, key.hash())
        );
        assert!(!format!("{read:?}").contains(&key.text().expose()[40..]));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "plinth_",
            "plinth_secret_abc_def",
            "sb_secret_x",
            &"plinth_secret_".repeat(1000),
        ] {
            assert_eq!(text.parse::<ProjectKey>().unwrap_err().code(), "keys/invalid");
        }
    }
}
