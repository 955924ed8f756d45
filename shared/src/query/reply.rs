//! From a plan and the row that Postgres answered to status, headers and body.

mod overrides;

use bytes::Bytes;
use serde_json::{Map, Value};

use super::plan::{Action, Outcome, Plan};
use super::postgres;
use super::request::{Method, Resolution, Return};
use crate::error::{Error, ErrorKind, Result};

/// The one row of a rendered statement, see [`postgres::COLUMNS`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// The reply's body in UTF-8, if it has one: as it came from the database, neither parsed nor copied.
    pub body: Option<Bytes>,
    /// Rows shown, or touched by a write.
    pub page_rows: u64,
    /// Rows that match, if counted.
    pub total_rows: Option<u64>,
    /// New rows of an upsert.
    pub inserted: Option<i64>,
    /// The new row's key as a JSON object of texts.
    pub location: Option<String>,
    /// What database functions set as `response.headers`.
    pub response_headers: Option<String>,
    /// What database functions set as `response.status`.
    pub response_status: Option<String>,
}

/// Puts in how many rows the database expects: where only that was asked for, or where more match than were counted.
pub fn with_estimate(plan: &Plan, counts: Counts, estimated: u64) -> Counts {
    let total = match counts.total_rows {
        Some(counted) if plan.max_rows.is_some_and(|most| counted <= most) => counted,
        Some(counted) => counted.max(estimated),
        None => estimated,
    };
    Counts {
        total_rows: Some(total),
        ..counts
    }
}

/// A reply, but for what every reply carries (request id, CORS).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case and values, in order.
    pub headers: Vec<(String, String)>,
    /// The body in UTF-8; `None` is a reply without a body and without a `content-type`.
    pub body: Option<Bytes>,
}

/// Makes the reply.
///
/// # Errors
/// 406 `PGRST116` (a singular read of not exactly one row), 416 `PGRST103` (offset behind a known total), 500
/// `PGRST111` and `PGRST112` (a database function set unusable headers or status).
pub fn reply(plan: &Plan, counts: Counts) -> Result<Reply> {
    if plan.accept.explain.is_some() {
        return Ok(explained(plan, counts));
    }
    let status = status(plan, &counts)?;
    let mut headers = Vec::new();
    if plan.shows_rows() || (plan.method == Method::Head && !answers_nothing(plan)) {
        headers.push(("content-type".to_owned(), plan.accept.content_type()));
    }
    if plan.method != Method::Put {
        headers.push(("content-range".to_owned(), content_range(plan, &counts)));
    }
    if let Some(location) = counts.location.as_deref().and_then(|key| location(plan, key)) {
        headers.push(("location".to_owned(), location));
    }
    let applied = preference_applied(plan);
    if !applied.is_empty() {
        headers.push(("preference-applied".to_owned(), applied));
    }
    let status = match &counts.response_status {
        Some(text) => overrides::status(text)?,
        None => status,
    };
    if let Some(text) = &counts.response_headers {
        overrides::headers(&mut headers, text)?;
    }
    let body = if plan.shows_rows() { counts.body } else { None };
    Ok(Reply { status, headers, body })
}

/// The plan of a statement, whatever it would have answered.
fn explained(plan: &Plan, counts: Counts) -> Reply {
    Reply {
        status: 200,
        headers: vec![("content-type".to_owned(), plan.accept.content_type())],
        body: counts.body.filter(|_| plan.method != Method::Head),
    }
}

fn status(plan: &Plan, counts: &Counts) -> Result<u16> {
    let with_rows = plan.prefer.representation == Some(Return::Representation);
    let with_nothing = plan.prefer.representation == Some(Return::Minimal);
    match &plan.action {
        Action::Read => {
            if plan.accept.singular && counts.page_rows != 1 {
                return Err(postgres::not_single(counts.page_rows));
            }
            read_status(plan.shown.page.offset, counts)
        }
        // What a call must answer is asserted in its statement.
        Action::Call(_) if answers_nothing(plan) || with_nothing => Ok(204),
        Action::Call(_) => read_status(plan.shown.page.offset, counts),
        Action::Insert { only: Some(_), .. } => Ok(match (with_rows, counts.inserted) {
            (false, _) => 204,
            (true, Some(new)) if new > 0 => 201,
            (true, _) => 200,
        }),
        Action::Insert { conflict, .. } => {
            let merges = conflict
                .as_ref()
                .is_some_and(|conflict| conflict.resolution == Resolution::Merge);
            Ok(if merges && counts.inserted.is_some_and(|new| new <= 0) {
                200
            } else {
                201
            })
        }
        Action::Update { .. } | Action::Delete { .. } | Action::Mark { .. } => Ok(if with_rows { 200 } else { 204 }),
    }
}

/// Whether it is a call of a function that returns nothing.
fn answers_nothing(plan: &Plan) -> bool {
    matches!(&plan.action, Action::Call(call) if call.outcome == Outcome::Nothing)
}

fn read_status(offset: u64, counts: &Counts) -> Result<u16> {
    let Some(total) = counts.total_rows else { return Ok(200) };
    if offset > total {
        let details = format!("An offset of {offset} was requested, but there are only {total} rows.");
        return Err(
            Error::new(ErrorKind::Range, "PGRST103", "Requested range not satisfiable")
                .with_details(details)
                .with_header("content-range", format!("*/{total}")),
        );
    }
    Ok(if counts.page_rows < total { 206 } else { 200 })
}

/// `first-last/total`, with `*` for what is empty or unknown.
fn content_range(plan: &Plan, counts: &Counts) -> String {
    let total = counts
        .total_rows
        .map_or_else(|| "*".to_owned(), |total| total.to_string());
    let offset = match &plan.action {
        Action::Read | Action::Call(_) => Some(plan.shown.page.offset),
        Action::Update { .. } | Action::Mark { deleted: false, .. } => Some(0),
        Action::Insert { .. } | Action::Delete { .. } | Action::Mark { .. } => None,
    };
    match offset {
        Some(first) if counts.page_rows > 0 => {
            format!("{first}-{}/{total}", first.saturating_add(counts.page_rows - 1))
        }
        _ => format!("*/{total}"),
    }
}

/// `/table?key=eq.value`, encoded; a view's key may be null.
fn location(plan: &Plan, key: &str) -> Option<String> {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

    let key: Map<String, Value> = serde_json::from_str(key).ok()?;
    let encode = |text: &str| utf8_percent_encode(text, KEPT).to_string();
    let parts = key.iter().map(|(name, value)| match value.as_str() {
        Some(value) => format!("{}=eq.{}", encode(name), encode(value)),
        None => format!("{}=is.null", encode(name)),
    });
    Some(format!(
        "/{}?{}",
        encode(plan.table.as_str()),
        parts.collect::<Vec<_>>().join("&")
    ))
}

/// The preferences that were honoured, in their fixed order.
fn preference_applied(plan: &Plan) -> String {
    let prefer = &plan.prefer;
    let applied = [
        prefer.resolution.map(|value| value.to_string()),
        prefer.missing.map(|value| value.to_string()),
        prefer.representation.map(|value| value.to_string()),
        prefer.count.map(|value| value.to_string()),
        prefer.tx.map(|value| value.to_string()),
        prefer.handling.map(|value| value.to_string()),
        prefer.timezone.as_ref().map(|zone| format!("timezone={zone}")),
        prefer.max_affected.map(|most| format!("max-affected={most}")),
    ];
    applied.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
