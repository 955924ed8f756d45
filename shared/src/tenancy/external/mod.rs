//! A backend that is the user's own database: where it is, how its tokens are verified, and who calls it. It is served as
//! a PostgREST configured alike would: the role comes from the token.

mod claim;
mod identify;
mod settings;

pub use claim::RoleClaim;
pub use settings::{ExternalSettings, RestSettings, Routine};

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::OnceCell;

use super::{Project, ProjectBackend, Tenancy, Tier};
use crate::config::{Address, AssumedRole, Iam, Login, Outbound, Tls};
use crate::control::dial::Trust;
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::query::rest::Api;
use crate::query::{self, Feature};
use crate::sensitive::Sensitive;
use crate::token::TokenKeys;
use crate::vault::{CredentialStore, Envelope, Kept, Owner};

/// A connection as it is stored: what is secret of it sealed, or elsewhere.
#[derive(Debug, Clone, Deserialize)]
pub struct Connection {
    /// By its name in the catalogue.
    pub provider: String,
    /// [`ConnectionSecrets`].
    secret: Option<Kept>,
    /// [`RestSecrets`] that are not part of it: of a connection last written when they had a row of their own.
    rest: Option<Envelope>,
    /// Both, opened on first use; for as long as the project is remembered.
    #[serde(skip)]
    opened: Arc<OnceCell<External>>,
}

/// How a user's database is reached. Only ever stored sealed.
#[derive(Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database name.
    pub database: String,
    /// Role that signs in.
    pub username: String,
    /// Its password; empty with `iam`.
    pub password: String,
    /// In a password's place: a token that AWS credentials sign for each connection.
    #[serde(default)]
    pub iam: Option<IamLogin>,
    /// What it speaks, where its provider does not tell.
    #[serde(default)]
    pub family: Option<Family>,
    /// Whether the server is spoken to without encryption.
    #[serde(default)]
    pub plain: bool,
    /// PEM certificates to trust beside the public ones.
    #[serde(default)]
    pub ca_certificate: Option<String>,
    /// Whether a transaction pooler is in between.
    #[serde(default)]
    pub pooler: bool,
    /// Of a REST API, all there is to know; the fields above but host and port mean nothing then.
    #[serde(default)]
    pub api: Option<Api>,
}

/// Who signs in to RDS without a password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamLogin {
    /// The server's region.
    pub region: String,
    /// A role that is assumed first, with the project's id as external id; without it the function's own signs.
    pub role_arn: Option<String>,
}

/// All that is secret of a connection, as one thing to keep.
#[derive(Clone, Serialize, Deserialize)]
pub struct ConnectionSecrets {
    /// How the database is reached.
    #[serde(flatten)]
    pub credentials: Credentials,
    /// None where they have a row of their own.
    #[serde(default)]
    pub rest: Option<RestSecrets>,
}

/// What is secret of the `rest` section. Only ever stored sealed.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct RestSecrets {
    /// A shared secret, a JSON Web Key or a set of them.
    #[serde(default)]
    pub jwt_secret: Option<String>,
    /// Settings for the database's own code; often keys of other services.
    #[serde(default)]
    pub app_settings: Map<String, Value>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for RestSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl std::fmt::Debug for ConnectionSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.credentials.fmt(f)
    }
}

impl ConnectionSecrets {
    /// What is kept, opened. `rest` is the row of their own that the second half may have.
    ///
    /// # Errors
    /// As [`CredentialStore::get`].
    pub async fn open(store: &CredentialStore, of: Owner, kept: &Kept, rest: Option<&Envelope>) -> Result<Self> {
        let mut secrets: Self = parse(&store.get(of, kept).await?)?;
        if let (None, Some(rest)) = (&secrets.rest, rest) {
            secrets.rest = Some(parse(&store.get(of, &Kept::Sealed(rest.clone())).await?)?);
        }
        Ok(secrets)
    }

    /// The text to keep.
    ///
    /// # Errors
    /// Never in practice.
    pub fn text(&self) -> Result<Sensitive> {
        serde_json::to_string(self).map(Sensitive::new).map_err(Error::internal)
    }
}

fn parse<T: serde::de::DeserializeOwned>(text: &Sensitive) -> Result<T> {
    // The parser's own error may quote the text.
    serde_json::from_str(text.expose()).map_err(|_| Error::internal("a kept secret has another shape"))
}

impl Credentials {
    /// What such a database of that provider speaks.
    pub fn family(&self, provider: &str) -> Family {
        self.family.unwrap_or_else(|| Family::of(provider))
    }

    /// What its server's certificate is verified against, if not what all are.
    ///
    /// # Errors
    /// When `ca_certificate` holds something else.
    pub fn trust(&self, provider: &str) -> Result<Option<Trust>> {
        let pem = self.ca_certificate.as_deref();
        let read = |pem| match provider {
            AWS_RDS => Trust::new(Some(pem)),
            _ => Trust::without_rds(Some(pem)),
        };
        pem.map(read).transpose()
    }

    /// The address to dial for that project, behind the guard.
    pub fn address(&self, guard: &Arc<Outbound>, project: Option<ProjectId>) -> Address {
        let role = |arn: &String| AssumedRole {
            arn: arn.clone(),
            external_id: project.map(|project| project.to_string()).unwrap_or_default(),
        };
        let auth = match &self.iam {
            None => Login::Password(Sensitive::new(self.password.clone())),
            Some(iam) => Login::Iam(Iam {
                region: Some(iam.region.clone()),
                role: iam.role_arn.as_ref().map(role),
            }),
        };
        Address {
            host: self.host.clone(),
            port: self.port,
            database: self.database.clone(),
            login: self.username.clone(),
            auth,
            tls: if self.plain { Tls::Disable } else { Tls::Verify },
            guard: Some(guard.clone()),
        }
    }
}

