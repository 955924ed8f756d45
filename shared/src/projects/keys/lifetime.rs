//! What members do with keys: make, rotate, revoke.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::GenericClient;

use super::{CreatedKey, KeyView, NewKey, create, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::KeyId;
use crate::projects::idempotency::{Seen, seen};
use crate::projects::versions::{self, Propagation};
use crate::projects::{IdempotencyKey, store as projects};
use crate::tenancy::ProjectAccess;
use crate::token::KeyClass;

/// A rotated key goes on working this long when nothing else is said.
const OVERLAP: u32 = 24 * 60 * 60;
/// And at most this long.
const LONGEST_OVERLAP: u32 = 30 * 24 * 60 * 60;

/// The reply to whoever made a key.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MadeKey {
    /// The key's text, this once. Null when the request is a repetition: the text is kept nowhere.
    pub key: Option<String>,
    /// What lists show of it.
    #[serde(flatten)]
    pub view: KeyView,
}

impl MadeKey {
    fn of(created: &CreatedKey) -> Self {
        Self {
            key: Some(created.key.text().expose().to_owned()),
            view: created.view.clone(),
        }
    }

    fn without_text(&self) -> Self {
        Self {
            key: None,
            view: self.view.clone(),
        }
    }
}

/// How a key is rotated.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rotation {
    /// Seconds that the old key goes on working: 0 to 2,592,000 (30 days), 86,400 (a day) if left out.
    pub overlap_seconds: Option<u32>,
    /// When the new key expires.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
}

/// Makes a key for a project, and tells its backend.
///
/// # Errors
/// As [`create`].
pub async fn create_for(
    app: &App,
    access: &ProjectAccess,
    (class, name, expires_at): (KeyClass, String, Option<Timestamp>),
    key: Option<&IdempotencyKey>,
) -> Result<(MadeKey, Propagation)> {
    let new = NewKey {
        class,
        name,
        expires_at,
        created_by: Some(access.caller().user.id),
    };
    let made = commit_creation(app, access, &new, key).await?;
    Ok((made, versions::push(app, access.project()).await?))
}

async fn commit_creation(
    app: &App,
    access: &ProjectAccess,
    new: &NewKey,
    key: Option<&IdempotencyKey>,
) -> Result<MadeKey> {
    let (project, user) = (access.project(), access.caller().user.id);
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let asked = ("keys.create", project, new.class, &new.name, new.expires_at);
    let attempt = match seen(app, &transaction, user, key, &asked).await? {
        Seen::Before(reply) => return Ok(reply),
        Seen::Never(attempt) => attempt,
    };
    projects::locked(app, &transaction, project).await?.alive()?;
    let created = create(app, &transaction, project, access.reference(), new).await?;
    versions::bump(&transaction, project).await?;
    let entry = entry(access, "keys.create", created.view.id).with(json!({ "class": new.class }));
    audit::record(app, &transaction, &entry).await?;
    let made = MadeKey::of(&created);
    if let Some(attempt) = attempt {
        attempt.finish(&transaction, &made.without_text()).await?;
    }
    transaction.commit().await.map_err(failure)?;
    Ok(made)
}

/// Makes a key that takes another one's place; the old one goes on working for the overlap.
///
/// # Errors
/// 404 `keys/not-found`; 409 `keys/over` for one that is revoked or expired, `keys/rotated` for one that has its
/// successor already; 400 `keys/overlap`; as [`create`].
pub async fn rotate(
    app: &App,
    access: &ProjectAccess,
    old: KeyId,
    rotation: &Rotation,
    key: Option<&IdempotencyKey>,
) -> Result<(MadeKey, Propagation)> {
    let overlap = rotation.overlap_seconds.unwrap_or(OVERLAP);
    if overlap > LONGEST_OVERLAP {
        return Err(Error::invalid(
            "keys/overlap",
            "overlapSeconds must be between 0 and 2592000 (30 days)",
        ));
    }
    let overlap = Duration::from_secs(u64::from(overlap));
    let made = commit_rotation(app, access, old, overlap, rotation, key).await?;
    Ok((made, versions::push(app, access.project()).await?))
}

