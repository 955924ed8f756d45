//! `GET /user/export`, `POST /user/export`, `DELETE /user` of a project's end users, where the project allows it.

use axum::extract::State;
use axum::response::IntoResponse;
use bytes::Bytes;
use http::StatusCode;
use plinth::accounts::{self, GivenPassword, Proven};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::privacy::own::{self, Allowed, OwnErasure, OwnExport};
use plinth::tenancy::not_found;
use plinth::web::Json;
use serde_json::Value;
use utoipa::ToSchema;

use crate::request::SignedIn;

/// A proof of who asks, where the sign-in is not younger than five minutes.
#[derive(ToSchema)]
#[expect(dead_code, reason = "read field by field, so that no message quotes a password")]
pub struct ProofBody {
    /// The user's password.
    password: Option<String>,
}

/// Have a copy of one's own data made, one a day; with a link once it is ready. (Not a route of GoTrue's.)
#[utoipa::path(post, path = "/user/export", operation_id = "auth_ask_export", tag = "auth",
    request_body(content = Option<ProofBody>),
    responses((status = 202, body = OwnExport), (status = 400, description = "invalid_credentials"),
        (status = 403, description = "privacy_not_allowed, reauthentication_needed, bad_jwt, session_not_found")))]
pub async fn ask_export(State(app): State<App>, signed_in: SignedIn, body: Bytes) -> Result<impl IntoResponse> {
    let proven = proven(&app, signed_in, &body, |allowed| allowed.export).await?;
    let asked = own::ask_export(&app, &proven).await?;
    Ok((StatusCode::ACCEPTED, Json(asked)))
}

/// The copy of one's own data that was asked for last; with a link once it is ready, for who has signed in within the last five
/// minutes. Later, asking again with the password answers with one. (Not a route of GoTrue's.)
#[utoipa::path(get, path = "/user/export", operation_id = "auth_show_export", tag = "auth",
    responses((status = 200, body = OwnExport), (status = 403, description = "privacy_not_allowed, bad_jwt, session_not_found"),
        (status = 404, description = "privacy_export_not_found")))]
pub async fn show_export(State(app): State<App>, signed_in: SignedIn) -> Result<Json<OwnExport>> {
    let SignedIn {
        audience,
        origin,
        bearer,
    } = signed_in;
    let user = accounts::show_user(&app, &audience, &bearer).await?.id;
    let project = audience.project().cloned().ok_or_else(not_found)?;
    let none = GivenPassword::default();
    match accounts::reauthenticate(&app, audience, &bearer, &none, origin).await {
        Ok(proven) => own::fetch_export(&app, &proven).await.map(Json),
        Err(error) if error.code() == "reauthentication_needed" => {
            own::show_export(&app, &project, user).await.map(Json)
        }
        Err(error) => Err(error),
    }
}

/// Erase oneself: all that the project keeps about the user, for good. (Not a route of GoTrue's.)
#[utoipa::path(delete, path = "/user", operation_id = "auth_erase_user", tag = "auth",
    request_body(content = Option<ProofBody>),
    responses((status = 202, body = OwnErasure), (status = 400, description = "invalid_credentials"),
        (status = 403, description = "privacy_not_allowed, reauthentication_needed, bad_jwt, session_not_found"),
        (status = 409, description = "privacy_map_unconfirmed")))]
pub async fn erase(State(app): State<App>, signed_in: SignedIn, body: Bytes) -> Result<impl IntoResponse> {
    let proven = proven(&app, signed_in, &body, |allowed| allowed.erase).await?;
    let begun = own::ask_erasure(&app, &proven).await?;
    Ok((StatusCode::ACCEPTED, Json(begun)))
}

/// Who asks, where the project allows what they ask for: before anybody's password is looked at.
async fn proven(app: &App, signed_in: SignedIn, body: &Bytes, wanted: fn(Allowed) -> bool) -> Result<Proven> {
    let SignedIn {
        audience,
        origin,
        bearer,
    } = signed_in;
    let project = audience.project().ok_or_else(not_found)?;
    Allowed::require(wanted(Allowed::by(project)))?;
    let password = GivenPassword::parse(&json_of(body)?)?;
    accounts::reauthenticate(app, audience, &bearer, &password, origin).await
}

/// Clients send a DELETE without a body, or without saying what it is.
fn json_of(body: &Bytes) -> Result<Value> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    serde_json::from_slice(body).map_err(|_| Error::invalid("http/json", "The body is not valid JSON"))
}
