//! Who belongs to a project, and as what.

mod rules;
mod store;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::control::page::{Listed, Page, Position};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::UserId;
use crate::tenancy::{MemberRole, ProjectAccess, not_found};
use rules::{Move, decide};

/// A member as the others see them.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberView {
    /// Who.
    #[schema(value_type = uuid::Uuid)]
    pub user_id: UserId,
    /// Their address, if known.
    pub email: Option<String>,
    /// What they call themselves.
    pub name: Option<String>,
    /// As what.
    #[schema(value_type = String)]
    pub role: MemberRole,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A member to be: a platform user, by id or address.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewMember {
    /// Their id.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub user_id: Option<UserId>,
    /// Or the address they signed up with.
    pub email: Option<String>,
    /// As what.
    #[schema(value_type = String)]
    pub role: MemberRole,
}

/// A project's members, in the order they came.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, access: &ProjectAccess, page: &Page) -> Result<Listed<MemberView>> {
    let found = store::list(app, access.project(), page).await?;
    Ok(page.cut(found, |member| Position(member.created_at, member.user_id.0)))
}

/// Makes a platform user a member.
///
/// # Errors
/// 404 `members/no-such-user`; 409 `members/already`; 403 when the caller's role does not reach that far.
pub async fn add(app: &App, access: &ProjectAccess, new: &NewMember) -> Result<MemberView> {
    if new.user_id.is_some() == new.email.is_some() {
        return Err(Error::invalid("members/who", "Send either userId or email"));
    }
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let project = super::store::locked(app, &transaction, access.project())
        .await?
        .alive()?;
    let actor = role_of(&transaction, access, access.caller().user.id)
        .await?
        .ok_or_else(not_found)?;
    if project.view.personal {
        return Err(personal());
    }
    decide(&Move::adding(actor, new.role))?;
    let user = store::find_user(&transaction, new.user_id, new.email.as_deref()).await?;
    let user = user.ok_or_else(no_such_user)?;
    if role_of(&transaction, access, user).await?.is_some() {
        return Err(Error::new(
            ErrorKind::Conflict,
            "members/already",
            "They are a member of this project already",
        )
        .with_hint("PATCH /api/projects/{id}/members/{userId} changes the role"));
    }
    store::put(&transaction, access.project(), user, new.role, app.clock.now()).await?;
    record(app, &transaction, access, "members.add", user, Some(new.role)).await?;
    let added = store::find(&transaction, access.project(), user).await?;
    transaction.commit().await.map_err(failure)?;
    added.ok_or_else(no_such_member)
}

/// Gives a member another role.
///
/// # Errors
/// 404 `members/not-found`; 409 `members/last-owner`; 403 when the caller's role does not reach that far.
pub async fn change(app: &App, access: &ProjectAccess, user: UserId, role: MemberRole) -> Result<MemberView> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let current = judged(app, &transaction, access, user, Some(role)).await?;
    if current != role {
        store::put(&transaction, access.project(), user, role, app.clock.now()).await?;
        record(app, &transaction, access, "members.change", user, Some(role)).await?;
    }
    let changed = store::find(&transaction, access.project(), user).await?;
    transaction.commit().await.map_err(failure)?;
    changed.ok_or_else(no_such_member)
}

/// Takes a member out, or lets the caller leave.
///
/// # Errors
/// As [`change`].
pub async fn remove(app: &App, access: &ProjectAccess, user: UserId) -> Result<()> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    judged(app, &transaction, access, user, None).await?;
    store::remove(&transaction, access.project(), user, app.clock.now()).await?;
    record(app, &transaction, access, "members.remove", user, None).await?;
    transaction.commit().await.map_err(failure)
}

/// Brings a member back who was taken out less than 30 days ago, with the role they had. One who is there stays as they are.
///
/// # Errors
/// 404 `members/not-found` when they never were one, or have been gone for longer; 404 `members/no-such-user` when their
/// account is gone; 403 when the caller's role does not reach that far.
pub async fn restore(app: &App, access: &ProjectAccess, user: UserId) -> Result<MemberView> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let project = access.project();
    super::store::locked(app, &transaction, project).await?.alive()?;
    let actor = role_of(&transaction, access, access.caller().user.id)
        .await?
        .ok_or_else(not_found)?;
    if let Some(present) = store::find(&transaction, project, user).await? {
        return Ok(present);
    }
    let since = super::restorable_since(app)?;
    let gone = store::removed_since(&transaction, project, user, since).await?;
    let role = gone.ok_or_else(no_such_member)?;
    decide(&Move::adding(actor, role))?;
    store::find_user(&transaction, Some(user), None)
        .await?
        .ok_or_else(no_such_user)?;
    if !store::restore(&transaction, project, user, app.clock.now()).await? {
        // Purged at this very moment.
        return Err(no_such_member());
    }
    record(app, &transaction, access, "members.restore", user, Some(role)).await?;
    let restored = store::find(&transaction, project, user).await?;
    transaction.commit().await.map_err(failure)?;
    restored.ok_or_else(no_such_member)
}

/// Whether the change may be made, on members that cannot change until the transaction ends: the project's row is
/// locked, and every change of members locks it first. Returns the member's present role.
async fn judged(
    app: &App,
    executor: &impl GenericClient,
    access: &ProjectAccess,
    user: UserId,
    next: Option<MemberRole>,
) -> Result<MemberRole> {
    super::store::locked(app, executor, access.project()).await?.alive()?;
    let caller = access.caller().user.id;
    // The role that opened the door may have been taken away since.
    let actor = role_of(executor, access, caller).await?.ok_or_else(not_found)?;
    let current = role_of(executor, access, user).await?;
    if current.is_none() && actor < MemberRole::Admin {
        return Err(rules::role_too_low(actor));
    }
    let current = current.ok_or_else(no_such_member)?;
    decide(&Move {
        actor,
        oneself: caller == user,
        current: Some(current),
        next,
        owners: store::count_owners(executor, access.project()).await?,
    })?;
    Ok(current)
}

async fn role_of(executor: &impl GenericClient, access: &ProjectAccess, user: UserId) -> Result<Option<MemberRole>> {
    store::role(executor, access.project(), user).await
}

async fn record(
    app: &App,
    executor: &impl GenericClient,
    access: &ProjectAccess,
    action: &'static str,
    user: UserId,
    role: Option<MemberRole>,
) -> Result<()> {
    let entry = Entry::by(access.caller(), Some(access.project()), action, user);
    let details = role.map(|role| json!({ "role": role })).unwrap_or_default();
    audit::record(app, executor, &entry.with(details)).await
}

/// Who reads the rows there is its one owner, whoever else may see the project.
fn personal() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "members/personal",
        "A personal project has no other members",
    )
    .with_hint("Make a project of its own for the database that several people work on")
}

fn no_such_user() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "members/no-such-user",
        "No platform user has this id or address",
    )
    .with_hint("They must sign up first")
}

fn no_such_member() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "members/not-found",
        "They are no member of this project",
    )
}
