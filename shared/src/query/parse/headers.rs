//! `Prefer` and `Range`.

use http::HeaderMap;
use http::header::RANGE;

use super::super::request::{CountKind, Handling, Missing, Prefer, Resolution, Return, TxEnd};
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
        // As upstream, a number that is none is no unknown preference.
        "max-affected" => {
            set(&mut prefer.max_affected, value.parse().ok());
            true
        }
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
