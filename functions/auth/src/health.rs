//! `GET /health`

use plinth::web::Json;
use serde_json::{Value, json};

use crate::request::Asked;

/// Says who answers here.
#[utoipa::path(get, path = "/health", operation_id = "auth_health", tag = "auth", responses((status = 200, description = "Version and name", body = Object)))]
pub async fn health(_: Asked) -> Json<Value> {
    Json(json!({
        "version": concat!("v", env!("CARGO_PKG_VERSION")),
        "name": "Plinth Auth",
        "description": "Accounts in GoTrue's dialect",
    }))
}
