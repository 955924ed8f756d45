//! A part of a rule with its type, as Postgres would have it.

use crate::error::Result;
use crate::query::mysql::Param;
use serde_json::Value;

use super::inexact;

/// A type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `null`, before its type is known.
    Null,
    /// A text in quotes, before its type is known.
    Literal,
    /// True, false or null; never another number.
    Bool,
    /// A `tinyint(1)`: a truth, or a number where it meets one.
    Flag,
    /// A whole number.
    Int,
    /// An exact number: digits in all, digits behind the point.
    Decimal(u32, u32),
    /// A number that is not exact.
    Float,
    /// Characters.
    Text,
    /// A label of an enum, whose order is not that of texts.
    Label,
    /// A uuid.
    Uuid,
    /// The caller's id: a uuid, or a text in a column of texts.
    Uid,
    /// A day.
    Date,
    /// A day and time anywhere.
    DateTime,
    /// A moment.
    Timestamp,
    /// The caller's claims, or a part of them.
    Json,
    /// Anything else: it can be null or not.
    Other,
}

impl Kind {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Literal => "a literal",
            Self::Bool | Self::Flag => "boolean",
            Self::Int => "integer",
            Self::Decimal(..) => "numeric",
            Self::Float => "double precision",
            Self::Text => "text",
            Self::Label => "an enum",
            Self::Uuid | Self::Uid => "uuid",
            Self::Date => "date",
            Self::DateTime => "timestamp",
            Self::Timestamp => "timestamptz",
            Self::Json => "jsonb",
            Self::Other => "a type without a match in Postgres",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Decimal(..) | Self::Float)
    }

    pub(super) fn is_texts(self) -> bool {
        matches!(self, Self::Text | Self::Label | Self::Uuid | Self::Uid)
    }

    pub(super) fn is_day(self) -> bool {
        matches!(self, Self::Date | Self::DateTime | Self::Timestamp)
    }
}

/// What is known of a value before the statement runs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Known {
    /// Nothing.
    No,
    /// A text, or null.
    Text(Option<String>),
    /// JSON, or null.
    Json(Option<Value>),
    /// A whole number.
    Int(i64),
}

/// A part of a rule. What is made of parts stands in parentheses.
#[derive(Debug, Clone)]
pub(in crate::query::mysql) struct Piece {
    pub(super) sql: String,
    pub(super) params: Vec<Param>,
    pub(super) kind: Kind,
    pub(super) known: Known,
    /// The bare column that this is a conversion of: an index may know it.
    pub(super) column: Option<String>,
}

impl Piece {
    pub(super) fn new(kind: Kind, sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            params: Vec::new(),
            kind,
            known: Known::No,
            column: None,
        }
    }

    pub(super) fn null(kind: Kind) -> Self {
        Self::new(kind, "null")
    }

    /// A text that is known.
    pub(super) fn text(kind: Kind, text: Option<String>) -> Self {
        let known = Known::Text(text.clone());
        let made = match text {
            Some(text) => Self {
                params: vec![Param::Text(text)],
                ..Self::new(kind, "?")
            },
            None => Self::null(kind),
        };
        Self { known, ..made }
    }

    pub(super) fn json(value: Option<Value>) -> Self {
        Self {
            known: Known::Json(value),
            ..Self::null(Kind::Json)
        }
    }

    pub(super) fn int(number: Option<i64>) -> Self {
        match number {
            // A number of ours: digits only.
            Some(number) => Self {
                known: Known::Int(number),
                ..Self::new(Kind::Int, number.to_string())
            },
            None => Self::null(Kind::Int),
        }
    }

    pub(super) fn truth(value: Option<bool>) -> Self {
        Self::new(
            Kind::Bool,
            value.map_or("null", |value| if value { "true" } else { "false" }),
        )
    }

    /// Its text and parameters.
    pub(in crate::query::mysql) fn into_parts(self) -> (String, Vec<Param>) {
        (self.sql, self.params)
    }

    /// Text of ours with parts in the places of `{}`.
    pub(super) fn of(kind: Kind, template: &str, parts: &[&Self]) -> Self {
        let mut made = Self::new(kind, String::new());
        let mut parts = parts.iter();
        for (at, text) in template.split("{}").enumerate() {
            if at > 0
                && let Some(part) = parts.next()
            {
                made.sql.push_str(&part.sql);
                made.params.extend(part.params.iter().cloned());
            }
            made.sql.push_str(text);
        }
        made
    }

    /// The same, known to be that.
    pub(super) fn with(self, known: Known) -> Self {
        Self { known, ..self }
    }

    /// Truths with a word between.
    pub(super) fn joined(parts: Vec<Self>, word: &str) -> Self {
        let mut made = Self::new(Kind::Bool, "(");
        for (at, part) in parts.into_iter().enumerate() {
            made.sql.push_str(if at > 0 { word } else { "" });
            made.sql.push_str(&part.sql);
            made.params.extend(part.params);
        }
        made.sql.push(')');
        made
    }

    /// The characters of a text, for what looks at characters.
    pub(super) fn characters(self) -> Result<Self> {
        match self.kind {
            Kind::Text => Ok(self),
            Kind::Literal => Ok(Self {
                kind: Kind::Text,
                ..self
            }),
            Kind::Null => Ok(Self::null(Kind::Text)),
            other => Err(inexact(
                format!("{} where a text is expected", other.name()),
                "Cast it: (value)::text",
            )),
        }
    }

    /// The bytes of a text: what decides whether two are the same.
    pub(super) fn bytes(&self) -> Self {
        Self::of(self.kind, "cast({} as binary)", &[self])
    }
}
