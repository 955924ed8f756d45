//! Removes for good what was deleted more than 30 days ago, and what has served its time.
//!
//! Nothing younger is ever touched: every statement compares with the one moment that [`run`] is given. Work is cut into
//! bounded batches and each thing is removed by itself, so a run that is cut off loses nothing and the next one goes on.

mod store;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::RESTORE_WINDOW;
use crate::control::failure;
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId};
use crate::provisioning;
use crate::tenancy::RequestInfo;

/// Backends and projects one run removes at most.
const BATCH: i64 = 100;
/// Rows one statement removes at most, and statements per table and run.
const ROWS: i64 = 1_000;
const ROUNDS: usize = 100;
/// How long the reply to a request with an Idempotency-Key is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was deleted before this moment is gone.
    pub before: Timestamp,
    /// Backends and projects, one by one.
    pub items: Vec<Item>,
    /// Rows of the other kinds.
    pub rows: BTreeMap<&'static str, u64>,
    /// Kinds of rows that could not be removed, and why.
    pub failed: BTreeMap<&'static str, String>,
}

/// One thing that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// `backend` or `project`.
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
    /// Why it is still there; none when it is gone. The next run tries again.
    pub error: Option<String>,
}

impl Report {
    /// Whether everything that was due is gone.
    pub fn complete(&self) -> bool {
        self.failed.is_empty() && self.items.iter().all(|item| item.error.is_none())
    }
}

/// Purges as of `now`. What fails is in the report and does not keep the rest from being removed.
///
/// # Errors
/// Only for a moment so early that nothing can be 30 days older.
pub async fn run(app: &App, now: Timestamp) -> Result<Report> {
    let before = now.checked_sub(RESTORE_WINDOW).map_err(Error::internal)?;
    let forget = now.checked_sub(REMEMBERED).map_err(Error::internal)?;
    let mut report = Report {
        before,
        items: Vec::new(),
        rows: BTreeMap::new(),
        failed: BTreeMap::new(),
    };
    backends(app, before, &mut report).await;
    projects(app, before, &mut report).await;
    for (kind, sql) in store::ROWS_BY_KIND {
        let moment = if *kind == "idempotency" { forget } else { before };
        rows(app, (kind, sql), moment, &mut report).await;
    }
    addresses(app, now, &mut report).await;
    Ok(report)
}

/// Backends that were deprovisioned while their project lives on.
async fn backends(app: &App, before: Timestamp, report: &mut Report) {
    match store::due_backends(app, before, BATCH).await {
        Ok(due) => {
            for (project, backend) in due {
                let outcome = drop_backend(app, project, backend, false).await;
                note(report, "backend", backend.0, outcome);
            }
        }
        Err(error) => failed(report, "backends", &error),
    }
}

async fn projects(app: &App, before: Timestamp, report: &mut Report) {
    match store::due_projects(app, before, BATCH).await {
        Ok(due) => {
            for project in due {
                let outcome = drop_project(app, project, before).await;
                note(report, "project", project.0, outcome);
            }
        }
        Err(error) => failed(report, "projects", &error),
    }
}

/// A project goes after all of its backends, whether those were deprovisioned or went with it. Its audit log stays.
async fn drop_project(app: &App, project: ProjectId, before: Timestamp) -> Result<()> {
    for backend in store::backends_of(app, project).await? {
        drop_backend(app, project, backend, true).await?;
    }
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    if store::delete_project(&transaction, project, before).await? {
        let request = RequestInfo::default();
        let entry = Entry::by_system("purge", &request, Some(project), "projects.purge", project);
        audit::record(app, &transaction, &entry).await?;
    }
    transaction.commit().await.map_err(failure)
}

async fn drop_backend(app: &App, project: ProjectId, backend: BackendId, even_live: bool) -> Result<()> {
    if !provisioning::drop_backend(app, project, backend, even_live).await? {
        return Ok(());
    }
    let request = RequestInfo::default();
    let entry = Entry::by_system("purge", &request, Some(project), "backend.purge", backend);
    let client = app.control.get().await?;
    audit::record(app, &*client, &entry).await
}

/// One kind of rows, batch after batch.
async fn rows(app: &App, (kind, sql): (&'static str, &'static str), before: Timestamp, report: &mut Report) {
    for _ in 0..ROUNDS {
        match store::delete_rows(app, sql, before, ROWS).await {
            Ok(removed) => {
                *report.rows.entry(kind).or_default() += removed;
                if removed < ROWS.unsigned_abs() {
                    return;
                }
            }
            Err(error) => return failed(report, kind, &error),
        }
    }
}

/// Addresses in the audit log have a term of their own.
async fn addresses(app: &App, now: Timestamp, report: &mut Report) {
    const KIND: &str = "audit-addresses";
    for _ in 0..ROUNDS {
        match audit::forget_addresses(app, now, ROWS).await {
            Ok(forgotten) => {
                *report.rows.entry(KIND).or_default() += forgotten;
                if forgotten < ROWS.unsigned_abs() {
                    return;
                }
            }
            Err(error) => return failed(report, KIND, &error),
        }
    }
}

fn note(report: &mut Report, kind: &'static str, id: Uuid, outcome: Result<()>) {
    if let Err(error) = &outcome {
        tracing::error!(kind, %id, %error, source = source(error), "could not be purged");
    }
    let error = outcome.err().map(|error| error.to_string());
    report.items.push(Item { kind, id, error });
}

fn failed(report: &mut Report, kind: &'static str, error: &Error) {
    tracing::error!(kind, %error, source = source(error), "could not be purged");
    report.failed.insert(kind, error.to_string());
}

fn source(error: &Error) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}
