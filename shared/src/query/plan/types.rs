//! Type names: those a request casts to, and those the catalog knows columns by.

use super::super::shown;
use super::{CastRule, Class};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::catalog::Catalog;

/// A type that a request named and the rules allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeName {
    /// A type of every Postgres, by its catalog name (`int4`).
    Builtin {
        /// The name.
        name: &'static str,
        /// Whether an array of it is meant.
        array: bool,
    },
    /// One of the project's enums.
    Enum {
        /// The name.
        name: Ident,
        /// Whether an array of it is meant.
        array: bool,
    },
    /// Whatever the search path finds; only under [`CastRule::Any`].
    Named {
        /// The name.
        name: Ident,
        /// Whether an array of it is meant.
        array: bool,
    },
}

/// The type of a column that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnType {
    /// As the catalog prints it: trusted text.
    Printed(String),
    /// One of the project's enums, to be qualified.
    Enum {
        /// The name.
        name: Ident,
        /// Whether it is an array of it.
        array: bool,
    },
}

impl ColumnType {
    /// What matters of it when SQL is written.
    pub(in crate::query) fn class(&self) -> Class {
        match self {
            Self::Printed(text) => class(text),
            Self::Enum { array: true, .. } => Class::Array,
            Self::Enum { array: false, .. } => Class::Other,
        }
    }
}

/// Spellings and the types they mean, sorted by spelling.
const BUILTIN: &[(&str, &str)] = &[
    ("bigint", "int8"),
    ("bool", "bool"),
    ("boolean", "bool"),
    ("character varying", "varchar"),
    ("date", "date"),
    ("decimal", "numeric"),
    ("double", "float8"),
    ("double precision", "float8"),
    ("float4", "float4"),
    ("float8", "float8"),
    ("int", "int4"),
    ("int2", "int2"),
    ("int4", "int4"),
    ("int8", "int8"),
    ("integer", "int4"),
    ("interval", "interval"),
    ("json", "json"),
    ("jsonb", "jsonb"),
    ("numeric", "numeric"),
    ("real", "float4"),
    ("smallint", "int2"),
    ("text", "text"),
    ("time", "time"),
    ("time with time zone", "timetz"),
    ("time without time zone", "time"),
    ("timestamp", "timestamp"),
    ("timestamp with time zone", "timestamptz"),
    ("timestamp without time zone", "timestamp"),
    ("timestamptz", "timestamptz"),
    ("timetz", "timetz"),
    ("uuid", "uuid"),
    ("varchar", "varchar"),
];

fn builtin(name: &str) -> Option<&'static str> {
    BUILTIN
        .binary_search_by_key(&name, |(spelling, _)| spelling)
        .ok()
        .map(|at| BUILTIN[at].1)
}

fn without_brackets(text: &str) -> (&str, bool) {
    match text.strip_suffix("[]") {
        Some(element) => (element.trim_end(), true),
        None => (text, false),
    }
}

/// Reads the type of a cast.
///
/// # Errors
/// `records/cast-not-allowed`.
pub(super) fn cast(text: &str, catalog: &Catalog, rule: CastRule) -> Result<TypeName> {
    let (name, array) = without_brackets(text.trim());
    if let Some(name) = builtin(&name.to_ascii_lowercase()) {
        return Ok(TypeName::Builtin { name, array });
    }
    let known = catalog.enums.contains_key(name);
    match (Ident::new(name), rule) {
        (Ok(name), _) if known => Ok(TypeName::Enum { name, array }),
        (Ok(name), CastRule::Any) if !name.as_str().contains(['[', ']']) => Ok(TypeName::Named { name, array }),
        _ => Err(Error::invalid("records/cast-not-allowed", format!("Cannot cast to {}", shown(text))).with_hint(
            "Cast to text, int2, int4, int8, numeric, float4, float8, boolean, uuid, date, time, timetz, timestamp, \
             timestamptz, interval, json, jsonb, an array of one of these, or an enum of the project",
        )),
    }
}

/// The type of a column, for reading JSON into it.
pub(super) fn column(data_type: &str, catalog: &Catalog) -> ColumnType {
    let (element, array) = without_brackets(data_type);
    let bare = match element.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None if builtin(element).is_some() => return ColumnType::Printed(data_type.to_owned()),
        None => element.to_owned(),
    };
    match Ident::new(bare) {
        Ok(name) if catalog.enums.contains_key(name.as_str()) => ColumnType::Enum { name, array },
        _ => ColumnType::Printed(data_type.to_owned()),
    }
}

/// What matters of a type when SQL is written.
pub(super) fn class(data_type: &str) -> Class {
    if data_type.ends_with("[]") {
        return Class::Array;
    }
    match data_type {
        "json" | "jsonb" => Class::Json,
        "text" | "citext" | "name" | "\"char\"" => Class::Text,
        other if other.starts_with("character") => Class::Text,
        other => by_first_word(other),
    }
}

/// `decimal(10,2) unsigned`, `bigint`: types of MySQL, whose SQL depends on them, and what Postgres calls alike.
fn by_first_word(data_type: &str) -> Class {
    let end = data_type
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(data_type.len());
    match &data_type[..end] {
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "year" => Class::Integer,
        "decimal" | "numeric" => Class::Decimal,
        "float" | "double" | "real" => Class::Float,
        "boolean" => Class::Bool,
        "bit" => Class::Bits,
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Class::Bytes,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Class::Bytes,
        "date" => Class::Date,
        "time" => Class::Time,
        "datetime" => Class::DateTime,
        "timestamp" => Class::Timestamp,
        "char" | "varchar" | "enum" | "set" if data_type.contains('(') => Class::Text,
        "tinytext" | "mediumtext" | "longtext" => Class::Text,
        _ => Class::Other,
    }
}
