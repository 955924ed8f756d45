//! A project's end user as a whole, deleted or not: found, signed out, and removed for good. For what is done about a
//! person's data.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::Audience;
use super::store::Store;
use crate::app::App;
use crate::error::Result;
use crate::tenancy::Project;

/// What is kept of a person beside their app's own rows.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: Uuid,
    /// Their e-mail address.
    pub email: Option<String>,
    /// Their number.
    pub phone: Option<String>,
    /// Since when the address is confirmed, if it is.
    pub email_confirmed_at: Option<Timestamp>,
    /// Since when the number is confirmed, if it is.
    pub phone_confirmed_at: Option<Timestamp>,
    /// What they said of themselves when they signed up.
    pub metadata: Map<String, Value>,
    /// Since when they are in the trash, if they are.
    pub deleted_at: Option<Timestamp>,
    /// How many sessions they have.
    pub sessions: i64,
    /// How many ways of signing in.
    pub identities: i64,
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Person").field("id", &self.id).finish_non_exhaustive()
    }
}

/// How much of an account was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removed {
    /// Sessions, with their refresh tokens.
    pub sessions: u64,
    /// Refresh tokens.
    pub refresh_tokens: u64,
    /// Ways of signing in.
    pub identities: u64,
    /// Accounts: one, or none when it was gone already.
    pub users: u64,
}

/// The end user of that id, a deleted one that is not purged yet included. Nobody where the project keeps no accounts.
///
/// # Errors
/// When the backend's database cannot be reached.
pub async fn person(app: &App, project: &Arc<Project>, id: Uuid) -> Result<Option<Person>> {
    let audience = Audience::of(project.clone());
    let mut client = audience.connect(app).await?;
    let store = Store::begin(&audience, &mut client).await?;
    let found = store.person(id).await?;
    store.commit().await?;
    Ok(found)
}

/// What is kept of an end user's account, for a copy of it: `account`, `identities` and `sessions`, without passwords and
/// tokens. None where [`person`] finds nobody.
///
/// # Errors
/// When the backend's database cannot be reached.
pub async fn copy_of_person(app: &App, project: &Arc<Project>, id: Uuid) -> Result<Option<Value>> {
    let audience = Audience::of(project.clone());
    let mut client = audience.connect(app).await?;
    let store = Store::begin(&audience, &mut client).await?;
    let copy = store.copy_of_person(id).await?;
    store.commit().await?;
    Ok(copy)
}

/// The end user with that e-mail address: who has it now, or else who had it last when they were deleted.
///
/// # Errors
/// When the backend's database cannot be reached.
pub async fn person_by_address(app: &App, project: &Arc<Project>, address: &str) -> Result<Option<Person>> {
    let audience = Audience::of(project.clone());
    let mut client = audience.connect(app).await?;
    let store = Store::begin(&audience, &mut client).await?;
    let found = match store.id_of_address(address).await? {
        Some(id) => store.person(id).await?,
        None => None,
    };
    store.commit().await?;
    Ok(found)
}

/// Ends all sessions of an end user; how many there were, with their refresh tokens. Access tokens hold until they expire.
///
/// # Errors
/// When the backend's database cannot be reached.
pub async fn sign_person_out(app: &App, project: &Arc<Project>, id: Uuid) -> Result<Removed> {
    let audience = Audience::of(project.clone());
    let mut client = audience.connect(app).await?;
    let store = Store::begin(&audience, &mut client).await?;
    let (sessions, refresh_tokens) = store.remove_sessions(id).await?;
    store.commit().await?;
    Ok(Removed {
        sessions,
        refresh_tokens,
        ..Removed::default()
    })
}

/// Removes an end user's account for good, from the trash too. The profile row is the app's: it is not touched.
///
/// # Errors
/// When the backend's database cannot be reached.
pub async fn remove_person(app: &App, project: &Arc<Project>, id: Uuid) -> Result<Removed> {
    let audience = Audience::of(project.clone());
    let mut client = audience.connect(app).await?;
    let store = Store::begin(&audience, &mut client).await?;
    let (sessions, refresh_tokens) = store.remove_sessions(id).await?;
    let (identities, users) = store.remove_account(id).await?;
    store.commit().await?;
    Ok(Removed {
        sessions,
        refresh_tokens,
        identities,
        users,
    })
}
