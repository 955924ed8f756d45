//! Opens one connection to one Postgres: address, TLS with ring, password or IAM token, one deadline for all of it.

use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::{CancelToken, Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

pub use super::outbound::Refused;
pub use super::trust::Trust;
use super::{outbound, unavailable};
use crate::config::{Address, Login, Tls};
use crate::error::{Error, Result};

/// Longest time a connection may take to be ready: name, TCP, TLS, sign-in.
pub const DEADLINE: Duration = Duration::from_secs(5);

/// Signs in at `address`. The connection's driving task ends by itself when the client is dropped.
///
/// # Errors
/// The Postgres error as it came (its SQLSTATE tells a bad password from a missing database), or a timeout.
pub async fn dial(address: &Address, trust: &Trust) -> Result<Client, DialError> {
    // Boxed: TLS and sign-in make a large future, and every future that may dial would carry it.
    match tokio::time::timeout(DEADLINE, Box::pin(connect(address, trust))).await {
        Ok(outcome) => outcome,
        Err(_) => Err(DialError::Deadline),
    }
}

async fn connect(address: &Address, trust: &Trust) -> Result<Client, DialError> {
    let mut config = settings(address).await?;
    match &address.guard {
        None => drop(config.host(&address.host)),
        Some(allowed) => {
            let checked = outbound::resolve(allowed, &address.host, address.port).await;
            for ip in checked.map_err(DialError::Refused)? {
                // Dialled by the address that was checked; TLS verifies the name.
                config.host(&address.host).hostaddr(ip);
            }
        }
    }
    match address.tls {
        Tls::Disable => {
            config.ssl_mode(SslMode::Disable);
            let (client, connection) = config.connect(NoTls).await.map_err(DialError::Postgres)?;
            drive(connection);
            Ok(client)
        }
        Tls::Verify => {
            config.ssl_mode(SslMode::Require);
            let tls = MakeRustlsConnect::new(trust.config().map_err(DialError::Settings)?.clone());
            let (client, connection) = config.connect(tls).await.map_err(DialError::Postgres)?;
            drive(connection);
            Ok(client)
        }
    }
}

/// As whom, and to which database; not where.
pub(super) async fn settings(address: &Address) -> Result<tokio_postgres::Config, DialError> {
    let mut config = tokio_postgres::Config::new();
    config
        .port(address.port)
        .dbname(&address.database)
        .user(&address.login)
        .application_name("plinth")
        .keepalives_idle(Duration::from_secs(30));
    match &address.auth {
        // The password goes to the protocol layer and nowhere else.
        Login::Password(password) => config.password(password.expose()),
        Login::Iam(iam) => {
            let token = super::iam::token(address, iam).await.map_err(DialError::Token)?;
            config.password(token.expose())
        }
    };
    Ok(config)
}

/// Asks the server at `address` to stop what the token's connection is doing. Whether it was still doing it, nobody
/// tells.
///
/// # Errors
/// When the server cannot be reached within `within`.
pub async fn cancel(token: &CancelToken, address: &Address, trust: &Trust, within: Duration) -> Result<(), DialError> {
    let asked = async {
        match address.tls {
            Tls::Disable => token.cancel_query(NoTls).await.map_err(DialError::Postgres),
            Tls::Verify => {
                let tls = MakeRustlsConnect::new(trust.config().map_err(DialError::Settings)?.clone());
                token.cancel_query(tls).await.map_err(DialError::Postgres)
            }
        }
    };
    match tokio::time::timeout(within, asked).await {
        Ok(outcome) => outcome,
        Err(_) => Err(DialError::Deadline),
    }
}

fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static) {
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a database connection ended");
        }
    });
}

/// Why no connection came about.
#[derive(Debug)]
pub enum DialError {
    /// The server, or the way there, refused.
    Postgres(tokio_postgres::Error),
    /// Nothing came in time.
    Deadline,
    /// A user named a host that is not dialled.
    Refused(Refused),
    /// No IAM token could be signed.
    Token(Error),
    /// No TLS settings could be made.
    Settings(Error),
}

impl std::fmt::Display for DialError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Postgres(error) => error.fmt(f),
            Self::Refused(refused) => refused.fmt(f),
            Self::Deadline => f.write_str("no connection in time"),
            Self::Token(error) | Self::Settings(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for DialError {}

impl From<DialError> for Error {
    fn from(error: DialError) -> Self {
        unavailable(error)
    }
}
