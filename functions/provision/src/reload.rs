//! `POST …/backend/reload`.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::provisioning;
use plinth::web::{Access, Json, least};

use crate::body::BackendView;

/// Makes every process read the backend's tables and settings anew.
#[utoipa::path(
    post,
    path = "/api/projects/{id}/backend/reload",
    tag = "backend",
    params(("id" = String, Path, description = "The project")),
    responses((status = 200, description = "The next request sees the new state", body = BackendView))
)]
pub async fn reload_backend(access: Access<least::Developer>, State(app): State<App>) -> Result<Json<BackendView>> {
    let backend = provisioning::reload(&app, &access.0).await?;
    Ok(Json(BackendView::of(&app, Some(&backend))))
}
