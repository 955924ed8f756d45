//! `Prefer`, `Accept`, `Content-Type` and `Range`.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, RANGE};

use super::super::request::{Accept, CountKind, Handling, Missing, Prefer, Resolution, Return, TxEnd};
use super::super::shown;
use crate::error::{Error, ErrorKind, Result};

/// Reads all `Prefer` headers; the first of two contradicting preferences wins, as RFC 7240 says.
///
/// # Errors
/// `PGRST122` for an unknown preference under `handling=strict`.
pub(super) fn prefer(headers: &HeaderMap) -> Result<Prefer> {
    let mut prefer = Prefer::default();
    let mut unknown = Vec::new();
    for value in headers.get_all("prefer") {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            if !take(&mut prefer, part) {
                unknown.push(shown(part));
            }
        }
    }
    if prefer.handling == Some(Handling::Strict) && !unknown.is_empty() {
        return Err(
            Error::invalid("PGRST122", "Invalid preferences given with handling=strict")
                .with_details(format!("Invalid preferences: {}", unknown.join(", "))),
        );
    }
    Ok(prefer)
}

fn take(prefer: &mut Prefer, part: &str) -> bool {
    let Some((key, value)) = part.split_once('=') else {
        return false;
    };
    let (key, value) = (key.trim(), value.trim().trim_matches('"'));
    match key.to_ascii_lowercase().as_str() {
        "resolution" => set(&mut prefer.resolution, Resolution::from_word(value)),
        "missing" => set(&mut prefer.missing, Missing::from_word(value)),
        "return" => set(&mut prefer.representation, Return::from_word(value)),
        "count" => set(&mut prefer.count, CountKind::from_word(value)),
        "tx" => set(&mut prefer.tx, TxEnd::from_word(value)),
        "handling" => set(&mut prefer.handling, Handling::from_word(value)),
        "timezone" => set(&mut prefer.timezone, (!value.is_empty()).then(|| value.to_owned())),
        "max-affected" => set(&mut prefer.max_affected, value.parse().ok()),
        _ => false,
    }
}

fn set<T>(slot: &mut Option<T>, value: Option<T>) -> bool {
    let known = value.is_some();
    if slot.is_none() {
        *slot = value;
    }
    known
}

/// Picks the reply's shape: of what fits, the one with the highest `q`, the first of equals.
///
/// # Errors
/// `PGRST107` if nothing fits.
pub(super) fn accept(headers: &HeaderMap) -> Result<Accept> {
    let mut best: Option<(f32, Accept)> = None;
    let mut asked = Vec::new();
    for value in headers.get_all(ACCEPT) {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        for part in value.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            asked.push(shown(part));
            let Some((quality, shape)) = media_type(part) else {
                continue;
            };
            if quality > 0.0 && best.is_none_or(|(so_far, _)| quality > so_far) {
                best = Some((quality, shape));
            }
        }
    }
    match best {
        Some((_, shape)) => Ok(shape),
        None if asked.is_empty() => Ok(Accept::default()),
        None => {
            let message = format!("None of these media types are available: {}", asked.join(", "));
            Err(Error::new(ErrorKind::NotAcceptable, "PGRST107", message)
                .with_hint("Ask for application/json or application/vnd.pgrst.object+json"))
        }
    }
}

fn media_type(text: &str) -> Option<(f32, Accept)> {
    let mut parts = text.split(';').map(str::trim);
    let name = parts.next()?.to_ascii_lowercase();
    let (mut quality, mut strip_nulls) = (1.0, false);
    for parameter in parts {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match key.trim().to_ascii_lowercase().as_str() {
            "q" => quality = value.trim().parse().ok()?,
            "nulls" => strip_nulls = value.trim() == "stripped",
            _ => {}
        }
    }
    let shape = match name.as_str() {
        "*/*" | "application/*" | "application/json" => Accept::default(),
        "application/vnd.pgrst.object+json" | "application/vnd.pgrst.object" => Accept {
            singular: true,
            strip_nulls,
            vendor: true,
        },
        "application/vnd.pgrst.array+json" | "application/vnd.pgrst.array" => Accept {
            singular: false,
            strip_nulls,
            vendor: true,
        },
        _ => return None,
    };
    Some((quality, shape))
}

/// Refuses a body that is not JSON; without a content type it is taken as JSON.
///
/// # Errors
/// `PGRST102` with 415.
pub(super) fn json_content(headers: &HeaderMap) -> Result<()> {
    let Some(value) = headers.get(CONTENT_TYPE) else {
        return Ok(());
    };
    let value = String::from_utf8_lossy(value.as_bytes());
    let name = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if name.is_empty() || name == "application/json" || name == "application/vnd.pgrst.object+json" {
        return Ok(());
    }
    let message = format!("Content-Type not acceptable: {}", shown(&name));
    Err(Error::new(ErrorKind::UnsupportedMedia, "PGRST102", message).with_hint("Send application/json"))
}

/// Reads `Range: 0-9` or `5-`; any other unit's range is ignored.
///
/// # Errors
/// `PGRST103` if the last row stands before the first.
pub(super) fn range(headers: &HeaderMap) -> Result<Option<(u64, Option<u64>)>> {
    let Some(text) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Ok(None);
    };
    let text = text.trim();
    let text = text.strip_prefix("items=").unwrap_or(text);
    let Some((first, last)) = text.split_once('-') else {
        return Ok(None);
    };
    let Ok(first) = first.trim().parse::<u64>() else {
        return Ok(None);
    };
    let last = match last.trim() {
        "" => None,
        digits => match digits.parse::<u64>() {
            Ok(last) => Some(last),
            Err(_) => return Ok(None),
        },
    };
    if last.is_some_and(|last| last < first) {
        return Err(out_of_range(
            "The lower boundary must be lower than or equal to the upper boundary in the Range header.",
        ));
    }
    Ok(Some((first, last)))
}

/// `PGRST103`.
pub(super) fn out_of_range(details: &'static str) -> Error {
    Error::new(ErrorKind::Range, "PGRST103", "Requested range not satisfiable").with_details(details)
}
