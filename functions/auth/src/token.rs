//! `POST /token?grant_type=…`

use axum::extract::State;
use plinth::accounts::{self, Credentials, SessionView};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::web::Json;
use serde_json::Value;
use utoipa::ToSchema;

use crate::request::{Asked, QueryOf};

/// With `grant_type=password` address and password, with `grant_type=refresh_token` the refresh token.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read field by field, so that no message quotes a password")]
pub struct GrantBody {
    /// The mail address.
    email: Option<String>,
    /// The password.
    password: Option<String>,
    /// The refresh token.
    refresh_token: Option<String>,
}

/// Sign in, or go on with a session.
#[utoipa::path(post, path = "/token", operation_id = "auth_token", tag = "auth", request_body = GrantBody,
    params(("grant_type" = String, Query, description = "password or refresh_token")),
    responses((status = 200, body = SessionView), (status = 400, description = "invalid_credentials, refresh_token_not_found, refresh_token_already_used")))]
pub async fn token(
    State(app): State<App>,
    asked: Asked,
    query: QueryOf,
    Json(body): Json<Value>,
) -> Result<Json<SessionView>> {
    let Asked { audience, origin } = asked;
    let session = match query.first("grant_type") {
        Some("password") => accounts::sign_in(&app, &audience, Credentials::parse(&body)?, &origin).await?,
        Some("refresh_token") => accounts::refresh(&app, &audience, &body).await?,
        _ => return Err(unsupported()),
    };
    Ok(Json(session))
}

fn unsupported() -> Error {
    Error::invalid("unsupported_grant_type", "This grant_type is not supported")
        .with_hint("grant_type is password or refresh_token")
}
