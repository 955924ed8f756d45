//! Text that somebody else writes: an AI, from the same facts. All of it is optional; what is there is marked as such.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::escape;

/// What was written. Plain text: blank lines part paragraphs and backticks mark names; all else is shown as it stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prose {
    /// What the project is about. Stands before the generated overview.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overview: Option<String>,
    /// What each table is for, by its name. A comment of the owner's stands before it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tables: BTreeMap<String, String>,
    /// What each column is for, by the names of its table and itself. Not shown where the owner has commented.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub columns: BTreeMap<String, BTreeMap<String, String>>,
    /// What each function is for, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub functions: BTreeMap<String, String>,
    /// How it came about, or why there is none: who wrote it, what was removed. Stands below the document's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Prose {
    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Paragraphs, marked as not generated from the facts.
pub(super) fn shown(told: &str) -> String {
    format!("{}\n\n*Written by an AI from the facts below.*", escape::prose(told))
}

/// What marks a line.
pub(super) const MARK: &str = "*(AI)*";

/// One line in a cell, marked in the same way.
pub(super) fn marked_line(told: &str) -> String {
    format!("{} {MARK}", escape::text(told.trim()))
}
