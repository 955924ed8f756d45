//! A plan as requests to a REST API.
//!
//! A resource of the API is a table. What its map says that it can do is asked of it; everything else is refused from the
//! plan alone, before anything is sent: 501 `PGRST127`. Nothing is made up for by reading more than was asked for: a
//! filter, an order or a count that the API does not know is none.
//!
//! Values go into URLs percent-encoded, or into a JSON body; a key never changes the path around it. What comes back is
//! looked at: rows that do not satisfy the filter that was sent, or pages larger than asked for, are an error.

mod answer;
mod api;
mod catalog;
mod describe;
mod input;
mod refuse;
mod request;
mod value;

#[cfg(test)]
mod tests;

pub use answer::{Row, cursor, one, passes, rows, shown_row, text_of, total};
pub use api::{
    Api, Auth, ClientCredentials, Member, Order, Pagination, Resource, Resources, SCHEMA, Source, Total, UpdateMethod,
};
pub use catalog::{catalog, sampled};
pub use describe::describe;
pub use input::{Wrong, path_fault, resources};
pub use request::{Ask, Check, Counted, List, Verb, Way, Work, first_page, plain, work};

use super::Feature;
use super::plan::Plan;
use crate::error::{Error, ErrorKind, Result};

/// Pages of a list that one request may walk through, where the API knows no other way to an offset.
pub const MOST_PAGES: u64 = 10;

/// The error for a reply of at least so many bytes.
pub fn too_large(length: u64) -> Error {
    super::postgres::too_large(length)
}

/// Whether a write may touch so many rows.
///
/// # Errors
/// 406 `PGRST116`.
pub fn check_affected(plan: &Plan, rows: u64) -> Result<()> {
    if plan.accept.singular && rows != 1 {
        return Err(super::postgres::not_single(rows));
    }
    Ok(())
}

/// What an API can do, as far as its map says how.
pub const CAPABILITIES: &[Feature] = &[
    Feature::Order,
    Feature::Pages,
    Feature::CountExact,
    Feature::Csv,
    Feature::ReturnInserted,
    Feature::ReturnUpdated,
];

/// `PGRST127`: what no API can do for us, or this one cannot as far as its map tells.
fn unsupported(feature: Feature, what: impl std::fmt::Display) -> Error {
    feature
        .refused("this REST API", what)
        .with_hint("Ask in another way, or say in the resource map how the API does it")
}

/// `PGRST127`: a path that the map does not have.
fn not_mapped(what: &str) -> Error {
    Error::new(ErrorKind::Unsupported, "PGRST127", "Feature not implemented")
        .with_details(format!("The resource map has no path for {what}"))
        .with_hint("Add it to the resource map, if the API has one")
}

/// 502: what came is not what the map promises.
fn unexpected(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Upstream, code, message)
}
