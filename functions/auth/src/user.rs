//! `GET /user`, `PUT /user`

use axum::extract::State;
use plinth::accounts::{self, Changes, UserView};
use plinth::app::App;
use plinth::error::Result;
use plinth::web::Json;
use serde_json::Value;
use utoipa::ToSchema;

use crate::request::SignedIn;

/// The signed-in user.
#[utoipa::path(get, path = "/user", operation_id = "auth_user", tag = "auth",
    responses((status = 200, body = UserView), (status = 401, description = "no_authorization"), (status = 403, description = "bad_jwt, session_not_found, user_not_found")))]
pub async fn show(State(app): State<App>, signed_in: SignedIn) -> Result<Json<UserView>> {
    accounts::show_user(&app, &signed_in.audience, &signed_in.bearer)
        .await
        .map(Json)
}

/// What to change; what is absent stays.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read field by field, so that no message quotes a password")]
pub struct UserBody {
    /// A new address.
    email: Option<String>,
    /// A new password; ends the other sessions.
    password: Option<String>,
    /// The present password, checked if it is sent.
    current_password: Option<String>,
    /// Merged into `user_metadata`; null takes a key away.
    #[schema(value_type = Option<Object>)]
    data: Option<Value>,
}

/// Change the signed-in user.
#[utoipa::path(put, path = "/user", operation_id = "auth_change_user", tag = "auth", request_body = UserBody,
    responses((status = 200, body = UserView), (status = 403, description = "bad_jwt, session_not_found, not_admin"), (status = 422, description = "email_exists, same_password, weak_password")))]
pub async fn change(State(app): State<App>, signed_in: SignedIn, Json(body): Json<Value>) -> Result<Json<UserView>> {
    let SignedIn {
        audience,
        origin,
        bearer,
    } = signed_in;
    let changes = Changes::parse(&body)?;
    accounts::change_user(&app, &audience, &bearer, changes, &origin)
        .await
        .map(Json)
}
