//! `/api/projects/{id}/docs`

use axum::extract::State;
use plinth::app::App;
use plinth::docs::{self, VersionView};
use plinth::error::Result;
use plinth::web::least::Viewer;
use plinth::web::{Access, Json, Paging, Query};
use serde::Serialize;
use utoipa::ToSchema;

/// A page of versions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionList {
    versions: Vec<VersionView>,
    next_cursor: Option<String>,
}

/// Lists the versions of a project's documentation, newest first.
#[utoipa::path(get, path = "/api/projects/{id}/docs", tag = "documents", params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = VersionList), (status = 404)))]
pub async fn list(
    access: Access<Viewer>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<VersionList>> {
    let found = docs::list(&app, &access.0, &paging.page()?).await?;
    Ok(Json(VersionList {
        versions: found.items,
        next_cursor: found.next_cursor,
    }))
}
