//! JSON values as SQL literals of a column's type: defaults and the ends of ranges.

use serde_json::Value;

use super::data_type::{DataType, Scalar};
use super::ddl::Helpers;
use crate::ident::{Ident, literal};

/// A default, read from JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Default {
    /// A literal as SQL text, cast to its type by the caller where that is needed.
    Literal(String),
    /// An array of literals.
    Array(Vec<String>),
    /// `now()`
    Now,
    /// `current_date`
    CurrentDate,
    /// `current_time`
    CurrentTime,
    /// `gen_random_uuid()`
    RandomUuid,
    /// `auth.uid()`
    AuthUid,
}

impl Default {
    /// The default as SQL.
    pub(crate) fn sql(&self, data_type: &DataType, schema: &Ident, helpers: &Helpers) -> String {
        match self {
            Self::Literal(text) => format!("{text}::{}", data_type.sql(schema)),
            Self::Array(items) => format!("array[{}]::{}", items.join(", "), data_type.sql(schema)),
            Self::Now => "pg_catalog.now()".to_owned(),
            Self::CurrentDate => "current_date".to_owned(),
            Self::CurrentTime => "localtime".to_owned(),
            Self::RandomUuid => "pg_catalog.gen_random_uuid()".to_owned(),
            Self::AuthUid => format!("{}.\"uid\"()", helpers.auth.quoted()),
        }
    }
}

/// Reads a column's default.
///
/// # Errors
/// A sentence that says what does not fit.
pub(crate) fn default(value: &Value, data_type: &DataType, labels: Option<&[String]>) -> Result<Default, String> {
    if data_type.array {
        let items = value
            .as_array()
            .ok_or_else(|| format!("The default of {data_type} must be a list"))?;
        let element = DataType::scalar(data_type.scalar.clone());
        return items
            .iter()
            .map(|item| scalar(item, &element, labels))
            .collect::<Result<_, _>>()
            .map(Default::Array);
    }
    if let Some(text) = value.as_str()
        && let Some(function) = function(text, &data_type.scalar)
    {
        return Ok(function);
    }
    scalar(value, data_type, labels).map(Default::Literal)
}

/// The function a text means in a column of that type.
fn function(text: &str, scalar: &Scalar) -> Option<Default> {
    use Scalar::{Date, Time, Timestamp, Timestamptz, Uuid};
    match (text.to_ascii_lowercase().as_str(), scalar) {
        ("now()" | "current_timestamp" | "current_timestamp()", Timestamptz | Timestamp | Date | Time) => {
            Some(Default::Now)
        }
        ("current_date", Date | Timestamp | Timestamptz) => Some(Default::CurrentDate),
        ("current_time", Time) => Some(Default::CurrentTime),
        ("gen_random_uuid()" | "uuid_generate_v4()", Uuid) => Some(Default::RandomUuid),
        ("auth.uid()", Uuid) => Some(Default::AuthUid),
        _ => None,
    }
}

/// A literal of a type that is no array.
fn scalar(value: &Value, data_type: &DataType, labels: Option<&[String]>) -> Result<String, String> {
    let wrong = || format!("{} is no {data_type} value", shown(value));
    let text = || value.as_str().ok_or_else(wrong);
    let quoted_if = |fits: bool, text: &str| if fits { Ok(literal(text)) } else { Err(wrong()) };
    match &data_type.scalar {
        Scalar::Text => text().and_then(|text| quoted_if(!text.contains('\0'), text)),
        Scalar::Uuid => text().and_then(|text| quoted_if(uuid::Uuid::try_parse(text).is_ok(), text)),
        Scalar::Boolean => value.as_bool().map(|flag| flag.to_string()).ok_or_else(wrong),
        Scalar::Integer => value
            .as_i64()
            .filter(|n| i32::try_from(*n).is_ok())
            .map(number)
            .ok_or_else(wrong),
        Scalar::Bigint => value.as_i64().map(number).ok_or_else(wrong),
        Scalar::Real | Scalar::Double | Scalar::Decimal(_) => decimal(value).map(number).ok_or_else(wrong),
        Scalar::Timestamptz => text().and_then(|text| quoted_if(text.parse::<jiff::Timestamp>().is_ok(), text)),
        Scalar::Timestamp => text().and_then(|text| quoted_if(text.parse::<jiff::civil::DateTime>().is_ok(), text)),
        Scalar::Date => text().and_then(|text| quoted_if(text.parse::<jiff::civil::Date>().is_ok(), text)),
        Scalar::Time => text().and_then(|text| quoted_if(text.parse::<jiff::civil::Time>().is_ok(), text)),
        Scalar::Json | Scalar::Jsonb => {
            let text = value.to_string();
            quoted_if(!text.contains("\\u0000"), &text)
        }
        Scalar::Enum(_) => text().and_then(|text| {
            let known = labels.is_some_and(|labels| labels.iter().any(|label| label == text));
            quoted_if(known, text)
        }),
    }
}

/// A number as SQL; quoted, so that a minus sign keeps to it under a cast.
fn number(value: impl ToString) -> String {
    literal(&value.to_string())
}

/// A JSON number, or a number written as text (which keeps its digits).
fn decimal(value: &Value) -> Option<String> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    let plain = text.len() <= 64
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E'));
    (plain && text.parse::<f64>().is_ok_and(f64::is_finite)).then_some(text)
}

/// The condition of a range check, over the bare column.
///
/// # Errors
/// A sentence that says what does not fit.
pub(crate) fn range(
    column: &Ident,
    min: Option<&Value>,
    max: Option<&Value>,
    data_type: &DataType,
) -> Result<String, String> {
    let length = data_type == &DataType::scalar(Scalar::Text);
    let (subject, of) = if length {
        (
            format!("pg_catalog.char_length({})", column.quoted()),
            DataType::scalar(Scalar::Integer),
        )
    } else if data_type.is_number() || data_type.is_temporal() {
        (column.quoted().to_string(), data_type.clone())
    } else {
        return Err(format!("A range makes no sense for {data_type}"));
    };
    let mut terms = Vec::new();
    for (bound, operator) in [(min, ">="), (max, "<=")] {
        if let Some(bound) = bound {
            // Only built-in types come here, so there is no schema to name.
            terms.push(format!(
                "{subject} {operator} {}::{}",
                scalar(bound, &of, None)?,
                of.sql(column)
            ));
        }
    }
    if let (Some(min), Some(max)) = (min.and_then(Value::as_f64), max.and_then(Value::as_f64))
        && min > max
    {
        return Err(format!("min {min} is greater than max {max}"));
    }
    Ok(terms.join(" and "))
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() {
        format!("{short}…")
    } else {
        short
    }
}
