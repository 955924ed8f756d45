//! Project keys: made, listed, rotated with an overlap, revoked. Only a hash is stored; the text is shown once.

mod lifetime;
mod restore;
mod store;

pub use lifetime::{MadeKey, Rotation, create_for, revoke, rotate};
pub use restore::restore;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::control::page::{Listed, Page, Position};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{KeyId, ProjectId, Ref, UserId};
use crate::tenancy::ProjectAccess;
use crate::token::{KeyClass, ProjectKey};

/// Keys a project may have that are neither revoked nor expired; data requests carry them all.
pub const MAX_KEYS: i64 = 50;

/// A key to be made.
#[derive(Debug, Clone)]
pub struct NewKey {
    /// What it may do.
    pub class: KeyClass,
    /// What its owner calls it: 1-100 characters.
    pub name: String,
    /// When it stops working by itself.
    pub expires_at: Option<Timestamp>,
    /// Who made it.
    pub created_by: Option<UserId>,
}

/// A key as lists show it: never its text or hash.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    pub id: KeyId,
    /// What it may do: `publishable` or `secret`.
    #[schema(value_type = String)]
    pub class: KeyClass,
    /// What its owner calls it.
    pub name: String,
    /// The end of its text, to recognise it by.
    pub hint: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last used, to the minute or so.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<Timestamp>,
    /// When it stops working.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<Timestamp>,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub revoked_at: Option<Timestamp>,
    /// The key that took its place.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub replaced_by: Option<KeyId>,
}

/// A key just made, with the only copy of its text.
#[derive(Debug)]
pub struct CreatedKey {
    /// What lists will show.
    pub view: KeyView,
    /// The key itself.
    pub key: ProjectKey,
}

/// Makes a key in the caller's transaction. The caller audits it and moves the project's version.
///
/// # Errors
/// `keys/name`, `keys/expiry`; `keys/quota` past [`MAX_KEYS`]; when the database fails.
pub async fn create(
    app: &App,
    executor: &impl GenericClient,
    project: ProjectId,
    reference: &Ref,
    new: &NewKey,
) -> Result<CreatedKey> {
    let now = app.clock.now();
    if !super::is_label(&new.name) {
        return Err(Error::invalid(
            "keys/name",
            "A key's name has 1 to 100 characters and no control characters",
        ));
    }
    if new.expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(Error::invalid("keys/expiry", "A key must expire in the future"));
    }
    check_room(executor, project, now).await?;
    let key = ProjectKey::generate(&app.random, new.class, reference);
    let view = KeyView {
        id: KeyId(app.random.uuid()),
        class: new.class,
        name: new.name.clone(),
        hint: key.hint(),
        created_at: now,
        last_used_at: None,
        expires_at: new.expires_at,
        revoked_at: None,
        replaced_by: None,
    };
    store::insert(executor, project, &view, &key.hash(), new.created_by).await?;
    Ok(CreatedKey { view, key })
}

/// Whether the project may have one more key that works.
async fn check_room(executor: &impl GenericClient, project: ProjectId, now: Timestamp) -> Result<()> {
    if store::count_live(executor, project, now).await? < MAX_KEYS {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Quota,
        "keys/quota",
        "The project has as many keys as it may have",
    )
    .with_details(format!("{MAX_KEYS} keys that work"))
    .with_hint("Revoke keys that are no longer used"))
}

/// A project's keys, newest first, those that are over included.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, access: &ProjectAccess, page: &Page) -> Result<Listed<KeyView>> {
    let found = store::list(app, access.project(), page).await?;
    Ok(page.cut(found, |key| Position(key.created_at, key.id.0)))
}
