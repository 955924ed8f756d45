//! The half of a change that happens in the backend's own database: one transaction, from lock to commit.

use std::time::{Duration, Instant};

use tokio_postgres::Transaction;
use tokio_postgres::error::SqlState;
use uuid::Uuid;

use super::refusal;
use super::site::{Connection, Site};
use crate::clock::SharedRandom;
use crate::control::{text, uuid};
use crate::error::{Error, ErrorKind, Result};

/// Longest wait for the change of the same backend that is at work.
const QUEUE: Duration = Duration::from_secs(5);
/// Longest wait for a table's lock at a time. Requests of that table queue up behind the wait, so it is short, and taken
/// up again after a pause in which they pass.
const LOCK: Duration = Duration::from_millis(150);
/// A process that is frozen in the middle of a change loses it after this long.
const IDLE: Duration = Duration::from_secs(30);

/// An open transaction that holds the project's designer lock.
pub(super) struct Cell<'a> {
    transaction: Transaction<'a>,
    site: &'a Site,
    ends: Instant,
}

impl<'a> Cell<'a> {
    /// Begins, as the owner of the project's objects, and waits for the lock. Everything is over within `budget`.
    pub(super) async fn lock(connection: &'a mut Connection, site: &'a Site, budget: Duration) -> Result<Self> {
        let ends = Instant::now() + budget;
        let transaction = connection.transaction().await.map_err(refusal::trouble)?;
        let settings = format!(
            "set local search_path = pg_catalog;
             set local standard_conforming_strings = on;
             set local idle_in_transaction_session_timeout = {};
             set local statement_timeout = {};
             set local lock_timeout = {};
             set local role {};",
            IDLE.as_millis(),
            budget.as_millis(),
            QUEUE.as_millis(),
            site.owner().quoted()
        );
        transaction.batch_execute(&settings).await.map_err(refusal::trouble)?;
        let name = format!("plinth.designer:{}", site.reference);
        let sql = "select pg_advisory_xact_lock(hashtextextended($1, 0))";
        let locked = transaction.query_typed(sql, &[text(&name)]).await;
        locked.map_err(|error| match error.code() {
            Some(&SqlState::LOCK_NOT_AVAILABLE) => refusal::busy("Another change of this backend is at work"),
            _ => refusal::trouble(error),
        })?;
        Ok(Self {
            transaction,
            site,
            ends,
        })
    }

    /// The last change that this database knows of.
    pub(super) async fn last_migration(&self) -> Result<Option<Uuid>> {
        let reference = self.site.reference.as_str();
        let sql = "select plinth.last_migration($1)";
        let rows = self.transaction.query_typed(sql, &[text(&reference)]).await;
        Ok(rows.map_err(refusal::trouble)?.first().and_then(|row| row.get(0)))
    }

    /// Runs the statements, proves that what is to be possible afterwards is, and moves the version.
    ///
    /// # Errors
    /// Why the database refused; nothing is changed then, and the transaction can only be dropped.
    pub(super) async fn run(
        &self,
        random: &SharedRandom,
        (up, proof): (&str, &[String]),
        migration: Uuid,
    ) -> Result<()> {
        loop {
            let left = self.ends.saturating_duration_since(Instant::now());
            let attempt = tokio::time::timeout(left, self.attempt(up, proof)).await;
            match attempt.map_err(|_| refusal::too_slow())? {
                Ok(()) => break,
                Err(error) if is_contended(&error) && left > LOCK => self.step_back(random).await?,
                Err(error) if is_contended(&error) => return Err(refusal::busy("The table's traffic leaves no gap")),
                Err(error) => return Err(refusal::of(error)),
            }
        }
        let reference = self.site.reference.as_str();
        let sql = "select plinth.schema_changed($1, $2)";
        let moved = self
            .transaction
            .query_typed(sql, &[text(&reference), uuid(&migration)])
            .await;
        moved.map(drop).map_err(refusal::trouble)
    }

    /// Runs statements that no request's plan knows of.
    ///
    /// # Errors
    /// Why the database refused; nothing is changed then.
    pub(super) async fn run_plain(&self, statements: &[String]) -> Result<()> {
        let wait = format!("set local lock_timeout = {}", LOCK.as_millis());
        self.transaction.batch_execute(&wait).await.map_err(refusal::trouble)?;
        let done = self.transaction.batch_execute(&statements.join(";\n")).await;
        done.map_err(|error| match is_contended(&error) {
            true => refusal::busy("The table's traffic leaves no gap"),
            false => refusal::of(error),
        })
    }

    async fn attempt(&self, up: &str, proof: &[String]) -> Result<(), tokio_postgres::Error> {
        let settings = format!("savepoint change; set local lock_timeout = {}", LOCK.as_millis());
        self.transaction.batch_execute(&settings).await?;
        self.transaction.batch_execute(up).await?;
        for statement in proof {
            let tried = format!("savepoint proof; {statement}; rollback to savepoint proof");
            self.transaction.batch_execute(&tried).await?;
        }
        self.transaction.batch_execute("release savepoint change").await
    }

    /// Lets go of every table, and leaves their traffic a gap.
    async fn step_back(&self, random: &SharedRandom) -> Result<()> {
        let back = self.transaction.batch_execute("rollback to savepoint change").await;
        back.map_err(refusal::trouble)?;
        let [jitter] = random.bytes::<1>();
        tokio::time::sleep(Duration::from_millis(30 + u64::from(jitter))).await;
        Ok(())
    }

    /// Commits. `false` when the answer got lost: the change may have happened.
    ///
    /// # Errors
    /// Why the database refused; nothing is changed then.
    pub(super) async fn commit(self) -> Result<bool> {
        match self.transaction.commit().await {
            Ok(()) => Ok(true),
            Err(error) if error.as_db_error().is_some() => Err(refusal::of(error)),
            Err(error) => {
                tracing::warn!(%error, "the outcome of a change is not known yet");
                Ok(false)
            }
        }
    }
}

fn is_contended(error: &tokio_postgres::Error) -> bool {
    matches!(
        error.code(),
        Some(&SqlState::LOCK_NOT_AVAILABLE | &SqlState::T_R_DEADLOCK_DETECTED)
    )
}

/// What a client is told when a commit's answer got lost.
pub(super) fn outcome_unknown() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "tables/outcome-unknown",
        "The connection was lost in the last moment: the change may have happened",
    )
    .with_hint("Read the table: its version tells. The next change settles what is open")
}
