//! `POST /api/database/create`.

use axum::extract::State;
use http::StatusCode;
use plinth::app::App;
use plinth::error::Result;
use plinth::ident::ProjectId;
use plinth::provisioning::{self, Request};
use plinth::tenancy::{MemberRole, not_found};
use plinth::web::{Actor, Json};
use serde::{Deserialize, Serialize};

use crate::body::{DatabaseView, ProvisionedView};

/// Which project gets its database.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct NewDatabase {
    /// The project.
    #[serde(rename = "projectId")]
    pub project_id: String,
}

/// The reply.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedDatabase {
    /// The database.
    pub database: DatabaseView,
    /// For the person who waits.
    pub message: &'static str,
    /// The URL for `createClient`.
    pub api_url: String,
    /// The publishable key, if it was made now.
    pub api_key: Option<String>,
    /// The secret key, if it was made now.
    pub secret_key: Option<String>,
}

/// Gives the project a managed database, or answers with the one it has.
#[utoipa::path(
    post,
    path = "/api/database/create",
    tag = "backend",
    request_body = NewDatabase,
    responses(
        (status = 201, description = "Made; the keys are shown this once", body = CreatedDatabase),
        (status = 200, description = "It was there, or came back with its data", body = CreatedDatabase),
    )
)]
pub async fn create_database(
    Actor(caller): Actor,
    State(app): State<App>,
    Json(body): Json<NewDatabase>,
) -> Result<(StatusCode, Json<CreatedDatabase>)> {
    let project = ProjectId(body.project_id.parse().map_err(|_| not_found())?);
    let access = app.tenancy.require(caller, project, MemberRole::Admin).await?;
    let done = provisioning::provision(&app, &access, Request::default()).await?;
    let (status, view) = ProvisionedView::of(&app, done);
    let ProvisionedView {
        database,
        api_url,
        api_key,
        secret_key,
        ..
    } = view;
    let created = CreatedDatabase {
        database,
        message: "Database created with users table",
        api_url,
        api_key,
        secret_key,
    };
    Ok((status, Json(created)))
}
