//! `GET /api/jobs/{id}`.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::ident::ProjectId;
use plinth::jobs::{self, JobView};
use plinth::tenancy::MemberRole;
use plinth::web::{Actor, Json, Path};

/// Shows how far a job is, to whoever started it and to the members of its project.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = JobView), (status = 404)))]
pub async fn show(Actor(caller): Actor, Path(id): Path<String>, State(app): State<App>) -> Result<Json<JobView>> {
    let id = id.parse().map_err(|_| jobs::not_found())?;
    let found = jobs::find(&app, id).await?;
    let user = caller.user.id;
    let may = match found.project {
        // Whoever has left a project reads nothing of it, not even what they started.
        Some(project) => is_member(&app, caller, project).await?,
        None => found.created_by == Some(user),
    };
    if !may {
        return Err(jobs::not_found());
    }
    Ok(Json(found.view))
}

async fn is_member(app: &App, caller: plinth::tenancy::Caller, project: ProjectId) -> Result<bool> {
    match app.tenancy.require(caller, project, MemberRole::Viewer).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == plinth::error::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
