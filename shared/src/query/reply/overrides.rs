//! What database functions said about the reply: the settings `response.status` and `response.headers`.
//! See <https://docs.postgrest.org/en/stable/references/transactions.html#response-headers>.

use serde_json::{Map, Value};

use crate::error::{Error, ErrorKind, Result};

/// Reads a status.
///
/// # Errors
/// 500 `PGRST112`.
pub(super) fn status(text: &str) -> Result<u16> {
    let status = text.trim().parse().ok().filter(|status| (200..600).contains(status));
    status.ok_or_else(|| {
        let message = "response.status guc must be a valid status code";
        Error::new(ErrorKind::Internal, "PGRST112", message)
    })
}

/// Puts the headers of `[{"name":"value"},…]` in place of ours.
///
/// # Errors
/// 500 `PGRST111`.
pub(super) fn headers(headers: &mut Vec<(String, String)>, text: &str) -> Result<()> {
    let given: Vec<Map<String, Value>> = serde_json::from_str(text).map_err(|error| fault().with_source(error))?;
    let chosen: Vec<_> = given.iter().map(header).collect::<Option<_>>().ok_or_else(fault)?;
    headers.retain(|(name, _)| chosen.iter().all(|(other, _)| other != name));
    headers.extend(chosen);
    Ok(())
}

fn header(object: &Map<String, Value>) -> Option<(String, String)> {
    let mut members = object.iter();
    let (Some((name, Value::String(value))), None) = (members.next(), members.next()) else {
        return None;
    };
    let name = http::HeaderName::from_bytes(name.as_bytes()).ok()?;
    http::HeaderValue::from_str(value).ok()?;
    Some((name.as_str().to_owned(), value.clone()))
}

fn fault() -> Error {
    let message = "response.headers guc must be a JSON array composed of objects with a single key and a string value";
    Error::new(ErrorKind::Internal, "PGRST111", message)
}
