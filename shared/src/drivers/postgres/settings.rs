//! The settings of a transaction: one statement, all of them local to it.

use std::fmt::Write as _;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;

use super::Kin;
use crate::backend::{BulkScope, NO_ROLE, Scope, ScriptScope};
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

/// Of these, what CockroachDB refuses to set (`unsupported_vars.go` of its source). What it does instead is the value we
/// want, or of no account.
const NOT_OF_COCKROACH: &[&str] = &[
    "array_nulls",
    "transform_null_equals",
    "quote_all_identifiers",
    "default_text_search_config",
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
    /// What the transaction begins with.
    pub(super) isolation: IsolationLevel,
}

/// How much a transaction sees of others that are committed while it runs.
/// See <https://www.postgresql.org/docs/current/transaction-iso.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IsolationLevel {
    ReadCommitted,
    RepeatableRead,
    Serializable,
}

impl IsolationLevel {
    /// Of the setting `default_transaction_isolation`.
    fn of(kin: Kin, setting: Option<&String>) -> Self {
        match setting.map(|text| text.to_ascii_lowercase()).as_deref() {
            Some("repeatable read") => Self::RepeatableRead,
            Some("serializable") => Self::Serializable,
            None if kin == Kin::Cockroach => Self::Serializable,
            _ => Self::ReadCommitted,
        }
    }
}

/// The settings of our own databases.
static STATEMENT: LazyLock<String> = LazyLock::new(|| ours(|_| true));

/// The same, of a look into CockroachDB's catalog.
static COCKROACHS: LazyLock<String> = LazyLock::new(|| ours(|name| !NOT_OF_COCKROACH.contains(&name)));

fn ours(wanted: impl Fn(&str) -> bool) -> String {
    let mut sql = select(wanted);
    for (at, name) in GIVEN.iter().enumerate() {
        let comma = if at == 0 { "" } else { ", " };
        // Writing to a string cannot fail.
        let _ = write!(sql, "{comma}pg_catalog.set_config('{name}', ${}, true)", at + 1);
    }
    sql
}

/// The settings of a user's own database: those of the role come first, then ours. The time zone stays its own unless the
/// client prefers one, and its owner may have settings of theirs.
static OWN: LazyLock<String> = LazyLock::new(|| own(|_| true));

/// The same, of a CockroachDB.
static OWN_COCKROACH: LazyLock<String> = LazyLock::new(|| own(|name| !NOT_OF_COCKROACH.contains(&name)));

fn own(known: impl Fn(&str) -> bool) -> String {
    let all_of = |number: usize| {
        format!(
            "(select pg_catalog.count(pg_catalog.set_config(own.key, own.value, true))
             from pg_catalog.json_each_text(${number}) own), "
        )
    };
    let mut sql =
        select(|name| !OWNERS.contains(&name) && known(name)).replacen("select ", &format!("select {}", all_of(13)), 1);
    for (at, name) in GIVEN.iter().enumerate() {
        let (comma, number) = (if at == 0 { "" } else { ", " }, at + 1);
        let value = match *name {
            "TimeZone" => format!("coalesce(${number}, pg_catalog.current_setting('TimeZone'))"),
            _ => format!("${number}"),
        };
        if *name == "role" {
            let _ = write!(
                sql,
                ", pg_catalog.set_config('request.cookies', $11, true), {}",
                all_of(12)
            );
        } else {
            sql += comma;
        }
        let _ = write!(sql, "pg_catalog.set_config('{name}', {value}, true)");
    }
    sql
}

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
pub(super) fn values(kin: Kin, scope: &Scope, role: &str, left: Duration) -> Settings {
    let ours = (left * 9 / 10).as_millis().max(1);
    let owners = scope.defaults.get(TIMEOUT).and_then(|text| milliseconds(text));
    let timeout = owners.map_or(ours, |owners| owners.min(ours)).to_string();
    let place = &scope.place;
    let timezone = match (&scope.timezone, &scope.own) {
        (None, None) => Some("UTC".to_owned()),
        (asked, _) => asked.clone(),
    };
    let mut params = vec![
        Some(timeout),
        Some(ours.to_string()),
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
        // What has been written on a plan is checked against what others have committed since: no other level sees it.
        return Settings {
            sql: &STATEMENT,
            params,
            isolation: IsolationLevel::ReadCommitted,
        };
    };
    params.push(Some(own.cookies.clone()));
    // They are the owner's settings of the owner's database.
    params.push(Some(own.app.expose().to_owned()));
    let rest = scope
        .defaults
        .iter()
        .filter(|(name, _)| ![TIMEOUT, ISOLATION].contains(&name.as_str()));
    let rest = rest.map(|(name, value)| (name.clone(), Value::from(value.as_str())));
    params.push(Some(Value::Object(rest.collect()).to_string()));
    Settings {
        sql: match kin {
            Kin::Postgres => &OWN,
            Kin::Cockroach => &OWN_COCKROACH,
        },
        params,
        isolation: IsolationLevel::of(kin, scope.defaults.get(ISOLATION)),
    }
}

