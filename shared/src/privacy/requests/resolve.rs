//! Who is meant.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::who::NamedSubject;
use super::{AskedSubject, Who};
use crate::accounts;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::subject::{Facts, SubjectMap};
use crate::tenancy::{Project, Tier};

/// Finds the person that somebody names in a project: among the accounts of a managed backend, deleted ones that can still
/// be restored included, or in the map's root table. Both name the same person alike.
///
/// # Errors
/// 400 `privacy/subject`; 404 `privacy/subject-not-found`; 409 `privacy/subject-ambiguous` when several have that address.
pub(crate) async fn resolve(
    app: &App,
    project: &Arc<Project>,
    facts: &Facts,
    map: &SubjectMap,
    asked: &AskedSubject,
) -> Result<Who> {
    let named = asked.named()?;
    let managed = project
        .backend
        .as_ref()
        .is_some_and(|backend| backend.tier == Tier::Managed);
    if managed {
        return account(app, project, map, &named).await;
    }
    row(app, project, facts, map, named).await
}

async fn account(app: &App, project: &Arc<Project>, _map: &SubjectMap, named: &NamedSubject) -> Result<Who> {
    let found = match named {
        NamedSubject::Email(address) => accounts::person_by_address(app, project, address).await?,
        NamedSubject::Id(id) => by_id(app, project, id).await?,
        NamedSubject::Key(key) => match only(key) {
            Some(id) => by_id(app, project, id).await?,
            None => None,
        },
    };
    found.map(|person| Who::Id(person.id.to_string())).ok_or_else(not_found)
}

async fn by_id(app: &App, project: &Arc<Project>, id: &str) -> Result<Option<accounts::Person>> {
    match id.parse::<Uuid>() {
        Ok(id) => accounts::person(app, project, id).await,
        Err(_) => Ok(None),
    }
}

/// The value of a key that is `id` alone.
fn only(key: &BTreeMap<String, String>) -> Option<&String> {
    key.get("id").filter(|_| key.len() == 1)
}

async fn row(
    _app: &App,
    _project: &Arc<Project>,
    _facts: &Facts,
    _map: &SubjectMap,
    _named: NamedSubject,
) -> Result<Who> {
    Err(Error::new(
        ErrorKind::Unsupported,
        "privacy/unsupported",
        "People in this kind of backend cannot be looked up yet",
    ))
}

pub(crate) fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/subject-not-found",
        "There is nobody of that name here",
    )
    .with_hint(
        "Send the person's id, their e-mail address, or {\"key\": {…}} with the columns that the subject map names",
    )
}
