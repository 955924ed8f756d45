//! Parameters on their way to the server, and back.

use mysql_async::{Params, Value};

use crate::query::mysql::Param;

/// As the protocol takes them.
pub(super) fn params(all: &[Param]) -> Params {
    if all.is_empty() {
        return Params::Empty;
    }
    Params::Positional(all.iter().map(value).collect())
}

fn value(param: &Param) -> Value {
    match param {
        Param::Null => Value::NULL,
        Param::Text(text) => Value::Bytes(text.clone().into_bytes()),
        Param::Bytes(bytes) => Value::Bytes(bytes.clone()),
        Param::Int(number) => Value::Int(*number),
        Param::Unsigned(number) => Value::UInt(*number),
        Param::Float(number) => Value::Double(*number),
    }
}

/// A value that came from the server, to be sent to it again.
pub(super) fn param(value: Value) -> Param {
    match value {
        Value::NULL => Param::Null,
        Value::Bytes(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Param::Text(text),
            Err(error) => Param::Bytes(error.into_bytes()),
        },
        Value::Int(number) => Param::Int(number),
        Value::UInt(number) => Param::Unsigned(number),
        Value::Float(number) => Param::Float(f64::from(number)),
        Value::Double(number) => Param::Float(number),
        Value::Date(year, month, day, hour, minute, second, micros) => Param::Text(format!(
            "{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}"
        )),
        Value::Time(negative, days, hours, minutes, seconds, micros) => {
            let hours = days * 24 + u32::from(hours);
            let sign = if negative { "-" } else { "" };
            Param::Text(format!("{sign}{hours:02}:{minutes:02}:{seconds:02}.{micros:06}"))
        }
    }
}
