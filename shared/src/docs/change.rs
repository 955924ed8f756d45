//! What members do with versions: write, go back, delete, bring back.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::versions::{check_quota, save_as};
use super::{NewVersion, Origin, Version, VersionView, store, versions};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::RESTORE_WINDOW;
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::projects::IdempotencyKey;
use crate::tenancy::ProjectAccess;

/// Until when a deleted version can be restored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedVersion {
    /// The version.
    pub version_id: Uuid,
    /// When it was deleted.
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
    /// Until when it can be restored.
    #[schema(value_type = String, format = DateTime)]
    pub restorable_until: Timestamp,
}

/// What a member wants as the next version.
#[derive(Debug, Clone, Default)]
pub struct Edit<'a> {
    /// The version it is made of.
    pub based_on: Option<Uuid>,
    /// The number of the latest version its author has seen.
    pub seen: Option<i64>,
    /// Makes a repetition safe.
    pub key: Option<&'a IdempotencyKey>,
}

/// Makes a version of what somebody wrote. With `based_on`, that version must still be the latest, unless `seen` names
/// the latest.
///
/// # Errors
/// As [`super::save`]; 404 when there is no such version to base it on; 409 `documents/moved-on`; 422
/// `http/idempotency-key` when the key was used for another text.
pub async fn write(app: &App, access: &ProjectAccess, content: &str, edit: &Edit<'_>) -> Result<VersionView> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    store::lock(&transaction, access.project()).await?;
    let id = edit.key.map(|key| made_id(access, key));
    if let Some(made) = again(&transaction, access, id, content).await? {
        return Ok(made);
    }
    let base = match edit.based_on {
        Some(base) => Some(versions::find(&transaction, access.project(), base).await?.view.number),
        None => None,
    };
    check_seen(&transaction, access, edit.seen.or(base.map(i64::from))).await?;
    let new = new_version(access, content, Origin::Edited, edit.based_on);
    let made = save_as(app, &transaction, id, &new, &access.caller().request).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(made.view)
}

/// Makes a version with an older one's content.
///
/// # Errors
/// As [`write`].
pub async fn revert(app: &App, access: &ProjectAccess, version: Uuid, seen: Option<i64>) -> Result<VersionView> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    store::lock(&transaction, access.project()).await?;
    check_seen(&transaction, access, seen).await?;
    let old = versions::find(&transaction, access.project(), version).await?;
    let new = new_version(access, &old.content, Origin::Reverted, Some(version));
    let made = super::save(app, &transaction, &new, &access.caller().request).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(made.view)
}

/// The same key makes the same id, so that a repetition is recognised by it.
fn made_id(access: &ProjectAccess, key: &IdempotencyKey) -> Uuid {
    key.id(access.caller().user.id, &format!("docs\n{}", access.project()))
}

/// What an earlier request with the same key has made.
async fn again(
    executor: &impl GenericClient,
    access: &ProjectAccess,
    id: Option<Uuid>,
    content: &str,
) -> Result<Option<VersionView>> {
    let Some(id) = id else { return Ok(None) };
    match store::find_even_deleted(executor, access.project(), id).await? {
        None => Ok(None),
        Some((made, _)) if made.content == content => Ok(Some(made.view)),
        Some(_) => Err(Error::new(
            ErrorKind::Unprocessable,
            "http/idempotency-key",
            "This Idempotency-Key was used for another request",
        )
        .with_hint("Use a new key for each thing to be made")),
    }
}

fn new_version<'a>(access: &ProjectAccess, content: &'a str, origin: Origin, based_on: Option<Uuid>) -> NewVersion<'a> {
    NewVersion {
        project: access.project(),
        content,
        origin,
        based_on,
        author: Some(access.caller().user.id),
        job: None,
    }
}

async fn check_seen(executor: &impl GenericClient, access: &ProjectAccess, seen: Option<i64>) -> Result<()> {
    let Some(seen) = seen else { return Ok(()) };
    let latest = store::latest_view(executor, access.project()).await?;
    if latest.as_ref().is_some_and(|latest| i64::from(latest.number) == seen) {
        return Ok(());
    }
    let now = latest.map_or_else(
        || "There is no version".to_owned(),
        |latest| format!("The latest is version {} ({})", latest.number, latest.version_id),
    );
    Err(Error::new(
        ErrorKind::Conflict,
        "documents/moved-on",
        "The documentation has a newer version meanwhile",
    )
    .with_details(now)
    .with_hint("Read the latest version, make the change there, or send its number as If-Match"))
}

/// Deletes a version: it is nowhere to be found, for 30 days it can be restored.
///
/// # Errors
/// 404 when there is none, or it is deleted already.
pub async fn delete(app: &App, access: &ProjectAccess, version: Uuid) -> Result<DeletedVersion> {
    let now = app.clock.now();
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    store::lock(&transaction, access.project()).await?;
    if !store::set_deleted(&transaction, access.project(), version, Some(now)).await? {
        return Err(versions::not_found());
    }
    audit::record(app, &transaction, &entry(access, "documents.delete", version)).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(DeletedVersion {
        version_id: version,
        deleted_at: now,
        restorable_until: now.checked_add(RESTORE_WINDOW).map_err(Error::internal)?,
    })
}

/// Brings a deleted version back, in its old place. One that is not deleted stays as it is.
///
/// # Errors
/// 404 when its 30 days are over; 403 `documents/quota`.
pub async fn restore(app: &App, access: &ProjectAccess, version: Uuid) -> Result<VersionView> {
    let since = app.clock.now().checked_sub(RESTORE_WINDOW).map_err(Error::internal)?;
    let project = access.project();
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    store::lock(&transaction, project).await?;
    let found = store::find_even_deleted(&transaction, project, version).await?;
    let (Version { view, .. }, deleted_at) = found.ok_or_else(versions::not_found)?;
    match deleted_at {
        None => return Ok(view),
        Some(deleted_at) if deleted_at < since => return Err(versions::not_found()),
        Some(_) => {}
    }
    check_quota(store::count(&transaction, project).await?)?;
    if !store::set_deleted(&transaction, project, version, None).await? {
        // Purged at this very moment.
        return Err(versions::not_found());
    }
    audit::record(app, &transaction, &entry(access, "documents.restore", version)).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(view)
}

fn entry<'a>(access: &'a ProjectAccess, action: &'static str, version: Uuid) -> Entry<'a> {
    Entry::by(access.caller(), Some(access.project()), action, version)
}
