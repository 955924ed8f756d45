//! What a catalog leaves out because no request needs it: what rows must fulfil, how they are found fast, who may do what.
//! For whoever describes a backend.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::hidden;
use super::policy::Command;

/// All of it; what an engine does not tell is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Details {
    /// By the table's or view's name.
    pub tables: BTreeMap<String, TableDetails>,
    /// Who may call a function, by its name; of overloads it is enough to have one.
    pub functions: BTreeMap<String, Callers>,
    /// The schema's comment.
    pub description: Option<String>,
}

impl Details {
    /// Takes out what is ours in tables of our own making, as [`super::catalog::Catalog::hide`] does.
    pub fn hide(&mut self) {
        for table in self.tables.values_mut() {
            table.policies.retain(|policy| !hidden::is_hidden_policy(&policy.name));
            table
                .indexes
                .retain(|index| !index.columns.iter().any(|column| hidden::is_hidden(column)));
        }
    }
}

/// Of one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TableDetails {
    /// Whether policies decide about single rows.
    pub row_security: bool,
    /// Whether they do not bind secret keys.
    pub secret_unbound: bool,
    /// Check constraints.
    pub checks: Vec<Check>,
    /// All indexes, those of keys included.
    pub indexes: Vec<Index>,
    /// What happens to a row when the row that a foreign key points at goes, by the key's name.
    pub on_delete: BTreeMap<String, String>,
    /// Policies that concern keys or signed-in users.
    pub policies: Vec<Policy>,
    /// What a publishable key alone is granted.
    pub anyone: Grants,
    /// What signed-in users are.
    pub signed_in: Grants,
    /// What secret keys are.
    pub secret: Grants,
}

/// Select, insert, update, delete; for columns it is enough to have one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Grants {
    pub select: bool,
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

/// Who may call a function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Callers {
    /// A publishable key alone.
    pub anyone: bool,
    /// Signed-in users.
    pub signed_in: bool,
    /// Secret keys.
    pub secret: bool,
}

/// A check constraint.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Its condition, as the engine prints it.
    pub expression: String,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// Its columns and expressions, in order.
    pub columns: Vec<String>,
    /// Whether it allows each combination once.
    pub unique: bool,
    /// How it is built.
    pub method: String,
    /// Which rows it is about, where not all.
    #[serde(default)]
    pub predicate: Option<String>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub command: Command,
    /// Whether it narrows what others allow.
    pub restrictive: bool,
    /// Whether it is for publishable keys without a user.
    pub anyone: bool,
    /// Whether it is for signed-in users.
    pub signed_in: bool,
    /// Whether it is for secret keys.
    pub secret: bool,
    /// Which rows are seen.
    #[serde(default)]
    pub using: Option<String>,
    /// Which rows may be written.
    #[serde(default)]
    pub check: Option<String>,
}
