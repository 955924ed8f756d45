//! `GET /api/database/{id}/migrations`

use axum::extract::State;
use plinth::app::App;
use plinth::designer::{self, Page};
use plinth::error::{Error, Result};
use plinth::web::{Access, Json, Path, least};
use serde::Deserialize;

use crate::{InBackend, version};

const MOST: usize = 100;

/// Which part of the history.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// Changes on a page, 1 to 100; 50 unless given.
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

/// Every change of the backend's tables, newest first, with its SQL there and back.
#[utoipa::path(
    get, path = "/api/database/{id}/migrations", tag = "tables",
    params(("id" = String, Path, description = "The backend's id"), Part),
    responses((status = 200, description = "A page of the history", body = Page))
)]
pub(crate) async fn list_migrations(
    access: Access<least::Viewer, least::InBackend>,
    State(app): State<App>,
    Path(InBackend { id }): Path<InBackend>,
    version::Query(part): version::Query<Part>,
) -> Result<Json<Page>> {
    let limit = part.limit.unwrap_or(50);
    if !(1..=MOST).contains(&limit) {
        return Err(Error::invalid("http/query", "limit is a number from 1 to 100"));
    }
    let before = part.cursor.as_deref().map(str::parse::<i64>).transpose();
    let before = before.map_err(|_| {
        Error::invalid("http/query", "The cursor is not one of ours")
            .with_hint("Send the nextCursor of a page as it came")
    })?;
    Ok(Json(designer::history(&app, &access.0, id, before, limit).await?))
}
