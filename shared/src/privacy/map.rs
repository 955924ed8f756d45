//! Which rows of a project's tables belong to a person: what was found, what its owner has confirmed, and whether that still
//! fits the tables.

mod confirm;
mod sample;
mod show;
pub(super) mod store;

pub use confirm::{Wanted, confirm};
pub use show::{PathView, SubjectMapView, TableView};

use self::show::Shown;
use super::ground::{Ground, ground};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::subject::{Change, Found, Marks, Rule, Structure, SubjectMap, TableEntry, find, unfit};
use crate::tenancy::{Project, ProjectAccess};

/// The map that counts now.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct InForce {
    /// Of the confirmed one; `None`: nobody has confirmed any, this one was found.
    pub(crate) version: Option<i32>,
    /// The map. It names nothing that is not there: of a stale one what is gone is left out and new tables are as they
    /// were found, so that it serves to find all that belongs to somebody.
    pub(crate) map: SubjectMap,
    /// What is different about the tables since it was confirmed. Any: it is stale, and nothing may be erased by it.
    pub(crate) changes: Vec<Change>,
}

impl InForce {
    /// Whether the tables have changed since it was confirmed.
    pub(crate) fn is_stale(&self) -> bool {
        !self.changes.is_empty()
    }
}

/// The confirmed map, or what is found without one. Names and types tell what is personal here; no row is read.
///
/// # Errors
/// When the control database fails.
pub(crate) async fn in_force(app: &App, project: &Project, ground: &Ground) -> Result<InForce> {
    let stored = store::latest(app, project.id).await?;
    Ok(fitted(ground, stored, &Marks::by_name(&ground.facts)).0)
}

/// A version of the confirmed map as it still fits the tables, without whatever has come or changed since: only what was
/// confirmed, and beside it all that it said. For what was begun by that version and has to be brought to its end.
///
/// # Errors
/// When the control database fails.
pub(crate) async fn of_version(
    app: &App,
    project: &Project,
    ground: &Ground,
    version: i32,
) -> Result<(InForce, SubjectMap)> {
    let stored = store::version(app, project.id, version).await?;
    let stored = stored.ok_or_else(|| Error::internal("a version of a subject map is gone"))?;
    let said = stored.map.clone();
    let (mut in_force, _) = fitted(ground, Some(stored), &Marks::by_name(&ground.facts));
    in_force.map.tables.retain(|label, entry| {
        let said = said.tables.get(label);
        said.is_some_and(|said| only_said(entry, said) && within(&entry.rule, &said.rule))
    });
    Ok((in_force, said))
}

/// Takes out of a table's entry what was not said of it; false if nothing is left.
fn only_said(entry: &mut TableEntry, said: &TableEntry) -> bool {
    entry.paths.retain(|path| said.paths.contains(path));
    if let (Rule::Anonymise { columns }, Rule::Anonymise { columns: said }) = (&mut entry.rule, &said.rule) {
        columns.retain(|column| said.contains(column));
    }
    !entry.paths.is_empty()
}

/// Whether a rule does nothing that the other does not.
fn within(rule: &Rule, said: &Rule) -> bool {
    match (rule, said) {
        (Rule::Delete, Rule::Delete) | (Rule::Keep { .. }, Rule::Keep { .. }) => true,
        (Rule::Anonymise { columns }, Rule::Anonymise { columns: said }) => {
            columns.iter().all(|column| said.contains(column))
        }
        _ => false,
    }
}

/// That map, made to fit the tables as they are, and what is found there now.
fn fitted(ground: &Ground, stored: Option<store::Stored>, marks: &Marks) -> (InForce, Found) {
    let facts = &ground.facts;
    let said = stored.as_ref().map(|stored| stored.map.clone()).unwrap_or_default();
    let found = find(ground.dialect, facts, marks, &said);
    let in_force = match stored {
        None => InForce {
            version: None,
            map: found.map.clone(),
            changes: Vec::new(),
        },
        Some(stored) => {
            let changes = stored.structure.changes(&Structure::of(facts), marks);
            let map = stored.map.fitted(facts, &stored.structure, found.map.clone());
            InForce {
                version: Some(stored.version),
                // What would fail in the middle of an erasure is told before.
                changes: match changes.is_empty() {
                    true => unfit(ground.dialect, &map, facts),
                    false => changes,
                },
                map,
            }
        }
    };
    (in_force, found)
}

/// Shows the map in force, or what is found without one; with a version, that one as it would fit now. Some values of each
/// table are looked at.
///
/// # Errors
/// As the tables' reading: 404 `backend/not-provisioned`, 501 `privacy/unsupported`; 404 `privacy/map-not-found`.
pub async fn read(app: &App, access: &ProjectAccess, version: Option<i32>) -> Result<SubjectMapView> {
    audited(app, access).await?;
    let project = app.tenancy.refresh(access.reference()).await?;
    let ground = ground(app, &project).await?;
    let stored = match version {
        None => store::latest(app, access.project()).await?,
        Some(version) => {
            let found = store::version(app, access.project(), version).await?;
            Some(found.ok_or_else(no_such_version)?)
        }
    };
    let (marks, limits) = sample::marks(&ground, stored.as_ref().map(|stored| &stored.map)).await;
    let (in_force, found) = fitted(&ground, stored, &marks);
    let shown = Shown {
        project: access.project(),
        in_force,
        found,
        marks: &marks,
        limits,
    };
    Ok(shown.view(&ground))
}

/// Who looks where people's data is, is written down.
async fn audited(app: &App, access: &ProjectAccess) -> Result<()> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let entry = Entry::by(
        access.caller(),
        Some(access.project()),
        "privacy.map-read",
        access.project(),
    );
    audit::record(app, &transaction, &entry).await?;
    transaction.commit().await.map_err(failure)
}

fn no_such_version() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/map-not-found",
        "The project's subject map has no such version",
    )
}
