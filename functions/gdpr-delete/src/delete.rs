//! `POST /api/gdpr/delete`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::ident::ProjectId;
use plinth::privacy::erase::{self, Asked, NewErasure, Plan};
use plinth::privacy::requests::{AskedSubject, Scope};
use plinth::tenancy::not_found;
use plinth::web::{Actor, Json};
use serde::Deserialize;
use utoipa::ToSchema;

/// Whose data goes, and whether it does already.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delete {
    scope: Scope,
    /// The project, for an end user's.
    #[schema(format = Uuid)]
    project_id: Option<String>,
    subject: AskedSubject,
    /// Show the plan, change nothing.
    #[serde(default)]
    dry_run: bool,
    /// Of the plan that is to be carried out.
    confirm_token: Option<String>,
    /// Projects that go with a platform user: those that nobody else owns.
    #[serde(default)]
    #[schema(value_type = Vec<String>)]
    erase_projects: Vec<ProjectId>,
}

/// Erases a person's data, in two calls: with `dryRun` it shows what would be done, and how many rows there are of each
/// table; the same call with that plan's `confirmToken` has it done by a job. Nothing comes back: the 30 days of the trash
/// do not count.
#[utoipa::path(post, path = "/api/gdpr/delete", tag = "privacy", request_body = Delete,
    responses(
        (status = 200, description = "The plan (`dryRun`)", body = Plan),
        (status = 202, description = "The job, and where its receipt will be", body = Asked),
        (status = 400, description = "`privacy/subject`, `privacy/project`"),
        (status = 403, description = "`projects/role`, `privacy/not-yours`"),
        (status = 404, description = "`projects/not-found`, `privacy/subject-not-found`, `backend/not-provisioned`"),
        (status = 409, description = "`privacy/map-unconfirmed`, `privacy/map-stale`, `privacy/plan-changed`, \
            `privacy/others-hang-on`, `privacy/subject-ambiguous`"),
        (status = 410, description = "`privacy/confirm-expired`: a plan may be confirmed for an hour"),
        (status = 422, description = "`privacy/confirm`: a plan comes first, and the token belongs to it; `privacy/blocked`"),
        (status = 501, description = "`privacy/unsupported`: of this kind of backend it cannot be told what is whose"),
    ))]
pub async fn delete(Actor(caller): Actor, State(app): State<App>, Json(input): Json<Delete>) -> Result<Response> {
    let project = input.project_id.as_deref().map(|id| {
        // A stranger's project, one that never was, and what is no id look alike.
        id.parse().map(ProjectId).map_err(|_| not_found())
    });
    let new = NewErasure {
        scope: input.scope,
        project: project.transpose()?,
        subject: input.subject,
        erase_projects: input.erase_projects,
    };
    match (input.dry_run, input.confirm_token) {
        (true, None) => {
            let plan = Box::pin(erase::plan(&app, &caller, &new)).await?;
            Ok(Json(plan).into_response())
        }
        (false, Some(token)) => {
            let asked = Box::pin(erase::ask(&app, &caller, &new, &token)).await?;
            Ok((StatusCode::ACCEPTED, Json(asked)).into_response())
        }
        (dry_run, _) => Err(undecided(dry_run)),
    }
}

fn undecided(dry_run: bool) -> Error {
    let message = if dry_run {
        "dryRun shows a plan, confirmToken has one carried out: send one of them"
    } else {
        "Erasing needs the confirmToken of a plan"
    };
    Error::new(ErrorKind::Unprocessable, "privacy/confirm", message)
        .with_hint("Send the same request with dryRun: true; its reply has the confirmToken")
}
