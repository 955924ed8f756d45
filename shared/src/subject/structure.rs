//! The tables that a map was confirmed for, and what is different since.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Facts, Hop, Kind, Link, Marks};
use crate::schema::hidden;

/// Tables with their columns and links, as far as a map depends on them. Columns that lie aside are not among them: one comes
/// when another goes, and goes without a trace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Structure(BTreeMap<String, Shape>);

/// One table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Shape {
    /// Their types by their names.
    columns: BTreeMap<String, String>,
    /// `user_id → users.id`.
    links: BTreeSet<String>,
}

/// Something that is different about the tables.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// What.
    pub kind: ChangeKind,
    /// Of which table.
    pub table: String,
    /// Which column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Which link, as `user_id → users.id`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// What does not fit any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What a new column seems to hold of people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub personal: Option<Kind>,
}

/// What kind of change it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum ChangeKind {
    TableAdded,
    TableGone,
    ColumnAdded,
    ColumnGone,
    /// It has another type.
    ColumnChanged,
    LinkAdded,
    LinkGone,
    /// The tables are the same, and what the map says cannot be done with them any more: a column must have a value, or a
    /// key that told people apart is none.
    Unfit,
}

impl Structure {
    /// Of these tables.
    pub fn of(facts: &Facts) -> Self {
        let shape = |(label, table): (&String, &super::Table)| {
            let columns = table
                .columns
                .iter()
                .filter(|column| !hidden::is_hidden(column.name.as_str()));
            let links = table.links.iter();
            let links = links.filter(|link| !link.columns.iter().any(|column| hidden::is_hidden(column.as_str())));
            let shape = Shape {
                columns: columns
                    .map(|column| (column.name.to_string(), column.data_type.clone()))
                    .collect(),
                links: links.map(Link::to_string).collect(),
            };
            (label.clone(), shape)
        };
        Self(facts.tables.iter().map(shape).collect())
    }

    /// Whether that table is part of it.
    pub fn has(&self, label: &str) -> bool {
        self.0.contains_key(label)
    }

    /// Whether a link is part of it.
    pub(super) fn has_link(&self, label: &str, hop: &Hop) -> bool {
        self.0
            .get(label)
            .is_some_and(|shape| shape.links.contains(&hop.to_string()))
    }

    /// What is different in `now`. A table that has left the trash for good is not: nobody has to say what becomes of it.
    pub fn changes(&self, now: &Self, marks: &Marks) -> Vec<Change> {
        let mut changes = Vec::new();
        let change = |kind, table: &str| Change {
            kind,
            table: table.to_owned(),
            column: None,
            link: None,
            message: None,
            personal: None,
        };
        let none = Shape::default();
        for (label, shape) in &now.0 {
            let before = self.0.get(label);
            if before.is_none() {
                changes.push(change(ChangeKind::TableAdded, label));
            }
            let personal_only = before.is_none();
            let before = before.unwrap_or(&none);
            for (column, data_type) in &shape.columns {
                let kind = match before.columns.get(column) {
                    None => ChangeKind::ColumnAdded,
                    Some(other) if other != data_type => ChangeKind::ColumnChanged,
                    Some(_) => continue,
                };
                let personal = marks.kind(label, column);
                // Of a new table it is enough to say what looks personal.
                if personal.is_some() || !personal_only {
                    changes.push(Change {
                        column: Some(column.clone()),
                        personal,
                        ..change(kind, label)
                    });
                }
            }
            for column in before
                .columns
                .keys()
                .filter(|column| !shape.columns.contains_key(*column))
            {
                changes.push(Change {
                    column: Some(column.clone()),
                    ..change(ChangeKind::ColumnGone, label)
                });
            }
            let links = |kind, of: &BTreeSet<String>, without: &BTreeSet<String>| -> Vec<Change> {
                let links = of.difference(without);
                let links = links.map(|link| Change {
                    link: Some(link.clone()),
                    ..change(kind, label)
                });
                links.collect()
            };
            changes.extend(links(ChangeKind::LinkAdded, &shape.links, &before.links));
            changes.extend(links(ChangeKind::LinkGone, &before.links, &shape.links));
        }
        let gone = self
            .0
            .keys()
            .filter(|label| !now.has(label) && !label.starts_with(super::TRASH));
        changes.extend(gone.map(|label| change(ChangeKind::TableGone, label)));
        changes
    }
}

#[cfg(test)]
mod tests;
