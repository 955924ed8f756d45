//! `/api/user/database-connection/setup`: the steps to a database that works.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::personal::{self, Setup};
use plinth::web::{Actor, Json};
use serde_json::Value;
use utoipa::ToSchema;

/// A step that is done. Read by hand, as [`crate::database_connection::ConnectionBody`].
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it describes the body; the fields are read from the JSON itself"
)]
pub struct StepBody {
    /// `info`, `connection` or `schema`.
    step: String,
    /// With `connection`: where the database is (or `provider` and `credentials`).
    connection_string: Option<String>,
}

/// Tells which step is on, what it needs, and the SQL to copy.
#[utoipa::path(
    get, path = "/api/user/database-connection/setup", tag = "connections",
    responses((status = 200, body = Setup), (status = 401))
)]
pub(crate) async fn show(Actor(caller): Actor, State(app): State<App>) -> Result<Json<Setup>> {
    personal::setup(&app, &caller).await.map(Json)
}

/// Does a step. It may be done again, and come back to later.
#[utoipa::path(
    post, path = "/api/user/database-connection/setup", tag = "connections", request_body = StepBody,
    responses(
        (status = 200, description = "The step that is on now", body = Setup),
        (status = 400), (status = 401),
        (status = 404, description = "Database not configured"),
        (status = 422, description = "Connection failed, or tables are missing: the details list them"),
    )
)]
pub(crate) async fn advance(
    Actor(caller): Actor,
    State(app): State<App>,
    Json(body): Json<Value>,
) -> Result<Json<Setup>> {
    personal::advance(&app, &caller, &body).await.map(Json)
}

/// Begins anew; the connection stays.
#[utoipa::path(
    delete, path = "/api/user/database-connection/setup", tag = "connections",
    responses((status = 200, body = Setup), (status = 401))
)]
pub(crate) async fn reset(Actor(caller): Actor, State(app): State<App>) -> Result<Json<Setup>> {
    personal::reset(&app, &caller).await.map(Json)
}
