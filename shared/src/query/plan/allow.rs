//! What may be done to a relation or a function at all, for the `Allow` header.

use super::relation;
use crate::error::Result;
use crate::schema::catalog::{Catalog, Volatility};

/// The methods that the relation `table` takes; a view's follow from its definition and its triggers.
///
/// # Errors
/// 404 `PGRST205`.
pub fn allowed_on_table(table: &str, catalog: &Catalog) -> Result<String> {
    let relation = relation(table, catalog)?;
    let can = relation.writable;
    let methods = [
        (true, "OPTIONS,GET,HEAD"),
        (can.insert, "POST"),
        (can.insert && can.update && !relation.primary_key.is_empty(), "PUT"),
        (can.update, "PATCH"),
        (can.delete, "DELETE"),
    ];
    let methods: Vec<&str> = methods.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    Ok(methods.join(","))
}

/// The methods that a function takes: one that may write is not read.
pub fn allowed_on_function(volatility: Volatility) -> &'static str {
    match volatility {
        Volatility::Volatile => "OPTIONS,POST",
        Volatility::Stable | Volatility::Immutable => "OPTIONS,GET,HEAD,POST",
    }
}
