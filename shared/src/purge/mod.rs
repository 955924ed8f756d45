//! Removes for good what was deleted more than 30 days ago, and what has served its time.
//!
//! Nothing younger is ever touched: every statement compares with the one moment that [`run`] is given, under the lock that
//! removes. Work is cut into bounded batches and each thing is removed by itself, so a run that is cut off loses nothing
//! and the next one goes on. Two runs at once pass over what the other is at work on.
//!
//! What lives in its project's own database is removed by the service that put it there, which gets the [`Run`]. What is
//! in a project or backend that is in the trash itself waits with it: it goes as a whole, or comes back and is looked at
//! then.

mod run;
mod store;

pub use run::{Budget, Item, Report, Run};

use std::time::Duration;

use jiff::Timestamp;

use crate::accounts;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::RESTORE_WINDOW;
use crate::control::failure;
use crate::designer;
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId};
use crate::provisioning;
use crate::tenancy::RequestInfo;
use store::Rows;

/// Backends and projects that are looked up at a time.
const BATCH: i64 = 100;
/// Rows one statement removes at most.
const ROWS: i64 = 1_000;
/// What addresses in the audit log are called in a report.
const ADDRESSES: &str = "audit-addresses";
/// How long the reply to a request with an Idempotency-Key is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);
/// How long a run works: the schedule's function is ended after 900 s, and the last thing may take a while.
const WORKS: Duration = Duration::from_secs(780);

/// What became of one thing that was due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is gone.
    Gone,
    /// Somebody else is at work on it: the next run looks again.
    Held,
    /// It is not due, or gone already.
    Nothing,
}

/// Purges as of `now`, for some minutes at most. What fails is in the report and does not keep the rest from being removed.
///
/// # Errors
/// Only for a moment so early that nothing can be 30 days older.
pub async fn run(app: &App, now: Timestamp) -> Result<Report> {
    run_within(app, now, Budget::lasting(WORKS)).await
}

/// [`run`] with another budget.
///
/// # Errors
/// As [`run`].
pub async fn run_within(app: &App, now: Timestamp, budget: Budget) -> Result<Report> {
    let before = now.checked_sub(RESTORE_WINDOW).map_err(Error::internal)?;
    let forget = now.checked_sub(REMEMBERED).map_err(Error::internal)?;
    let begun = begin(app).await;
    let mut run = Run::new(app, before, budget);
    let kinds = store::ROWS.len() + 5;
    for (done, kind) in store::ROWS.iter().enumerate() {
        run.next_kind(kinds - done);
        let moment = if kind.name == "idempotency" { forget } else { before };
        let outcome = rows(&mut run, kind, moment).await;
        given_up(&mut run, kind.name, outcome);
    }
    run.next_kind(5);
    let outcome = addresses(&mut run, now).await;
    given_up(&mut run, ADDRESSES, outcome);
    run.next_kind(4);
    let outcome = Box::pin(accounts::purge(&mut run)).await;
    given_up(&mut run, "end-user", outcome);
    run.next_kind(3);
    let outcome = Box::pin(designer::purge(&mut run)).await;
    given_up(&mut run, "table", outcome);
    run.next_kind(2);
    let outcome = Box::pin(backends(&mut run)).await;
    given_up(&mut run, "backend", outcome);
    run.next_kind(1);
    let outcome = Box::pin(projects(&mut run)).await;
    given_up(&mut run, "project", outcome);
    let report = run.end();
    end(app, begun, &report).await;
    Ok(report)
}

fn given_up(run: &mut Run<'_>, kind: &'static str, outcome: Result<()>) {
    if let Err(error) = outcome {
        run.failed(kind, &error);
    }
}

/// Backends that were given up.
async fn backends(run: &mut Run<'_>) -> Result<()> {
    let mut after = None;
    loop {
        let due = store::due_backends(run.app(), run.before(), after, BATCH).await?;
        for (_, backend, project) in &due {
            if !run.may_go_on("backend") {
                return Ok(());
            }
            let (project, backend) = (*project, BackendId(*backend));
            let outcome = Box::pin(provisioning::purge_backend(run.app(), project, backend, run.before())).await;
            note(run, "backend", backend.0, outcome);
        }
        after = match due.last() {
            Some((at, id, _)) if due.len() as i64 == BATCH => Some((*at, *id)),
            _ => return Ok(()),
        };
    }
}

