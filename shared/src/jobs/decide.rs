//! What people decide about a job: that it shall stop, that it shall be tried anew.

use super::{JobAccess, JobView, find, store, wake};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};

/// Cancels a job: one that waits is at its end at once; one that runs is told so and ends at its next report or sign of
/// life (its view says `cancelling` until then), or with its own end should that come first. Cancelling it again changes
/// nothing. What the job has done by then stays done; of an erasure that would be a half, so one that has begun goes on.
///
/// # Errors
/// 403 `jobs/role`; 409 `jobs/over` for one that has succeeded or failed, `jobs/begun` for an erasure that has begun.
pub async fn cancel(app: &App, access: &JobAccess) -> Result<JobView> {
    access.decides()?;
    if let Some(view) = change(app, access, "jobs.cancel", Change::Cancel).await? {
        return Ok(view);
    }
    let view = find(app, access.id()).await?.view;
    match view.job.state.as_str() {
        "succeeded" | "failed" => Err(over("It has ended before it could be cancelled")),
        "queued" | "running" if access.kind() == WHOLE && !view.job.cancelling => Err(begun()),
        _ => Ok(view),
    }
}

/// Starts a job anew that has failed or was cancelled, with all its tries before it; what it has noted as done is not
/// done again. One that waits or runs stays as it is.
///
/// # Errors
/// 403 `jobs/role`; 409 `jobs/over` for one that has succeeded.
pub async fn retry(app: &App, access: &JobAccess) -> Result<JobView> {
    access.decides()?;
    if let Some(view) = change(app, access, "jobs.retry", Change::Retry).await? {
        // The worker looks by itself, too.
        if let Err(error) = wake(app).await {
            tracing::warn!(%error, "the worker could not be woken");
        }
        return Ok(view);
    }
    let view = find(app, access.id()).await?.view;
    match view.job.state.as_str() {
        "succeeded" => Err(over("It has succeeded")),
        _ => Ok(view),
    }
}

/// The kind of jobs that are done to their end once they have done anything.
const WHOLE: &str = "privacy.erase";

#[derive(Clone, Copy)]
enum Change {
    Cancel,
    Retry,
}

/// The job as it is after the change; nothing where there is nothing to change.
async fn change(app: &App, access: &JobAccess, action: &'static str, change: Change) -> Result<Option<JobView>> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    // The job's row is the last that anybody locks.
    let entry = Entry::by(access.caller(), access.project(), action, access.id());
    audit::record(app, &transaction, &entry).await?;
    let (id, now) = (access.id(), app.clock.now());
    let changed = match change {
        Change::Cancel => store::cancel(&transaction, id, access.kind() != WHOLE, now).await?,
        Change::Retry => store::retry(&transaction, id, now).await?,
    };
    let Some(found) = changed else {
        return Ok(None);
    };
    transaction.commit().await.map_err(failure)?;
    Ok(Some(found.view))
}

fn begun() -> Error {
    Error::new(ErrorKind::Conflict, "jobs/begun", "The erasure has begun")
        .with_hint("Let it come to its end: half of somebody's data would be gone, and nothing would prove it")
}

fn over(why: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "jobs/over", "The job is over").with_details(why)
}
