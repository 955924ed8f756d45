//! Where our databases are and as whom we sign in.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::config::{Host, SslMode};

use super::Outbound;
use super::env::{Env, invalid};
use crate::error::Result;
use crate::sensitive::Sensitive;

/// How a connection proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Login {
    /// A password (SCRAM).
    Password(Sensitive),
    /// An RDS IAM token, signed locally for each connection.
    Iam(Iam),
}

/// Whose AWS credentials sign a token, and for which region. Without either: the function's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Iam {
    /// The server's region.
    pub region: Option<String>,
    /// A role that is assumed first.
    pub role: Option<AssumedRole>,
}

/// A role of somebody else's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AssumedRole {
    /// Its ARN.
    pub arn: String,
    /// What its trust policy asks for (`sts:ExternalId`), so that it is assumed for its owner only.
    pub external_id: String,
}

/// Whether a connection is encrypted. There is no mode that encrypts without verifying the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// Plain text: loopback only.
    Disable,
    /// Encrypted, the server's certificate and name verified.
    Verify,
}

/// One database on one server, with a login.
#[derive(Debug, Clone)]
pub struct Address {
    /// Host name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Database name.
    pub database: String,
    /// Role that signs in.
    pub login: String,
    /// How it proves itself.
    pub auth: Login,
    /// Encryption.
    pub tls: Tls,
    /// A host that a user named is dialled only where this allows it; the operator's own are not asked.
    pub guard: Option<Arc<Outbound>>,
}

/// The control database and how cells are reached.
#[derive(Debug, Clone)]
pub struct Databases {
    /// The control database, with this function's login (`PLINTH_CONTROL_URL`; `PLINTH_CONTROL_PASSWORD` may hold the
    /// password apart).
    pub control: Address,
    /// The login in cells (`PLINTH_CELL_LOGIN`), if this function has one.
    pub cell_login: Option<String>,
    /// Its password (`PLINTH_CELL_PASSWORD`); an IAM token with `PLINTH_DATABASE_IAM=true`.
    pub cell_auth: Login,
    /// Connections per process and target (`PLINTH_POOL_SIZE`): 1 on Lambda, where a process serves one request at a time.
    pub pool_size: usize,
    /// Targets kept open per process (`PLINTH_POOL_TARGETS`), least recently used closed first.
    pub pool_targets: usize,
    /// Requests that may wait for a connection, per target (`PLINTH_POOL_QUEUE`); the next is refused at once.
    pub pool_queue: usize,
    /// Longest wait for a connection (`PLINTH_POOL_WAIT_MS`).
    pub pool_wait: Duration,
    /// A transaction pooler or RDS Proxy is in between (`PLINTH_POOLER=true`): no prepared statements.
    pub pooler: bool,
    /// Certificates to trust beside the public ones (`PLINTH_DATABASE_CA`, PEM).
    pub ca_pem: Option<String>,
}

impl Databases {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        let url = env
            .get("PLINTH_CONTROL_URL")
            .ok_or_else(|| invalid("PLINTH_CONTROL_URL", "is not set"))?;
        let iam = env.parse("PLINTH_DATABASE_IAM", false)?;
        let mut control = Address::from_url(url).map_err(|why| invalid("PLINTH_CONTROL_URL", why))?;
        if let Some(password) = env.secret("PLINTH_CONTROL_PASSWORD") {
            control.auth = Login::Password(password);
        } else if iam {
            control.auth = Login::Iam(Iam::default());
        }
        let pool_size = env.parse("PLINTH_POOL_SIZE", 1)?;
        let pool_targets = env.parse("PLINTH_POOL_TARGETS", 16)?;
        if pool_size == 0 || pool_targets == 0 {
            return Err(invalid("PLINTH_POOL_SIZE, PLINTH_POOL_TARGETS", "must be at least 1"));
        }
        Ok(Self {
            control,
            cell_login: env.get("PLINTH_CELL_LOGIN").map(str::to_owned),
            cell_auth: match env.secret("PLINTH_CELL_PASSWORD") {
                Some(password) => Login::Password(password),
                None if iam => Login::Iam(Iam::default()),
                None => Login::Password(Sensitive::new("")),
            },
            pool_size,
            pool_targets,
            pool_queue: env.parse("PLINTH_POOL_QUEUE", 500)?,
            pool_wait: Duration::from_millis(env.parse("PLINTH_POOL_WAIT_MS", 2_000)?),
            pooler: env.parse("PLINTH_POOLER", false)?,
            ca_pem: env.get("PLINTH_DATABASE_CA").map(str::to_owned),
        })
    }
}

impl Address {
    /// Takes `postgresql://login:password@host:port/database?sslmode=disable|require`. Without `sslmode` a loopback
    /// host is reached in plain text and any other one encrypted and verified.
    ///
    /// # Errors
    /// A sentence on what is wrong, without the password.
    pub fn from_url(url: &str) -> Result<Self, String> {
        let parsed: tokio_postgres::Config = url.parse().map_err(|_| "is not a postgresql:// URL".to_owned())?;
        let host = match parsed.get_hosts() {
            [Host::Tcp(host)] => host.clone(),
            _ => return Err("must name exactly one host".to_owned()),
        };
        let tls = match (url.contains("sslmode="), parsed.get_ssl_mode()) {
            (true, SslMode::Disable) => Tls::Disable,
            (false, _) if is_loopback(&host) => Tls::Disable,
            _ => Tls::Verify,
        };
        if tls == Tls::Disable && !is_loopback(&host) {
            return Err("only a loopback server may be reached without TLS".to_owned());
        }
        let password = parsed
            .get_password()
            .map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        Ok(Self {
            host,
            port: parsed.get_ports().first().copied().unwrap_or(5432),
            database: parsed.get_dbname().ok_or("must name a database")?.to_owned(),
            login: parsed.get_user().ok_or("must name a login")?.to_owned(),
            auth: Login::Password(password.unwrap_or_default().into()),
            tls,
            guard: None,
        })
    }

    /// The same server and login rules, for another database and login.
    pub fn beside(&self, host: &str, port: u16, database: &str, login: &str, auth: Login) -> Self {
        let tls = if is_loopback(host) { self.tls } else { Tls::Verify };
        Self {
            host: host.to_owned(),
            port,
            database: database.to_owned(),
            login: login.to_owned(),
            auth,
            tls,
            guard: None,
        }
    }
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
