//! From an HTTP request's parts to a [`Request`]: the raw query string, the headers, the body.

mod accept;
mod body;
mod call;
mod csv;
mod cursor;
mod depth;
mod filter;
mod form;
mod headers;
mod select;
mod url;

#[cfg(test)]
mod tests;

pub(in crate::query) use body::keys_differ;
pub use body::{Content, body};
pub use call::{parse_call, wrong_method};
pub(in crate::query) use filter::key as field;
use http::HeaderMap;
pub(in crate::query) use select::{order, select as selection};

use super::request::{Logic, Method, Request, Scoped};
use super::shown;
use crate::error::{Error, Result};

/// The most conditions one request may have.
pub const MAX_CONDITIONS: usize = 500;

/// Reads a request for the relation `table`.
///
/// `raw_query` is the text behind the `?`, not decoded; a gateway's joined parameter map loses repeated names.
///
/// # Errors
/// 400 `PGRST100` (query, with the position in `details`), `PGRST102` (body), `PGRST122` (preferences), 406
/// `PGRST107`, 415 `PGRST102`, 416 `PGRST103`.
pub fn parse_request(
    method: Method,
    table: &str,
    raw_query: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Request> {
    let mut request = Request::new(method, table);
    request.prefer = headers::prefer(headers)?;
    request.accept = accept::accept(headers);
    if method.is_read() {
        request.range = headers::range(headers)?;
    }
    let mut seen = Vec::new();
    for (name, value) in url::pairs(raw_query)? {
        parameter(&mut request, &mut seen, &name, &value)?;
    }
    check_conditions(&request)?;
    if matches!(method, Method::Post | Method::Patch | Method::Put) {
        request.body = Some(body::rows(headers, body)?);
    }
    Ok(request)
}

fn parameter(request: &mut Request, seen: &mut Vec<String>, name: &str, value: &str) -> Result<()> {
    let (path, last) = match name.rsplit_once('.') {
        Some((path, last)) => (path, last),
        None => ("", name),
    };
    let scoped = matches!(last, "order" | "limit" | "offset" | "and" | "or");
    let top_level = matches!(name, "select" | "columns" | "on_conflict");
    if !scoped && !top_level {
        let key = filter::key(name)?;
        let condition = filter::condition(key.value, value)?;
        request.filters.push(Scoped {
            path: key.path,
            value: Logic::Condition(condition),
        });
        return Ok(());
    }
    if !matches!(last, "and" | "or") {
        once(seen, name)?;
    }
    match last {
        "order" => request.order.push(Scoped {
            path: embed_path(path)?,
            value: order(value)?,
        }),
        "limit" => request.limit.push(Scoped {
            path: embed_path(path)?,
            value: number(name, value)?
                .ok_or_else(|| headers::out_of_range("Limit should be greater than or equal to zero."))?,
        }),
        // A negative one leaves nothing out.
        "offset" => request.offset.push(Scoped {
            path: embed_path(path)?,
            value: number(name, value)?.unwrap_or(0),
        }),
        "and" | "or" => {
            let (path, negated) = match path.strip_suffix("not") {
                Some("") => ("", true),
                Some(rest) if rest.ends_with('.') => (&rest[..rest.len() - 1], true),
                _ => (path, false),
            };
            let value = filter::tree(last == "or", negated, value)?;
            request.filters.push(Scoped {
                path: embed_path(path)?,
                value,
            });
        }
        "select" => request.select = selection(value)?,
        "columns" => request.columns = Some(select::names(value, "columns parameter")?),
        _ => request.on_conflict = Some(select::names(value, "on_conflict parameter")?),
    }
    Ok(())
}

fn embed_path(path: &str) -> Result<Vec<String>> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let key = filter::key(path)?;
    let mut path = key.path;
    path.push(key.value.name);
    Ok(path)
}

fn once(seen: &mut Vec<String>, name: &str) -> Result<()> {
    if seen.iter().any(|other| other == name) {
        return Err(Error::invalid(
            "PGRST100",
            format!("The parameter {} is given twice", shown(name)),
        ));
    }
    seen.push(name.to_owned());
    Ok(())
}

/// A number of rows; nothing if it is negative.
fn number(name: &str, value: &str) -> Result<Option<u64>> {
    let fault = || {
        Error::invalid(
            "PGRST100",
            format!(
                "\"failed to parse {} ({})\" (line 1, column 1)",
                shown(name),
                shown(value)
            ),
        )
        .with_details("expecting a whole number")
    };
    // Postgres counts rows in bigint.
    match value.trim().parse::<i64>() {
        Ok(number) => Ok(u64::try_from(number).ok()),
        Err(_) => Err(fault()),
    }
}

/// Refuses a request with more conditions than are planned.
pub(in crate::query) fn check_conditions(request: &Request) -> Result<()> {
    fn count(logic: &Logic) -> usize {
        match logic {
            Logic::Group { parts, .. } => 1 + parts.iter().map(count).sum::<usize>(),
            Logic::Condition(_) => 1,
        }
    }
    let total: usize = request.filters.iter().map(|filter| count(&filter.value)).sum();
    if total <= MAX_CONDITIONS {
        return Ok(());
    }
    Err(Error::invalid("PGRST100", "The request has too many conditions")
        .with_details(format!("{total} given, {MAX_CONDITIONS} allowed"))
        .with_hint("Use in.(…) for many values of one column"))
}
