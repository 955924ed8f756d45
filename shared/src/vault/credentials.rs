//! The credentials of users' own databases, behind one port: sealed in the control database, or a secret each in Secrets
//! Manager. What the control database has is a [`Kept`]: it says which of the two, so a platform that changes its setting
//! goes on serving what was kept before; the next change of a connection moves it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::elsewhere::Secrets;
use super::{Envelope, Vault, aws};
use crate::clock::{SharedClock, SharedRandom};
use crate::config::CredentialsAt;
use crate::error::Result;
use crate::ident::{BackendId, ProjectId};
use crate::sensitive::Sensitive;

/// Whose credentials. They open for nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    /// The project.
    pub project: ProjectId,
    /// Its backend, whose connection it is.
    pub backend: BackendId,
}

/// What the control database keeps of a connection's credentials. Safe to show.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Kept {
    /// They themselves, sealed.
    Sealed(Envelope),
    /// Where they are.
    Elsewhere(Reference),
}

/// A secret of Secrets Manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Its name.
    pub secret: String,
    /// The version that was current when Plinth last wrote it. It is read at its current version, which the secret's owner
    /// may have rotated since; this one tells a process that what it remembers is older.
    pub version: String,
}

/// Keeps, finds and forgets credentials.
#[derive(Debug)]
pub struct CredentialStore {
    at: CredentialsAt,
    vault: Arc<Vault>,
    elsewhere: Secrets,
}

impl CredentialStore {
    /// One that keeps where the setting says. Connects nothing.
    pub fn new(at: CredentialsAt, vault: Arc<Vault>, clock: SharedClock) -> Self {
        Self {
            at,
            vault,
            elsewhere: Secrets::new(clock),
        }
    }

    /// Keeps `text` (a JSON value) as the owner's credentials, in place of those there were. What this returns is to be
    /// written into the owner's row: until then a sealed row is the old one.
    ///
    /// # Errors
    /// As [`Vault::seal`]; `vault/unavailable` (503) while Secrets Manager cannot be reached.
    pub async fn put(&self, random: &SharedRandom, of: Owner, text: &Sensitive) -> Result<Kept> {
        match &self.at {
            CredentialsAt::Sealed => {
                let secret = text.expose().as_bytes();
                let sealed = self.vault.seal(random, Some(of.project), secret).await?;
                Ok(Kept::Sealed(sealed))
            }
            CredentialsAt::SecretsManager { stage } => {
                let name = format!("plinth/{stage}/connection/{}", of.backend);
                let version = self.elsewhere.put(of, &name, text).await?;
                Ok(Kept::Elsewhere(Reference { secret: name, version }))
            }
        }
    }

    /// The owner's credentials. Those in Secrets Manager are remembered for five minutes.
    ///
    /// # Errors
    /// As [`Vault::open`]; `vault/secret-missing` (503) when the secret is not there; `vault/unavailable` (503).
    pub async fn get(&self, of: Owner, kept: &Kept) -> Result<Sensitive> {
        match kept {
            Kept::Sealed(envelope) => self.vault.open_text(Some(of.project), envelope).await,
            // Boxed: a fetch has many layers, and most have none.
            Kept::Elsewhere(reference) => Box::pin(self.elsewhere.get(of, reference)).await,
        }
    }

    /// Gives the credentials up: a secret can be read no more, and for 30 days [`CredentialStore::restore`] brings it back.
    /// (A sealed row waits with its backend's.) Repeatable.
    ///
    /// # Errors
    /// `vault/unavailable` (503).
    pub async fn delete(&self, of: Owner, kept: &Kept) -> Result<()> {
        self.forget(of.backend);
        match kept {
            Kept::Sealed(_) => Ok(()),
            Kept::Elsewhere(reference) => aws::delete(&reference.secret).await,
        }
    }

    /// Takes [`CredentialStore::delete`] back. Of credentials that are there, or gone for good, nothing changes.
    ///
    /// # Errors
    /// `vault/unavailable` (503).
    pub async fn restore(&self, kept: &Kept) -> Result<()> {
        match kept {
            Kept::Sealed(_) => Ok(()),
            Kept::Elsewhere(reference) => aws::restore(&reference.secret).await,
        }
    }

    /// Removes the credentials for good, deleted before or not. Repeatable. (A sealed row goes with its backend's.)
    ///
    /// # Errors
    /// `vault/unavailable` (503).
    pub async fn purge(&self, of: Owner, kept: &Kept) -> Result<()> {
        self.forget(of.backend);
        match kept {
            Kept::Sealed(_) => Ok(()),
            Kept::Elsewhere(reference) => aws::purge(&reference.secret).await,
        }
    }

    /// The database refuses what is remembered: the secret is read anew the next time, at most once in ten seconds.
    pub fn forget(&self, backend: BackendId) {
        self.elsewhere.forget(backend);
    }
}
