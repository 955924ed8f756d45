//! Which rows belong to a person, and what becomes of them: pure functions from what is known of the tables and what their
//! owner has said, to statements.
//!
//! A person is a row of one table, or an account with no row of its own. What belongs to them is found by links: foreign
//! keys, relations that the owner declared, and columns that hold a user's id by their default or a policy. A [`Path`] is a
//! chain of links that ends at the person; a row belongs to them when one of its table's paths leads there.

pub mod erase;
mod facts;
mod map;
mod rows;
pub mod sql;

pub use facts::{Facts, Link, LinkOrigin, Table};
pub use map::{Hop, Path, Relation, Root, Rule, SubjectMap, TableEntry};
pub use rows::Subject;

/// The language that statements are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Dialect {
    Postgres,
    Cockroach,
    MySql,
}
