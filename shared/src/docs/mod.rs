//! A project's documentation: every generation and every edit of it is a version.

mod store;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::control::page::{Listed, Page, Position};
use crate::error::Result;
use crate::ident::UserId;
use crate::tenancy::ProjectAccess;

/// A version, as lists show it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Its id.
    pub version_id: Uuid,
    /// What is different from the version before.
    pub change_summary: Option<String>,
    /// The platform user who generated or wrote it.
    #[schema(value_type = Option<Uuid>)]
    pub author: Option<UserId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A page of a project's versions, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, access: &ProjectAccess, page: &Page) -> Result<Listed<VersionView>> {
    let found = store::versions(app, access.project(), page).await?;
    Ok(page.cut(found, |version| Position(version.created_at, version.version_id)))
}