async fn projects(run: &mut Run<'_>) -> Result<()> {
    let mut after = None;
    loop {
        let due = store::due_projects(run.app(), run.before(), after, BATCH).await?;
        for (_, project) in &due {
            if !run.may_go_on("project") {
                return Ok(());
            }
            let outcome = Box::pin(erase_project(run.app(), ProjectId(*project), run.before())).await;
            note(run, "project", *project, outcome);
        }
        after = match due.last() {
            Some(last) if due.len() as i64 == BATCH => Some(*last),
            _ => return Ok(()),
        };
    }
}

fn note(run: &mut Run<'_>, kind: &'static str, id: uuid::Uuid, outcome: Result<Outcome>) {
    match outcome {
        Ok(Outcome::Gone) => run.removed(kind, id),
        Ok(Outcome::Held) => run.passed_over(kind),
        Ok(Outcome::Nothing) => {}
        Err(error) => run.kept(kind, id, &error),
    }
}

/// Removes a project for good that was deleted before a moment, with all of its backends, under one lock: nobody brings back
/// a part of it. Its audit log stays.
///
/// # Errors
/// 503 when its cell, or where its credentials are, cannot be reached: a repeat goes on from there.
pub async fn erase_project(app: &App, project: ProjectId, before: Timestamp) -> Result<Outcome> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let held = store::hold_project(&transaction, project, before).await?;
    if held != Outcome::Gone {
        return Ok(held);
    }
    provisioning::drop_backends(app, &transaction, project).await?;
    store::delete_project(&transaction, project).await?;
    let request = RequestInfo::default();
    let entry = Entry::by_system("purge", &request, Some(project), "projects.purge", project);
    audit::record(app, &transaction, &entry).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(Outcome::Gone)
}

/// One kind of rows, batch after batch. What a user had deleted leaves an entry in its project's audit log.
async fn rows(run: &mut Run<'_>, kind: &Rows, before: Timestamp) -> Result<()> {
    loop {
        if !run.may_go_on(kind.name) {
            return Ok(());
        }
        let removed = Box::pin(batch(run.app(), kind, before)).await?;
        run.counted(kind.name, removed);
        if removed < ROWS.unsigned_abs() {
            return Ok(());
        }
    }
}

/// Addresses in the audit log have a term of their own.
async fn addresses(run: &mut Run<'_>, now: Timestamp) -> Result<()> {
    while run.may_go_on(ADDRESSES) {
        let forgotten = audit::forget_addresses(run.app(), now, ROWS).await?;
        run.counted(ADDRESSES, forgotten);
        if forgotten < ROWS.unsigned_abs() {
            break;
        }
    }
    Ok(())
}

async fn batch(app: &App, kind: &Rows, before: Timestamp) -> Result<u64> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let by_project = store::delete_rows(&transaction, kind, before, ROWS).await?;
    let request = RequestInfo::default();
    let mut removed = 0;
    for (project, count) in by_project {
        removed += count;
        if let (Some(action), Some(project)) = (kind.action, project) {
            let entry = Entry::by_system("purge", &request, Some(project), action, project)
                .with(serde_json::json!({ "count": count }));
            audit::record(app, &transaction, &entry).await?;
        }
    }
    transaction.commit().await.map_err(failure)?;
    Ok(removed)
}

/// Keeps the run for operators. Without its row it works all the same.
async fn begin(app: &App) -> Option<uuid::Uuid> {
    let id = app.random.uuid();
    match store::begin_run(app, id).await {
        Ok(()) => Some(id),
        Err(error) => {
            tracing::warn!(%error, "the purge could not be written down");
            None
        }
    }
}

async fn end(app: &App, id: Option<uuid::Uuid>, report: &Report) {
    let Some(id) = id else { return };
    if let Err(error) = store::end_run(app, id, report).await {
        tracing::warn!(%error, "the report of the purge could not be kept");
    }
}
