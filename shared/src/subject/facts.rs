//! What is known of the tables.

use std::collections::BTreeMap;
use std::fmt;

use crate::ident::Ident;
use crate::schema::catalog::Column;

/// Tables and the links between them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// By the label that a map names them by.
    pub tables: BTreeMap<String, Table>,
    /// The table of people as the platform knows it (the profile table of a managed backend), if it is there.
    pub people: Option<String>,
    /// Whether people have accounts with ids of their own (`plinth.uid()`), beside or without a row.
    pub accounts: bool,
    /// Tables that are not looked at and have foreign keys to those that are, with these keys and their columns: rows there
    /// would go along unseen, or keep others from going.
    pub outside: BTreeMap<String, Table>,
    /// Materialized views, which keep copies of rows until they are refreshed.
    pub copies: Vec<(Ident, Ident)>,
    /// By label: tables whose rows the login that erases may not delete, or not change.
    pub denied: BTreeMap<String, Denied>,
}

/// What a login may not do with a table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Denied {
    /// Delete rows.
    pub delete: bool,
    /// Change them.
    pub update: bool,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The schema it is in; `None` where the engine's database is the schema.
    pub schema: Option<Ident>,
    /// Its name there.
    pub name: Ident,
    /// All its columns, ours among them ([`crate::schema::hidden`]): columns that lie aside hold values too.
    pub columns: Vec<Column>,
    /// The primary key's columns; empty without one.
    pub primary_key: Vec<Ident>,
    /// Other unique keys.
    pub unique_keys: Vec<Vec<Ident>>,
    /// Where its rows lead.
    pub links: Vec<Link>,
    /// What its rows must fulfil, as the engine prints it.
    pub checks: Vec<String>,
    /// Foreign keys whose columns are empty together or not at all (`match full`).
    pub whole: Vec<Vec<Ident>>,
    /// How texts are compared, by column, where the engine has columns of one database differ in it.
    pub collations: BTreeMap<Ident, Collation>,
    /// Whether it is a deleted table that waits in the trash. Its label is `trash:<name it had>:<id>`.
    pub trashed: bool,
}

impl Table {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }
}

/// How an engine compares texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collation {
    /// The set of characters.
    pub charset: Ident,
    /// The order's name.
    pub name: Ident,
}

/// A way from rows of a table to a row of another one, or to a person's id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The columns here.
    pub columns: Vec<Ident>,
    /// The label of the table it leads to; `None`: the columns (one) hold a person's id.
    pub to: Option<String>,
    /// The columns there, pairwise; empty where it leads to an id.
    pub references: Vec<Ident>,
    /// Why we think so.
    pub origin: LinkOrigin,
}

/// Where a link is known from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkOrigin {
    /// A foreign key, which the database enforces.
    ForeignKey {
        /// Its name.
        name: Ident,
        /// What happens to the referencing row, as [`crate::schema::details::TableDetails::on_delete`] has it.
        on_delete: String,
    },
    /// Somebody declared it, here or for embedding; nothing enforces it.
    Declared,
    /// The column's default, or a policy, holds it against the caller's id.
    Owner,
}

impl Facts {
    /// Whether any column holds a user's id by its default or a policy.
    pub(crate) fn has_owner_columns(&self) -> bool {
        let links = self.tables.values().flat_map(|table| &table.links);
        links.into_iter().any(|link| link.origin == LinkOrigin::Owner)
    }
}

/// `user_id → users.id`.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.hop().fmt(f)
    }
}

/// Names after each other; several in parentheses.
pub(super) fn list(names: &[impl fmt::Display]) -> String {
    match names {
        [only] => only.to_string(),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            format!("({})", names.join(", "))
        }
    }
}
