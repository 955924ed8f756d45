//! `POST …/backend/provision`.

use axum::extract::State;
use http::StatusCode;
use plinth::app::App;
use plinth::error::Result;
use plinth::provisioning;
use plinth::web::{Access, Json, least};

use crate::body::{NewBackend, ProvisionedView};

/// Gives the project a backend, or answers with the one it has.
#[utoipa::path(
    post,
    path = "/api/projects/{id}/backend/provision",
    tag = "backend",
    params(("id" = String, Path, description = "The project")),
    request_body = NewBackend,
    responses(
        (status = 201, description = "Made; the keys are shown this once", body = ProvisionedView),
        (status = 200, description = "It was there, or came back with its data", body = ProvisionedView),
    )
)]
pub async fn provision(
    access: Access<least::Admin>,
    State(app): State<App>,
    Json(body): Json<NewBackend>,
) -> Result<(StatusCode, Json<ProvisionedView>)> {
    let done = provisioning::provision(&app, &access.0, body.parse()?).await?;
    let (status, view) = ProvisionedView::of(&app, done);
    Ok((status, Json(view)))
}
