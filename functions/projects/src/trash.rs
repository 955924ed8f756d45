//! `GET /api/trash`.

use axum::extract::State;
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::ident::ProjectId;
use plinth::trash::{self, Trash, Wanted};
use plinth::web::{Actor, Json, Paging, Query};
use serde::Deserialize;

/// Which part of the trash.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct Which {
    /// Of one project only. End users are listed with it alone.
    #[param(value_type = Option<uuid::Uuid>)]
    project_id: Option<String>,
    /// Of one kind only: `project`, `backend`, `table`, `key`, `member`, `document` or `end-user`.
    kind: Option<String>,
}

/// Lists what was deleted less than 30 days ago and the caller may bring back, latest first, with the request that does.
/// What the list had to leave out is under `missing`.
#[utoipa::path(get, path = "/api/trash", tag = "projects", params(Which, Paging),
    responses((status = 200, body = Trash), (status = 400, description = "`trash/kind`, `http/cursor`, `http/limit`"),
        (status = 404, description = "There is no such project")))]
pub async fn list(
    Actor(caller): Actor,
    State(app): State<App>,
    Query(which): Query<Which>,
    Query(paging): Query<Paging>,
) -> Result<Json<Trash>> {
    let wanted = Wanted {
        project: which.project_id.as_deref().map(project).transpose()?,
        kind: which.kind.as_deref().map(str::parse).transpose()?,
        limit: paging.limit,
        after: paging.cursor.as_deref().map(trash::position).transpose()?,
    };
    trash::list(&app, &caller, &wanted).await.map(Json)
}

fn project(text: &str) -> Result<ProjectId, Error> {
    text.parse().map(ProjectId).map_err(|_| plinth::tenancy::not_found())
}
