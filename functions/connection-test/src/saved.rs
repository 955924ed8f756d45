//! `POST /api/projects/{id}/backend/test`.

use axum::extract::State;
use plinth::app::App;
use plinth::connections::{self, Report};
use plinth::error::Result;
use plinth::web::{Access, Json, least};

/// Tests the connection of the project's own database, with the credentials that are kept.
#[utoipa::path(
    post, path = "/api/projects/{id}/backend/test", tag = "backend",
    params(("id" = String, Path, description = "The project")),
    responses(
        (status = 200, description = "How far it went; `ok` tells whether all went well", body = Report),
        (status = 404, description = "`projects/not-found`, `backend/not-provisioned`"),
        (status = 409, description = "`connections/not-external`: the backend is the platform's own"),
    )
)]
pub(crate) async fn test_backend(access: Access<least::Developer>, State(app): State<App>) -> Result<Json<Report>> {
    connections::test_saved(&app, &access.0).await.map(Json)
}
