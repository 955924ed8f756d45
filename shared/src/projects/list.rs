//! Reading projects.

use super::{ProjectView, store};
use crate::app::App;
use crate::control::page::{Listed, Page, Position};
use crate::error::Result;
use crate::tenancy::{Caller, ProjectAccess};

/// The projects the caller is a member of, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, caller: &Caller, page: &Page) -> Result<Listed<ProjectView>> {
    let found = store::of_member(app, caller.user.id, page).await?;
    Ok(page.cut(found, |project| Position(project.created_at, project.id.0)))
}

/// One project.
///
/// # Errors
/// 404 when it was deleted meanwhile.
pub async fn find(app: &App, access: &ProjectAccess) -> Result<ProjectView> {
    let client = app.control.get().await?;
    let found = store::find(app, &client, access.project()).await?;
    Ok(found.alive()?.shown_to(access.role()))
}
