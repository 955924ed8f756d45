//! Column types: a closed list, arrays of it, and the project's own enums.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ident::Ident;

/// A type without its array brackets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// `uuid`
    Uuid,
    /// `text`
    Text,
    /// `integer`: 32 bits.
    Integer,
    /// `bigint`: 64 bits.
    Bigint,
    /// `boolean`
    Boolean,
    /// `timestamptz`
    Timestamptz,
    /// `timestamp`, without time zone.
    Timestamp,
    /// `date`
    Date,
    /// `time`, without time zone.
    Time,
    /// `json`
    Json,
    /// `jsonb`
    Jsonb,
    /// `decimal`, with precision and scale if given.
    Decimal(Option<(u16, u16)>),
    /// `real`: 32-bit floating point.
    Real,
    /// `double`: 64-bit floating point.
    Double,
    /// An enum of the project.
    Enum(Ident),
}

/// A column's type. Written as text: `integer`, `decimal(10,2)`, `text[]`, or an enum's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DataType {
    /// The type, or the type of the elements.
    pub scalar: Scalar,
    /// Whether it is an array (of one dimension) of these.
    pub array: bool,
}

/// Precision of a decimal that Postgres accepts.
const MAX_PRECISION: u16 = 1000;

impl DataType {
    /// A type that is no array.
    pub const fn scalar(scalar: Scalar) -> Self {
        Self { scalar, array: false }
    }

    /// Reads the text form; a name that is no built-in type counts as an enum's, to be looked up by the caller.
    /// `None` if it is neither.
    pub fn from_text(text: &str) -> Option<Self> {
        let (base, array) = match text.strip_suffix("[]") {
            Some(base) => (base, true),
            None => (text, false),
        };
        Some(Self {
            scalar: Scalar::from_text(base)?,
            array,
        })
    }

    /// Whether values are ordered numbers.
    pub fn is_number(&self) -> bool {
        use Scalar::{Bigint, Decimal, Double, Integer, Real};
        !self.array && matches!(self.scalar, Integer | Bigint | Decimal(_) | Real | Double)
    }

    /// Whether values are points in time, a day or a time of day.
    pub fn is_temporal(&self) -> bool {
        use Scalar::{Date, Time, Timestamp, Timestamptz};
        !self.array && matches!(self.scalar, Timestamptz | Timestamp | Date | Time)
    }

    /// Whether values can be compared for equality and order (`json` cannot).
    pub fn is_comparable(&self) -> bool {
        self.scalar != Scalar::Json
    }

    /// Whether a GIN index can be built on it with its default operators.
    pub fn has_gin(&self) -> bool {
        self.array && self.scalar != Scalar::Json || self.scalar == Scalar::Jsonb
    }

    /// The enum, if it is one or an array of one.
    pub fn enum_name(&self) -> Option<&Ident> {
        match &self.scalar {
            Scalar::Enum(name) => Some(name),
            _ => None,
        }
    }

    /// The type as SQL; enums are qualified by `schema`.
    pub fn sql(&self, schema: &Ident) -> String {
        let base = match &self.scalar {
            Scalar::Enum(name) => format!("{}.{}", schema.quoted(), name.quoted()),
            Scalar::Double => "double precision".to_owned(),
            other => other.to_string(),
        };
        if self.array { format!("{base}[]") } else { base }
    }

    /// Whether a column may be changed to `to` without losing a value: the safe list.
    pub fn widens_to(&self, to: &Self) -> bool {
        use Scalar::{Bigint, Date, Decimal, Double, Integer, Json, Jsonb, Real, Text, Timestamp, Timestamptz};
        if self == to {
            return true;
        }
        if to == &Self::scalar(Text) || (self == &Self::scalar(Text) && !to.array) {
            return true;
        }
        if self.array != to.array {
            return false;
        }
        matches!(
            (&self.scalar, &to.scalar),
            (Integer, Bigint | Decimal(None) | Double)
                | (Bigint, Decimal(None))
                | (Decimal(Some(_)), Decimal(None))
                | (Real, Double)
                | (Date, Timestamp | Timestamptz)
                | (Json, Jsonb)
        )
    }
}

