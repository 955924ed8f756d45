//! A job as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};

/// A job as lists show it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobSummary {
    /// Its id.
    pub id: Uuid,
    /// What is done.
    pub kind: String,
    /// `queued`, `running`, `succeeded`, `failed` or `cancelled`.
    pub state: String,
    /// Per cent done.
    pub progress: i32,
    /// What is being done just now.
    pub message: Option<String>,
    /// Why it failed, or what went wrong at the last try.
    pub error: Option<String>,
    /// That error's stable code.
    pub error_code: Option<String>,
    /// How often it was begun.
    pub attempts: i32,
    /// Whether it shall stop and has not yet.
    pub cancelling: bool,
    /// For which project.
    #[schema(value_type = Option<Uuid>)]
    pub project_id: Option<ProjectId>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it last moved.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A job as the API shows it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct JobView {
    /// What lists show of it.
    #[serde(flatten)]
    pub job: JobSummary,
    /// What came of it.
    pub result: Option<Value>,
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
