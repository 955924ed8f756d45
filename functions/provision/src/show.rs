//! `GET …/backend/provision`.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::provisioning;
use plinth::web::{Access, Json, least};

use crate::body::BackendView;

/// Shows the project's backend.
#[utoipa::path(
    get,
    path = "/api/projects/{id}/backend/provision",
    tag = "backend",
    params(("id" = String, Path, description = "The project")),
    responses((status = 200, description = "What there is, without any secret", body = BackendView))
)]
pub async fn show_backend(access: Access<least::Viewer>, State(app): State<App>) -> Result<Json<BackendView>> {
    let found = provisioning::find(&app, &access.0).await?;
    Ok(Json(BackendView::of(&app, found.as_ref())))
}
