//! `POST …/backend/restore`.

use axum::extract::State;
use plinth::app::App;
use plinth::error::Result;
use plinth::ident::BackendId;
use plinth::projects::versions::Propagation;
use plinth::provisioning;
use plinth::web::{Access, Json, Query, least};
use serde::{Deserialize, Serialize};

use crate::body::BackendView;

/// Which backend.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct Which {
    /// The `databaseId` of the one to bring back; without it, the one that was given up last.
    #[param(value_type = Option<uuid::Uuid>)]
    database_id: Option<BackendId>,
}

/// The backend, serving again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RestoredBackend {
    #[serde(flatten)]
    backend: BackendView,
    #[serde(flatten)]
    propagation: Propagation,
}

/// Brings back the backend that was given up less than 30 days ago: a managed one with its data, an external one with its
/// credentials.
#[utoipa::path(
    post,
    path = "/api/projects/{id}/backend/restore",
    tag = "backend",
    params(("id" = String, Path, description = "The project"), Which),
    responses(
        (status = 200, description = "It serves again, or still", body = RestoredBackend),
        (status = 404, description = "`backend/not-provisioned`: there is none, or it has been gone for longer"),
        (status = 409, description = "`provisioning/exists`, `provisioning/credentials-gone`"),
    )
)]
pub async fn restore_backend(
    access: Access<least::Admin>,
    State(app): State<App>,
    Query(which): Query<Which>,
) -> Result<Json<RestoredBackend>> {
    let (backend, propagation) = provisioning::restore(&app, &access.0, which.database_id).await?;
    Ok(Json(RestoredBackend {
        backend: BackendView::of(&app, Some(&backend)),
        propagation,
    }))
}
