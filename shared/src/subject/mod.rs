//! Which rows belong to a person, and what becomes of them: pure functions from what is known of the tables and what their
//! owner has said, to statements.
//!
//! A person is a row of one table, or an account with no row of its own. What belongs to them is found by links: foreign
//! keys, relations that the owner declared, and columns that hold a user's id by their default or a policy. A [`Path`] is a
//! chain of links that ends at the person; a row belongs to them when one of its table's paths leads there.

mod check;
mod classify;
mod collations;
pub mod erase;
mod facts;
mod find;
mod fitted;
mod keys;
mod map;
mod owner;
mod read;
mod rows;
#[cfg(test)]
mod sketch;
pub mod sql;
mod structure;

pub use check::check;
pub(crate) use check::unfit;
pub use classify::{Kind, Marks, Personal, Samples, Suspects, Why};
pub(crate) use collations::collations;
use erase::fillable;
pub use facts::{Collation, Denied, Facts, Link, LinkOrigin, Table};
pub use find::{Found, Gap, find, gaps};
pub(crate) use keys::keys;
pub use map::{Hop, Path, Relation, Root, Rule, SubjectMap, TableEntry};
pub(crate) use read::{Schema, Trashed};
pub use rows::Subject;
pub use structure::{Change, ChangeKind, Structure};

/// What the labels of tables in the trash begin with.
const TRASH: &str = "trash:";

/// The language that statements are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Dialect {
    Postgres,
    Cockroach,
    MySql,
}
