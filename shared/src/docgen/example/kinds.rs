//! Types by what their values look like in JSON, whatever engine prints them.

use serde_json::{Value, json};

/// What values of a type look like.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Up to this number.
    Integer(i64),
    Float,
    /// Digits in all and behind the point, if said.
    Decimal(Option<(i32, i32)>),
    /// Up to so many characters, if said.
    Text(Option<usize>),
    /// Always this one.
    Fixed(Value),
    /// A label of an enum that is part of the type.
    Label(String),
    Unknown,
}

impl Kind {
    /// Of a type as Postgres, CockroachDB, MySQL or a resource map prints it.
    pub(super) fn of(data_type: &str) -> Self {
        let lower = data_type.to_ascii_lowercase();
        let (name, arguments) = parts(&lower);
        let number = |at: usize| arguments.get(at).and_then(|text| text.trim().parse::<i32>().ok());
        let fixed = |text: &str| Self::Fixed(json!(text));
        match name.trim_end_matches(" unsigned").trim_end_matches(" zerofill") {
            "smallint" | "int2" | "smallserial" => Self::Integer(32_767),
            "tinyint" => Self::Integer(127),
            "mediumint" => Self::Integer(8_388_607),
            "integer" | "int" | "int4" | "serial" => Self::Integer(i64::from(i32::MAX)),
            "bigint" | "int8" | "bigserial" | "number" => Self::Integer(9_007_199_254_740_991),
            "real" | "float4" | "double precision" | "double" | "float8" | "float" => Self::Float,
            "numeric" | "decimal" | "dec" => Self::Decimal(number(0).map(|digits| (digits, number(1).unwrap_or(0)))),
            "money" => Self::Decimal(Some((10, 2))),
            "text" | "citext" | "string" | "tinytext" | "mediumtext" | "longtext" | "name" => Self::Text(None),
            "character varying" | "varchar" | "nvarchar" => Self::Text(number(0).and_then(|most| most.try_into().ok())),
            "character" | "char" | "bpchar" | "nchar" => {
                Self::Text(Some(number(0).and_then(|most| most.try_into().ok()).unwrap_or(1)))
            }
            "boolean" | "bool" => Self::Fixed(json!(true)),
            "uuid" => fixed("00000000-0000-4000-8000-000000000001"),
            "date" => fixed("2026-01-31"),
            "time" | "time without time zone" => fixed("09:30:00"),
            "time with time zone" | "timetz" => fixed("09:30:00+00"),
            "timestamp with time zone" | "timestamptz" => fixed("2026-01-31T09:30:00Z"),
            "timestamp without time zone" => fixed("2026-01-31T09:30:00"),
            "timestamp" | "datetime" => fixed("2026-01-31 09:30:00"),
            "interval" => fixed("1 day"),
            "year" => Self::Fixed(json!(2026)),
            "json" | "jsonb" | "object" => Self::Fixed(json!({ "key": "value" })),
            "array" => Self::Fixed(json!([])),
            "bytea" => fixed("\\x00ff"),
            "inet" => fixed("192.0.2.1"),
            "cidr" => fixed("192.0.2.0/24"),
            "macaddr" => fixed("08:00:2b:01:02:03"),
            "tsvector" => fixed("'example':1"),
            "point" => fixed("(1,2)"),
            "int4range" | "int8range" | "numrange" => fixed("[1,10)"),
            "daterange" => fixed("[2026-01-01,2026-02-01)"),
            "xml" => fixed("<example/>"),
            "enum" | "set" => match labels(data_type).into_iter().next() {
                Some(label) => Self::Label(label),
                None => Self::Unknown,
            },
            _ => Self::Unknown,
        }
    }
}

/// `numeric(5,2)` and `timestamp(3) with time zone`, in name and arguments.
fn parts(lower: &str) -> (String, Vec<&str>) {
    let Some(open) = lower.find('(') else {
        return (lower.trim().to_owned(), vec![]);
    };
    let close = lower.rfind(')').filter(|close| *close > open).unwrap_or(lower.len());
    let arguments = lower.get(open + 1..close).unwrap_or_default().split(',').collect();
    let after = lower.get(close + 1..).unwrap_or_default();
    (
        format!("{}{after}", lower[..open].trim_end()).trim().to_owned(),
        arguments,
    )
}

/// The labels of `enum('a','it''s')`.
fn labels(data_type: &str) -> Vec<String> {
    let Some(open) = data_type.find('(') else { return vec![] };
    let inner = data_type[open + 1..].trim_end_matches(')');
    let mut found = Vec::new();
    let mut rest = inner;
    while let Some(begun) = rest.strip_prefix('\'') {
        let mut label = String::new();
        let mut chars = begun.char_indices().peekable();
        let mut end = begun.len();
        while let Some((at, c)) = chars.next() {
            if c != '\'' {
                label.push(c);
            } else if chars.next_if(|(_, next)| *next == '\'').is_some() {
                label.push('\'');
            } else {
                end = at + 1;
                break;
            }
        }
        found.push(label);
        rest = begun[end..].trim_start_matches(',');
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_every_engine_are_known() {
        assert_eq!(Kind::of("timestamp(3) with time zone"), Kind::of("timestamptz"));
        assert_eq!(Kind::of("INT(11) unsigned"), Kind::Integer(i64::from(i32::MAX)));
        assert_eq!(Kind::of("character varying"), Kind::Text(None));
        assert_eq!(Kind::of("numeric(6)"), Kind::Decimal(Some((6, 0))));
        assert_eq!(Kind::of("enum('it''s','b')"), Kind::Label("it's".to_owned()));
        assert_eq!(labels("set('a','b,c')"), ["a", "b,c"]);
        assert_eq!(Kind::of("geometry"), Kind::Unknown);
    }
}
