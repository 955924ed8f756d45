//! A row as an HTML form sends it.

use std::collections::BTreeMap;

use super::super::request::Body;
use super::csv::push_text;
use super::url;
use crate::error::{Error, Result};

/// Reads one row; every value is a text that Postgres reads as the column's type. Of two values of one name the last
/// counts.
///
/// # Errors
/// `PGRST102` for what is not UTF-8 once decoded.
pub(super) fn row(bytes: &[u8]) -> Result<Body> {
    let mut fields = BTreeMap::new();
    for part in bytes.split(|byte| *byte == b'&').filter(|part| !part.is_empty()) {
        let middle = part.iter().position(|byte| *byte == b'=').unwrap_or(part.len());
        let (name, value) = part.split_at(middle);
        fields.insert(decode(name)?, decode(value.get(1..).unwrap_or_default())?);
    }
    let mut json = String::from("{");
    for (name, value) in &fields {
        if json.len() > 1 {
            json.push(',');
        }
        push_text(&mut json, name);
        json.push(':');
        push_text(&mut json, value);
    }
    json.push('}');
    Ok(Body {
        json: json.into(),
        is_array: false,
        rows: 1,
        keys: fields.into_keys().collect(),
        uniform: true,
    })
}

fn decode(bytes: &[u8]) -> Result<String> {
    url::decoded(bytes).ok_or_else(|| {
        Error::invalid("PGRST102", "The form is not valid UTF-8").with_hint("Percent-encode UTF-8 bytes")
    })
}
