//! `DELETE /api/database/{id}/tables/{tableId}` and `POST …/restore`

use axum::extract::State;
use http::HeaderMap;
use plinth::app::App;
use plinth::designer;
use plinth::error::Result;
use plinth::web::{Access, Path, least};

use crate::{InTable, OneTable, version};

/// Deletes a table with its rows; it can be restored for 30 days.
#[utoipa::path(
    delete, path = "/api/database/{id}/tables/{tableId}", tag = "tables",
    params(
        ("id" = String, Path, description = "The backend's id"),
        ("tableId" = String, Path, description = "The table's id"),
        ("If-Match" = Option<String>, Header, description = "The version to delete, in quotes"),
    ),
    responses(
        (status = 200, description = "The deleted table", body = OneTable),
        (status = 409, description = "`tables/needed`, `tables/stale`"),
    )
)]
pub(crate) async fn delete_table(
    access: Access<least::Developer, least::InBackend>,
    State(app): State<App>,
    Path(InTable { id, table_id }): Path<InTable>,
    headers: HeaderMap,
) -> Result<OneTable> {
    let version = version::given(&headers)?;
    let table = designer::delete(&app, &access.0, id, table_id, version).await?;
    Ok(OneTable { table })
}

/// Takes a deleted table back, with its rows.
#[utoipa::path(
    post, path = "/api/database/{id}/tables/{tableId}/restore", tag = "tables",
    params(("id" = String, Path, description = "The backend's id"), ("tableId" = String, Path, description = "The table's id")),
    responses(
        (status = 200, description = "The table", body = OneTable),
        (status = 404, description = "`tables/not-found`: never there, or longer gone than 30 days"),
        (status = 409, description = "`tables/name-taken`, `tables/restore`, `tables/not-deleted`"),
    )
)]
pub(crate) async fn restore_table(
    access: Access<least::Developer, least::InBackend>,
    State(app): State<App>,
    Path(InTable { id, table_id }): Path<InTable>,
) -> Result<OneTable> {
    let table = designer::restore(&app, &access.0, id, table_id).await?;
    Ok(OneTable { table })
}
