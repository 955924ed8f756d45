//! The settings of a transaction: one statement, all of them local to it.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use crate::backend::{NO_ROLE, Scope, ScriptScope};
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
    // Compiling takes longer than most requests may, and estimates of nested embeds make it seem worth it.
    ("jit", "off"),
];

/// Of these, what a user's own database keeps as its owner set it: PostgREST leaves them alone, and our SQL does not
/// depend on them there.
const OWNERS: &[&str] = &[
    "row_security",
    "DateStyle",
    "IntervalStyle",
    "bytea_output",
    "extra_float_digits",
    "default_text_search_config",
    "client_min_messages",
    "lock_timeout",
    "jit",
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

/// A settings statement with its parameters.
pub(super) struct Settings {
    pub(super) sql: &'static str,
    pub(super) params: Vec<Option<String>>,
}

/// The settings of our own databases.
static STATEMENT: LazyLock<String> = LazyLock::new(|| {
    let mut sql = select(|_| true);
    for (at, name) in GIVEN.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(sql, "{comma}pg_catalog.set_config('{name}', ${}, true)", at + 1);
    }
    sql
});

/// The settings of a user's own database: the time zone stays its own unless the client prefers one, and its owner may
/// have settings of theirs.
static OWN: LazyLock<String> = LazyLock::new(|| {
    let mut sql = select(|name| !OWNERS.contains(&name));
    for (at, name) in GIVEN.iter().enumerate() {
        let (comma, number) = (if at == 0 { "" } else { ", " }, at + 1);
        let value = match *name {
            "TimeZone" => format!("coalesce(${number}, pg_catalog.current_setting('TimeZone'))"),
            _ => format!("${number}"),
        };
        if *name == "role" {
            let _ = write!(
                sql,
                ", pg_catalog.set_config('request.cookies', ${}, true), (select pg_catalog.count(
                 pg_catalog.set_config(own.key, own.value, true)) from pg_catalog.json_each_text(${}) own)",
                GIVEN.len() + 1,
                GIVEN.len() + 2,
            );
        }
        let _ = write!(sql, "{comma}pg_catalog.set_config('{name}', {value}, true)");
    }
    sql
});

fn select(wanted: impl Fn(&str) -> bool) -> String {
    let mut sql = "select ".to_owned();
    for (name, value) in FIXED.iter().filter(|(name, _)| wanted(name)).chain(READ_BY_QUERIES) {
        let _ = write!(sql, "pg_catalog.set_config('{name}', '{value}', true), ");
    }
    sql
}

/// Where names are looked up. A temporary table would otherwise come before any other.
pub(super) fn search_path<'a>(schemas: impl IntoIterator<Item = &'a Ident>) -> String {
    let mut path = String::new();
    for schema in schemas {
        let _ = write!(path, "{}, ", schema.quoted());
    }
    path + "pg_temp"
}

/// The settings of a data request. The server gives up a little before we do, so that the connection survives.
pub(super) fn values(scope: &Scope, role: &str, left: Duration) -> Settings {
    let timeout = (left * 9 / 10).as_millis().max(1).to_string();
    let place = &scope.place;
    let timezone = match (&scope.timezone, &scope.own) {
        (None, None) => Some("UTC".to_owned()),
        (asked, _) => asked.clone(),
    };
    let mut params = vec![
        Some(timeout.clone()),
        Some(timeout),
        Some(search_path([&place.schema].into_iter().chain(&place.extra_search_path))),
        timezone,
        Some(scope.claims.clone()),
        Some(scope.method.clone()),
        Some(scope.path.clone()),
        Some(scope.headers.clone()),
        Some(scope.tenant.clone()),
        Some(role.to_owned()),
    ];
    let Some(own) = &scope.own else {
        return Settings {
            sql: &STATEMENT,
            params,
        };
    };
    params.push(Some(own.cookies.clone()));
    // They are the owner's settings of the owner's database.
    params.push(Some(own.app.expose().to_owned()));
    Settings { sql: &OWN, params }
}

/// The settings of a developer's script: those of a data request without its end user.
pub(super) fn values_for_script(scope: &ScriptScope, left: Duration) -> Settings {
    let timeout = (left * 9 / 10).as_millis().max(1).to_string();
    let empty = String::new;
    let params = [
        timeout.clone(),
        timeout,
        search_path(&scope.schemas),
        "UTC".to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        scope.tenant.clone(),
        scope.role_setting().to_owned(),
    ];
    Settings {
        sql: &STATEMENT,
        params: params.map(Some).into(),
    }
}

/// The settings of a look into the catalog. With nothing but `pg_catalog` on the path, names print qualified.
pub(super) fn values_for_catalog(role: Option<&Ident>, left: Duration) -> Settings {
    let timeout = (left * 9 / 10).as_millis().max(1).to_string();
    let empty = String::new;
    let params = [
        timeout.clone(),
        timeout,
        "pg_catalog, pg_temp".to_owned(),
        "UTC".to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
        role.map_or(NO_ROLE, Ident::as_str).to_owned(),
    ];
    Settings {
        sql: &STATEMENT,
        params: params.map(Some).into(),
    }
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
        assert_eq!(search_path([&schema]), "\"a\"\", public; --\", pg_temp");
    }

    #[test]
    fn an_owners_settings_of_a_database_of_theirs_stay() {
        for name in OWNERS {
            assert!(STATEMENT.contains(name) && !OWN.contains(name), "{name}");
        }
        assert!(OWN.ends_with("from pg_catalog.json_each_text($12) own), pg_catalog.set_config('role', $10, true)"));
    }
}