/// The one provider whose databases speak different languages.
const AWS_RDS: &str = "aws-rds";

/// What a user's database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// PostgreSQL.
    Postgres,
    /// PostgreSQL's protocol and much of its language: CockroachDB.
    Cockroach,
    /// MySQL and MariaDB.
    MySql,
    /// A REST API.
    Rest,
}

impl Family {
    /// Of a provider, by its name in the database. Of RDS: what it is, unless its credentials say otherwise.
    pub fn of(provider: &str) -> Self {
        match provider {
            "mysql" | "planetscale" => Self::MySql,
            "rest" => Self::Rest,
            "cockroachdb" => Self::Cockroach,
            _ => Self::Postgres,
        }
    }

    /// What such a database can do.
    pub fn capabilities(self) -> &'static [Feature] {
        match self {
            Self::Postgres => &Feature::ALL,
            Self::Cockroach => query::postgres::OF_COCKROACH,
            Self::MySql => query::mysql::CAPABILITIES,
            Self::Rest => query::rest::CAPABILITIES,
        }
    }

    /// Whether it speaks PostgreSQL's protocol.
    pub fn is_like_postgres(self) -> bool {
        matches!(self, Self::Postgres | Self::Cockroach)
    }

    /// Whether its roles and rows have rules of their own. Where they do not, only the project's secret keys and its
    /// members come in, unless [row rules](Self::takes_row_rules) of ours narrow every statement.
    pub fn guards_rows(self) -> bool {
        self.is_like_postgres()
    }

    /// Whether its driver writes row rules into its statements.
    pub fn takes_row_rules(self) -> bool {
        self == Self::MySql
    }
}

/// A user's database, ready to be served.
#[derive(Debug)]
pub struct External {
    /// What it speaks.
    pub family: Family,
    /// Where, and as whom.
    pub address: Address,
    /// What its certificate is verified against, if not what all are.
    pub trust: Option<Trust>,
    /// Whether a transaction pooler is in between.
    pub pooler: bool,
    /// Of a REST API, what can be done with it.
    pub api: Option<Arc<Api>>,
    /// What its owner decided.
    pub settings: ExternalSettings,
    /// The owner's settings for the database's own code: a JSON object of texts.
    pub app_settings: Sensitive,
    keys: Option<TokenKeys>,
}

impl External {
    /// Whether tokens are verified with a key that its owner gave.
    pub fn has_keys(&self) -> bool {
        self.keys.is_some()
    }
}

impl Connection {
    async fn open(
        &self,
        backend: &ProjectBackend,
        project: ProjectId,
        store: &CredentialStore,
        guard: &Arc<Outbound>,
    ) -> Result<&External> {
        let open = || async {
            let kept = self.secret.as_ref();
            let kept = kept.ok_or_else(|| Error::internal("the connection has no secret"))?;
            let of = Owner {
                project,
                backend: backend.id,
            };
            let ConnectionSecrets { credentials, rest } =
                ConnectionSecrets::open(store, of, kept, self.rest.as_ref()).await?;
            let rest = rest.unwrap_or_default();
            let provider = &self.provider;
            Ok(External {
                family: credentials.family(provider),
                address: credentials.address(guard, Some(project)),
                trust: credentials.trust(provider)?,
                pooler: credentials.pooler,
                api: credentials.api.map(Arc::new),
                settings: serde_json::from_value(backend.settings.clone()).map_err(Error::internal)?,
                app_settings: Sensitive::new(Value::Object(rest.app_settings).to_string()),
                keys: rest.jwt_secret.as_deref().map(TokenKeys::parse),
            })
        };
        self.opened.get_or_try_init(open).await
    }
}

impl Tenancy {
    /// The project's own database, if its backend is one.
    ///
    /// # Errors
    /// `vault/sealed`, `vault/secret-missing` and `vault/unavailable` when what is kept of it cannot be opened.
    pub async fn external<'a>(&self, project: &'a Project) -> Result<Option<&'a External>> {
        let Some(backend) = project.backend.as_ref().filter(|own| own.tier == Tier::External) else {
            return Ok(None);
        };
        let connection = backend.connection.as_ref();
        let connection = connection.ok_or_else(|| Error::internal("the backend has no connection"))?;
        let opened = connection.open(backend, project.id, &self.credentials, &self.config.outbound);
        Box::pin(opened).await.map(Some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_hides_what_is_secret() {
        let credentials = Credentials {
            host: "db.example.com".to_owned(),
            port: 5432,
            database: "planted".to_owned(),
            username: "planted".to_owned(),
            password: "planted".to_owned(),
            iam: None,
            family: None,
            plain: false,
            ca_certificate: None,
            pooler: false,
            api: None,
        };
        let secrets = RestSecrets {
            jwt_secret: Some("planted".to_owned()),
            app_settings: Map::from_iter([("app.key".to_owned(), Value::from("planted"))]),
        };
        assert!(!format!("{credentials:?} {secrets:?}").contains("planted"));
        let whole = ConnectionSecrets {
            credentials: credentials.clone(),
            rest: Some(secrets),
        };
        assert!(!format!("{whole:?}").contains("planted"));
        let address = credentials.address(&Arc::default(), None);
        assert!(format!("{address:?}").contains("[redacted]"));
    }
}
