//! `GET /settings`

use axum::extract::State;
use plinth::accounts::Settings;
use plinth::app::App;
use plinth::web::Json;

use crate::request::Asked;

/// What can be used to sign in.
#[utoipa::path(get, path = "/settings", operation_id = "auth_settings", tag = "auth", responses((status = 200, body = Settings)))]
pub async fn settings(State(app): State<App>, asked: Asked) -> Json<Settings> {
    Json(Settings::of(&app, &asked.audience))
}
