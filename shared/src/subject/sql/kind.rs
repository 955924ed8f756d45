//! What matters of a column's type here, whichever engine prints it.

use super::Dialect;
use crate::schema::catalog::Column;

/// A kind of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::subject) enum Kind {
    /// Whole numbers of so many bytes.
    Integer {
        bytes: u8,
        unsigned: bool,
    },
    Decimal,
    Float,
    Bool,
    /// Bits as MySQL has them.
    Bits,
    /// Characters, at most so many.
    Text {
        most: Option<usize>,
    },
    Uuid,
    Bytes {
        most: Option<usize>,
        fixed: bool,
    },
    Json,
    Date,
    /// A day and time; whether it is a moment.
    DateTime {
        moment: bool,
    },
    Time,
    Interval,
    Address,
    Year,
    /// Several of a fixed list, as MySQL has them.
    Set,
    Array,
    Shape,
    /// Anything else; one of a fixed list among it.
    Other,
}

impl Kind {
    /// Of a column.
    pub(in crate::subject) fn of(dialect: Dialect, column: &Column) -> Self {
        let printed = column.value_type().to_ascii_lowercase();
        match dialect {
            Dialect::MySql => of_mysql(&printed),
            Dialect::Postgres | Dialect::Cockroach => of_postgres(&printed),
        }
    }

    /// Whether values of both kinds are compared as they are.
    pub(super) fn compares_with(self, other: Self) -> bool {
        use Kind::{Decimal, Integer, Text};
        let numbers = |kind| matches!(kind, Integer { .. } | Decimal);
        self == other || (numbers(self) && numbers(other)) || matches!((self, other), (Text { .. }, Text { .. }))
    }
}

/// What is in the parentheses behind a type's name.
fn length(printed: &str) -> Option<usize> {
    let (_, behind) = printed.split_once('(')?;
    behind.split([',', ')']).next()?.trim().parse().ok()
}

fn integer(bytes: u8, unsigned: bool) -> Kind {
    Kind::Integer { bytes, unsigned }
}

fn of_postgres(printed: &str) -> Kind {
    if printed.ends_with("[]") {
        return Kind::Array;
    }
    let name = printed.split('(').next().unwrap_or(printed).trim_end();
    match name {
        "smallint" => integer(2, false),
        "integer" => integer(4, false),
        "bigint" => integer(8, false),
        "numeric" => Kind::Decimal,
        "real" | "double precision" => Kind::Float,
        "boolean" => Kind::Bool,
        "text" | "character varying" | "citext" | "string" => Kind::Text { most: length(printed) },
        "character" => Kind::Text {
            most: length(printed).or(Some(1)),
        },
        "name" => Kind::Text { most: Some(63) },
        "\"char\"" => Kind::Text { most: Some(1) },
        "uuid" => Kind::Uuid,
        "bytea" | "bytes" => Kind::Bytes {
            most: None,
            fixed: false,
        },
        "json" | "jsonb" => Kind::Json,
        "date" => Kind::Date,
        "inet" | "cidr" => Kind::Address,
        _ if name.starts_with("timestamp") => Kind::DateTime {
            moment: printed.ends_with("with time zone"),
        },
        _ if name.starts_with("time") => Kind::Time,
        _ if name.starts_with("interval") => Kind::Interval,
        _ => Kind::Other,
    }
}

fn of_mysql(printed: &str) -> Kind {
    let name = printed.split(['(', ' ']).next().unwrap_or(printed);
    let unsigned = printed.contains("unsigned");
    let bytes = |fixed| Kind::Bytes {
        most: length(printed),
        fixed,
    };
    let text = |most| Kind::Text { most: Some(most) };
    match name {
        "tinyint" => integer(1, unsigned),
        "smallint" => integer(2, unsigned),
        "mediumint" => integer(3, unsigned),
        "int" | "integer" => integer(4, unsigned),
        "bigint" => integer(8, unsigned),
        "decimal" | "numeric" => Kind::Decimal,
        "float" | "double" | "real" => Kind::Float,
        "boolean" => Kind::Bool,
        "bit" => Kind::Bits,
        "char" | "varchar" => text(length(printed).unwrap_or(1)),
        "tinytext" => text(63),
        "text" | "mediumtext" | "longtext" => Kind::Text { most: None },
        "uuid" => Kind::Uuid,
        "binary" => bytes(true),
        "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "vector" => bytes(false),
        "json" => Kind::Json,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime { moment: false },
        "timestamp" => Kind::DateTime { moment: true },
        "time" => Kind::Time,
        "year" => Kind::Year,
        "set" => Kind::Set,
        "inet4" | "inet6" => Kind::Address,
        "geometry" | "point" | "linestring" | "polygon" | "multipoint" | "multilinestring" | "multipolygon"
        | "geometrycollection" | "geomcollection" => Kind::Shape,
        _ => Kind::Other,
    }
}
