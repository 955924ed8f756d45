//! A bounded set of connections to one database.

use std::fmt;
use std::marker::PhantomData;
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

/// Connections to one database with one login, each with a state `S` that lives and dies with it (a driver keeps its
/// prepared statements there). Nothing is dialled before the first [`Database::get`].
pub struct Database<S: Default + Send = ()> {
    pool: managed::Pool<Dialler<S>>,
}

impl Database {
    /// At most `size` connections; a caller waits at most `wait` for one.
    ///
    /// # Errors
    /// Never in practice: the pool's settings are ours.
    pub fn new(address: Address, trust: Trust, size: usize, wait: Duration) -> Result<Self> {
        Self::with_state(address, trust, size, wait)
    }
}

impl<S: Default + Send> Database<S> {
    /// [`Database::new`] with a state for each connection.
    ///
    /// # Errors
    /// Never in practice: the pool's settings are ours.
    pub fn with_state(address: Address, trust: Trust, size: usize, wait: Duration) -> Result<Self> {
        let timeouts = Timeouts {
            wait: Some(wait),
            create: None,
            recycle: None,
        };
        let dialler = Dialler {
            address,
            trust,
            state: PhantomData,
        };
        let pool = managed::Pool::builder(dialler)
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
    pub async fn get(&self) -> Result<Client<S>> {
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
    pub async fn try_get(&self) -> Result<Client<S>, PoolError<DialError>> {
        self.pool.get().await.map(Client)
    }

    /// Closes idle connections and refuses new ones.
    pub fn close(&self) {
        self.pool.close();
    }
}

impl<S: Default + Send> Clone for Database<S> {
    fn clone(&self) -> Self {
        Self {
            pool: self.pool.clone(),
        }
    }
}

impl<S: Default + Send> fmt::Debug for Database<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.pool.manager().address).finish()
    }
}

/// A connection on loan from a [`Database`].
pub struct Client<S: Default + Send = ()>(Object<Dialler<S>>);

impl<S: Default + Send> Client<S> {
    /// The connection and its state.
    pub fn parts(&mut self) -> (&tokio_postgres::Client, &mut S) {
        let dialled = &mut *self.0;
        (&dialled.client, &mut dialled.state)
    }

    /// Closes the connection instead of giving it back: nobody knows what state it is in.
    pub fn discard(self) {
        drop(Object::take(self.0));
    }
}

impl<S: Default + Send> Deref for Client<S> {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        &self.0.client
    }
}

impl<S: Default + Send> DerefMut for Client<S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0.client
    }
}

/// Dials for the pool.
struct Dialler<S> {
    address: Address,
    trust: Trust,
    state: PhantomData<fn() -> S>,
}

/// A live connection and when it was last handed out.
struct Dialled<S> {
    client: tokio_postgres::Client,
    used: Instant,
    state: S,
}

impl<S: Default + Send> managed::Manager for Dialler<S> {
    type Type = Dialled<S>;
    type Error = DialError;

    async fn create(&self) -> Result<Dialled<S>, DialError> {
        Ok(Dialled {
            client: dial(&self.address, &self.trust).await?,
            used: Instant::now(),
            state: S::default(),
        })
    }

    async fn recycle(&self, dialled: &mut Dialled<S>, _: &Metrics) -> RecycleResult<DialError> {
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
