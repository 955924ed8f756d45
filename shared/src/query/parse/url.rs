//! A raw query string, taken apart and decoded exactly once.

use crate::error::{Error, Result};

/// Name and value, decoded, in the order given; names may repeat.
///
/// # Errors
/// `PGRST100` for a query that is too long, is not UTF-8 once decoded, or holds a NUL.
pub(super) fn pairs(raw: &str) -> Result<Vec<(String, String)>> {
    const MOST: usize = 256 * 1024;
    if raw.len() > MOST {
        return Err(Error::invalid("PGRST100", "The query string is too long")
            .with_details(format!("{} bytes given, {MOST} allowed", raw.len())));
    }
    raw.split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect()
}

fn decode(text: &str) -> Result<String> {
    let decoded = decoded(text.as_bytes()).ok_or_else(|| {
        Error::invalid("PGRST100", "The query string is not valid UTF-8")
            .with_hint("Percent-encode the UTF-8 bytes of names and values")
    })?;
    if decoded.contains('\0') {
        return Err(Error::invalid("PGRST100", "The query string holds a NUL character")
            .with_hint("Postgres cannot store NUL in text"));
    }
    Ok(decoded)
}

/// Text in which `+` is a blank and `%41` an `A`; nothing if the outcome is not UTF-8.
pub(super) fn decoded(bytes: &[u8]) -> Option<String> {
    // Most names and values are plain.
    if !bytes.iter().any(|byte| matches!(byte, b'+' | b'%')) {
        return std::str::from_utf8(bytes).ok().map(str::to_owned);
    }
    let spaced: Vec<u8> = bytes
        .iter()
        .map(|byte| if *byte == b'+' { b' ' } else { *byte })
        .collect();
    String::from_utf8(percent_encoding::percent_decode(&spaced).collect()).ok()
}
