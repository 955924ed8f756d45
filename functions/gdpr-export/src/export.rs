//! `POST /api/gdpr/export`, `GET /api/gdpr/exports/{id}`, `POST /api/gdpr/exports/{id}/link`

use axum::extract::State;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::ident::ProjectId;
use plinth::jobs;
use plinth::privacy::export::{self, Asked, ExportState, Link, NewExport};
use plinth::privacy::requests::{AskedSubject, Scope};
use plinth::projects::IdempotencyKey;
use plinth::tenancy::not_found;
use plinth::web::{Actor, Json, Path};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// Whose data is wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExportRequest {
    /// `end-user`: somebody who uses a project's app; `platform-user`: somebody who signs in to the platform.
    scope: Scope,
    /// The project, for an end user.
    #[schema(format = Uuid)]
    project_id: Option<String>,
    /// Their id or e-mail address, or an object with one of `id`, `email` and `key` (the columns of the subject map's key).
    subject: AskedSubject,
}

/// Makes a copy of all that belongs to a person: tables as JSON and CSV, their account, documents they wrote, and what the
/// audit log has of them. Owners and admins of a project may ask for its end users', everybody for their own as a platform
/// user. With an `Idempotency-Key` a request that is sent again gets the same job.
#[utoipa::path(post, path = "/api/gdpr/export", tag = "privacy", request_body = ExportRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 202, description = "The job; its result names the way to the file", body = Asked),
        (status = 400, description = "`privacy/project`, `privacy/subject`"),
        (status = 403, description = "`projects/role`: it needs an admin; `privacy/not-yours`"),
        (status = 404, description = "`projects/not-found`, `backend/not-provisioned`, `privacy/subject-not-found`"),
        (status = 422, description = "`http/idempotency-key`: the key was used for another request"),
        (status = 501, description = "`privacy/unsupported`: what belongs to a person cannot be told there"),
    ))]
pub async fn ask(
    Actor(caller): Actor,
    State(app): State<App>,
    headers: HeaderMap,
    Json(input): Json<ExportRequest>,
) -> Result<(StatusCode, Json<Asked>)> {
    let project = input.project_id.map(|id| id.parse().map(ProjectId));
    let new = NewExport {
        scope: input.scope,
        // A stranger's project, one that never was, and what is no id look alike.
        project: project.transpose().map_err(|_| not_found())?,
        subject: input.subject,
    };
    let key = IdempotencyKey::of(&headers)?;
    let asked = export::ask(&app, &caller, &new, key.as_ref()).await?;
    // A message that is lost costs time only: the worker's schedule finds the job.
    if let Err(error) = jobs::wake(&app).await {
        tracing::warn!(%error, "the worker was not woken");
    }
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// Tells how an export stands.
#[utoipa::path(get, path = "/api/gdpr/exports/{id}", tag = "privacy", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = ExportState), (status = 403), (status = 404)))]
pub async fn state(Actor(caller): Actor, Path(id): Path<String>, State(app): State<App>) -> Result<Json<ExportState>> {
    export::state(&app, &caller, named(&id)?).await.map(Json)
}

/// Makes a link to an export's file. It works once, from the address that asked for it, for 15 minutes; the one before works
/// no more. Whoever is about to fetch their own data must have signed in within the last five minutes.
#[utoipa::path(post, path = "/api/gdpr/exports/{id}/link", tag = "privacy", params(("id" = uuid::Uuid, Path)),
    responses(
        (status = 201, body = Link),
        (status = 403, description = "`projects/role`: it needs an admin; `privacy/reauthentication`"),
        (status = 404),
        (status = 409, description = "`privacy/export-not-ready`"),
        (status = 410, description = "`privacy/export-gone`"),
    ))]
pub async fn link(
    Actor(caller): Actor,
    Path(id): Path<String>,
    State(app): State<App>,
) -> Result<(StatusCode, HeaderMap, Json<Link>)> {
    let link = export::link(&app, &caller, named(&id)?).await?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok((StatusCode::CREATED, headers, Json(link)))
}

/// An export of a path. One that is no id is one that does not exist.
pub(crate) fn named(id: &str) -> Result<Uuid> {
    id.parse().map_err(|_| {
        Error::new(
            ErrorKind::NotFound,
            "privacy/export-not-found",
            "There is no such export",
        )
    })
}
