//! Deleting a project, and bringing it back within its 30 days.

use jiff::Timestamp;
use serde::Serialize;

use super::create::check_quota;
use super::versions::{self, Propagation};
use super::{ProjectView, restorable_since, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::RESTORE_WINDOW;
use crate::control::failure;
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::tenancy::{ProjectAccess, not_found};

/// Until when a deleted project can be restored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// The project.
    #[schema(value_type = uuid::Uuid)]
    pub id: ProjectId,
    /// When it was deleted.
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
    /// Until when it can be restored.
    #[schema(value_type = String, format = DateTime)]
    pub restorable_until: Timestamp,
    /// Whether its backend has heard of it.
    #[serde(flatten)]
    pub propagation: Propagation,
}

/// Deletes a project: at once it is nowhere to be found, for 30 days its owner can restore it.
///
/// # Errors
/// 404 when it is deleted already.
pub async fn delete(app: &App, access: &ProjectAccess) -> Result<Deleted> {
    let now = app.clock.now();
    commit_deletion(app, access, now).await?;
    Ok(Deleted {
        id: access.project(),
        deleted_at: now,
        restorable_until: restorable_until(now)?,
        propagation: versions::push(app, access.project()).await?,
    })
}

async fn commit_deletion(app: &App, access: &ProjectAccess, now: Timestamp) -> Result<()> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let project = access.project();
    store::locked(app, &transaction, project).await?.alive()?;
    store::set_deleted(&transaction, project, Some(now)).await?;
    versions::bump(&transaction, project).await?;
    let entry = Entry::by(access.caller(), Some(project), "projects.delete", project);
    audit::record(app, &transaction, &entry).await?;
    transaction.commit().await.map_err(failure)
}

/// Brings a deleted project back as it was. One that is not deleted stays as it is.
///
/// # Errors
/// 404 when its 30 days are over; 409 `projects/name-taken`, 403 `projects/quota` as for a new one.
pub async fn restore(app: &App, access: &ProjectAccess) -> Result<(ProjectView, Propagation)> {
    let view = commit_restoration(app, access).await?;
    let propagation = versions::push(app, access.project()).await?;
    Ok((view, propagation))
}

async fn commit_restoration(app: &App, access: &ProjectAccess) -> Result<ProjectView> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let project = access.project();
    let found = store::locked(app, &transaction, project).await?;
    let Some(deleted_at) = found.deleted_at else {
        return Ok(found.shown_to(access.role()));
    };
    if deleted_at < restorable_since(app)? {
        return Err(not_found());
    }
    if let Some(creator) = found.created_by {
        store::lock_creator(&transaction, creator).await?;
        if !found.view.personal {
            check_quota(app, store::count_created(&transaction, creator).await?)?;
        }
    }
    store::set_deleted(&transaction, project, None).await?;
    versions::bump(&transaction, project).await?;
    let entry = Entry::by(access.caller(), Some(project), "projects.restore", project);
    audit::record(app, &transaction, &entry).await?;
    let restored = store::locked(app, &transaction, project).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(restored.shown_to(access.role()))
}

fn restorable_until(deleted_at: Timestamp) -> Result<Timestamp> {
    deleted_at.checked_add(RESTORE_WINDOW).map_err(Error::internal)
}
