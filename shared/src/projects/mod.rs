//! Projects with their members and keys, and how a change of them reaches the backends.
//!
//! Every change is one transaction: lock the project's row, change, move the version where data requests must notice,
//! append to the audit log. The order is always this one, so that two changes wait for each other instead of
//! deadlocking. After the commit [`versions::push`] tells the backend.

mod change;
mod create;
mod idempotency;
pub mod keys;
mod lifetime;
mod list;
pub mod members;
mod personal;
mod store;
pub mod versions;

pub use change::{Change, Precondition, Settings, change};
pub use create::{NewProject, create};
pub use idempotency::IdempotencyKey;
pub use lifetime::{Deleted, delete, restore};
pub use list::{find, list};
pub use personal::personal;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, ProjectId, Ref};
use crate::privacy;
use crate::tenancy::{Isolation, MemberRole, PlatformUser, Tier};

/// Refuses whose account is deleted, banned or erased: their tokens hold until they expire, and nothing is to be kept of them
/// again.
///
/// # Errors
/// 401 `auth/unauthorized`.
pub async fn refuse_barred(app: &App, executor: &impl GenericClient, user: &PlatformUser) -> Result<()> {
    if store::barred(executor, user, app.clock.now()).await? {
        return Err(Error::new(ErrorKind::Unauthorized, "auth/unauthorized", "Unauthorized"));
    }
    Ok(())
}

/// A project as its members see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectView {
    /// Its id.
    #[schema(value_type = uuid::Uuid)]
    pub id: ProjectId,
    /// Its ref: 20 lowercase letters, used in URLs and names.
    #[serde(rename = "ref")]
    #[schema(value_type = String)]
    pub reference: Ref,
    /// Its name, unique among its creator's projects.
    pub name: String,
    /// What it is about.
    pub description: Option<String>,
    /// Its owner's own label; `active` at first.
    pub status: String,
    /// What its owner set.
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
    /// The caller's role in it.
    #[schema(value_type = String)]
    pub role: MemberRole,
    /// Moves with every change of settings, keys or backend; what `If-Match` takes.
    pub version: i64,
    /// The base of its data APIs: the URL for `createClient`.
    pub api_url: String,
    /// Whether it is the one that holds the caller's own database (`/api/user/database-connection`). It does not count
    /// among the projects that they may have.
    #[serde(default)]
    pub personal: bool,
    /// Its backend, once provisioned.
    pub backend: Option<BackendView>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When its settings were last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
}

/// A project's backend in short.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendView {
    /// The `databaseId` of the paths.
    #[schema(value_type = uuid::Uuid)]
    pub database_id: BackendId,
    /// `managed`, `dedicated` or `external`.
    #[schema(value_type = String)]
    pub backend_type: Tier,
    /// `schema` or `database`; managed only.
    #[schema(value_type = Option<String>)]
    pub isolation: Option<Isolation>,
    /// `provisioning`, `ready` or `failed`.
    pub status: String,
}

/// What people may call things: 1-100 characters, some of them visible, none a control character.
fn is_label(text: &str) -> bool {
    let length = text.chars().count();
    (1..=100).contains(&length) && !text.trim().is_empty() && !text.chars().any(char::is_control)
}

/// Longest description, in characters.
const DESCRIPTION: usize = 2_000;
/// Longest settings, in bytes of JSON: every data request's plan carries them.
const SETTINGS: usize = 16 * 1024;

fn checked_name(name: &str) -> Result<()> {
    if is_label(name) {
        return Ok(());
    }
    Err(Error::invalid(
        "projects/name",
        "A project's name has 1 to 100 characters and no control characters",
    )
    .with_hint("Choose a shorter name, or one without line breaks"))
}

fn checked_description(description: Option<&str>) -> Result<()> {
    let fits = |text: &str| text.chars().count() <= DESCRIPTION && !text.contains('\0');
    if description.is_none_or(fits) {
        return Ok(());
    }
    Err(Error::invalid(
        "projects/description",
        "A project's description has at most 2,000 characters and no NUL",
    ))
}

fn checked_status(status: &str) -> Result<()> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if (1..=40).contains(&status.len())
        && status.starts_with(|c: char| c.is_ascii_lowercase())
        && status.chars().all(fits)
    {
        return Ok(());
    }
    Err(
        Error::invalid("projects/status", "A project's status matches ^[a-z][a-z0-9_-]{0,39}$")
            .with_hint("For example active, planning or on-hold"),
    )
}

fn checked_settings(settings: &Map<String, Value>) -> Result<()> {
    privacy::own::Allowed::parse(&Value::Object(settings.clone()))?;
    let text = serde_json::to_string(settings).map_err(Error::internal)?;
    // Postgres stores no NUL in jsonb.
    if text.len() <= SETTINGS && !text.contains("\\u0000") {
        return Ok(());
    }
    Err(Error::invalid(
        "projects/settings",
        "A project's settings are at most 16 kB of JSON without NUL",
    )
    .with_details(format!("{} bytes given", text.len())))
}

fn name_taken() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "projects/name-taken",
        "Another project of the same creator has this name",
    )
    .with_hint("Choose another name, or rename that project")
}

fn personal_taken() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "projects/personal-taken",
        "There is another project for the database of your own",
    )
    .with_hint("Delete that one first")
}

/// The earliest time of deletion that can still be undone at this moment.
pub(crate) fn restorable_since(app: &App) -> Result<Timestamp> {
    let now = app.clock.now();
    now.checked_sub(crate::clock::RESTORE_WINDOW).map_err(Error::internal)
}
