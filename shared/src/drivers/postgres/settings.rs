//! The settings of a transaction: one statement, all of them local to it.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use crate::backend::Scope;
use crate::ident::Ident;
use crate::query::postgres::SETTINGS as READ_BY_QUERIES;

/// What our SQL depends on. A tenant's code can leave its own session with any of these changed, so they are set each
/// time; `client_encoding`, which the settings themselves depend on, is set by [`begin`].
const FIXED: &[(&str, &str)] = &[
    ("row_security", "on"),
    ("standard_conforming_strings", "on"),
    ("DateStyle", "ISO, MDY"),
    ("IntervalStyle", "postgres"),
    ("bytea_output", "hex"),
    ("extra_float_digits", "1"),
    ("array_nulls", "on"),
    ("transform_null_equals", "off"),
    ("quote_all_identifiers", "off"),
    ("default_text_search_config", "pg_catalog.english"),
    ("client_min_messages", "warning"),
    ("lock_timeout", "0"),
];

/// Settings whose value comes from the request. The role is the last: what stands before it is set as the login.
const GIVEN: [&str; 10] = [
    "statement_timeout",
    "idle_in_transaction_session_timeout",
    "search_path",
    "TimeZone",
    "request.jwt.claims",
    "request.method",
    "request.path",
    "request.headers",
    "app.tenant_id",
    "role",
];

/// The settings statement; its parameters are [`values`].
pub(super) static STATEMENT: LazyLock<String> = LazyLock::new(|| {
    let mut sql = "select ".to_owned();
    for (name, value) in FIXED.iter().chain(READ_BY_QUERIES) {
        // Writing to a string cannot fail.
        let _ = write!(sql, "pg_catalog.set_config('{name}', '{value}', true), ");
    }
    for (at, name) in GIVEN.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        let _ = write!(sql, "{comma}pg_catalog.set_config('{name}', ${}, true)", at + 1);
    }
    sql
});

/// Where names are looked up. A temporary table would otherwise come before any other.
pub(super) fn search_path(schema: Option<&Ident>) -> String {
    match schema {
        Some(schema) => format!("{}, pg_temp", schema.quoted()),
        None => "pg_catalog, pg_temp".to_owned(),
    }
}

/// The settings of a data request. The server gives up a little before we do, so that the connection survives.
pub(super) fn values(scope: &Scope, role: &str, left: Duration) -> Vec<Option<String>> {
    let timeout = (left * 9 / 10).as_millis().max(1).to_string();
    [
        timeout.clone(),
        timeout,
        search_path(Some(&scope.place.schema)),
        scope.timezone.clone().unwrap_or_else(|| "UTC".to_owned()),
        scope.claims.clone(),
        scope.method.clone(),
        scope.path.clone(),
        scope.headers.clone(),
        scope.tenant.clone(),
        role.to_owned(),
    ]
    .map(Some)
    .into()
}

/// The settings of a look into the catalog. With nothing but `pg_catalog` on the path, names print qualified.
pub(super) fn values_for_catalog(role: &Ident, left: Duration) -> Vec<Option<String>> {
    let timeout = (left * 9 / 10).as_millis().max(1).to_string();
    let empty = String::new;
    [
        timeout.clone(),
        timeout,
        search_path(None),
        "UTC".to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
        role.as_str().to_owned(),
    ]
    .map(Some)
    .into()
}

/// The transaction's first message. Level and access are named because a session's defaults may have been changed; the
/// encoding is what the parameters of every later statement are read in.
pub(super) fn begin(read_only: bool) -> &'static str {
    if read_only {
        "begin isolation level read committed read only; set local client_encoding to 'UTF8'"
    } else {
        "begin isolation level read committed read write; set local client_encoding to 'UTF8'"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_one_statement_that_ends_with_the_role() {
        assert!(STATEMENT.starts_with("select pg_catalog.set_config('row_security', 'on', true), "));
        assert!(STATEMENT.ends_with("pg_catalog.set_config('role', $10, true)"));
    }

    #[test]
    fn search_path_quotes_the_schema() {
        let schema = Ident::new("a\", public; --").unwrap();
        assert_eq!(search_path(Some(&schema)), "\"a\"\", public; --\", pg_temp");
    }
}
