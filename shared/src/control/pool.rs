//! A bounded set of connections to one database of ours.

use std::ops::{Deref, DerefMut};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, RecycleError, RecycleResult, Timeouts};

use super::dial::{DialError, Trust, dial};
use super::unavailable;
use crate::config::Address;
use crate::error::{Error, Result};

/// A connection that lay idle longer than this is asked for a sign of life: Lambda freezes processes, and their sockets
/// die unheard.
const PROBE_AFTER: Duration = Duration::from_secs(20);
const PROBE_DEADLINE: Duration = Duration::from_secs(1);

/// Connections to one database with one login. Nothing is dialled before the first [`Database::get`].
#[derive(Clone, Debug)]
pub struct Database {
    pool: managed::Pool<Dialler>,
}

impl Database {
    /// At most `size` connections; a caller waits at most `wait` for one.
    ///
    /// # Errors
    /// Never in practice: the pool's settings are ours.
    pub fn new(address: Address, trust: Trust, size: usize, wait: Duration) -> Result<Self> {
        let timeouts = Timeouts {
            wait: Some(wait),
            create: None,
            recycle: None,
        };
        let pool = managed::Pool::builder(Dialler { address, trust })
            .max_size(size)
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self { pool })
    }

    /// A connection, for as long as it is held.
    ///
    /// # Errors
    /// `database/unavailable` when the server cannot be reached or every connection stays busy.
    pub async fn get(&self) -> Result<Client> {
        match self.pool.get().await {
            Ok(object) => Ok(Client(object)),
            Err(PoolError::Backend(error)) => Err(error.into()),
            Err(error) => Err(unavailable(error)),
        }
    }

    /// A connection, with the reason when there is none: its SQLSTATE tells a bad password from a missing database.
    ///
    /// # Errors
    /// As it came from the server.
    pub async fn try_get(&self) -> Result<Client, PoolError<DialError>> {
        self.pool.get().await.map(Client)
    }

    /// Closes idle connections and refuses new ones.
    pub fn close(&self) {
        self.pool.close();
    }
}

/// A connection on loan from a [`Database`].
pub struct Client(Object<Dialler>);

impl Deref for Client {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        &self.0.client
    }
}

impl DerefMut for Client {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0.client
    }
}

/// Dials for the pool.
#[derive(Debug)]
pub struct Dialler {
    address: Address,
    trust: Trust,
}

/// A live connection and when it was last handed out.
#[derive(Debug)]
pub struct Dialled {
    client: tokio_postgres::Client,
    used: Instant,
}

impl managed::Manager for Dialler {
    type Type = Dialled;
    type Error = DialError;

    async fn create(&self) -> Result<Dialled, DialError> {
        Ok(Dialled {
            client: dial(&self.address, &self.trust).await?,
            used: Instant::now(),
        })
    }

    async fn recycle(&self, dialled: &mut Dialled, _: &Metrics) -> RecycleResult<DialError> {
        if dialled.client.is_closed() {
            return Err(RecycleError::message("closed by the server"));
        }
        if dialled.used.elapsed() > PROBE_AFTER {
            let probe = tokio::time::timeout(PROBE_DEADLINE, dialled.client.batch_execute(""));
            if !matches!(probe.await, Ok(Ok(()))) {
                return Err(RecycleError::message("no sign of life"));
            }
        }
        dialled.used = Instant::now();
        Ok(())
    }
}
