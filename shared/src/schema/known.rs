//! The tables a project already has: what names are taken, what can be referenced.

use std::collections::{BTreeMap, BTreeSet};

use super::ddl::name;
use super::spec::TableSpec;

/// What exists beside the table that is being designed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    tables: BTreeMap<String, TableSpec>,
    views: BTreeSet<String>,
}

impl Known {
    /// The specs of a project's live tables. The view `users` counts as taken as soon as there is its table.
    pub fn new(tables: impl IntoIterator<Item = TableSpec>) -> Self {
        let mut known = Self::default();
        for table in tables {
            known.insert(table);
        }
        known
    }

    /// Adds a table, or replaces the one of its name.
    pub fn insert(&mut self, table: TableSpec) {
        if table.name.as_str() == super::starter::APP_USERS {
            self.views.insert(super::starter::USERS_VIEW.to_owned());
        }
        self.tables.insert(table.name.as_str().to_owned(), table);
    }

    /// Takes a table out.
    pub fn remove(&mut self, name: &str) -> Option<TableSpec> {
        self.tables.remove(name)
    }

    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&TableSpec> {
        self.tables.get(name)
    }

    /// All tables, by name.
    pub fn tables(&self) -> impl Iterator<Item = &TableSpec> {
        self.tables.values()
    }

    /// The tables but the one of that name.
    pub fn others<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a TableSpec> {
        self.tables.values().filter(move |table| table.name.as_str() != name)
    }

    /// The labels of the enum of that name, whichever table declared it.
    pub fn enum_values(&self, name: &str) -> Option<&[String]> {
        self.tables.values().find_map(|table| table.enum_values(name))
    }

    /// Whether a table, view, enum, constraint or index of a table other than `except` has that name: they share one
    /// name space in Postgres.
    pub fn is_taken(&self, relation: &str, except: &str) -> bool {
        self.views.contains(relation)
            || self.others(except).any(|table| {
                table.name.as_str() == relation
                    || table.enum_values(relation).is_some()
                    || name::relations(table).iter().any(|taken| taken.as_str() == relation)
            })
    }
}
