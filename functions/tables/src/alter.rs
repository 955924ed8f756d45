//! `PATCH /api/database/{id}/tables/{tableId}`

use axum::extract::State;
use http::HeaderMap;
use plinth::app::App;
use plinth::designer;
use plinth::error::Result;
use plinth::web::{Access, Json, Path, least};
use serde::Deserialize;
use serde_json::Value;

use crate::{InTable, OneTable, version};

/// What to change.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alteration {
    /// Operations, each applied to what the one before left.
    #[schema(value_type = Vec<Object>)]
    operations: Value,
}

/// Changes a table: all operations, or none.
#[utoipa::path(
    patch, path = "/api/database/{id}/tables/{tableId}", tag = "tables",
    params(
        ("id" = String, Path, description = "The backend's id"),
        ("tableId" = String, Path, description = "The table's id"),
        ("If-Match" = String, Header, description = "The version the change is made on, in quotes"),
    ),
    request_body = Alteration,
    responses(
        (status = 200, description = "The table as it is now", body = OneTable),
        (status = 400, description = "`tables/invalid-schema`, `tables/if-match`"),
        (status = 409, description = "`tables/stale`, `tables/needed`, `tables/data`"),
        (status = 503, description = "`tables/busy`"),
    )
)]
pub(crate) async fn alter_table(
    access: Access<least::Developer, least::InBackend>,
    State(app): State<App>,
    Path(InTable { id, table_id }): Path<InTable>,
    headers: HeaderMap,
    Json(input): Json<Alteration>,
) -> Result<OneTable> {
    let version = version::required(&headers)?;
    let table = designer::alter(&app, &access.0, id, table_id, version, &input.operations).await?;
    Ok(OneTable { table })
}
