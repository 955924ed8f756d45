//! A plan as statements of MariaDB and MySQL.
//!
//! Rows are made into JSON by the server, one text a row: so a value is written the same way wherever in the tree it
//! stands, numbers keep every digit, and the driver can stop reading where a reply becomes too large. What these engines
//! cannot do is refused from the plan alone, before anything is sent: 501 `PGRST127`.
//!
//! Every value is a parameter. Their comparisons are lenient (`'abc' = 0`), so each is checked against its column's type
//! first; names stand in backticks and come from the catalog.

mod aggregate;
mod embed;
mod filter;
mod object;
mod path;
mod read;
mod refuse;
mod rule;
mod sql;
mod value;
mod write;

#[cfg(test)]
mod tests;

pub use read::{Read, Total, allowed_of, by_keys, expected, explain, read};
pub use refuse::refuse;
pub(crate) use rule::{holds_id, try_rule};
pub use write::{Delete, Insert, Update, delete, insert, update};

use super::Feature;
use super::plan::Plan;
use crate::error::{Error, Result};

/// Which of the two it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flavour {
    /// MariaDB, which has `returning`, and orders and cuts what it aggregates.
    MariaDb,
    /// MySQL.
    MySql,
}

/// A parameter.
#[derive(Clone, PartialEq)]
pub enum Param {
    /// Null.
    Null,
    /// A text.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A whole number.
    Int(i64),
    /// One beyond those.
    Unsigned(u64),
    /// Any other number.
    Float(f64),
}

/// A statement with its parameters.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Statement {
    /// The text, with `?` for each parameter.
    pub sql: String,
    /// The parameters.
    pub params: Vec<Param>,
}

/// How far rows of an upsert were found to be there already: a user variable, counted up by the statement itself.
pub const FOUND: &str = "@plinth_found";

/// What the rules say against an upsert: a user variable. 1: against a proposed row, 2: against one that is there.
pub const DENIED: &str = "@plinth_denied";

/// The error for a row that the rules do not let a write make; for one that is there and may not be changed by an upsert.
pub fn refused_row(plan: &Plan, existing: bool) -> Error {
    rule::refusal(plan, existing)
}

/// The most rows whose keys a write remembers to answer them.
pub const MOST_KEYS: usize = 10_000;

/// Whether a write may touch so many rows.
///
/// # Errors
/// 406 `PGRST116`, 400 `PGRST124`.
pub fn check_affected(plan: &Plan, rows: u64) -> Result<()> {
    match plan.prefer.max_affected {
        Some(most) if rows > most => return Err(super::postgres::too_many(rows)),
        _ => {}
    }
    if plan.accept.singular && rows != 1 {
        return Err(super::postgres::not_single(rows));
    }
    Ok(())
}

/// The error for a reply of at least so many bytes.
pub fn too_large(length: u64) -> Error {
    super::postgres::too_large(length)
}

/// What both engines can do. That MySQL has no `returning`, and no order in what it aggregates, shows in the reply.
pub const CAPABILITIES: &[Feature] = &[
    Feature::Filters,
    Feature::Patterns,
    Feature::JsonPaths,
    Feature::Order,
    Feature::Pages,
    Feature::Casts,
    Feature::Embeds,
    Feature::EmbeddedPages,
    Feature::Aggregates,
    Feature::CountExact,
    Feature::CountPlanned,
    Feature::Csv,
    Feature::BulkInsert,
    Feature::ReturnInserted,
    Feature::ReturnUpdated,
    Feature::WriteByFilter,
    Feature::Upsert,
    Feature::Rollback,
];

/// `PGRST127`: what these engines cannot do, or this version cannot make them do.
pub(super) fn unsupported(feature: Feature, what: impl std::fmt::Display) -> Error {
    feature.refused("MySQL and MariaDB", what)
}

/// Shows nothing: these are people's data.
impl std::fmt::Debug for Param {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            _ => "Param",
        })
    }
}
