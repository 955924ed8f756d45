//! Where the key that seals secrets comes from.

use super::env::Env;
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
