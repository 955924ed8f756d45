//! `/api/projects?scope=database`: rows of the template's table `projects` in the caller's own database. The gateway tells
//! paths apart and no queries, so this function has the drivers too.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{StatusCode, Uri};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::personal::{self, Board};
use plinth::projects::IdempotencyKey;
use plinth::records::Answer;
use plinth::tenancy::Caller;
use serde_json::Value;
use serde_json::value::RawValue;

/// The caller's rows: `{"projects": […], "nextCursor"}`.
pub(crate) async fn list(app: &App, caller: &Caller, uri: &Uri) -> Result<Response> {
    respond(personal::list(app, caller, Board::Projects, uri.query().unwrap_or_default()).await?)
}

/// A new row: `{"project": {…}}`.
pub(crate) async fn create(
    app: &App,
    caller: &Caller,
    body: &RawValue,
    key: Option<&IdempotencyKey>,
) -> Result<Response> {
    let body: Value = serde_json::from_str(body.get()).map_err(Error::internal)?;
    respond(personal::create(app, caller, Board::Projects, &body, key).await?)
}

fn respond(answer: Answer) -> Result<Response> {
    let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
    Ok((status, [(CONTENT_TYPE, "application/json")], answer.json).into_response())
}
