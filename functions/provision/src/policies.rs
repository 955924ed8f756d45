//! `GET` and `PUT /api/database/{id}/tables/{tableId}/policies`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::ident::BackendId;
use plinth::provisioning::external::{self, TablePolicies};
use plinth::schema::policy::PolicySpec;
use plinth::web::{Access, Json, Path, least};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A table of a path: in a user's own database it goes by its name.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InTable {
    id: BackendId,
    table_id: String,
}

/// The policies to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub(crate) struct NewPolicies {
    /// Templates (`"owner"`, `{"template": "owner", "column": "author"}`) and rules of one's own (`name`, `command`, `to`,
    /// `using`, `check`), as in the design of a managed table.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    given: Map<String, Value>,
}

/// A table's policies; their version is in the `ETag` too.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct PoliciesView {
    /// The table.
    table: String,
    /// Moves with every change; 0 before the first.
    version: i64,
    /// The policies, expressions in canonical text.
    #[schema(value_type = Vec<Object>)]
    policies: Vec<PolicySpec>,
}

impl From<TablePolicies> for PoliciesView {
    fn from(found: TablePolicies) -> Self {
        Self {
            table: found.table.to_string(),
            version: found.version,
            policies: found.policies,
        }
    }
}

impl IntoResponse for PoliciesView {
    fn into_response(self) -> Response {
        // A number in quotes is a valid header value.
        let etag = HeaderValue::from_str(&format!("\"{}\"", self.version)).ok();
        let mut response = Json(self).into_response();
        if let Some(etag) = etag {
            response.headers_mut().insert(header::ETAG, etag);
        }
        response
    }
}

/// The row rules of a table in a database that has no row-level security.
#[utoipa::path(
    get, path = "/api/database/{id}/tables/{tableId}/policies", tag = "tables",
    params(("id" = String, Path, description = "The backend's id"), ("tableId" = String, Path, description = "The table's name")),
    responses(
        (status = 200, description = "The policies", body = PoliciesView),
        (status = 404, description = "`policies/unknown-table`"),
        (status = 409, description = "`policies/designed`: a managed table has them in its design; `policies/native`: the database has its own"),
    )
)]
pub(crate) async fn get_policies(
    access: Access<least::Viewer, least::InBackend>,
    State(app): State<App>,
    Path(InTable { id, table_id }): Path<InTable>,
) -> Result<PoliciesView> {
    let found = external::policies(&app, &access.0, id, &table_id).await?;
    Ok(found.into())
}

/// Replaces the row rules of a table in a database that has no row-level security.
#[utoipa::path(
    put, path = "/api/database/{id}/tables/{tableId}/policies", tag = "tables",
    params(
        ("id" = String, Path, description = "The backend's id"),
        ("tableId" = String, Path, description = "The table's name"),
        ("If-Match" = String, Header, description = "The version the change is made on, in quotes; \"0\" for the first"),
    ),
    request_body = NewPolicies,
    responses(
        (status = 200, description = "The policies as they are now", body = PoliciesView),
        (status = 400, description = "`tables/invalid-schema`: every fault with its path, also what the engine could not say exactly; `tables/if-match`"),
        (status = 404, description = "`policies/unknown-table`"),
        (status = 409, description = "`tables/stale`, `policies/designed`, `policies/native`"),
    )
)]
pub(crate) async fn set_policies(
    access: Access<least::Admin, least::InBackend>,
    State(app): State<App>,
    Path(InTable { id, table_id }): Path<InTable>,
    headers: HeaderMap,
    Json(body): Json<NewPolicies>,
) -> Result<PoliciesView> {
    let version = version(&headers)?;
    let found = external::set_policies(&app, &access.0, id, &table_id, version, &body.given).await?;
    Ok(found.into())
}

fn version(headers: &HeaderMap) -> Result<i64> {
    let text = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok());
    let bare = text.map(|text| text.trim().trim_matches('"'));
    bare.and_then(|bare| bare.parse().ok()).ok_or_else(|| {
        Error::invalid("tables/if-match", "If-Match is missing, or is not a version")
            .with_hint("Read the policies and send their ETag, such as If-Match: \"3\"; \"0\" where there are none yet")
    })
}
