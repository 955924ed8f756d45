//! `POST /signup`

use axum::extract::State;
use plinth::accounts::{self, NewAccount, SessionView};
use plinth::app::App;
use plinth::error::Result;
use plinth::web::Json;
use serde_json::Value;
use utoipa::ToSchema;

use crate::request::Asked;

/// An address, a password and what the app wants to know.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read field by field, so that no message quotes a password")]
pub struct SignUpBody {
    /// The mail address.
    email: String,
    /// 6 to 72 bytes.
    password: String,
    /// `user_metadata`, up to 4 kB.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

/// Make an account and sign in.
#[utoipa::path(post, path = "/signup", operation_id = "auth_sign_up", tag = "auth", request_body = SignUpBody,
    responses((status = 200, body = SessionView), (status = 422, description = "user_already_exists, weak_password, signup_disabled, email_provider_disabled")))]
pub async fn sign_up(State(app): State<App>, asked: Asked, Json(body): Json<Value>) -> Result<Json<SessionView>> {
    let new = NewAccount::parse(&body)?;
    accounts::sign_up(&app, &asked.audience, new, &asked.origin)
        .await
        .map(Json)
}
