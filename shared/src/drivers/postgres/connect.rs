//! Connections of one target, and what becomes of one whose use was cut off.

use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::CancelToken;

use super::error;
use super::statements::Statements;
use crate::backend::dial::{Trust, cancel};
use crate::backend::{Address, Client, Database, Target};
use crate::error::Result;

/// How long a cancel request may take; the caller has waited long enough already.
const CANCEL_DEADLINE: Duration = Duration::from_secs(1);

/// The connections of one target.
pub(super) struct Pool {
    database: Database<Statements>,
    cancelling: Cancelling,
    /// Whether statements may have names.
    pub(super) named: bool,
}

/// What a cancel request needs beside the connection's token.
#[derive(Clone)]
struct Cancelling {
    address: Address,
    trust: Trust,
}

impl Pool {
    pub(super) fn new(target: &Target) -> Result<Self> {
        let Target { address, trust, .. } = target;
        Ok(Self {
            database: Database::with_state(address.clone(), trust.clone(), target.connections, target.wait)?,
            cancelling: Cancelling {
                address: address.clone(),
                trust: trust.clone(),
            },
            named: !target.pooler,
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
            token: client.cancel_token(),
            client: Some(client),
            cancelling: self.cancelling.clone(),
        })
    }
}

/// A connection in use. Unless it is given back, it is closed and the server asked to stop what it was doing: a request
/// that was cut off (deadline, client gone) leaves nothing for the next one to trip over.
pub(super) struct Held {
    client: Option<Client<Statements>>,
    token: CancelToken,
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

    /// Closes the connection and asks the server to stop; waits for the request to be sent.
    pub(super) async fn cut_off(mut self) {
        if let Some(client) = self.client.take() {
            client.discard();
            stop(self.token.clone(), self.cancelling.clone()).await;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let Some(client) = self.client.take() else { return };
        client.discard();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(stop(self.token.clone(), self.cancelling.clone()));
        }
    }
}

async fn stop(token: CancelToken, at: Cancelling) {
    if let Err(error) = cancel(&token, &at.address, &at.trust, CANCEL_DEADLINE).await {
        tracing::debug!(%error, "a cancel request could not be sent");
    }
}
