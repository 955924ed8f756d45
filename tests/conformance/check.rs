//! A reply against what is expected of it.

use serde_json::Value;

use super::row::{BodyRule, Expected, HeaderRule};
use crate::world::Reply;

/// Everything that differs, one line each; nothing if the reply is as expected.
pub fn differences(expected: &Expected, reply: &Reply) -> Vec<String> {
    let mut found = Vec::new();
    if reply.status != expected.status {
        found.push(format!("status: expected {}, got {}", expected.status, reply.status));
    }
    for rule in &expected.headers {
        found.extend(header(rule, reply));
    }
    if reply.status.as_u16() >= 400 && !reply.text.is_empty() && !all(reply, "content-type").contains("json") {
        found.push("content-type: an error is JSON".to_owned());
    }
    if let Some(why) = body(&expected.body, &reply.text) {
        found.push(format!("body: {why}\n    got {}", shown(&reply.text)));
    } else if !found.is_empty() {
        found.push(format!("with the body {}", shown(&reply.text)));
    }
    found
}

/// A header's values, joined.
fn all(reply: &Reply, name: &str) -> String {
    let values = reply.headers.get_all(name).iter();
    let values: Vec<_> = values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    values.join(", ")
}

fn header(rule: &HeaderRule, reply: &Reply) -> Option<String> {
    match rule {
        HeaderRule::Is(name, value) => {
            let got = all(reply, name);
            (got != *value).then(|| format!("{name}: expected {value:?}, got {got:?}"))
        }
        HeaderRule::Contains(name, value) => {
            let got = all(reply, name);
            (!got.contains(value.as_str())).then(|| format!("{name}: expected something with {value:?}, got {got:?}"))
        }
        HeaderRule::Absent(name) => reply
            .headers
            .contains_key(name.as_str())
            .then(|| format!("{name}: expected none, got {:?}", all(reply, name))),
    }
}

fn body(rule: &BodyRule, text: &str) -> Option<String> {
    match rule {
        BodyRule::Any => None,
        BodyRule::Empty => (!text.is_empty()).then(|| "expected none".to_owned()),
        BodyRule::Text(expected) => (text != expected).then(|| format!("expected {}", shown(expected))),
        BodyRule::Json(expected) => match serde_json::from_str::<Value>(text) {
            Ok(got) if got == *expected => None,
            _ => Some(format!("expected {expected}")),
        },
        BodyRule::Subset(expected) => match serde_json::from_str::<Value>(text) {
            Ok(got) => missing(expected, &got, "").map(|path| format!("expected at {path:?} {expected}")),
            Err(_) => Some(format!("expected JSON with {expected}")),
        },
        BodyRule::Contains(parts) => {
            let wrong = parts
                .iter()
                .find(|(wanted, part)| text.contains(part.as_str()) != *wanted);
            wrong.map(|(wanted, part)| format!("expected {} {part:?}", if *wanted { "with" } else { "without" }))
        }
    }
}

/// The first place of `expected` that `got` does not have. Elements of an array may be anywhere.
fn missing(expected: &Value, got: &Value, at: &str) -> Option<String> {
    match (expected, got) {
        (Value::Object(expected), Value::Object(got)) => expected.iter().find_map(|(name, value)| {
            let at = format!("{at}/{name}");
            match got.get(name) {
                Some(got) => missing(value, got, &at),
                None => Some(at),
            }
        }),
        (Value::Array(expected), Value::Array(got)) => expected.iter().enumerate().find_map(|(index, value)| {
            let found = got.iter().any(|got| missing(value, got, at).is_none());
            (!found).then(|| format!("{at}/{index}"))
        }),
        _ => (expected != got).then(|| at.to_owned()),
    }
}

fn shown(text: &str) -> String {
    const MOST: usize = 1_500;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} … ({} bytes)", &text[..end], text.len()),
        None if text.is_empty() => "nothing".to_owned(),
        None => text.to_owned(),
    }
}
