//! Sealed secrets: AES-256-GCM envelopes under a keyring of master keys.

#[cfg(feature = "aws")]
pub mod aws;
mod envelope;

pub use envelope::{Envelope, Keyring};

use tokio::sync::OnceCell;

use crate::clock::SharedRandom;
use crate::config::{Login, MasterKey};
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::sensitive::Sensitive;

/// Seals and opens secrets; fetches the master key on first use.
#[derive(Debug)]
pub struct Vault {
    source: MasterKey,
    keyring: OnceCell<Keyring>,
}

impl Vault {
    /// A vault whose key comes from `source`.
    pub fn new(source: MasterKey) -> Self {
        Self {
            source,
            keyring: OnceCell::new(),
        }
    }

    /// Seals `secret` for one project (or, with none, for the platform).
    ///
    /// # Errors
    /// When this function has no master key, or it cannot be fetched.
    pub async fn seal(&self, random: &SharedRandom, project: Option<ProjectId>, secret: &[u8]) -> Result<Envelope> {
        self.keyring().await?.seal(random, &associated(project), secret)
    }

    /// Opens what [`Vault::seal`] sealed for the same project.
    ///
    /// # Errors
    /// `vault/sealed` when the key is unknown, a byte was changed or the project is another one.
    pub async fn open(&self, project: Option<ProjectId>, envelope: &Envelope) -> Result<Vec<u8>> {
        self.keyring().await?.open(&associated(project), envelope)
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

    async fn keyring(&self) -> Result<&Keyring> {
        self.keyring
            .get_or_try_init(|| async {
                match &self.source {
                    MasterKey::Given(keys) => Keyring::new(keys),
                    MasterKey::SecretsManager(arn) => Keyring::new(&fetch(arn).await?),
                    MasterKey::Absent => Err(Error::internal("PLINTH_ENCRYPTION_KEY is not set")),
                }
            })
            .await
    }
}

/// A database login as RDS keeps it in Secrets Manager: `{"username", "password"}`.
///
/// # Errors
/// As [`aws::secret`], or when the secret holds something else.
#[cfg(feature = "aws")]
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

/// A database login as RDS keeps it in Secrets Manager.
///
/// # Errors
/// Always: this build has no SDK.
#[cfg(not(feature = "aws"))]
pub async fn database_login(_: &str) -> Result<(String, Login)> {
    Err(Error::internal(
        "PLINTH_MASTER_SECRET_ARN needs a function built with the aws feature",
    ))
}

/// An envelope cannot be moved to another project: its id is part of what is authenticated.
fn associated(project: Option<ProjectId>) -> Vec<u8> {
    project.map_or_else(|| b"platform".to_vec(), |id| id.0.as_bytes().to_vec())
}

#[cfg(feature = "aws")]
async fn fetch(arn: &str) -> Result<Vec<Sensitive>> {
    let text = aws::secret(arn).await?;
    Ok(text.expose().split(',').map(|key| Sensitive::new(key.trim())).collect())
}

#[cfg(not(feature = "aws"))]
async fn fetch(_: &str) -> Result<Vec<Sensitive>> {
    Err(Error::internal(
        "PLINTH_ENCRYPTION_KEY_ARN needs a function built with the aws feature",
    ))
}
