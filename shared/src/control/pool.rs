//! A bounded set of connections to one database.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts};

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
    /// Those who hold or await a connection.
    users: Arc<AtomicUsize>,
    /// As many as that may be.
    most: usize,
}

/// Why a caller got no connection.
#[derive(Debug)]
pub enum NoClient {
    /// All were in use: too many were waiting already, or none came free in time.
    Busy,
    /// The server cannot be reached, or lets nobody in.
    Dial(DialError),
    /// The pool is closed.
    Closed,
}

impl fmt::Display for NoClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Busy => f.write_str("every connection is in use"),
            Self::Dial(error) => error.fmt(f),
            Self::Closed => f.write_str("the pool is closed"),
        }
    }
}

impl std::error::Error for NoClient {}

impl From<PoolError<DialError>> for NoClient {
    fn from(error: PoolError<DialError>) -> Self {
        match error {
            PoolError::Backend(error) => Self::Dial(error),
            PoolError::Timeout(_) => Self::Busy,
            _ => Self::Closed,
        }
    }
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
            // The one used last has its statements and the server's caches warmest.
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            pool,
            users: Arc::default(),
            most: usize::MAX,
        })
    }

    /// The same with at most `waiting` callers in line: one more is refused at once.
    #[must_use]
    pub fn with_queue(mut self, waiting: usize) -> Self {
        self.most = self.pool.status().max_size.saturating_add(waiting);
        self
    }

    /// A connection, for as long as it is held.
    ///
    /// # Errors
    /// `database/unavailable` when the server cannot be reached or every connection stays busy.
    pub async fn get(&self) -> Result<Client<S>> {
        self.try_get().await.map_err(|error| match error {
            NoClient::Dial(error) => error.into(),
            error => unavailable(error),
        })
    }

    /// A connection, with the reason when there is none: its SQLSTATE tells a bad password from a missing database.
    ///
    /// # Errors
    /// As it came from the server; [`NoClient::Busy`] when none comes free in time or too many wait already.
    pub async fn try_get(&self) -> Result<Client<S>, NoClient> {
        let place = Place::take(&self.users, self.most).ok_or(NoClient::Busy)?;
        let object = self.pool.get().await?;
        Ok(Client { object, _place: place })
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
            users: self.users.clone(),
            most: self.most,
        }
    }
}

impl<S: Default + Send> fmt::Debug for Database<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.pool.manager().address).finish()
    }
}

/// A place among those who hold or await a connection.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(users: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(users.clone());
        // Dropped, and so given back, where it is one too many.
        (users.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection on loan from a [`Database`].
pub struct Client<S: Default + Send = ()> {
    object: Object<Dialler<S>>,
    _place: Place,
}

impl<S: Default + Send> Client<S> {
    /// The connection and its state.
    pub fn parts(&mut self) -> (&tokio_postgres::Client, &mut S) {
        let dialled = &mut *self.object;
        (&dialled.client, &mut dialled.state)
    }

    /// Closes the connection instead of giving it back: nobody knows what state it is in.
    pub fn discard(self) {
        drop(Object::take(self.object));
    }
}

impl<S: Default + Send> Deref for Client<S> {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        &self.object.client
    }
}

impl<S: Default + Send> DerefMut for Client<S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.object.client
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
