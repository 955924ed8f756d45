//! What a column's type lets it hold, whichever engine prints it.

use crate::schema::catalog::Column;

/// What values can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Json,
    Number,
    Date,
    Bytes,
    /// Of a network.
    Address,
    /// On earth.
    Place,
    /// Yes and no, ids, one of a list, and all else that says nothing by itself.
    Other,
}

/// By the type's printed name.
pub(super) fn holds(column: &Column) -> Holds {
    let printed = column.value_type().to_ascii_lowercase();
    let name = printed.split('(').next().unwrap_or(&printed).trim();
    let name = name.trim_end_matches("[]").trim_start_matches("pg_catalog.");
    // MySQL says of numbers whether they have a sign.
    let name = name.split(" unsigned").next().unwrap_or(name);
    match name {
        _ if printed == "tinyint(1)" => Holds::Other,
        "text" | "character varying" | "varchar" | "character" | "char" | "bpchar" | "citext" | "name" | "string"
        | "tinytext" | "mediumtext" | "longtext" => Holds::Text,
        "json" | "jsonb" | "hstore" => Holds::Json,
        "smallint" | "integer" | "int" | "bigint" | "mediumint" | "tinyint" | "numeric" | "decimal" | "real"
        | "float" | "double" | "double precision" | "int4" | "int8" => Holds::Number,
        "date" | "datetime" | "year" => Holds::Date,
        _ if name.starts_with("timestamp") => Holds::Date,
        "bytea" | "bytes" | "blob" | "tinyblob" | "mediumblob" | "longblob" | "binary" | "varbinary" => Holds::Bytes,
        "inet" | "cidr" | "inet4" | "inet6" => Holds::Address,
        "point" | "geometry" | "geography" => Holds::Place,
        _ => Holds::Other,
    }
}
