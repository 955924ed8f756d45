//! The `tables` function: `/api/database/{id}/tables` and the history of their changes.

mod alter;
mod create;
mod delete;
mod history;
mod read;
mod version;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};
use plinth::designer::Table;
use plinth::ident::BackendId;
use plinth::web::{Json, Routes};
use serde::{Deserialize, Serialize};
use utoipa_axum::routes;
use uuid::Uuid;

/// Its routes.
pub fn routes() -> Routes {
    Routes::new()
        .routes(routes!(create::create_table))
        .routes(routes!(read::list_tables))
        .routes(routes!(read::get_table, alter::alter_table, delete::delete_table))
        .routes(routes!(delete::restore_table))
        .routes(routes!(delete::restore_column))
        .routes(routes!(history::list_migrations))
}

/// The backend of a path.
#[derive(Debug, Deserialize)]
struct InBackend {
    id: BackendId,
}

/// The table of a path.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct InTable {
    id: BackendId,
    table_id: Uuid,
}

/// A table as a reply: its version is in the `ETag` too.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct OneTable {
    table: Table,
}

impl IntoResponse for OneTable {
    fn into_response(self) -> Response {
        // A number in quotes is a valid header value.
        let etag = HeaderValue::from_str(&format!("\"{}\"", self.table.version)).ok();
        let mut response = Json(self).into_response();
        if let Some(etag) = etag {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}