impl Scalar {
    fn from_text(text: &str) -> Option<Self> {
        Some(match text {
            "uuid" => Self::Uuid,
            "text" => Self::Text,
            "integer" | "int" | "int4" => Self::Integer,
            "bigint" | "int8" => Self::Bigint,
            "boolean" | "bool" => Self::Boolean,
            "timestamptz" | "timestamp with time zone" => Self::Timestamptz,
            "timestamp" | "timestamp without time zone" => Self::Timestamp,
            "date" => Self::Date,
            "time" | "time without time zone" => Self::Time,
            "json" => Self::Json,
            "jsonb" => Self::Jsonb,
            "decimal" | "numeric" => Self::Decimal(None),
            "real" | "float4" => Self::Real,
            "double" | "double precision" | "float8" => Self::Double,
            _ => return Self::decimal(text).or_else(|| Ident::snake_case(text).ok().map(Self::Enum)),
        })
    }

    /// `decimal(10,2)` and `numeric(10)`.
    fn decimal(text: &str) -> Option<Self> {
        let inner = text
            .strip_prefix("decimal(")
            .or_else(|| text.strip_prefix("numeric("))?
            .strip_suffix(')')?;
        let (precision, scale) = inner.split_once(',').unwrap_or((inner, "0"));
        let (precision, scale) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
        Self::checked_decimal(precision, scale)
    }

    /// A decimal whose precision (1-1000) and scale (at most the precision) Postgres takes.
    pub(crate) fn checked_decimal(precision: u16, scale: u16) -> Option<Self> {
        let fits = (1..=MAX_PRECISION).contains(&precision) && scale <= precision;
        fits.then_some(Self::Decimal(Some((precision, scale))))
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Uuid => "uuid",
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Boolean => "boolean",
            Self::Timestamptz => "timestamptz",
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Time => "time",
            Self::Json => "json",
            Self::Jsonb => "jsonb",
            Self::Decimal(None) => "decimal",
            Self::Decimal(Some((precision, scale))) => return write!(f, "decimal({precision},{scale})"),
            Self::Real => "real",
            Self::Double => "double",
            Self::Enum(name) => name.as_str(),
        })
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.scalar, if self.array { "[]" } else { "" })
    }
}

impl Serialize for DataType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DataType {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_text(&text).ok_or_else(|| serde::de::Error::custom("not a column type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_form_round_trips_canonically() {
        for (given, canonical) in [
            ("uuid", "uuid"),
            ("int", "integer"),
            ("text[]", "text[]"),
            ("decimal(10,2)", "decimal(10,2)"),
            ("numeric(10, 2)[]", "decimal(10,2)[]"),
            ("numeric(5)", "decimal(5,0)"),
            ("double precision", "double"),
            ("mood", "mood"),
            ("mood[]", "mood[]"),
        ] {
            assert_eq!(DataType::from_text(given).unwrap().to_string(), canonical, "{given}");
        }
    }

    #[test]
    fn text_form_refuses_what_is_no_name() {
        for bad in [
            "",
            "[]",
            "text[][]",
            "text;drop",
            "decimal(0,0)",
            "decimal(2,3)",
            "decimal(99999,1)",
            "Text",
            "a.b",
        ] {
            assert!(DataType::from_text(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn enum_in_sql_is_qualified_and_quoted() {
        let schema = Ident::new("project_x").unwrap();
        assert_eq!(
            DataType::from_text("mood[]").unwrap().sql(&schema),
            r#""project_x"."mood"[]"#
        );
        assert_eq!(DataType::from_text("double").unwrap().sql(&schema), "double precision");
    }
}
