//! What is known of the caller before the statement runs: claims, and what rules make of them.

use serde_json::{Map, Value};

use super::inexact;
use super::piece::{Kind, Known, Piece};
use crate::error::{Error, Result};
use crate::query::shown;
use crate::schema::data_type::{DataType, Scalar};
use crate::schema::expr::AuthFunction;

/// `auth.uid()` and its like.
pub(super) fn auth(function: AuthFunction, claims: &Map<String, Value>) -> Piece {
    let claim = |name: &str| claims.get(name).and_then(text);
    match function {
        AuthFunction::Uid => Piece::text(Kind::Uid, claim("sub").filter(|id| !id.is_empty())),
        AuthFunction::Role => Piece::text(Kind::Text, claim("role")),
        AuthFunction::Email => Piece::text(Kind::Text, claim("email")),
        AuthFunction::Jwt => Piece::json(Some(Value::Object(claims.clone()))),
    }
}

/// `->>`: the text of a JSON value, as Postgres prints it.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(printed(other)),
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(printed).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            // Shorter keys first, as jsonb keeps them.
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(one, _), (other, _)| (one.len(), one).cmp(&(other.len(), other)));
            let members: Vec<_> = members
                .into_iter()
                .map(|(key, value)| format!("{}: {}", Value::from(key.as_str()), printed(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// `claims -> 'key'` and the other ways into them.
///
/// # Errors
/// For what is not about claims, or not known.
pub(super) fn step(json: &Piece, operator: &str, key: &Piece) -> Result<Piece> {
    let Known::Json(json) = &json.known else {
        return Err(inexact(
            format!("The operator {operator} on a column"),
            "JSON of columns has no exact match here; keep what the rule needs in a column of its own",
        ));
    };
    let json = json.as_ref();
    let found = match (&key.known, operator) {
        (Known::Text(Some(key)), "->" | "->>") => json.and_then(|json| json.as_object()?.get(key)),
        (Known::Int(at), "->" | "->>") => json.and_then(|json| {
            let items = json.as_array()?;
            let at = if *at < 0 {
                at + i64::try_from(items.len()).ok()?
            } else {
                *at
            };
            items.get(usize::try_from(at).ok()?)
        }),
        (Known::Text(Some(path)), "#>" | "#>>") => walk(json, path)?,
        (Known::Text(Some(key)), "?") => {
            let has = json.map(|json| match json {
                Value::Object(members) => members.contains_key(key),
                Value::Array(items) => items.iter().any(|item| item.as_str() == Some(key)),
                Value::String(text) => text == key,
                _ => false,
            });
            return Ok(Piece::truth(has));
        }
        _ => {
            return Err(inexact(
                format!("The operator {operator} with this operand"),
                "Of claims a rule takes auth.jwt() -> 'key', ->> 'key', #>> '{a,b}' and ? 'key'",
            ));
        }
    };
    Ok(if operator.ends_with(">>") {
        Piece::text(Kind::Text, found.and_then(text))
    } else {
        Piece::json(found.cloned())
    })
}

fn walk<'v>(json: Option<&'v Value>, path: &str) -> Result<Option<&'v Value>> {
    let inner = path.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let plain = |path: &&str| !path.contains(['"', '\\', '{', '}', ' ']);
    let inner = inner.filter(plain).ok_or_else(|| {
        inexact(
            format!("The path {}", shown(path)),
            "Write plain names: '{app_metadata,role}'",
        )
    })?;
    let mut at = json;
    for step in inner.split(',').filter(|step| !step.is_empty()) {
        at = at.and_then(|json| match json {
            Value::Object(members) => members.get(step),
            Value::Array(items) => items.get(step.parse::<usize>().ok()?),
            _ => None,
        });
    }
    Ok(at)
}

/// A cast of a text that is known.
///
/// # Errors
/// `22P02` for what the type cannot be made of.
pub(super) fn cast(known: Option<&str>, to: &DataType) -> Result<Option<Piece>> {
    let made = match to.scalar {
        _ if to.array => return Ok(None),
        Scalar::Text => Piece::text(Kind::Text, known.map(str::to_owned)),
        Scalar::Integer => Piece::int(
            known
                .map(|text| number::<i32>("integer", text).map(i64::from))
                .transpose()?,
        ),
        Scalar::Bigint => Piece::int(known.map(|text| number::<i64>("bigint", text)).transpose()?),
        Scalar::Boolean => Piece::truth(known.map(truth).transpose()?),
        Scalar::Uuid => Piece::text(Kind::Uuid, known.map(uuid).transpose()?),
        _ => return Ok(None),
    };
    Ok(Some(made))
}

fn number<T: std::str::FromStr>(name: &str, text: &str) -> Result<T> {
    text.trim().parse().map_err(|_| malformed(name, text))
}

/// A text as a truth, as Postgres reads it.
pub(super) fn truth(text: &str) -> Result<bool> {
    let word = text.trim().to_ascii_lowercase();
    let is = |full: &str, least: usize| word.len() >= least && full.starts_with(&word);
    match word.as_str() {
        "1" => Ok(true),
        "0" => Ok(false),
        _ if is("true", 1) || is("yes", 1) || word == "on" => Ok(true),
        _ if is("false", 1) || is("no", 1) || is("off", 2) => Ok(false),
        _ => Err(malformed("boolean", text)),
    }
}

pub(super) fn uuid(text: &str) -> Result<String> {
    let parsed = uuid::Uuid::try_parse(text).map_err(|_| malformed("uuid", text))?;
    Ok(parsed.hyphenated().to_string())
}

pub(super) fn malformed(name: &str, text: &str) -> Error {
    Error::invalid(
        "22P02",
        format!("invalid input syntax for type {name}: \"{}\"", shown(text)),
    )
}
