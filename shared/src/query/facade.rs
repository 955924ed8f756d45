//! The JSON façades (`records/create`, `records/query`, one record by its id) as the same [`Request`]s.

use serde_json::{Map, Value};

use super::parse;
use super::request::{
    CompareOp, Condition, Field, IsValue, Logic, Method, OrderTerm, Prefer, Request, Return, Scoped, Test,
};
use super::shown;
use crate::error::{Error, Result};

/// Rows of `table` whose columns equal the members of `filters`: null matches null, an array any of its elements.
///
/// # Errors
/// `records/invalid-filter` for a member that is an object.
pub fn query(table: &str, filters: &Map<String, Value>, limit: Option<u64>, offset: Option<u64>) -> Result<Request> {
    let mut request = Request::new(Method::Get, table);
    for (column, value) in filters {
        request.filters.push(condition(column, test(column, value)?));
    }
    request.limit.extend(limit.map(Scoped::root));
    request.offset.extend(offset.map(Scoped::root));
    Ok(request)
}

/// Orders a façade's rows by columns; `true` is descending.
#[must_use]
pub fn ordered(mut request: Request, columns: &[(&str, bool)]) -> Request {
    let term = |(name, descending): &(&str, bool)| OrderTerm {
        relation: None,
        field: column_field(name),
        descending: *descending,
        nulls_first: None,
    };
    request.order.push(Scoped::root(columns.iter().map(term).collect()));
    request
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

fn by_id(method: Method, table: &str, key: &str, id: &str) -> Request {
    let mut request = Request::new(method, table);
    request
        .filters
        .push(condition(key, Test::Compare(CompareOp::Eq, None, id.to_owned())));
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

fn condition(column: &str, test: Test) -> Scoped<Logic> {
    Scoped::root(Logic::Condition(Condition {
        field: column_field(column),
        negated: false,
        test,
    }))
}

fn test(column: &str, value: &Value) -> Result<Test> {
    Ok(match value {
        Value::Null => Test::Is(IsValue::Null),
        Value::Array(values) => Test::In(
            values
                .iter()
                .map(|value| scalar(column, value))
                .collect::<Result<_>>()?,
        ),
        other => Test::Compare(CompareOp::Eq, None, scalar(column, other)?),
    })
}

fn scalar(column: &str, value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(Error::invalid(
            "records/invalid-filter",
            format!(
                "The filter on {} must be a text, a number, a boolean, null, or a list of these",
                shown(column)
            ),
        )
        .with_hint("Use /rest/v1 for other comparisons: age=gte.18, data->>kind=eq.note")),
    }
}
