//! Changing what a project is called and set to.

use serde_json::{Map, Value, json};

use super::versions::{self, Propagation};
use super::{ProjectView, checked_description, checked_name, checked_settings, checked_status, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::tenancy::ProjectAccess;

/// The version a client has seen (`If-Match`); without one the change is made whatever the version is.
pub type Precondition = Option<i64>;

/// What is to be changed; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// A new name.
    pub name: Option<String>,
    /// A new description, or none.
    pub description: Option<Option<String>>,
    /// A new label.
    pub status: Option<String>,
    /// New settings.
    pub settings: Option<Settings>,
}

/// How settings change.
#[derive(Debug, Clone)]
pub enum Settings {
    /// Each named one gets its new value, or goes when that is null; the others stay.
    Merge(Map<String, Value>),
    /// These and no others.
    Replace(Map<String, Value>),
}

impl Settings {
    fn applied_to(&self, old: &Map<String, Value>) -> Map<String, Value> {
        match self {
            Self::Replace(new) => new.clone(),
            Self::Merge(new) => {
                let mut all = old.clone();
                all.extend(new.clone());
                all.retain(|_, value| !value.is_null());
                all
            }
        }
    }
}

impl Change {
    fn check(&self) -> Result<()> {
        self.name.as_deref().map_or(Ok(()), checked_name)?;
        checked_description(self.description.as_ref().and_then(|text| text.as_deref()))?;
        self.status.as_deref().map_or(Ok(()), checked_status)?;
        if self.parts().is_empty() {
            return Err(Error::invalid("projects/no-change", "There is nothing to change")
                .with_hint("Send name, description, status or settings"));
        }
        Ok(())
    }

    fn parts(&self) -> Vec<&'static str> {
        [
            (self.name.is_some(), "name"),
            (self.description.is_some(), "description"),
            (self.status.is_some(), "status"),
            (self.settings.is_some(), "settings"),
        ]
        .into_iter()
        .filter_map(|(given, part)| given.then_some(part))
        .collect()
    }
}

/// Changes a project, and tells its backend.
///
/// # Errors
/// 409 `projects/version` when it has moved on from the version the client has seen, `projects/name-taken`; 400 for what
/// it is to be called and set to; 404 when it was deleted meanwhile.
pub async fn change(
    app: &App,
    access: &ProjectAccess,
    change: &Change,
    seen: Precondition,
) -> Result<(ProjectView, Propagation)> {
    change.check()?;
    let view = commit(app, access, change, seen).await?;
    let propagation = versions::push(app, access.project()).await?;
    Ok((view, propagation))
}

async fn commit(app: &App, access: &ProjectAccess, change: &Change, seen: Precondition) -> Result<ProjectView> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let project = store::locked(app, &transaction, access.project()).await?.alive()?;
    let version = project.view.version;
    if seen.is_some_and(|seen| seen != version) {
        return Err(moved_on(version));
    }
    let mut next = project.view;
    if let Some(name) = &change.name {
        next.name.clone_from(name);
    }
    if let Some(description) = &change.description {
        next.description.clone_from(description);
    }
    if let Some(status) = &change.status {
        next.status.clone_from(status);
    }
    if let Some(settings) = &change.settings {
        next.settings = settings.applied_to(&next.settings);
        checked_settings(&next.settings)?;
    }
    store::update(&transaction, &next, app.clock.now()).await?;
    versions::bump(&transaction, access.project()).await?;
    let entry = Entry::by(
        access.caller(),
        Some(access.project()),
        "projects.update",
        access.project(),
    )
    .with(json!({ "changed": change.parts() }));
    audit::record(app, &transaction, &entry).await?;
    let changed = store::locked(app, &transaction, access.project()).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(changed.shown_to(access.role()))
}

fn moved_on(version: i64) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "projects/version",
        "The project has changed since you read it",
    )
    .with_details(format!("The current version is {version}"))
    .with_hint("Read it again and send its ETag as If-Match")
}
