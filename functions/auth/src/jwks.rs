//! `GET /.well-known/jwks.json`

use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CACHE_CONTROL;
use plinth::accounts;
use plinth::app::App;
use plinth::error::Result;
use plinth::web::Json;

use crate::request::Named;

/// Shows the keys that tokens are verified with, for anybody.
#[utoipa::path(get, path = "/.well-known/jwks.json", operation_id = "auth_jwks", tag = "auth", responses((status = 200, description = "A JSON Web Key Set", body = Object)))]
pub async fn jwks(State(app): State<App>, Named(project): Named) -> Result<impl IntoResponse> {
    let keys = accounts::public_keys(&app, project.as_ref()).await?;
    // As long as supabase-js keeps them.
    Ok(([(CACHE_CONTROL, "public, max-age=600")], Json(keys)))
}