async fn commit_rotation(
    app: &App,
    access: &ProjectAccess,
    old: KeyId,
    overlap: Duration,
    rotation: &Rotation,
    key: Option<&IdempotencyKey>,
) -> Result<MadeKey> {
    let (project, user, now) = (access.project(), access.caller().user.id, app.clock.now());
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let attempt = match seen(app, &transaction, user, key, &("keys.rotate", project, old, rotation)).await? {
        Seen::Before(reply) => return Ok(reply),
        Seen::Never(attempt) => attempt,
    };
    let replaced = locked(app, &transaction, access, old).await?;
    check_rotatable(&replaced, now)?;
    let new = NewKey {
        class: replaced.class,
        name: replaced.name,
        expires_at: rotation.expires_at,
        created_by: Some(user),
    };
    let created = create(app, &transaction, project, access.reference(), &new).await?;
    let ends = now.checked_add(overlap).map_err(Error::internal)?;
    store::replace(&transaction, old, created.view.id, ends).await?;
    versions::bump(&transaction, project).await?;
    let details = json!({ "replacedBy": created.view.id, "overlapSeconds": overlap.as_secs() });
    audit::record(app, &transaction, &entry(access, "keys.rotate", old).with(details)).await?;
    let made = MadeKey::of(&created);
    if let Some(attempt) = attempt {
        attempt.finish(&transaction, &made.without_text()).await?;
    }
    transaction.commit().await.map_err(failure)?;
    Ok(made)
}

fn check_rotatable(key: &KeyView, now: Timestamp) -> Result<()> {
    if key.revoked_at.is_some() || key.expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(
            Error::new(ErrorKind::Conflict, "keys/over", "The key is revoked or has expired")
                .with_hint("POST /api/projects/{id}/keys makes a new one"),
        );
    }
    if let Some(successor) = key.replaced_by {
        return Err(
            Error::new(ErrorKind::Conflict, "keys/rotated", "The key has been rotated already")
                .with_details(format!("Its successor is {successor}"))
                .with_hint("Rotate that one, or revoke this one"),
        );
    }
    Ok(())
}

/// Revokes a key: no request that starts after the reply is served with it. One that is revoked already stays so.
///
/// # Errors
/// 404 `keys/not-found`.
pub async fn revoke(app: &App, access: &ProjectAccess, key: KeyId) -> Result<(KeyView, Propagation)> {
    let revoked = commit_revocation(app, access, key).await?;
    Ok((revoked, versions::push(app, access.project()).await?))
}

async fn commit_revocation(app: &App, access: &ProjectAccess, id: KeyId) -> Result<KeyView> {
    let now = app.clock.now();
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let key = locked(app, &transaction, access, id).await?;
    if key.revoked_at.is_some() {
        return Ok(key);
    }
    store::revoke(&transaction, id, now).await?;
    versions::bump(&transaction, access.project()).await?;
    audit::record(app, &transaction, &entry(access, "keys.revoke", id)).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(KeyView {
        revoked_at: Some(now),
        ..key
    })
}

pub(super) async fn locked(
    app: &App,
    executor: &impl GenericClient,
    access: &ProjectAccess,
    key: KeyId,
) -> Result<KeyView> {
    projects::locked(app, executor, access.project()).await?.alive()?;
    store::find(executor, access.project(), key)
        .await?
        .ok_or_else(not_found)
}

pub(super) fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "keys/not-found", "The project has no such key")
}

pub(super) fn entry<'a>(access: &'a ProjectAccess, action: &'static str, key: KeyId) -> Entry<'a> {
    Entry::by(access.caller(), Some(access.project()), action, key)
}
