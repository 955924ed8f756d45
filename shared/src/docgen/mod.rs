//! A project's documentation, from what is really there to Markdown: [`Facts`] → [`render`] → [`Document`]. Nothing here
//! is async, asks a database or reads a clock.
//!
//! Invariants:
//! - Names, comments and defaults are a tenant's text. They reach Markdown, HTML and Mermaid escaped, and code as
//!   literals; no name can end a line, a cell of a table, a fence or a diagram's label.
//! - Facts hold names of keys, never keys; the code that is shown reads them from the environment.
//! - The same facts make the same text.

mod access;
mod code;
mod condition;
mod diagram;
mod document;
mod escape;
mod example;
mod facts;
mod gather;
pub mod openapi;
mod prose;
mod reference;
mod render;
mod sections;
#[cfg(test)]
mod tests;

pub use document::{Document, Section, SectionId, id_of};
pub use escape::anchor;
pub use facts::*;
pub use gather::{functions, tables};
pub use prose::Prose;
pub use reference::errors;
pub use render::render;

use std::collections::BTreeSet;

use crate::error::Error;

/// For whom it is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// Somebody who has never used the project: terms are explained, rules are told in words.
    #[default]
    Newcomer,
    /// Somebody who knows the trade: no explanations, but every condition and expression as the database has it.
    Developer,
}

/// What is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// For whom.
    pub audience: Audience,
    /// The sections to write; empty means all. The others are taken over from the previous version, if there is one.
    pub sections: BTreeSet<SectionId>,
}

/// Sections by their names.
///
/// # Errors
/// 400 `documents/sections` with the list of those that there are.
pub fn sections(names: &[String]) -> Result<BTreeSet<SectionId>, Error> {
    let unknown = names.iter().find(|name| SectionId::from_name(name).is_none());
    if let Some(unknown) = unknown {
        let known: Vec<_> = SectionId::ALL.into_iter().map(SectionId::name).collect();
        let shown: String = unknown.chars().take(50).flat_map(char::escape_default).collect();
        return Err(
            Error::invalid("documents/sections", format!("There is no section {shown}"))
                .with_hint(format!("Sections are {}", known.join(", "))),
        );
    }
    Ok(names.iter().filter_map(|name| SectionId::from_name(name)).collect())
}
