//! Connections of one target.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult, Timeouts};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, OptsBuilder, SslOpts};
use tokio::time::Instant;

use super::error;
use crate::backend::dial::{DEADLINE, Trust};
use crate::backend::{Address, Login, Target, Tls, iam, outbound};
use crate::error::{Error, Result};
use crate::query::mysql::Flavour;

/// A connection that lay idle longer than this is asked for a sign of life.
const PROBE_AFTER: Duration = Duration::from_secs(20);
const PROBE_DEADLINE: Duration = Duration::from_secs(1);
/// What our SQL depends on, in every session: values are checked strictly, quotes mean what they should, and what an
/// embed aggregates is not cut before a reply would be too large. MariaDB would remember what a subquery answered for
/// another text that the column's collation takes for the same: for `a`, say, what it was for `A`. A row rule asks exactly.
const SETUP: &str = "
    set session /*M! optimizer_switch = 'subquery_cache=off', */ sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION',
      autocommit = 1, group_concat_max_len = 16777216;
    set session transaction isolation level repeatable read";

/// The connections of one target.
pub(super) struct Pool {
    pool: managed::Pool<Dialler>,
    /// Those who hold or await a connection, and as many as that may be.
    users: Arc<AtomicUsize>,
    most: usize,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum DialError {
    /// The server, or the way there, refused.
    Server(mysql_async::Error),
    /// Nothing came in time.
    Deadline,
    /// A user named a host that is not dialled.
    Refused(outbound::Refused),
    /// No settings could be made.
    Settings(Error),
}

impl Pool {
    pub(super) fn new(target: &Target) -> Result<Self> {
        let timeouts = Timeouts {
            wait: Some(target.wait),
            create: None,
            recycle: None,
        };
        let dialler = Dialler {
            address: target.address.clone(),
            trust: target.trust.clone(),
        };
        let pool = managed::Pool::builder(dialler)
            .max_size(target.connections)
            .timeouts(timeouts)
            .queue_mode(QueueMode::Lifo)
            .runtime(Runtime::Tokio1)
            .build()
            .map_err(Error::internal)?;
        Ok(Self {
            pool,
            users: Arc::default(),
            most: target.connections.saturating_add(target.queue),
        })
    }

    /// A connection, by `end` at the latest.
    ///
    /// # Errors
    /// As [`error::no_connection`]; `PGRST003`.
    pub(super) async fn connect(&self, end: Instant) -> Result<Held> {
        let place = Place::take(&self.users, self.most).ok_or_else(error::busy)?;
        let got = tokio::time::timeout_at(end, self.pool.get()).await;
        let got = got.map_err(|_| error::unreachable("no connection before the deadline"))?;
        let object = got.map_err(|failed| match failed {
            PoolError::Backend(failed) => error::no_connection(failed),
            PoolError::Timeout(_) => error::busy(),
            _ => error::unreachable("the pool is closed"),
        })?;
        Ok(Held {
            object: Some(object),
            _place: place,
        })
    }
}

/// A place among those who hold or await a connection.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(users: &Arc<AtomicUsize>, most: usize) -> Option<Self> {
        let place = Self(users.clone());
        (users.fetch_add(1, Ordering::Relaxed) < most).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection in use. Unless it is given back it is closed: a request that was cut off leaves nothing for the next one.
pub(super) struct Held {
    object: Option<Object<Dialler>>,
    _place: Place,
}

impl Held {
    /// The connection, and what is at its other end.
    pub(super) fn parts(&mut self) -> Option<(&mut Conn, Flavour)> {
        self.object.as_mut().map(|dialled| {
            let Dialled { conn, flavour, .. } = &mut **dialled;
            (conn, *flavour)
        })
    }

    /// Gives the connection back, out of any transaction.
    pub(super) fn give_back(mut self) {
        drop(self.object.take());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if let Some(object) = self.object.take() {
            drop(Object::take(object));
        }
    }
}

/// Dials for the pool.
pub(super) struct Dialler {
    address: Address,
    trust: Trust,
}

/// A live connection and when it was last handed out.
pub(super) struct Dialled {
    conn: Conn,
    flavour: Flavour,
    used: Instant,
}

impl managed::Manager for Dialler {
    type Type = Dialled;
    type Error = DialError;

    async fn create(&self) -> Result<Dialled, DialError> {
        dial(&self.address, &self.trust).await
    }

    async fn recycle(&self, dialled: &mut Dialled, _: &Metrics) -> RecycleResult<DialError> {
        if dialled.conn.is_disconnected() {
            return Err(RecycleError::message("closed"));
        }
        if dialled.used.elapsed() > PROBE_AFTER {
            let alive = tokio::time::timeout(PROBE_DEADLINE, dialled.conn.ping()).await;
            if !matches!(alive, Ok(Ok(()))) {
                return Err(RecycleError::message("no sign of life"));
            }
        }
        dialled.used = Instant::now();
        Ok(())
    }
}

/// A connection of nobody's.
///
/// # Errors
/// As [`crate::backend::Driver::probe`].
pub(super) async fn alone(target: &Target) -> Result<(Conn, Flavour)> {
    let dialled = dial(&target.address, &target.trust).await;
    let Dialled { conn, flavour, .. } = dialled.map_err(error::refused_probe)?;
    Ok((conn, flavour))
}

async fn dial(address: &Address, trust: &Trust) -> Result<Dialled, DialError> {
    // Boxed: TLS and sign-in make a large future.
    match tokio::time::timeout(DEADLINE, Box::pin(sign_in(address, trust))).await {
        Ok(outcome) => outcome,
        Err(_) => Err(DialError::Deadline),
    }
}

async fn sign_in(address: &Address, trust: &Trust) -> Result<Dialled, DialError> {
    let mut opts = OptsBuilder::default()
        .ip_or_hostname(address.host.as_str())
        .tcp_port(address.port)
        .db_name(Some(address.database.as_str()))
        .user(Some(address.login.as_str()))
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .prefer_socket(false)
        // An update that changes nothing has found its row all the same.
        .client_found_rows(true);
    if let Some(allowed) = &address.guard {
        let checked = outbound::resolve(allowed, &address.host, address.port).await;
        // Dialled by the address that was checked; TLS verifies the name.
        opts = opts.resolved_ips(Some(checked.map_err(DialError::Refused)?));
    }
    opts = match &address.auth {
        // The password goes to the protocol layer and nowhere else.
        Login::Password(password) => opts.pass(Some(password.expose())),
        Login::Iam(iam) => {
            let token = iam::token(address, iam).await.map_err(DialError::Settings)?;
            // RDS takes it in clear text; `token` is refused without TLS, which hides it.
            opts.pass(Some(token.expose())).enable_cleartext_plugin(true)
        }
    };
    if address.tls == Tls::Verify {
        let roots = trust.beside_public().map_err(DialError::Settings)?;
        let roots = roots.into_iter().map(Into::into).collect();
        opts = opts.ssl_opts(SslOpts::default().with_root_certs(roots));
    }
    let mut conn = Conn::new(opts).await.map_err(DialError::Server)?;
    conn.query_drop(SETUP).await.map_err(DialError::Server)?;
    let version: Option<String> = conn.query_first("select version()").await.map_err(DialError::Server)?;
    let is_maria = version.is_some_and(|version| version.contains("MariaDB"));
    Ok(Dialled {
        conn,
        flavour: if is_maria { Flavour::MariaDb } else { Flavour::MySql },
        used: Instant::now(),
    })
}
