//! `/api/tasks` and `/api/team`: rows of the project-management template in the caller's own database.

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::personal::{self, Board};
use plinth::projects::IdempotencyKey;
use plinth::records::Answer;
use plinth::web::{Actor, Json};
use serde_json::Value;

fn respond(answer: Answer) -> Result<Response> {
    let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
    Ok((status, [(CONTENT_TYPE, "application/json")], answer.json).into_response())
}

/// Lists the caller's tasks, newest first: `{"tasks": […], "nextCursor"}`.
#[utoipa::path(
    get, path = "/api/tasks", tag = "template",
    params(
        ("projectId" = Option<String>, Query, description = "Of this project"),
        ("status" = Option<String>, Query, description = "Of this status"),
        ("limit" = Option<i64>, Query, description = "Rows at most: 1-100, 50 if left out"),
        ("offset" = Option<i64>, Query, description = "Rows to leave out at the beginning"),
        ("cursor" = Option<String>, Query, description = "nextCursor of the page before"),
    ),
    responses(
        (status = 200, description = "The tasks"), (status = 401),
        (status = 404, description = "Database not configured"), (status = 409, description = "The tables are not there"),
    )
)]
pub(crate) async fn list_tasks(Actor(caller): Actor, State(app): State<App>, uri: Uri) -> Result<Response> {
    let query = uri.query().unwrap_or_default();
    respond(personal::list(&app, &caller, Board::Tasks, query).await?)
}

/// Makes a task of the caller's: `{"task": {…}}`. Its project, if it has one, is one of theirs.
#[utoipa::path(
    post, path = "/api/tasks", tag = "template", request_body = Object,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 201, description = "The task"), (status = 400), (status = 401),
        (status = 404, description = "Database not configured"), (status = 422, description = "There is no such project"),
    )
)]
pub(crate) async fn create_task(
    Actor(caller): Actor,
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response> {
    let key = IdempotencyKey::of(&headers)?;
    respond(personal::create(&app, &caller, Board::Tasks, &body, key.as_ref()).await?)
}

/// Lists the members of the caller's team, newest first: `{"team": […], "nextCursor"}`.
#[utoipa::path(
    get, path = "/api/team", tag = "template",
    params(
        ("status" = Option<String>, Query, description = "Of this status"),
        ("limit" = Option<i64>, Query, description = "Rows at most: 1-100, 50 if left out"),
        ("offset" = Option<i64>, Query, description = "Rows to leave out at the beginning"),
        ("cursor" = Option<String>, Query, description = "nextCursor of the page before"),
    ),
    responses(
        (status = 200, description = "The team"), (status = 401),
        (status = 404, description = "Database not configured"), (status = 409, description = "The tables are not there"),
    )
)]
pub(crate) async fn list_team(Actor(caller): Actor, State(app): State<App>, uri: Uri) -> Result<Response> {
    let query = uri.query().unwrap_or_default();
    respond(personal::list(&app, &caller, Board::Team, query).await?)
}

/// Makes a member of the caller's team: `{"member": {…}}`.
#[utoipa::path(
    post, path = "/api/team", tag = "template", request_body = Object,
    params(("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses(
        (status = 201, description = "The member"), (status = 400), (status = 401),
        (status = 404, description = "Database not configured"),
    )
)]
pub(crate) async fn create_member(
    Actor(caller): Actor,
    State(app): State<App>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response> {
    let key = IdempotencyKey::of(&headers)?;
    respond(personal::create(&app, &caller, Board::Team, &body, key.as_ref()).await?)
}
