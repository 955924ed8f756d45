//! `/api/user/database-connection`: the caller's own database.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::personal::{self, NewConnection};
use plinth::web::{Actor, Json};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

/// Whether a database is connected.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConnectionState {
    connected: bool,
}

/// It is done.
#[derive(Debug, Serialize, ToSchema)]
pub struct Success {
    success: bool,
}

/// A database to connect. Read by hand, so that a fault is named by its path and no value is quoted.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it describes the body; the fields are read from the JSON itself"
)]
pub struct ConnectionBody {
    /// `postgresql://user:password@host:5432/database?sslmode=require`, or `mysql://…`.
    connection_string: Option<String>,
    /// In its place a kind of database, with…
    provider: Option<String>,
    /// …the fields that `GET /api/providers` has for it.
    #[schema(value_type = Option<Object>)]
    credentials: Option<Value>,
}

/// Says whether a database is connected; never where it is.
#[utoipa::path(
    get, path = "/api/user/database-connection", tag = "connections",
    responses((status = 200, body = ConnectionState), (status = 401))
)]
pub(crate) async fn show(Actor(caller): Actor, State(app): State<App>) -> Result<Json<ConnectionState>> {
    let connected = personal::has(&app, &caller).await?;
    Ok(Json(ConnectionState { connected }))
}

/// Connects a database, in place of the one before. It is tried first, and its address never shown again.
#[utoipa::path(
    post, path = "/api/user/database-connection", tag = "connections", request_body = ConnectionBody,
    responses(
        (status = 200, body = Success),
        (status = 400, description = "Invalid connection string"),
        (status = 401),
        (status = 422, description = "Connection failed: class and cause in the details, the fix in the hint"),
        (status = 502, description = "Connection failed: the server cannot be reached"),
    )
)]
pub(crate) async fn connect(
    Actor(caller): Actor,
    State(app): State<App>,
    Json(body): Json<Value>,
) -> Result<Json<Success>> {
    let new = NewConnection::read(&body)?;
    personal::save(&app, &caller, &new).await?;
    Ok(Json(Success { success: true }))
}

/// Forgets the connection. The database itself is left alone.
#[utoipa::path(
    delete, path = "/api/user/database-connection", tag = "connections",
    responses((status = 200, body = Success), (status = 401), (status = 404, description = "Database not configured"))
)]
pub(crate) async fn disconnect(Actor(caller): Actor, State(app): State<App>) -> Result<Json<Success>> {
    personal::remove(&app, &caller).await?;
    Ok(Json(Success { success: true }))
}
