//! Work that is not a request. A row in `plinth.jobs` is the truth; a message in the queue only wakes the worker.
//!
//! A job is claimed with a lease and `for update skip locked`, so several workers share the work. Delivery is at least
//! once: a worker that dies leaves a lease that runs out, and the job is claimed again. So what a [`Handler`] does must
//! be safe to do twice. What fails is tried again after a pause that doubles, [`ATTEMPTS`] times.
//!
//! This module knows no kind of job: the worker hands in its table of them.

mod queue;
mod store;

pub use queue::wake;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};

/// How often a job is tried.
pub const ATTEMPTS: i32 = 8;
/// How long a claimed job belongs to its worker.
const LEASE: Duration = Duration::from_secs(300);
/// When a handler is given up; well before its lease is over, so that no other worker has begun.
const LONGEST: Duration = Duration::from_secs(240);
/// The pause after the first failure; it doubles with each further one, up to an hour.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Jobs that one call of [`run_due`] takes at most, so that it ends.
const BATCH: usize = 100;

/// A job to be done.
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
    /// The number of this try, from 1.
    pub attempt: i32,
}

/// What a handler hands back: the job's result, kept in its row.
pub type Done<'a> = Pin<Box<dyn Future<Output = Result<Value>> + Send + 'a>>;
/// Does one kind of job. Safe to run twice for the same job.
pub type Handler = for<'a> fn(&'a App, &'a Job) -> Done<'a>;
/// The kinds a worker knows.
pub type Kinds = [(&'static str, Handler)];

/// A job as the API shows it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobView {
    /// Its id.
    pub id: Uuid,
    /// What is done.
    pub kind: String,
    /// For which project.
    #[schema(value_type = Option<Uuid>)]
    pub project_id: Option<ProjectId>,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    pub status: String,
    /// Per cent done.
    pub progress: i32,
    /// What is being done just now.
    pub message: Option<String>,
    /// What came of it.
    pub result: Option<Value>,
    /// Why it failed, or what went wrong at the last try.
    pub error: Option<String>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last moved.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A job with what decides who may see it.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its project; members of it may see the job.
    pub project: Option<ProjectId>,
    /// Who started it; without a project, only they may see it.
    pub created_by: Option<UserId>,
    /// What they see.
    pub view: JobView,
}

/// Adds a job in the caller's transaction; [`wake`] the worker after the commit.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    app: &App,
    executor: &impl GenericClient,
    kind: &str,
    project: Option<ProjectId>,
    payload: &Value,
    by: Option<UserId>,
) -> Result<Uuid> {
    let id = app.random.uuid();
    store::insert(executor, id, kind, project, payload, by, app.clock.now()).await?;
    Ok(id)
}

/// A job by its id, for whoever may see it: the caller of this function decides.
///
/// # Errors
/// 404 `jobs/not-found`.
pub async fn find(app: &App, id: Uuid) -> Result<Found> {
    store::find(app, id).await?.ok_or_else(not_found)
}

/// What a stranger sees, and everybody for a job that never was.
pub fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "jobs/not-found", "Job not found")
}

/// Does what is due, job after job; returns how many were tried. Several may run at a time.
///
/// # Errors
/// When the control database fails. A job's own failure is written in its row.
pub async fn run_due(app: &App, kinds: &Kinds) -> Result<usize> {
    for tried in 0..BATCH {
        let Some(job) = store::claim(app, LEASE).await? else {
            return Ok(tried);
        };
        run(app, kinds, &job).await?;
    }
    Ok(BATCH)
}

async fn run(app: &App, kinds: &Kinds, job: &Job) -> Result<()> {
    let Some((_, handler)) = kinds.iter().find(|(kind, _)| *kind == job.kind) else {
        return store::fail(app, job, "This kind of job is not known").await;
    };
    let outcome = tokio::time::timeout(LONGEST, handler(app, job)).await;
    let error = match outcome {
        Ok(Ok(result)) => return store::succeed(app, job, &result).await,
        Ok(Err(error)) => error,
        Err(late) => Error::new(ErrorKind::Timeout, "jobs/timeout", "The job took too long").with_source(late),
    };
    let source = std::error::Error::source(&error).map(ToString::to_string);
    tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, %error, source, "a job failed");
    // The public text only: members of the project read it.
    let shown = error.to_string();
    if job.attempt >= ATTEMPTS {
        return store::fail(app, job, &shown).await;
    }
    store::try_again(app, job, &shown, pause_after(job.attempt)).await
}

fn pause_after(attempt: i32) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(16);
    PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<_> = (1..=12).map(|attempt| pause_after(attempt).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    }
}
