//! End users that are deleted, and come back.
//!
//! A deletion keeps everything for 30 days but the way in: sessions end at once, signing in is refused as if nobody had
//! the address, and somebody else may sign up with it. The profile row stays, without the address, for the app's own rows
//! may refer to it.
//!
//! The user is in the backend's database, the audit log in the control database. What is about to happen is committed
//! there first: a process that dies between the two leaves an entry too many, never one too few, and the purge knows where
//! to look.

use jiff::Timestamp;
use uuid::Uuid;

use super::profile::{self, Profile};
use super::refusal::no_such_user;
use super::store::{self, Store};
use super::{Administrator, Audience, Origin, UserView};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{ErrorKind, Result};
use crate::ident::ProjectId;
use crate::tenancy::{MemberRole, ProjectAccess};

/// An end user in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedUser {
    /// Their id.
    pub id: Uuid,
    /// Their address or number.
    pub name: Option<String>,
    /// Since when.
    pub deleted_at: Timestamp,
}

/// Deletes a user; for 30 days [`restore_user`] takes it back.
///
/// # Errors
/// 404 `user_not_found`, also when they are deleted already; 422 `profile_refused` when the app's own code says no.
pub async fn delete_user(app: &App, admin: &Administrator, user: Uuid, origin: &Origin) -> Result<()> {
    let now = app.clock.now();
    let audience = &admin.audience;
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    store.lock_user(user).await?.ok_or_else(no_such_user)?;
    store.end_sessions(user, None).await?;
    store.set_deleted(user, now).await?;
    profile::change(app, audience, &store, &Profile::Address(user, None)).await?;
    let entry = admin.entry("users.delete", user, origin);
    write_down(app, &entry, Some((admin.project, now))).await?;
    store.commit().await
}

/// Takes the deletion of a user back. One who is not deleted stays as they are. Their sessions do not come back.
///
/// # Errors
/// 404 `user_not_found` when there is none, or the 30 days are over; 422 `email_exists` or `phone_exists` when somebody
/// else has taken the address or number, `profile_refused`.
pub async fn restore_user(app: &App, admin: &Administrator, user: Uuid, origin: &Origin) -> Result<UserView> {
    let since = crate::projects::restorable_since(app)?;
    let audience = &admin.audience;
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let present = match store.undelete(user, since).await? {
        Some(restored) => {
            let address = Profile::Address(user, restored.email.as_deref());
            profile::change(app, audience, &store, &address).await?;
            let entry = admin.entry("users.restore", user, origin);
            write_down(app, &entry, None).await?;
            restored
        }
        None => store.user(user).await?.ok_or_else(no_such_user)?,
    };
    let identities = store.identities(user).await?;
    store.commit().await?;
    Ok(UserView::new(present, identities))
}

async fn write_down(app: &App, entry: &Entry<'_>, deletion: Option<(ProjectId, Timestamp)>) -> Result<()> {
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    if let Some((project, at)) = deletion {
        store::note_deletion(&tx, project, at).await?;
    }
    audit::record(app, &tx, entry).await?;
    tx.commit().await.map_err(failure)
}

/// Users that a project's admins can bring back, latest first, behind a place in the list. Nobody where the project keeps
/// no accounts of its own.
///
/// # Errors
/// When the backend's database cannot be reached.
pub async fn deleted_users(
    app: &App,
    access: &ProjectAccess,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<DeletedUser>> {
    if access.role() < MemberRole::Admin {
        return Ok(Vec::new());
    }
    match Box::pin(look_up(app, access, after, limit)).await {
        // Deleted itself, without a backend, or with one of another kind.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Unsupported) => Ok(Vec::new()),
        found => found,
    }
}

async fn look_up(
    app: &App,
    access: &ProjectAccess,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<DeletedUser>> {
    let since = crate::projects::restorable_since(app)?;
    let project = app.tenancy.refresh(access.reference()).await?;
    let audience = Audience::of(project);
    let mut client = audience.connect(app).await?;
    let store = Store::begin(&audience, &mut client).await?;
    let found = store.deleted(since, after.unzip(), limit).await?;
    store.commit().await?;
    Ok(found)
}
