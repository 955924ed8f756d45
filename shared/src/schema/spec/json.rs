//! Pieces of JSON, each with the fault it may be.

use serde_json::{Map, Value};

use super::MAX_COMMENT;
use super::read::Reading;
use crate::ident::Ident;
use crate::schema::fault::{Fault, join};

/// The object at `path`; each key outside `keys` is a fault.
pub(crate) fn object<'a>(
    json: &'a Value,
    path: &str,
    keys: &[&str],
    reading: &mut Reading,
) -> Option<&'a Map<String, Value>> {
    let Some(map) = json.as_object() else {
        reading.faults.push(Fault::new(
            path,
            "schema/shape",
            format!("Expected an object, found {}", kind(json)),
        ));
        return None;
    };
    for key in map.keys().filter(|key| !keys.contains(&key.as_str())) {
        let fault = Fault::new(path, "schema/unknown-key", format!("Unknown key {}", shown(key)));
        reading
            .faults
            .push(fault.hint(format!("Known are {}", keys.join(", "))));
    }
    Some(map)
}

/// A name somebody gives to something new.
pub(crate) fn name(map: &Map<String, Value>, path: &str, key: &str, reading: &mut Reading) -> Option<Ident> {
    if !map.contains_key(key) {
        reading.faults.push(Fault::new(
            join(path, key),
            "schema/missing",
            format!("The {key} is missing"),
        ));
        return None;
    }
    checked_name(text(map, path, key, reading)?, &join(path, key), reading)
}

pub(super) fn checked_name(text: &str, path: &str, reading: &mut Reading) -> Option<Ident> {
    let fault = |message: String| Fault::new(path, "schema/name", message);
    let Ok(ident) = Ident::snake_case(text) else {
        let hint = "Use 1 to 63 lowercase letters, digits and underscores, beginning with a letter";
        reading
            .faults
            .push(fault(format!("{} is no valid name", shown(text))).hint(hint));
        return None;
    };
    if text.starts_with("pg_") || text.starts_with("plinth") {
        reading
            .faults
            .push(fault(format!("{text} is reserved")).hint("Names must not begin with pg_ or plinth"));
        return None;
    }
    Some(ident)
}

/// A list of names.
pub(crate) fn names(map: &Map<String, Value>, path: &str, key: &str, reading: &mut Reading) -> Vec<Ident> {
    let mut found = Vec::new();
    for (at, item) in list(map, path, key, reading) {
        match item.as_str() {
            Some(text) => found.extend(checked_name(text, &at, reading)),
            None => reading.faults.push(Fault::new(at, "schema/shape", "Expected a text")),
        }
    }
    found
}

/// The text under `key`; null counts as absent.
pub(crate) fn text<'a>(map: &'a Map<String, Value>, path: &str, key: &str, reading: &mut Reading) -> Option<&'a str> {
    let value = given(map, key)?;
    let text = value.as_str().filter(|text| !text.contains('\0'));
    if text.is_none() {
        let message = format!("Expected a text without NUL, found {}", kind(value));
        reading
            .faults
            .push(Fault::new(join(path, key), "schema/shape", message));
    }
    text
}

pub(super) fn comment(map: &Map<String, Value>, path: &str, reading: &mut Reading) -> Option<String> {
    let comment = text(map, path, "comment", reading)?;
    if comment.len() > MAX_COMMENT {
        let message = format!("A comment has at most {MAX_COMMENT} bytes");
        reading
            .faults
            .push(Fault::new(join(path, "comment"), "schema/comment", message));
        return None;
    }
    Some(comment.to_owned())
}

pub(super) fn flag(map: &Map<String, Value>, path: &str, key: &str, reading: &mut Reading) -> bool {
    match given(map, key) {
        None => false,
        Some(Value::Bool(flag)) => *flag,
        Some(other) => {
            let message = format!("Expected true or false, found {}", kind(other));
            reading
                .faults
                .push(Fault::new(join(path, key), "schema/shape", message));
            false
        }
    }
}

pub(super) fn list<'a>(
    map: &'a Map<String, Value>,
    path: &str,
    key: &str,
    reading: &mut Reading,
) -> Vec<(String, &'a Value)> {
    match given(map, key) {
        None => Vec::new(),
        Some(Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(index, item)| (format!("{}[{index}]", join(path, key)), item))
            .collect(),
        Some(other) => {
            let message = format!("Expected a list, found {}", kind(other));
            reading
                .faults
                .push(Fault::new(join(path, key), "schema/shape", message));
            Vec::new()
        }
    }
}

pub(super) fn given<'a>(map: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    map.get(key).filter(|value| !value.is_null())
}

/// Stands in for a column whose name could not be read; `?` keeps it from meeting a real one.
pub(super) fn placeholder(index: usize) -> Ident {
    let name = Ident::new(format!("?{index}"));
    name.unwrap_or_else(|_| unreachable!("a question mark and a number are a name"))
}

/// A user's text as a fault may repeat it: short, in one line.
pub(crate) fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    format!("{short:?}{}", if short.len() < text.len() { "…" } else { "" })
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
