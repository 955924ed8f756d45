//! What is known of a backend: relations, columns, keys, enums. Drivers fill it, the planner reads it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ident::Ident;

/// The exposed part of one backend, at one schema version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The exposed schema's physical name (`project_<ref>`, `public`, …); clients always see `public`.
    pub schema: Option<Ident>,
    /// Tables and views by name.
    pub relations: BTreeMap<String, Relation>,
    /// Enum types of the exposed schema by name, with their labels in order.
    pub enums: BTreeMap<String, Vec<String>>,
}

impl Catalog {
    /// The relation of that name.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.get(name)
    }
}

/// What kind of thing a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// A table, partitioned or not.
    Table,
    /// A view.
    View,
    /// A materialized view: read-only.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Its name.
    pub name: Ident,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The primary key's columns, in key order; empty without one.
    #[serde(default)]
    pub primary_key: Vec<Ident>,
    /// Unique keys other than the primary one.
    #[serde(default)]
    pub unique_keys: Vec<Vec<Ident>>,
    /// Foreign keys that point from here.
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
    /// The comment, if any.
    #[serde(default)]
    pub comment: Option<String>,
}

impl Relation {
    /// The column of that name. System columns are never in the catalog, so never found.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// The type as `format_type` prints it, the schema dropped for the project's own enums: `text`, `integer[]`, `mood`.
    pub data_type: String,
    /// Whether null is allowed.
    pub nullable: bool,
    /// The default expression as stored, if any.
    #[serde(default)]
    pub default: Option<String>,
    /// Generated or `generated always as identity`: it cannot be written.
    #[serde(default)]
    pub generated: bool,
    /// The comment, if any.
    #[serde(default)]
    pub comment: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: Ident,
    /// The columns here.
    pub columns: Vec<Ident>,
    /// The referenced relation (in the exposed schema).
    pub table: Ident,
    /// The referenced columns, pairwise.
    pub references: Vec<Ident>,
}
