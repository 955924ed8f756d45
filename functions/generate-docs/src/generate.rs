//! `POST /api/generate-docs`

use axum::extract::State;
use http::{HeaderMap, StatusCode};
use plinth::app::App;
use plinth::docs::{self, NewDocumentation};
use plinth::error::Result;
use plinth::ident::ProjectId;
use plinth::jobs;
use plinth::projects::IdempotencyKey;
use plinth::tenancy::{MemberRole, not_found};
use plinth::web::{Actor, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// What is to be written, and of which project.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GenerateDocs {
    /// The project.
    #[schema(format = Uuid)]
    project_id: String,
    #[serde(flatten)]
    what: NewDocumentation,
}

/// The job that writes it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `GET /api/jobs/{id}` tells how far it is; its result names the version.
    job_id: Uuid,
}

/// Writes a project's documentation from what is really there, as a new version. With an `Idempotency-Key` a request that
/// is sent again gets the same job.
#[utoipa::path(post, path = "/api/generate-docs", tag = "documents", request_body = GenerateDocs,
    responses(
        (status = 202, description = "The job", body = Asked),
        (status = 400, description = "`documents/sections` with the list of those that there are, `documents/instructions`"),
        (status = 403, description = "`projects/role`: viewers cannot ask for it"),
        (status = 404, description = "`projects/not-found`, `backend/not-provisioned`"),
        (status = 422, description = "`http/idempotency-key`: the key was used for another request"),
    ))]
pub async fn generate_docs(
    Actor(caller): Actor,
    State(app): State<App>,
    headers: HeaderMap,
    Json(input): Json<GenerateDocs>,
) -> Result<(StatusCode, Json<Asked>)> {
    // A stranger's project, one that never was, and what is no id look alike.
    let project = input.project_id.parse().map(ProjectId).map_err(|_| not_found())?;
    let access = app.tenancy.require(caller, project, MemberRole::Developer).await?;
    let key = IdempotencyKey::of(&headers)?;
    let job_id = docs::ask(&app, &access, &input.what, key.as_ref()).await?;
    // A message that is lost costs time only: the worker's schedule finds the job.
    if let Err(error) = jobs::wake(&app).await {
        tracing::warn!(%error, "the worker was not woken");
    }
    Ok((StatusCode::ACCEPTED, Json(Asked { job_id })))
}
