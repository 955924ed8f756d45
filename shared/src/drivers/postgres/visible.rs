//! What the caller's role may use.

use super::connect::Pool;
use super::execute::rows;
use super::pipeline::Query;
use crate::backend::Scope;
use crate::error::{Error, Result};
use crate::query::openapi::Visible;

/// Asked as the role itself, in a transaction like any other request's.
pub(super) async fn visible(pool: &Pool, scope: &Scope) -> Result<Visible> {
    let params = [Some(scope.place.schema.to_string())];
    let query = Query {
        sql: include_str!("visible.sql"),
        params: &params,
        estimate: None,
        before: None,
    };
    let rows = rows(pool, scope, &query).await?;
    // A schema that is not there shows nothing.
    let Some(row) = rows.first() else {
        return Ok(Visible::default());
    };
    let json: &str = row.try_get(0).map_err(Error::internal)?;
    serde_json::from_str(json).map_err(Error::internal)
}
