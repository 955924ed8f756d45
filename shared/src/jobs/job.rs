//! A job as its handler sees it.

use std::collections::BTreeMap;

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::outcome::{Standing, bounded};
use super::run::lease;
use super::store;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};

/// Characters of a message that are kept.
const LONGEST_MESSAGE: usize = 500;
/// Bytes of an item's outcome, as JSON.
const LARGEST_OUTCOME: usize = 16 * 1024;

/// A job to be done.
///
/// A handler holds no connection of the control database while it calls [`Job::progress`] or [`Job::items`]: the pool may
/// have no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: Uuid,
    /// What is to be done.
    pub kind: String,
    /// For which project, if for one.
    pub project: Option<ProjectId>,
    /// With what.
    pub payload: Value,
    /// Who asked for it, if it was a person.
    pub by: Option<UserId>,
    /// The number of this try, from 1; no two tries of a job ever have the same.
    pub attempt: i32,
    /// The number of the last try before it is given up.
    pub(super) last_attempt: i32,
}

impl Job {
    /// Tells how far the work is (0-100) and what is being done, for whoever waits for it, and renews the lease. Call it
    /// between steps and hand its error on: it is how a handler hears that it shall stop.
    ///
    /// # Errors
    /// `jobs/cancelled` when somebody cancelled the job, `jobs/lost` when it is no longer this worker's.
    pub async fn progress(&self, app: &App, percent: u8, message: &str) -> Result<()> {
        let message = bounded(message, LONGEST_MESSAGE);
        store::progress(app, self, percent.min(100), &message, lease(app)?)
            .await?
            .go_on()
    }

    /// What this and earlier tries have done: the outcomes by item.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn items(&self, app: &App) -> Result<BTreeMap<String, Value>> {
        store::items(app, self).await
    }

    /// Notes in the caller's transaction that an item is done, and how it went: its effect and this note are kept
    /// together or not at all. Also renews the lease. The last statement before the commit: the job's row is locked after
    /// every other.
    ///
    /// # Errors
    /// As [`Job::hold`]; 409 `jobs/item-done` for an item that is noted already: the transaction must not commit.
    pub async fn done(&self, app: &App, executor: &impl GenericClient, item: &str, outcome: &Value) -> Result<()> {
        if outcome.to_string().len() > LARGEST_OUTCOME {
            return Err(Error::internal(format!("the outcome of the item {item} is too large")));
        }
        self.hold(app, executor).await?;
        if store::insert_item(executor, self, item, outcome, app.clock.now()).await? {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Conflict,
            "jobs/item-done",
            "A part of the work was done already",
        )
        .with_details(item.to_owned()))
    }

    /// Proves in the caller's transaction that the job is still this worker's, until that transaction ends: nobody else
    /// claims it meanwhile. For effects in the control database that need no note. Also renews the lease.
    ///
    /// # Errors
    /// `jobs/lost`: the transaction must not commit; `jobs/cancelled`.
    pub async fn hold(&self, app: &App, executor: &impl GenericClient) -> Result<()> {
        store::renew(executor, self, lease(app)?).await?.go_on()
    }

    /// How many tries there were since somebody last asked for it, this one included.
    pub(super) fn tries(&self) -> i32 {
        super::ATTEMPTS - (self.last_attempt - self.attempt)
    }
}

impl Standing {
    /// Whether the handler goes on.
    fn go_on(self) -> Result<()> {
        match self {
            Self::Ours => Ok(()),
            Self::Cancelled => Err(Error::new(
                ErrorKind::Conflict,
                "jobs/cancelled",
                "The job was cancelled",
            )),
            Self::Lost => Err(Error::new(
                ErrorKind::Conflict,
                "jobs/lost",
                "The job is another worker's by now",
            )),
        }
    }
}
