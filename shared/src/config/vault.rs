//! Where the key that seals secrets comes from, and where users' credentials are kept.

use super::env::{Env, invalid};
use crate::error::Result;
use crate::sensitive::Sensitive;

/// The master key's source. Nothing is fetched before the first secret is sealed or opened.
#[derive(Debug, Clone)]
pub enum MasterKey {
    /// The keys themselves, the current one first (`PLINTH_ENCRYPTION_KEY`, older name `SUPABASE_KEYS_ENCRYPTION_KEY`;
    /// `PLINTH_ENCRYPTION_KEYS_OLD`, comma list, can still open what they sealed).
    Given(Vec<Sensitive>),
    /// A Secrets Manager secret whose text is the comma list (`PLINTH_ENCRYPTION_KEY_ARN`).
    SecretsManager(String),
    /// None: this function neither seals nor opens.
    Absent,
}

impl MasterKey {
    pub(super) fn from_env(env: &Env) -> Self {
        let current = env
            .secret("PLINTH_ENCRYPTION_KEY")
            .or_else(|| env.secret("SUPABASE_KEYS_ENCRYPTION_KEY"));
        if let Some(current) = current {
            let old = env
                .get("PLINTH_ENCRYPTION_KEYS_OLD")
                .into_iter()
                .flat_map(|list| list.split(','));
            return Self::Given(
                std::iter::once(current)
                    .chain(old.map(|key| Sensitive::new(key.trim())))
                    .collect(),
            );
        }
        match env.get("PLINTH_ENCRYPTION_KEY_ARN") {
            Some(arn) => Self::SecretsManager(arn.to_owned()),
            None => Self::Absent,
        }
    }
}

/// Where the credentials of users' own databases are kept (`PLINTH_CREDENTIALS`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialsAt {
    /// `sealed`, the default: in the control database, under the master key.
    Sealed,
    /// `secrets-manager`: a secret for each connection, named `plinth/{stage}/connection/{backend id}`.
    SecretsManager {
        /// What tells this platform's secrets from others' in the account (`PLINTH_STAGE`): letters, digits and hyphens.
        stage: String,
    },
}

impl CredentialsAt {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        match env.get("PLINTH_CREDENTIALS") {
            None | Some("sealed") => Ok(Self::Sealed),
            Some("secrets-manager") => {
                let stage = env.get("PLINTH_STAGE").unwrap_or_default();
                let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
                if stage.is_empty() || !stage.chars().all(plain) {
                    return Err(invalid("PLINTH_STAGE", "letters, digits and hyphens are needed"));
                }
                let stage = stage.to_owned();
                Ok(Self::SecretsManager { stage })
            }
            Some(_) => Err(invalid("PLINTH_CREDENTIALS", "must be sealed or secrets-manager")),
        }
    }
}
