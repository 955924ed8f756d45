//! What the operator decides, read from the environment once at start and validated there. Variable names live here and
//! nowhere else.

mod accounts;
mod ai;
mod audit;
mod connections;
mod database;
mod designer;
mod env;
mod files;
mod migration;
mod names;
mod outbound;
mod sql;
mod vault;
mod web;

pub use accounts::{Accounts, OutsideIssuer, SignUp};
pub use ai::{Ai, AiKey};
pub use audit::Audit;
pub use connections::Connections;
pub use database::{Address, AssumedRole, Databases, Iam, Login, Tls};
pub use designer::Designer;
pub use env::Env;
pub use files::{Files, FilesAt};
pub use migration::Migration;
pub use names::{Found, Lookup, Names};
pub use outbound::Outbound;
pub use sql::Sql;
pub use vault::{CredentialsAt, MasterKey};
pub use web::Web;

use std::sync::Arc;

use crate::error::Result;

/// Everything a function may be configured with. Sections a function does not use cost nothing.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the control database and the cells are, and as whom this function signs in.
    pub databases: Databases,
    /// Sign-up, outside issuers, token lifetimes.
    pub accounts: Accounts,
    /// Who writes prose for documents, if somebody does.
    pub ai: Option<Ai>,
    /// How long the audit log remembers.
    pub audit: Audit,
    /// Limits of connection tests.
    pub connections: Connections,
    /// Limits of the table designer.
    pub designer: Designer,
    /// Where copies of people's data wait to be fetched; none: this function has no business there.
    pub files: Option<Files>,
    /// The key that seals secrets.
    pub master_key: MasterKey,
    /// Where the credentials of users' own databases are kept.
    pub credentials: CredentialsAt,
    /// Which special addresses users' hosts may have.
    pub outbound: Arc<Outbound>,
    /// Limits of developers' scripts.
    pub sql: Sql,
    /// Base URL and limits.
    pub web: Web,
}

impl Config {
    /// Reads every section from `env`.
    ///
    /// # Errors
    /// `config/invalid`, naming the variable and what it should look like.
    pub fn from_env(env: &Env) -> Result<Self> {
        Ok(Self {
            databases: Databases::from_env(env)?,
            accounts: Accounts::from_env(env)?,
            ai: Ai::from_env(env)?,
            audit: Audit::from_env(env)?,
            connections: Connections::from_env(env)?,
            designer: Designer::from_env(env)?,
            files: Files::from_env(env)?,
            master_key: MasterKey::from_env(env),
            credentials: CredentialsAt::from_env(env)?,
            outbound: Arc::new(Outbound::from_env(env)?),
            sql: Sql::from_env(env)?,
            web: Web::from_env(env)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &[(&str, &str)]) -> Env {
        Env::of(
            pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        )
    }

    const CONTROL: (&str, &str) = (
        "PLINTH_CONTROL_URL",
        "postgresql://plinth_records:pw@127.0.0.1:5433/plinth",
    );

    #[test]
    fn a_control_url_is_enough() {
        let config = Config::from_env(&env(&[CONTROL])).unwrap();
        assert_eq!(config.databases.control.login, "plinth_records");
        assert_eq!(config.databases.control.port, 5433);
        assert_eq!(config.accounts.sign_up, SignUp::Nobody);
        assert_eq!(config.databases.pool_size, 1);
    }

    #[test]
    fn a_wrong_value_names_its_variable() {
        for (name, value) in [
            ("PLINTH_CONTROL_URL", "mysql://x"),
            ("PLINTH_POOL_SIZE", "0"),
            ("PLINTH_SIGN_UP", "friends"),
            ("PLINTH_ISSUERS", "{"),
            ("PLINTH_BASE_URL", "not a url"),
            ("PLINTH_REQUEST_TIMEOUT_MS", "soon"),
            ("PLINTH_SQL_TIMEOUT_MS", "26000"),
            ("PLINTH_AUDIT_ADDRESS_DAYS", "3651"),
            ("PLINTH_CREDENTIALS", "here"),
            ("PLINTH_CONNECTION_TEST_TIMEOUT_MS", "10001"),
        ] {
            let error = Config::from_env(&env(&[CONTROL, (name, value)])).unwrap_err();
            assert!(error.details().unwrap().contains(name), "{name}: {error:?}");
        }
    }

    #[test]
    fn secrets_never_show() {
        let config = Config::from_env(&env(&[
            ("PLINTH_CONTROL_URL", "postgresql://a:planted-secret@127.0.0.1/plinth"),
            ("PLINTH_CELL_PASSWORD", "planted-secret"),
            ("PLINTH_ENCRYPTION_KEY", "planted-secret"),
        ]));
        assert!(!format!("{config:?}").contains("planted-secret"));
    }

    #[test]
    fn credentials_in_secrets_manager_need_a_stage() {
        let at = |stage| {
            let pairs = [
                CONTROL,
                ("PLINTH_CREDENTIALS", "secrets-manager"),
                ("PLINTH_STAGE", stage),
            ];
            Config::from_env(&env(&pairs)).map(|config| config.credentials)
        };
        let stage = "plinth-1".to_owned();
        assert_eq!(at("plinth-1").unwrap(), CredentialsAt::SecretsManager { stage });
        for wrong in ["", "a/b", "*"] {
            assert!(
                at(wrong).unwrap_err().details().unwrap().contains("PLINTH_STAGE"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn sign_up_takes_listed_domains() {
        let config = Config::from_env(&env(&[CONTROL, ("PLINTH_SIGN_UP", "example.com, Example.org")])).unwrap();
        assert!(config.accounts.sign_up.allows("ann@EXAMPLE.com"));
        assert!(config.accounts.sign_up.allows("bob@example.org"));
        assert!(!config.accounts.sign_up.allows("eve@evil-example.com"));
    }
}
