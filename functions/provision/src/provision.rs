//! `POST …/backend/provision`.

use axum::extract::State;
use http::StatusCode;
use plinth::app::App;
use plinth::error::Result;
use plinth::provisioning;
use plinth::web::{Access, Json, least};

use crate::body::{Asked, NewBackend, ProvisionedView};

/// Gives the project a backend, or answers with the one it has; an external one is changed to what is sent.
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
    let (status, view) = match body.parse(&app)? {
        Asked::Managed(request) => {
            let done = provisioning::provision(&app, &access.0, request).await?;
            ProvisionedView::of(&app, done)
        }
        Asked::External(request) => {
            let done = provisioning::external::provision(&app, &access.0, *request).await?;
            ProvisionedView::of_external(&app, done)
        }
    };
    Ok((status, Json(view)))
}