const TIMEOUT: &str = "statement_timeout";
const ISOLATION: &str = "default_transaction_isolation";

/// A time as settings have it, in milliseconds: `8000`, `3s`, `1.5 min`. `None`: no limit, or none that can be read.
/// See <https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-NAMES-VALUES>.
fn milliseconds(text: &str) -> Option<u128> {
    let text = text.trim();
    let end = text
        .find(|character: char| !(character.is_ascii_digit() || character == '.'))
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = match unit.trim() {
        "us" => Duration::from_micros(1),
        "" | "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "min" => Duration::from_secs(60),
        "h" => Duration::from_secs(3_600),
        "d" => Duration::from_secs(86_400),
        _ => return None,
    };
    let whole = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit.as_secs_f64()).ok()?;
    Some(whole.as_millis()).filter(|limit| *limit > 0)
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
        isolation: IsolationLevel::ReadCommitted,
    }
}

/// The settings of a look into the catalog. With nothing but `pg_catalog` on the path, names print qualified.
pub(super) fn values_for_catalog(kin: Kin, role: Option<&Ident>, left: Duration) -> Settings {
    on_path(kin, "pg_catalog, pg_temp".to_owned(), role, left)
}

/// The settings of statements over a person's rows. Tenants' triggers find their tables as they do for requests; the engine's
/// own functions and operators come first, so that they stay what our statements mean.
pub(super) fn values_for_bulk(kin: Kin, scope: &BulkScope, left: Duration) -> Settings {
    let path = format!("pg_catalog, {}", search_path(&scope.schemas));
    on_path(kin, path, scope.role.as_ref(), left)
}

fn on_path(kin: Kin, search_path: String, role: Option<&Ident>, left: Duration) -> Settings {
    let timeout = (left * 9 / 10).as_millis().max(1).to_string();
    let empty = String::new;
    let params = [
        timeout.clone(),
        timeout,
        search_path,
        "UTC".to_owned(),
        empty(),
        empty(),
        empty(),
        empty(),
        empty(),
        role.map_or(NO_ROLE, Ident::as_str).to_owned(),
    ];
    Settings {
        sql: match kin {
            Kin::Postgres => &STATEMENT,
            Kin::Cockroach => &COCKROACHS,
        },
        params: params.map(Some).into(),
        isolation: IsolationLevel::ReadCommitted,
    }
}

/// The transaction's first message. Level and access are named because a session's defaults may have been changed; the
/// encoding is what the parameters of every later statement are read in.
pub(super) fn begin(level: IsolationLevel, read_only: bool) -> &'static str {
    macro_rules! begin {
        ($mode:literal) => {
            concat!(
                "begin isolation level ",
                $mode,
                "; set local client_encoding to 'UTF8'"
            )
        };
    }
    match (level, read_only) {
        (IsolationLevel::ReadCommitted, true) => begin!("read committed read only"),
        (IsolationLevel::ReadCommitted, false) => begin!("read committed read write"),
        (IsolationLevel::RepeatableRead, true) => begin!("repeatable read read only"),
        (IsolationLevel::RepeatableRead, false) => begin!("repeatable read read write"),
        (IsolationLevel::Serializable, true) => begin!("serializable read only"),
        (IsolationLevel::Serializable, false) => begin!("serializable read write"),
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

    #[test]
    fn what_cockroach_does_not_know_is_not_set_there() {
        for name in NOT_OF_COCKROACH {
            assert!(STATEMENT.contains(name), "{name}");
            assert!(!COCKROACHS.contains(name) && !OWN_COCKROACH.contains(name), "{name}");
        }
        assert!(OWN_COCKROACH.contains("standard_conforming_strings"));
        let level = |kin, setting: Option<&str>| IsolationLevel::of(kin, setting.map(str::to_owned).as_ref());
        assert_eq!(level(Kin::Cockroach, None), IsolationLevel::Serializable);
        assert_eq!(
            level(Kin::Cockroach, Some("read committed")),
            IsolationLevel::ReadCommitted
        );
        assert_eq!(level(Kin::Postgres, None), IsolationLevel::ReadCommitted);
    }

    #[test]
    fn times_are_read_as_postgres_reads_them() {
        for (text, expected) in [
            ("8000", Some(8_000)),
            ("3s", Some(3_000)),
            ("1.5 min", Some(90_000)),
            ("1h", Some(3_600_000)),
            ("1d", Some(86_400_000)),
            ("500us", None),
            ("2500us", Some(2)),
            ("0", None),
            ("", None),
            ("3 weeks", None),
            ("99999999999999999999999d", None),
        ] {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
    }
}
