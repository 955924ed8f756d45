//! `DELETE …/backend/provision`.

use axum::extract::State;
use plinth::app::App;
use plinth::clock::RESTORE_WINDOW;
use plinth::error::{Error, Result};
use plinth::projects::versions::Propagation;
use plinth::provisioning;
use plinth::web::{Access, Json, least};
use serde::Serialize;

/// What became of the backend.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deprovisioned {
    /// `deleted`.
    pub status: &'static str,
    /// The backend's id.
    pub database_id: uuid::Uuid,
    /// Until when provisioning again restores it with its data.
    #[schema(value_type = String, format = DateTime)]
    pub restorable_until: jiff::Timestamp,
    /// Whether the next data request is refused already.
    #[serde(flatten)]
    pub propagation: Propagation,
}

/// Gives the backend up; it can be restored for 30 days by provisioning again.
#[utoipa::path(
    delete,
    path = "/api/projects/{id}/backend/provision",
    tag = "backend",
    params(("id" = String, Path, description = "The project")),
    responses((status = 200, description = "Deleted softly", body = Deprovisioned))
)]
pub async fn deprovision(access: Access<least::Admin>, State(app): State<App>) -> Result<Json<Deprovisioned>> {
    let (backend, propagation) = provisioning::deprovision(&app, &access.0).await?;
    let deleted_at = backend.deleted_at().unwrap_or_else(|| app.clock.now());
    Ok(Json(Deprovisioned {
        status: "deleted",
        database_id: backend.id().0,
        restorable_until: deleted_at.checked_add(RESTORE_WINDOW).map_err(Error::internal)?,
        propagation,
    }))
}
