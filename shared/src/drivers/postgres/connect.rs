//! Connections of one target, and what becomes of one whose use was cut off.

use std::time::Duration;

use tokio::time::Instant;

use super::statements::Statements;
use super::{Kin, error};
use crate::backend::dial::{Trust, cancel};
use crate::backend::{Address, Client, Database, Target};
use crate::error::Result;

/// How long stopping a connection's statements may take; the caller has waited long enough already.
const CANCEL_DEADLINE: Duration = Duration::from_secs(1);

/// The connections of one target.
pub(super) struct Pool {
    database: Database<Statements>,
    cancelling: Cancelling,
    /// Whether statements may have names.
    pub(super) named: bool,
    pub(super) kin: Kin,
}

/// What a cancel request needs beside the connection's token.
#[derive(Clone)]
struct Cancelling {
    address: Address,
    trust: Trust,
}

impl Pool {
    pub(super) fn new(target: &Target, kin: Kin) -> Result<Self> {
        let Target { address, trust, .. } = target;
        let database = Database::with_state(address.clone(), trust.clone(), target.connections, target.wait)?;
        Ok(Self {
            database: database.with_queue(target.queue),
            cancelling: Cancelling {
                address: address.clone(),
                trust: trust.clone(),
            },
            named: !target.pooler,
            kin,
        })
    }

    /// A connection, by `end` at the latest.
    ///
    /// # Errors
    /// As [`error::no_connection`].
    pub(super) async fn connect(&self, end: Instant) -> Result<Held> {
        let client = match tokio::time::timeout_at(end, self.database.try_get()).await {
            Ok(got) => got.map_err(error::no_connection)?,
            Err(_) => return Err(error::unreachable("no connection before the deadline")),
        };
        Ok(Held {
            client: Some(client),
            cancelling: self.cancelling.clone(),
        })
    }
}

/// A connection in use. Unless it is given back, it is closed and the server asked to stop what it was doing: a request
/// that was cut off (deadline, client gone) leaves nothing for the next one to trip over.
pub(super) struct Held {
    client: Option<Client<Statements>>,
    cancelling: Cancelling,
}

impl Held {
    /// The connection and its statements.
    pub(super) fn parts(&mut self) -> Option<(&tokio_postgres::Client, &mut Statements)> {
        self.client.as_mut().map(Client::parts)
    }

    /// Gives the connection back, out of any transaction.
    pub(super) fn give_back(mut self) {
        // A closed one is weeded out by the pool.
        drop(self.client.take());
    }

    /// Closes the connection: nobody knows what is left in its session.
    pub(super) fn spoil(&mut self) {
        if let Some(client) = self.client.take() {
            client.discard();
        }
    }

    /// Asks the server to stop, waits a little until it has, and closes the connection.
    pub(super) async fn cut_off(mut self) {
        if let Some(client) = self.client.take() {
            stop(client, self.cancelling.clone()).await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(stop(client, self.cancelling.clone()))),
            Err(_) => client.discard(),
        }
    }
}

/// The connection is closed in any case: a cancel request that comes late would stop whatever runs on it next. It keeps
/// its place in the pool until the server is done with it, so that there are never more of them than there may be.
async fn stop(client: Client<Statements>, at: Cancelling) {
    let stopped = async {
        cancel(&client.cancel_token(), &at.address, &at.trust, CANCEL_DEADLINE)
            .await
            .map_err(|error| error.to_string())?;
        // Answered behind all that was sent before.
        client.batch_execute("").await.map_err(|error| error.to_string())
    };
    let stopped = tokio::time::timeout(CANCEL_DEADLINE, stopped).await;
    if let Ok(Err(cause)) = stopped {
        tracing::debug!(cause, "what a connection was doing could not be stopped");
    }
    client.discard();
}
