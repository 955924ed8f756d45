//! Calls of functions: `/rpc/{function}`.

use std::fmt::Write as _;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::de::IgnoredAny;

use super::super::request::{
    Arguments, JsonArguments, Logic, Method, QueryArgument, RawArgument, RawKind, Request, Scoped,
};
use super::super::shown;
use super::depth::too_deep;
use super::{accept, body, check_conditions, csv, filter, headers, parameter, url};
use crate::error::{Error, ErrorKind, Result};

/// Reads a call of the function `name`. The method is one of GET, HEAD and POST.
///
/// # Errors
/// As [`super::parse_request`]; 405 `PGRST101` for any other method.
pub fn parse_call(method: Method, name: &str, raw_query: &str, headers: &HeaderMap, body: &[u8]) -> Result<Request> {
    let mut request = Request::new(method, name);
    request.prefer = headers::prefer(headers)?;
    request.accept = accept::accept(headers);
    let pairs = url::pairs(raw_query)?;
    let arguments = match method {
        Method::Get | Method::Head => {
            request.range = headers::range(headers)?;
            Arguments::Query(query(&mut request, pairs)?)
        }
        Method::Post => {
            let mut seen = Vec::new();
            for (name, value) in &pairs {
                parameter(&mut request, &mut seen, name, value)?;
            }
            payload(request.columns.as_deref(), headers, body)?
        }
        Method::Patch => return Err(wrong_method("PATCH")),
        Method::Put => return Err(wrong_method("PUT")),
        Method::Delete => return Err(wrong_method("DELETE")),
    };
    request.call = Some(arguments);
    check_conditions(&request)?;
    Ok(request)
}

/// `PGRST101`.
pub fn wrong_method(method: &str) -> Error {
    let message = format!("Cannot use the {} method on RPC", shown(method));
    Error::new(ErrorKind::MethodNotAllowed, "PGRST101", message).with_header("allow", "OPTIONS,GET,HEAD,POST")
}

/// Splits a read's parameters: what shapes the result goes into the request, the rest is arguments, or may be.
fn query(request: &mut Request, pairs: Vec<(String, String)>) -> Result<Vec<QueryArgument>> {
    let (mut seen, mut arguments) = (Vec::new(), Vec::new());
    for (name, value) in pairs {
        if is_reserved(&name) {
            parameter(request, &mut seen, &name, &value)?;
            continue;
        }
        let key = filter::key(&name)?;
        let condition = filter::condition(key.value.clone(), &value);
        let plain = key.path.is_empty() && key.value.path.is_empty();
        match condition {
            Err(refused) if !plain => return Err(refused),
            Ok(condition) if !plain => request.filters.push(Scoped {
                path: key.path,
                value: Logic::Condition(condition),
            }),
            condition => arguments.push(QueryArgument {
                name: key.value.name,
                value,
                filter: condition.ok().map(Logic::Condition),
            }),
        }
    }
    Ok(arguments)
}

/// Whether a parameter of this name is neither filter nor argument.
fn is_reserved(name: &str) -> bool {
    let last = name.rsplit_once('.').map_or(name, |(_, last)| last);
    matches!(name, "select" | "columns" | "on_conflict") || matches!(last, "order" | "limit" | "offset" | "and" | "or")
}

/// Reads the body of a POST in the form that `Content-Type` names; without one it is JSON.
fn payload(columns: Option<&[String]>, headers: &HeaderMap, bytes: &[u8]) -> Result<Arguments> {
    let content = headers
        .get(CONTENT_TYPE)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    let content = content.as_deref().unwrap_or_default();
    let content = content
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let raw = |kind, text| Arguments::Raw(RawArgument { kind, text });
    Ok(match content.as_str() {
        "" | "application/json" | "application/vnd.pgrst.object+json" | "application/vnd.pgrst.array+json" => {
            Arguments::Json(json(columns, bytes)?)
        }
        "application/x-www-form-urlencoded" => Arguments::Form(url::pairs(text(bytes)?)?),
        "text/csv" => {
            let rows = csv::rows(text(bytes)?)?;
            Arguments::Json(JsonArguments {
                json: rows.json,
                is_array: true,
                names: Some(columns.map_or(rows.keys, <[_]>::to_vec)),
            })
        }
        "text/plain" => raw(RawKind::Text, text(bytes)?.to_owned()),
        "text/xml" => raw(RawKind::Xml, text(bytes)?.to_owned()),
        "application/octet-stream" => raw(RawKind::Bytes, hex(bytes)),
        _ => {
            let message = format!("Content-Type not acceptable: {}", shown(&content));
            return Err(Error::new(ErrorKind::UnsupportedMedia, "PGRST102", message)
                .with_hint("Send application/json, text/csv or application/x-www-form-urlencoded"));
        }
    })
}

fn json(columns: Option<&[String]>, bytes: &[u8]) -> Result<JsonArguments> {
    let json = match text(bytes)? {
        blank if blank.trim().is_empty() => "{}",
        json => json,
    };
    let is_array = json.trim_start().starts_with('[');
    let names = match (columns, body(json.as_bytes())) {
        (Some(columns), Ok(_)) => Some(columns.to_vec()),
        (None, Ok(body)) => body.uniform.then_some(body.keys),
        // Valid but no object: a function may still want it as a whole.
        (_, Err(refused)) if too_deep(json) => return Err(refused),
        (columns, Err(refused)) => match serde_json::from_str(json) {
            Ok(IgnoredAny) if is_array => columns.map(<[_]>::to_vec),
            Ok(IgnoredAny) => Some(columns.unwrap_or_default().to_vec()),
            Err(_) => return Err(refused),
        },
    };
    Ok(JsonArguments {
        json: json.into(),
        is_array,
        names,
    })
}

fn text(bytes: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(bytes)
        .map_err(|_| Error::invalid("PGRST102", "Empty or invalid json").with_details("the body is not UTF-8"))?;
    if text.contains('\0') {
        return Err(
            Error::invalid("PGRST102", "The body holds a NUL character").with_hint("Postgres cannot store NUL in text")
        );
    }
    Ok(text)
}

/// As `bytea` reads it.
fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("\\x");
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
