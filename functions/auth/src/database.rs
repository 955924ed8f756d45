//! `POST /api/database/{id}/auth/signup` and `…/login`: the same accounts, named by the backend.

use axum::extract::State;
use plinth::accounts::{self, Credentials, NewAccount, SessionView};
use plinth::app::App;
use plinth::error::Result;
use plinth::web::Json;
use serde_json::Value;

use crate::request::Asked;
use crate::signup::SignUpBody;
use crate::token::GrantBody;

/// Make an account and sign in.
#[utoipa::path(post, path = "/api/database/{id}/auth/signup", tag = "auth", request_body = SignUpBody,
    operation_id = "database_sign_up", params(("id" = Uuid, Path, description = "The backend's id")),
    responses((status = 200, body = SessionView), (status = 401, description = "no_api_key"), (status = 404, description = "project_not_found")))]
pub async fn sign_up(State(app): State<App>, asked: Asked, Json(body): Json<Value>) -> Result<Json<SessionView>> {
    let new = NewAccount::parse(&body)?;
    accounts::sign_up(&app, &asked.audience, new, &asked.origin)
        .await
        .map(Json)
}

/// Sign in.
#[utoipa::path(post, path = "/api/database/{id}/auth/login", tag = "auth", request_body = GrantBody,
    operation_id = "database_sign_in", params(("id" = Uuid, Path, description = "The backend's id")),
    responses((status = 200, body = SessionView), (status = 400, description = "invalid_credentials"), (status = 404, description = "project_not_found")))]
pub async fn sign_in(State(app): State<App>, asked: Asked, Json(body): Json<Value>) -> Result<Json<SessionView>> {
    let credentials = Credentials::parse(&body)?;
    accounts::sign_in(&app, &asked.audience, credentials, &asked.origin)
        .await
        .map(Json)
}
