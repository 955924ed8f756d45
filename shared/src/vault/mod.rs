//! Sealed secrets: AES-256-GCM envelopes under a keyring of master keys, which may change while all of this runs; and the
//! credentials of users' own databases.

#[cfg_attr(not(feature = "aws"), path = "absent.rs")]
pub mod aws;
mod credentials;
mod elsewhere;
mod envelope;
mod rotation;

pub use credentials::{CredentialStore, Kept, Owner, Reference};
pub use elsewhere::SECRET_MISSING;
pub use envelope::{Envelope, Keyring};
pub use rotation::{Resealed, reseal};

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::RwLock;

use crate::clock::{SharedClock, SharedRandom};
use crate::config::{Login, MasterKey};
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::sensitive::Sensitive;

/// How long a process seals with a key that it fetched: so long after a change of the keys, nothing is sealed with the old
/// one any more.
const SEALS: Duration = Duration::from_secs(300);
/// How long a process that meets an unknown key waits before it fetches the keys again.
const ASKS_AGAIN: Duration = Duration::from_secs(10);

/// Seals and opens secrets; fetches the master keys on first use, and again when they have changed.
pub struct Vault {
    source: MasterKey,
    clock: SharedClock,
    fetched: RwLock<Option<(Arc<Keyring>, Timestamp)>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// A vault whose keys come from `source`.
    pub fn new(source: MasterKey, clock: SharedClock) -> Self {
        Self {
            source,
            clock,
            fetched: RwLock::default(),
        }
    }

    /// Seals `secret` for one project (or, with none, for the platform).
    ///
    /// # Errors
    /// When this function has no master key, or it cannot be fetched.
    pub async fn seal(&self, random: &SharedRandom, project: Option<ProjectId>, secret: &[u8]) -> Result<Envelope> {
        let keyring = self.keyring(Some(SEALS)).await?;
        keyring.seal(random, &associated(project), secret)
    }

    /// Opens what [`Vault::seal`] sealed for the same project.
    ///
    /// # Errors
    /// `vault/sealed` when the key is unknown, a byte was changed or the project is another one.
    pub async fn open(&self, project: Option<ProjectId>, envelope: &Envelope) -> Result<Vec<u8>> {
        let mut keyring = self.keyring(None).await?;
        if !keyring.has(&envelope.key) {
            keyring = self.keyring(Some(ASKS_AGAIN)).await?;
        }
        keyring.open(&associated(project), envelope)
    }

    /// [`Vault::open`] for a text.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub async fn open_text(&self, project: Option<ProjectId>, envelope: &Envelope) -> Result<Sensitive> {
        let bytes = self.open(project, envelope).await?;
        String::from_utf8(bytes)
            .map(Sensitive::new)
            .map_err(|_| Error::internal("a sealed text is not UTF-8"))
    }

    /// The keys, not older than that.
    async fn keyring(&self, oldest: Option<Duration>) -> Result<Arc<Keyring>> {
        let now = self.clock.now();
        let good = |at: Timestamp| match (&self.source, oldest) {
            (MasterKey::SecretsManager(_), Some(oldest)) => now.duration_since(at).unsigned_abs() < oldest,
            _ => true,
        };
        if let Some((keyring, at)) = &*self.fetched.read().await
            && good(*at)
        {
            return Ok(keyring.clone());
        }
        // Held over the fetch: one asks, the others wait for its answer.
        let mut fetched = self.fetched.write().await;
        if let Some((keyring, at)) = &*fetched
            && good(*at)
        {
            return Ok(keyring.clone());
        }
        let keys = match &self.source {
            MasterKey::Given(keys) => keys.clone(),
            // Boxed: it is seldom needed, and has many layers.
            MasterKey::SecretsManager(arn) => Box::pin(fetch(arn)).await?,
            MasterKey::Absent => return Err(Error::internal("PLINTH_ENCRYPTION_KEY is not set")),
        };
        let keyring = Arc::new(Keyring::new(&keys)?);
        *fetched = Some((keyring.clone(), now));
        Ok(keyring)
    }
}

/// A database login as RDS keeps it in Secrets Manager: `{"username", "password"}`.
///
/// # Errors
/// As [`aws::secret`], or when the secret holds something else.
pub async fn database_login(arn: &str) -> Result<(String, Login)> {
    #[derive(serde::Deserialize)]
    struct Stored {
        username: String,
        password: Sensitive,
    }
    let text = aws::secret(arn).await?;
    // The parser's own error may quote the text.
    let stored: Stored = serde_json::from_str(text.expose())
        .map_err(|_| Error::internal("the secret holds no username and password"))?;
    Ok((stored.username, Login::Password(stored.password)))
}

/// An envelope cannot be moved to another project: its id is part of what is authenticated.
fn associated(project: Option<ProjectId>) -> Vec<u8> {
    project.map_or_else(|| b"platform".to_vec(), |id| id.0.as_bytes().to_vec())
}

/// The keys of a secret: a comma list, the current one first.
async fn fetch(arn: &str) -> Result<Vec<Sensitive>> {
    let text = aws::secret(arn).await?;
    Ok(text.expose().split(',').map(|key| Sensitive::new(key.trim())).collect())
}
