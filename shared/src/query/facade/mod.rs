//! The JSON façades (`records/create`, `records/query`, one record by its id, …) and queries in a body, as the same
//! [`Request`]s.

mod document;
mod filter;
mod keyset;
mod sort;

#[cfg(test)]
mod tests;

pub use document::Document;
pub use keyset::Keyset;

use serde_json::Value;

use super::parse;
use super::request::{CompareOp, Condition, Field, Logic, Method, Prefer, Request, Return, Scoped, SelectItem, Test};
use crate::error::Result;
use crate::schema::catalog::Catalog;

/// Whether a request shows rows rather than sums of them.
pub fn shows_rows(request: &Request) -> bool {
    !request
        .select
        .iter()
        .any(|item| matches!(item, SelectItem::Aggregate { .. }))
}

/// The row of `table` whose column `key` is `id`.
pub fn one(table: &str, key: &str, id: &str) -> Request {
    by_id(Method::Get, table, key, id)
}

/// Inserts one row (an object) or several (an array of objects), answering what was stored.
///
/// # Errors
/// `PGRST102` for any other body.
pub fn create(table: &str, json: &[u8]) -> Result<Request> {
    let mut request = Request::new(Method::Post, table);
    request.prefer = representation();
    request.body = Some(parse::body(json)?);
    Ok(request)
}

/// Changes the row whose column `key` is `id`, answering the row as it is now (no row: an empty list).
///
/// # Errors
/// `PGRST102` for a body that is not an object.
pub fn update(table: &str, key: &str, id: &str, json: &[u8]) -> Result<Request> {
    let mut request = by_id(Method::Patch, table, key, id);
    request.prefer = representation();
    request.body = Some(parse::body(json)?);
    Ok(request)
}

/// Deletes the row whose column `key` is `id`, answering what it was (no row: an empty list).
pub fn delete(table: &str, key: &str, id: &str) -> Request {
    let mut request = by_id(Method::Delete, table, key, id);
    request.prefer = representation();
    request
}

/// Changes every row that passes `filters`, or deletes it when there is no `json`; answers the rows.
///
/// # Errors
/// `records/invalid-filter`; `PGRST102` for a body that is not an object.
pub fn many(table: &str, filters: &Value, json: Option<&[u8]>, catalog: &Catalog) -> Result<Request> {
    let method = if json.is_some() { Method::Patch } else { Method::Delete };
    let mut request = Request::new(method, table);
    request.filters = filter::filters(filters, catalog.relation(table))?;
    parse::check_conditions(&request)?;
    request.body = json.map(parse::body).transpose()?;
    Ok(answering(request))
}

/// Restores every deleted row that passes `filters`, of those deleted at `since` or later; answers the rows.
///
/// # Errors
/// `records/invalid-filter`.
pub fn restore(table: &str, filters: &Value, since: &str, catalog: &Catalog) -> Result<Request> {
    let mut request = Request::new(Method::Patch, table);
    request.filters = filter::filters(filters, catalog.relation(table))?;
    parse::check_conditions(&request)?;
    request.deleted_since = Some(since.to_owned());
    Ok(answering(request))
}

/// The same write, answering the rows it touches.
#[must_use]
pub fn answering(mut request: Request) -> Request {
    request.prefer = representation();
    request
}

fn by_id(method: Method, table: &str, key: &str, id: &str) -> Request {
    let mut request = Request::new(method, table);
    let condition = Logic::Condition(Condition {
        field: column_field(key),
        negated: false,
        test: Test::Compare(CompareOp::Eq, None, id.to_owned()),
    });
    request.filters.push(Scoped::root(condition));
    request
}

fn representation() -> Prefer {
    Prefer {
        representation: Some(Return::Representation),
        ..Prefer::default()
    }
}

fn column_field(name: &str) -> Field {
    Field {
        name: name.to_owned(),
        path: Vec::new(),
    }
}
