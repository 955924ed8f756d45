//! Making a project.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::idempotency::{Seen, seen};
use super::{
    IdempotencyKey, ProjectView, checked_description, checked_name, checked_settings, checked_status, refuse_barred,
    store,
};
use crate::accounts;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::ProjectId;
use crate::tenancy::{Caller, MemberRole, PlatformRole};

/// A project to be made.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct NewProject {
    /// 1-100 characters; unique among the caller's projects, whatever the case.
    pub name: String,
    /// At most 2,000 characters.
    pub description: Option<String>,
    /// The owner's own label.
    #[serde(default = "active")]
    pub status: String,
    /// At most 16 kB.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub settings: Map<String, Value>,
}

fn active() -> String {
    "active".to_owned()
}

impl NewProject {
    fn check(&self) -> Result<()> {
        checked_name(&self.name)?;
        checked_description(self.description.as_deref())?;
        checked_status(&self.status)?;
        checked_settings(&self.settings)
    }
}

/// Makes a project; the caller becomes its owner.
///
/// # Errors
/// 403 `projects/guest` for Guests, `projects/quota` for those who have as many as they may; 409 `projects/name-taken`;
/// 400 for what it is called and set to.
pub async fn create(app: &App, caller: &Caller, new: &NewProject, key: Option<&IdempotencyKey>) -> Result<ProjectView> {
    refuse_guests(caller)?;
    new.check()?;
    let user = caller.user.id;
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let attempt = match seen(app, &transaction, user, key, &("projects.create", new)).await? {
        Seen::Before(reply) => return Ok(reply),
        Seen::Never(attempt) => attempt,
    };
    refuse_barred(app, &transaction, &caller.user).await?;
    accounts::remember_outside(app, &transaction, &caller.user).await?;
    store::lock_creator(&transaction, user).await?;
    check_quota(app, store::count_created(&transaction, user).await?)?;
    let made = insert(app, &transaction, caller, new, false).await?;
    if let Some(attempt) = attempt {
        attempt.finish(&transaction, &made).await?;
    }
    transaction.commit().await.map_err(failure)?;
    Ok(made)
}

/// Writes a project down, with the caller as its owner.
pub(super) async fn insert(
    app: &App,
    transaction: &tokio_postgres::Transaction<'_>,
    caller: &Caller,
    new: &NewProject,
    personal: bool,
) -> Result<ProjectView> {
    let (id, reference, now) = (ProjectId(app.random.uuid()), app.random.project_ref(), app.clock.now());
    let user = caller.user.id;
    store::insert(transaction, id, &reference, new, user, personal, now).await?;
    store::insert_owner(transaction, id, user, now).await?;
    let entry = Entry::by(caller, Some(id), "projects.create", id);
    audit::record(app, transaction, &entry).await?;
    Ok(store::locked(app, transaction, id).await?.shown_to(MemberRole::Owner))
}

pub(super) fn refuse_guests(caller: &Caller) -> Result<()> {
    if caller.user.role >= PlatformRole::User {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Forbidden, "projects/guest", "Guests may not create projects")
            .with_hint("Ask an Admin of the platform for the role User"),
    )
}

/// Refuses one more project for a creator who has `have` of them.
pub(super) fn check_quota(app: &App, have: i64) -> Result<()> {
    let most = app.config.accounts.max_projects;
    if have < i64::from(most) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Quota,
        "projects/quota",
        "You have as many projects as you may have",
    )
    .with_details(format!("{most} projects"))
    .with_hint("Delete a project that is no longer needed, or ask an Admin of the platform for more"))
}
