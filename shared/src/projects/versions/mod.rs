//! Tells backends that their project has moved on.
//!
//! A change calls `plinth.bump` in its transaction: the version moves and an outbox row is written. After the commit
//! [`push`] carries the version to the backend's own database, where every data request checks it at its end. What could
//! not be carried stays in the outbox, and [`push_open`] tries again.

mod store;

use std::collections::HashSet;
use std::time::Duration;

use serde::Serialize;
use tokio_postgres::GenericClient;
use tokio_postgres::error::SqlState;

use crate::app::App;
use crate::control::dial::DialError;
use crate::control::{Database, NoClient, unavailable};
use crate::error::Result;
use crate::ident::{ProjectId, Ref};
use crate::tenancy::{Cell, Isolation, LONGEST_MEMORY};

/// Longest time a reply waits for one backend.
const DEADLINE: Duration = Duration::from_secs(3);
/// Outbox rows that one call of [`push_open`] claims.
const BATCH: i64 = 50;

/// How far a change has come when its reply is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(tag = "propagation", rename_all = "lowercase", rename_all_fields = "camelCase")]
pub enum Propagation {
    /// The next data request acts on the new state.
    Done,
    /// The backend has not heard of it yet.
    Pending {
        /// Seconds after which no data request acts on the old state any more.
        max_age_seconds: u32,
    },
}

impl Propagation {
    const PENDING: Self = Self::Pending {
        max_age_seconds: LONGEST_MEMORY.as_secs() as u32,
    };
}

/// One database that holds a backend of the project.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Target {
    cell: Cell,
    isolation: Isolation,
}

/// What there is to tell, and to whom.
#[derive(Debug)]
struct Move {
    reference: Ref,
    version: i64,
    targets: HashSet<Target>,
    /// A backend of a kind that keeps no version row: what is remembered of it ages out instead.
    ages: bool,
}

/// Moves a project's version in the caller's transaction and notes that its backend must hear of it; returns the new
/// version. Locks the project's row. The caller runs [`push`] after its commit.
///
/// # Errors
/// When the database fails.
pub async fn bump(executor: &impl GenericClient, project: ProjectId) -> Result<i64> {
    store::bump(executor, project).await
}

/// Carries a project's version to its backends, after the commit that moved it. Never undoes anything: a backend that
/// cannot be reached makes it [`Propagation::Pending`], and the worker tries again.
///
/// Takes a connection of the control pool: the caller must not hold one (a pool may have a single one).
///
/// # Errors
/// Only when this function is not set up to reach cells at all; the change itself stands.
pub async fn push(app: &App, project: ProjectId) -> Result<Propagation> {
    let found = match store::find_move(app, project).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Propagation::Done),
        Err(error) => {
            tracing::warn!(%project, %error, "the outbox could not be read");
            return Ok(Propagation::PENDING);
        }
    };
    for target in &found.targets {
        let database = app.cells.of_project(&target.cell, &found.reference, target.isolation)?;
        if let Err(error) = tell(&database, &found).await {
            tracing::warn!(%project, cell = target.cell.id, %error, "a backend could not be told of a change");
            return Ok(Propagation::PENDING);
        }
    }
    if let Err(error) = store::mark_done(app, project, found.version).await {
        // The backend knows; the row is carried once more, which changes nothing.
        tracing::warn!(%project, %error, "the outbox could not be written");
    }
    Ok(if found.ages {
        Propagation::PENDING
    } else {
        Propagation::Done
    })
}

/// Tries again whatever is still open and due, a bounded batch; returns how many projects were brought up to date.
/// Several workers may run it at a time: a claimed row is another's only after its pause, which doubles.
///
/// # Errors
/// When the control database fails, or as [`push`].
pub async fn push_open(app: &App) -> Result<usize> {
    let mut done = 0;
    for project in store::claim_open(app, BATCH).await? {
        let moved = push(app, project).await?;
        done += usize::from(moved == Propagation::Done);
    }
    Ok(done)
}

async fn tell(database: &Database, found: &Move) -> Result<()> {
    let told = tokio::time::timeout(DEADLINE, async {
        match database.try_get().await {
            Ok(client) => store::push_version(&*client, &found.reference, found.version).await,
            // Not made yet, or gone: nobody is served from it, and it starts at the version of its day.
            Err(NoClient::Dial(DialError::Postgres(error)))
                if error.code() == Some(&SqlState::INVALID_CATALOG_NAME) =>
            {
                Ok(())
            }
            Err(error) => Err(unavailable(error)),
        }
    });
    told.await.map_err(unavailable)?
}
