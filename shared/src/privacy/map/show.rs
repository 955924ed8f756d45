//! A map as its owner sees it.

use serde::Serialize;

use super::super::Ground;
use super::InForce;
use crate::ident::ProjectId;
use crate::subject::{Change, Facts, Found, Gap, Hop, Marks, Path, Personal, Relation, Root, Rule, SubjectMap};

/// Which rows belong to a person, with all that an owner needs to confirm or correct it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SubjectMapView {
    /// The project.
    #[schema(value_type = uuid::Uuid)]
    pub project_id: ProjectId,
    /// Of the confirmed map, what `If-Match` takes; null: nobody has confirmed one, this one was found.
    pub version: Option<i32>,
    /// Whether somebody has confirmed it.
    pub confirmed: bool,
    /// Whether the tables have changed since: until it is confirmed anew, nothing is erased by it.
    pub stale: bool,
    /// What has changed.
    pub changes: Vec<Change>,
    /// Where people are.
    pub root: Root,
    /// The tables whose rows belong to people.
    pub tables: Vec<TableView>,
    /// Columns that look personal, of tables that are linked to nobody.
    pub gaps: Vec<Gap>,
    /// Links that were declared.
    pub relations: Vec<Relation>,
    /// Columns that look personal and are not.
    pub ignored: Vec<String>,
    /// The schemas that were looked at.
    pub covers: Vec<String>,
    /// What this kind of backend does not tell, or was not looked at.
    pub limits: Vec<String>,
    /// The same map as it is written: change it and send it as `PUT /api/projects/{id}/subject-map`.
    pub map: SubjectMap,
}

/// A table whose rows belong to people.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableView {
    /// Its label.
    pub table: String,
    /// Whether it was deleted and waits in the trash.
    pub trashed: bool,
    /// How its rows lead to a person.
    pub paths: Vec<PathView>,
    /// Other ways, which do not count unless they are added to the paths.
    pub alternatives: Vec<PathView>,
    /// What an erasure does with a person's rows.
    pub rule: Rule,
    /// Whether its owner should think about the rule.
    pub needs_decision: bool,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// Its columns that hold something of people.
    pub personal: Vec<Personal>,
}

/// A path, for people and programs.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PathView {
    /// `order_items.order_id → orders.id, orders.customer_id → customers.id`.
    pub readable: String,
    /// Its links.
    pub hops: Vec<Hop>,
}

/// A map to be shown.
pub(super) struct Shown<'a> {
    pub(super) project: ProjectId,
    pub(super) in_force: InForce,
    /// What was found beside: other ways, decisions.
    pub(super) found: Found,
    pub(super) marks: &'a Marks,
    pub(super) limits: Vec<String>,
}

impl Shown<'_> {
    pub(super) fn view(self, ground: &Ground) -> SubjectMapView {
        let Self {
            in_force, found, marks, ..
        } = self;
        let stale = in_force.is_stale();
        let InForce { version, map, changes } = in_force;
        let gaps = crate::subject::gaps(&ground.facts, marks, &map);
        SubjectMapView {
            project_id: self.project,
            version,
            confirmed: version.is_some(),
            stale,
            changes,
            root: map.root.clone(),
            tables: tables(&map, &found, marks, &ground.facts),
            gaps,
            relations: map.relations.clone(),
            ignored: map.ignored.clone(),
            covers: ground.covers.clone(),
            limits: ground.limits.iter().cloned().chain(self.limits).collect(),
            map,
        }
    }
}

fn tables(map: &SubjectMap, found: &Found, marks: &Marks, facts: &Facts) -> Vec<TableView> {
    let view = |path: &Path, label: &str| PathView {
        readable: path.readable(label),
        hops: path.0.clone(),
    };
    let shown = map.tables.iter().map(|(label, entry)| {
        // Ways that were found and that the owner has left out are others too.
        let proposed = found.map.tables.get(label).map_or(&[] as &[Path], |entry| &entry.paths);
        let others = proposed
            .iter()
            .chain(found.alternatives.get(label).into_iter().flatten());
        let others = others.filter(|path| !entry.paths.contains(path));
        // Who wrote another rule has decided.
        let open = found
            .map
            .tables
            .get(label)
            .is_some_and(|proposed| proposed.rule == entry.rule);
        let decision = found.decisions.get(label).filter(|_| open).cloned();
        TableView {
            table: label.clone(),
            trashed: facts.tables.get(label).is_some_and(|table| table.trashed),
            paths: entry.paths.iter().map(|path| view(path, label)).collect(),
            alternatives: others.map(|path| view(path, label)).collect(),
            rule: entry.rule.clone(),
            needs_decision: decision.is_some(),
            decision,
            personal: marks.table(label).to_vec(),
        }
    });
    shown.collect()
}
