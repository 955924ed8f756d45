//! Values of a request as parameters, each checked against its column's type: the server itself would take `'abc'` for 0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, tz::TimeZone};
use serde_json::value::RawValue;

use super::super::plan::Class;
use super::super::shown;
use super::Param;
use crate::error::{Error, Result};

/// A parameter, and the SQL it stands in.
pub(super) struct Bound {
    pub(super) sql: &'static str,
    pub(super) param: Option<Param>,
}

impl Bound {
    fn new(param: Param) -> Self {
        Self {
            sql: "?",
            param: Some(param),
        }
    }

    fn text(text: impl Into<String>) -> Self {
        Self::new(Param::Text(text.into()))
    }

    pub(super) fn null() -> Self {
        Self {
            sql: "null",
            param: None,
        }
    }

    /// The column's default.
    pub(super) fn default() -> Self {
        Self {
            sql: "default",
            param: None,
        }
    }
}

/// Digits before and behind the point that a decimal has at most.
const WHOLE_DIGITS: usize = 35;
const DECIMALS: usize = 30;

/// What a column of that class is compared with.
///
/// # Errors
/// 400 `22P02`, `22003`, `22007`, in Postgres's words.
pub(super) fn operand(class: Class, text: &str) -> Result<Bound> {
    match class {
        Class::Integer | Class::Bits => integer(text).map(Bound::new),
        Class::Bool => boolean(text).map(Bound::new),
        Class::Decimal => {
            decimal(text)?;
            Ok(Bound {
                sql: "cast(? as decimal(65,30))",
                param: Some(Param::Text(text.trim().to_owned())),
            })
        }
        Class::Float => {
            let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
            let number = number.ok_or_else(|| malformed("double precision", text))?;
            Ok(Bound::new(Param::Float(number)))
        }
        Class::Bytes => bytes(text),
        Class::Date => {
            let date: Date = text.trim().parse().map_err(|_| no_moment("date", text))?;
            Ok(Bound::text(date.to_string()))
        }
        Class::DateTime => civil(text).map(Bound::text),
        Class::Timestamp => moment(text),
        Class::Time => {
            let fits = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | '-');
            if text.is_empty() || !text.chars().all(fits) {
                return Err(no_moment("time", text));
            }
            Ok(Bound::text(text))
        }
        Class::Json | Class::Text | Class::Array | Class::Other => Ok(Bound::text(text)),
    }
}

/// What is written into a column of that class.
///
/// # Errors
/// As [`operand`].
pub(super) fn written(class: Class, json: &RawValue) -> Result<Bound> {
    let raw = json.get();
    if raw == "null" {
        return Ok(Bound::null());
    }
    if class == Class::Json {
        return Ok(Bound::text(raw));
    }
    // What is no text goes in as its JSON, as Postgres takes it.
    let text = match serde_json::from_str::<String>(raw) {
        Ok(text) => text,
        Err(_) => raw.to_owned(),
    };
    match class {
        // The server checks what it is given against the column, and is strict about it.
        Class::Decimal => decimal(&text).map(|()| Bound::text(text.trim())),
        _ => operand(class, &text),
    }
}

/// The text of a JSON value as a filter would say it.
pub(super) fn plain(json: &RawValue) -> String {
    serde_json::from_str::<String>(json.get()).unwrap_or_else(|_| json.get().to_owned())
}

/// Whether two texts are the same value of that class.
pub(super) fn same(class: Class, one: &str, other: &str) -> bool {
    one == other
        || match (operand(class, one), operand(class, other)) {
            (Ok(one), Ok(other)) => one.param == other.param,
            _ => false,
        }
}

/// As Postgres reads it: a word, or as much of one as tells it from the others.
fn boolean(text: &str) -> Result<Param> {
    let word = text.trim().to_ascii_lowercase();
    let begins = |whole: &str, least: usize| word.len() >= least && whole.starts_with(&word);
    if begins("true", 1) || begins("yes", 1) || word == "on" || word == "1" {
        return Ok(Param::Int(1));
    }
    if begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0" {
        return Ok(Param::Int(0));
    }
    Err(malformed("boolean", text))
}

fn integer(text: &str) -> Result<Param> {
    let digits = text.trim();
    // A column of truth is one of small numbers here.
    match digits {
        "true" | "t" => return Ok(Param::Int(1)),
        "false" | "f" => return Ok(Param::Int(0)),
        _ => {}
    }
    if let Ok(number) = digits.parse::<i64>() {
        return Ok(Param::Int(number));
    }
    if let Ok(number) = digits.parse::<u64>() {
        return Ok(Param::Unsigned(number));
    }
    let number = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) {
        return Err(out_of_range("bigint", text));
    }
    Err(malformed("integer", text))
}

fn decimal(text: &str) -> Result<()> {
    let number = text.trim();
    let number = number.strip_prefix(['-', '+']).unwrap_or(number);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.len() + decimals.len() == 0 || !digits(whole) || !digits(decimals) {
        return Err(malformed("numeric", text));
    }
    if whole.len() > WHOLE_DIGITS || decimals.len() > DECIMALS {
        return Err(out_of_range("numeric", text));
    }
    Ok(())
}

fn bytes(text: &str) -> Result<Bound> {
    let bytes = STANDARD.decode(text);
    let bytes = bytes.map_err(|_| malformed("bytea", text).with_hint("Bytes are written in base64"))?;
    Ok(Bound::new(Param::Bytes(bytes)))
}

/// A day and time without a zone; one that is named is dropped, as Postgres does it.
fn civil(text: &str) -> Result<String> {
    let text = text.trim();
    let civil = match text.parse::<DateTime>() {
        Ok(civil) => civil,
        Err(_) => utc(text).ok_or_else(|| no_moment("timestamp", text))?,
    };
    Ok(civil.to_string())
}

/// A moment: in UTC if a zone is named, else in the session's.
fn moment(text: &str) -> Result<Bound> {
    let text = text.trim();
    match utc(text) {
        Some(civil) => Ok(Bound {
            sql: "convert_tz(?, '+00:00', @@session.time_zone)",
            param: Some(Param::Text(civil.to_string())),
        }),
        None => civil(text).map(Bound::text),
    }
}

fn utc(text: &str) -> Option<DateTime> {
    let moment: Timestamp = text.parse().ok()?;
    Some(moment.to_zoned(TimeZone::UTC).datetime())
}

fn malformed(data_type: &str, text: &str) -> Error {
    let text = shown(text);
    Error::invalid(
        "22P02",
        format!("invalid input syntax for type {data_type}: \"{text}\""),
    )
}

fn no_moment(data_type: &str, text: &str) -> Error {
    let text = shown(text);
    Error::invalid(
        "22007",
        format!("invalid input syntax for type {data_type}: \"{text}\""),
    )
}

fn out_of_range(data_type: &str, text: &str) -> Error {
    let text = shown(text);
    Error::invalid(
        "22003",
        format!("value \"{text}\" is out of range for type {data_type}"),
    )
}
