//! All SQL of accounts, over one audience's four tables, always in a transaction that sets what it depends on: at level
//! `database` the owner of the project may have changed the database's defaults.

mod deleted;
mod person;
mod sessions;
mod users;

pub(super) use deleted::{note_deletion, noted, settle};

pub(super) use sessions::{Session, Token};
pub(super) use users::{Identity, NewUser, User};

use tokio_postgres::error::SqlState;
use tokio_postgres::{IsolationLevel, Transaction};

use super::Audience;
use super::profile::Profile;
use crate::control::{self, Client, unavailable};
use crate::error::{Error, Result};

/// Everything is schema-qualified; the path serves built-in functions and operators only. A tenant's lock must not hang
/// us, a dead client not hold its locks.
pub(super) const SETTINGS: &str = "
    set local search_path = pg_catalog;
    set local lock_timeout = '3s';
    set local statement_timeout = '10s';
    set local idle_in_transaction_session_timeout = '15s';
    set local standard_conforming_strings = on;
    set local client_encoding = 'UTF8'";

/// One audience's accounts, in one transaction. Dropped without [`Store::commit`] it rolls back.
pub(super) struct Store<'a> {
    tx: Transaction<'a>,
    schema: String,
}

impl<'a> Store<'a> {
    pub async fn begin(audience: &Audience, client: &'a mut Client) -> Result<Self> {
        let schema = audience.schema()?.quoted().to_string();
        let begin = client
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted)
            .read_only(false)
            .deferrable(false);
        let tx = begin.start().await.map_err(failed)?;
        tx.batch_execute(SETTINGS).await.map_err(failed)?;
        Ok(Self { tx, schema })
    }

    pub async fn commit(self) -> Result<()> {
        self.tx.commit().await.map_err(failed)
    }

    /// For what joins this transaction from elsewhere: the audit log.
    pub fn executor(&self) -> &Transaction<'a> {
        &self.tx
    }

    /// Calls one of the definer functions that write the project's profile row. See `profile` for when that is safe.
    pub async fn change_profile(&self, profile: &Profile<'_>) -> Result<(), tokio_postgres::Error> {
        self.tx.batch_execute("savepoint profile").await?;
        match profile.call(&self.tx, &self.schema).await {
            Ok(()) => self.tx.batch_execute("release savepoint profile").await,
            Err(error) => {
                self.tx.batch_execute("rollback to savepoint profile").await?;
                Err(error)
            }
        }
    }
}

/// [`control::failure`], and a lock that did not come in time is worth another try.
pub(super) fn failed(error: tokio_postgres::Error) -> Error {
    let busy = [
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::T_R_SERIALIZATION_FAILURE,
    ];
    match error.code() {
        Some(state) if busy.contains(state) => unavailable(error),
        _ => control::failure(error),
    }
}
