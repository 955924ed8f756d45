//! Which rows of a project's tables belong to a person: what was found, what its owner has confirmed, and whether that still
//! fits the tables.

pub(super) mod store;

use super::ground::Ground;
use crate::app::App;
use crate::error::Result;
use crate::subject::{Change, Marks, Structure, SubjectMap, find};
use crate::tenancy::Project;

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
    Ok(fitted(ground, stored))
}

/// That map, made to fit the tables as they are.
fn fitted(ground: &Ground, stored: Option<store::Stored>) -> InForce {
    let facts = &ground.facts;
    let marks = Marks::by_name(facts);
    let Some(stored) = stored else {
        return InForce {
            version: None,
            map: find(ground.dialect, facts, &marks, &SubjectMap::default()).map,
            changes: Vec::new(),
        };
    };
    let changes = stored.structure.changes(&Structure::of(facts), &marks);
    let found = find(ground.dialect, facts, &marks, &stored.map).map;
    InForce {
        version: Some(stored.version),
        map: stored.map.fitted(facts, &stored.structure, found),
        changes,
    }
}
