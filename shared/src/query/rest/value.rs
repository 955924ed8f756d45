//! Values of a request, checked against their column's type before an API sees them, and compared with what it answers.

use jiff::Timestamp;
use jiff::civil::Date;

use super::super::plan::Class;
use super::super::shown;
use crate::error::{Error, Result};

/// Whether a text can be a value of that class.
///
/// # Errors
/// 400 `22P02` and `22007`, in Postgres's words.
pub(super) fn check(class: Class, text: &str) -> Result<()> {
    let fits = match class {
        Class::Integer => text.parse::<i64>().is_ok() || text.parse::<u64>().is_ok(),
        Class::Decimal | Class::Float => text.parse::<f64>().is_ok_and(f64::is_finite),
        Class::Bool => matches!(text, "true" | "false"),
        Class::Date => text.parse::<Date>().is_ok(),
        Class::Timestamp => text.parse::<Timestamp>().is_ok() || text.parse::<Date>().is_ok(),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let (code, name) = match class {
        Class::Integer => ("22P02", "bigint"),
        Class::Bool => ("22P02", "boolean"),
        Class::Date => ("22007", "date"),
        Class::Timestamp => ("22007", "timestamp with time zone"),
        _ => ("22P02", "numeric"),
    };
    let text = shown(text);
    Err(Error::invalid(
        code,
        format!("invalid input syntax for type {name}: \"{text}\""),
    ))
}

/// Whether an API may hold two texts to be the same value: it need not tell upper case from lower, `1` from `1.0`, or
/// two ways to write a moment.
pub(super) fn same(one: &str, other: &str) -> bool {
    let numbers = || Some(one.parse::<f64>().ok()? == other.parse::<f64>().ok()?);
    let moments = || Some(one.parse::<Timestamp>().ok()? == other.parse::<Timestamp>().ok()?);
    one.eq_ignore_ascii_case(other) || numbers() == Some(true) || moments() == Some(true)
}
