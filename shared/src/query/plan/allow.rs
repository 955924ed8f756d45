//! What may be done to a relation or a function at all, for the `Allow` header.

use super::call::unknown;
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

/// The methods that the functions of that name take: those that may all write are not read.
///
/// # Errors
/// 404 `PGRST202`.
pub fn allowed_on_function(name: &str, catalog: &Catalog) -> Result<String> {
    let overloads = catalog.functions(name);
    if overloads.is_empty() {
        return Err(unknown(name, catalog));
    }
    let writes = overloads
        .iter()
        .all(|function| function.volatility == Volatility::Volatile);
    Ok(if writes {
        "OPTIONS,POST"
    } else {
        "OPTIONS,GET,HEAD,POST"
    }
    .to_owned())
}
