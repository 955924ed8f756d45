//! `DELETE /api/database/{id}/tables/{tableId}`, `POST …/restore` and `POST …/columns/{columnId}/restore`

use axum::body::Bytes;
use axum::extract::State;
use http::HeaderMap;
use plinth::app::App;
use plinth::designer;
use plinth::error::{Error, Result};
use plinth::ident::BackendId;
use plinth::web::{Access, Path, least};
use serde::Deserialize;
use serde_json::{Map, Value};
use uuid::Uuid;

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

/// The column of a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InColumn {
    id: BackendId,
    table_id: Uuid,
    column_id: Uuid,
}

/// Takes a deleted column back, with its values.
#[utoipa::path(
    post, path = "/api/database/{id}/tables/{tableId}/columns/{columnId}/restore", tag = "tables",
    params(
        ("id" = String, Path, description = "The backend's id"),
        ("tableId" = String, Path, description = "The table's id"),
        ("columnId" = String, Path, description = "The column's id, from the table's `deletedColumns`"),
    ),
    request_body(
        content = Option<Object>,
        description = "What is to be another than it was: `name`, `required`, `unique`, `references`, `check`",
    ),
    responses(
        (status = 200, description = "The table", body = OneTable),
        (status = 404, description = "`tables/column-not-found`: never there, or longer gone than 30 days"),
        (status = 409, description = "`tables/name-taken`, `tables/restore`; `tables/data`: rows that came or changed meanwhile do not fit it"),
    )
)]
pub(crate) async fn restore_column(
    access: Access<least::Developer, least::InBackend>,
    State(app): State<App>,
    Path(InColumn {
        id,
        table_id,
        column_id,
    }): Path<InColumn>,
    body: Bytes,
) -> Result<OneTable> {
    let said = match body.trim_ascii().is_empty() {
        true => Map::new(),
        false => serde_json::from_slice::<Map<String, Value>>(&body).map_err(|error| {
            Error::invalid("http/body", "The body is not an object").with_details(error.to_string())
        })?,
    };
    let table = designer::restore_column(&app, &access.0, id, (table_id, column_id), &said).await?;
    Ok(OneTable { table })
}
