//! `GET /api/trash`.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::projects::{self, Trashed};
use plinth::web::{Actor, Json};
use serde::Serialize;
use utoipa::ToSchema;

use plinth::web::{Paging, Query};

/// A page of what was deleted.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrashList {
    items: Vec<Trashed>,
    next_cursor: Option<String>,
}

/// Lists what the caller deleted and can restore, latest first.
#[utoipa::path(get, path = "/api/trash", tag = "projects", params(Paging), responses((status = 200, body = TrashList)))]
pub async fn list(
    Actor(caller): Actor,
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<TrashList>> {
    let found = projects::trash(&app, &caller, &paging.page()?).await?;
    Ok(Json(TrashList {
        items: found.items,
        next_cursor: found.next_cursor,
    }))
}
