//! `GET /api/database/{id}/tables` and `…/tables/{tableId}`

use axum::extract::State;
use plinth::app::App;
use plinth::designer::{self, Table};
use plinth::error::Result;
use plinth::web::{Access, Json, Path, least};
use serde::{Deserialize, Serialize};

use crate::{InBackend, InTable, OneTable, version};

/// Which tables.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Which {
    /// Those that are deleted and can be restored, instead of those in use.
    #[serde(default)]
    deleted: bool,
}

/// A backend's tables.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Tables {
    tables: Vec<Table>,
}

/// The backend's tables, by name. A project has a bounded number of them, so there are no pages.
#[utoipa::path(
    get, path = "/api/database/{id}/tables", tag = "tables",
    params(("id" = String, Path, description = "The backend's id"), Which),
    responses((status = 200, description = "The tables", body = Tables))
)]
pub(crate) async fn list_tables(
    access: Access<least::Viewer, least::InBackend>,
    State(app): State<App>,
    Path(InBackend { id }): Path<InBackend>,
    version::Query(which): version::Query<Which>,
) -> Result<Json<Tables>> {
    let tables = designer::list(&app, &access.0, id, which.deleted).await?;
    Ok(Json(Tables { tables }))
}

/// One table; its version is in the `ETag`.
#[utoipa::path(
    get, path = "/api/database/{id}/tables/{tableId}", tag = "tables",
    params(("id" = String, Path, description = "The backend's id"), ("tableId" = String, Path, description = "The table's id")),
    responses((status = 200, description = "The table", body = OneTable), (status = 404, description = "`tables/not-found`"))
)]
pub(crate) async fn get_table(
    access: Access<least::Viewer, least::InBackend>,
    State(app): State<App>,
    Path(InTable { id, table_id }): Path<InTable>,
) -> Result<OneTable> {
    let table = designer::get(&app, &access.0, id, table_id).await?;
    Ok(OneTable { table })
}
