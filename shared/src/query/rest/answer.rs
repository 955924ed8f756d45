//! What an API answers: rows found in it, looked at, and what of them is shown.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::super::plan::{Expression, Node};
use super::api::Total;
use super::request::{Check, List};
use super::{unexpected, value};
use crate::error::{Error, Result};

/// A row, its values as they were written.
pub type Row<'b> = HashMap<String, &'b RawValue>;

/// The rows of a list's part, checked.
///
/// # Errors
/// 502 `records/api-shape` when there is no list of objects, `records/api-page` for more rows than were asked for,
/// `records/api-filter` for a row that the filter does not let through.
pub fn rows<'b>(body: &'b [u8], place: &[String], list: &List) -> Result<Vec<Row<'b>>> {
    let found: Vec<Row<'b>> =
        serde_json::from_str(inside(body, place)?.get()).map_err(|_| shape("a list of objects"))?;
    if list.most.is_some_and(|most| found.len() as u64 > most) {
        let message = "The API answers more rows than it was asked for";
        return Err(unexpected("records/api-page", message)
            .with_hint("Check pagination.sizeParam and maxSize in the resource map"));
    }
    if !found.iter().all(|row| passes(row, &list.checks)) {
        let message = "The API answers rows that the filter does not let through";
        return Err(unexpected("records/api-filter", message)
            .with_hint("Check filters in the resource map: an unknown parameter is often ignored"));
    }
    Ok(found)
}

/// The row in the reply to a request for one, or to a write; `None` for an empty body or null.
///
/// # Errors
/// 502 `records/api-shape` when there is something else.
pub fn one<'b>(body: &'b [u8], place: &[String]) -> Result<Option<Row<'b>>> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(None);
    }
    serde_json::from_str(inside(body, place)?.get()).map_err(|_| shape("an object"))
}

/// Whether a row satisfies what was asked for. What it does not show cannot be told.
pub fn passes(row: &Row<'_>, checks: &[Check]) -> bool {
    checks.iter().all(|check| {
        let found = row.get(&check.column);
        found.is_none_or(|found| value::same(&text_of(found), &check.value))
    })
}

/// A value as a filter would say it.
pub fn text_of(value: &RawValue) -> String {
    serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned())
}

/// A row as it is shown; a member that the API leaves out is null.
pub fn shown_row(row: &Row<'_>, node: &Node) -> Vec<u8> {
    let mut out = vec![b'{'];
    for output in &node.outputs {
        let Expression::Place(place) = &output.expression else {
            continue;
        };
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend(serde_json::to_vec(output.name.as_str()).unwrap_or_default());
        out.push(b':');
        let value = row.get(place.column.as_str());
        out.extend_from_slice(value.map_or("null", |value| value.get()).as_bytes());
    }
    out.push(b'}');
    out
}

/// How many rows match, by a header or the body.
///
/// # Errors
/// 502 `records/api-shape` when it is not there.
pub fn total(told: &Total, header: impl Fn(&str) -> Option<String>, body: &[u8]) -> Result<u64> {
    let text = match told {
        Total::Header(name) => header(name),
        Total::Path(place) => inside(body, place).ok().map(text_of),
    };
    let number = text
        .as_deref()
        .map(|text| text.rsplit('/').next().unwrap_or(text).trim());
    number
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| shape("the number of rows"))
}

/// The mark for the next part; none at the end.
pub fn cursor(body: &[u8], place: &[String]) -> Option<String> {
    let found = text_of(inside(body, place).ok()?);
    Some(found).filter(|mark| !mark.is_empty() && mark != "null" && mark != "false")
}

/// What is in that place of a body.
fn inside<'b>(body: &'b [u8], place: &[String]) -> Result<&'b RawValue> {
    let text = std::str::from_utf8(body).map_err(|_| shape("JSON"))?;
    let mut found: &RawValue = serde_json::from_str(text).map_err(|_| shape("JSON"))?;
    for name in place {
        let members: Row<'b> = serde_json::from_str(found.get()).map_err(|_| shape(name))?;
        found = members.get(name).copied().ok_or_else(|| shape(name))?;
    }
    Ok(found)
}

fn shape(wanted: &str) -> Error {
    unexpected(
        "records/api-shape",
        "The API does not answer in the form that its resource map tells",
    )
    .with_details(format!("{wanted} was expected"))
    .with_hint("Check items, item and total in the resource map")
}
