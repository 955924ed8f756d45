//! Columns by the type that the catalog prints.

use super::piece::{Kind, Piece};

/// A column as a value. `written` is its name in the statement.
pub(super) fn column(data_type: &str, written: &str) -> Piece {
    let kind = kind(data_type);
    let unsigned = data_type.contains("unsigned") || data_type.contains("zerofill");
    let template = match kind {
        // Differences of unsigned numbers fail below zero.
        Kind::Int if unsigned => "cast({} as signed)",
        Kind::Decimal(20, 0) if unsigned && data_type.starts_with("bigint") => "cast({} as decimal(20,0))",
        Kind::Flag => "({} <> 0)",
        Kind::Text | Kind::Label => "convert({} using utf8mb4)",
        Kind::Uuid => "convert(cast({} as char) using utf8mb4)",
        _ => "{}",
    };
    Piece {
        column: Some(written.to_owned()),
        ..Piece::of(kind, template, &[&Piece::new(kind, written)])
    }
}

/// The same of a user variable, which keeps days as texts.
pub(super) fn remembered(data_type: &str, written: &str) -> Piece {
    let kept = match kind(data_type) {
        Kind::Date => format!("cast({written} as date)"),
        Kind::DateTime | Kind::Timestamp => format!("cast({written} as datetime(6))"),
        _ => written.to_owned(),
    };
    column(data_type, &kept)
}

fn kind(data_type: &str) -> Kind {
    let end = data_type
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(data_type.len());
    let unsigned = data_type.contains("unsigned") || data_type.contains("zerofill");
    match &data_type[..end] {
        "tinyint" if data_type == "tinyint(1)" => Kind::Flag,
        "boolean" | "bool" => Kind::Flag,
        "bigint" if unsigned => Kind::Decimal(20, 0),
        "tinyint" | "smallint" | "mediumint" | "int" | "integer" | "bigint" | "year" => Kind::Int,
        "decimal" | "numeric" => decimal(data_type),
        "float" | "double" | "real" => Kind::Float,
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" => Kind::Text,
        "enum" => Kind::Label,
        "uuid" => Kind::Uuid,
        "date" => Kind::Date,
        "datetime" => Kind::DateTime,
        "timestamp" => Kind::Timestamp,
        _ => Kind::Other,
    }
}

/// `decimal(10,2)`
fn decimal(data_type: &str) -> Kind {
    let inner = data_type.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    let (digits, scale) = inner.map_or(("10", "0"), |(inner, _)| inner.split_once(',').unwrap_or((inner, "0")));
    Kind::Decimal(digits.trim().parse().unwrap_or(65), scale.trim().parse().unwrap_or(30))
}

/// Whether a column of that type can hold a user's id.
pub(crate) fn holds_id(data_type: &str) -> bool {
    matches!(kind(data_type), Kind::Text | Kind::Uuid)
}
