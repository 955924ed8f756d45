//! Rows of requests and replies in the PostgREST dialect, written from its documented behaviour, run over direct
//! connections and through a transaction pooler.

pub mod check;
mod engines;
pub mod row;
pub mod site;

use std::fmt::Write as _;

use self::row::{Row, Suite, parse};
use self::site::Site;
use crate::world::run;

/// How statements reach Postgres.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On connections of our own, as prepared statements.
    Direct,
    /// Through pgbouncer, which gives each transaction another connection.
    Pooled,
}

impl Mode {
    fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Pooled => "pooled",
        }
    }

    /// A shape goes out unnamed, then is prepared, then is used by its name: three times see all of it.
    fn repetitions(self) -> usize {
        match self {
            Self::Direct => 3,
            Self::Pooled => 1,
        }
    }
}

/// Whose the database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The platform's: a project of level `database`.
    Managed,
    /// The user's own.
    External,
}

/// What a suite is played on.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    backend: Backend,
    mode: Mode,
}

/// One module per file, one test per variant.
macro_rules! suites {
    ($($name:ident),* $(,)?) => {
        $(mod $name {
            use super::{Backend, Mode, suite};

            #[test]
            fn managed_direct() {
                suite(stringify!($name), Backend::Managed, Mode::Direct);
            }

            #[test]
            fn managed_pooled() {
                suite(stringify!($name), Backend::Managed, Mode::Pooled);
            }

            #[test]
            fn external_direct() {
                suite(stringify!($name), Backend::External, Mode::Direct);
            }

            #[test]
            fn external_pooled() {
                suite(stringify!($name), Backend::External, Mode::Pooled);
            }
        })*

        const SUITES: &[&str] = &[$(stringify!($name)),*];
    };
}

suites! {
    aggregates,
    counts,
    csv,
    delete,
    embeds,
    errors,
    filters,
    insert,
    json_paths,
    limits,
    logic,
    openapi,
    openapi_off,
    order,
    paging,
    plan,
    prefer,
    profiles,
    put,
    query_body,
    representations,
    rpc,
    schemas,
    security,
    select,
    spread,
    status_headers,
    update,
    upsert,
    views,
}

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance");

/// The rows of a file. One that cannot be read is a failure.
fn rows(name: &str) -> Suite {
    let text = std::fs::read_to_string(format!("{FOLDER}/{name}.http")).unwrap();
    parse(&text).unwrap_or_else(|why| panic!("{name}.http:\n{why}"))
}

fn suite(name: &str, backend: Backend, mode: Mode) {
    let (suite, variant) = (rows(name), Variant { backend, mode });
    run(async {
        let site = Site::of(variant, &suite.rest).await;
        let failures = failures(name, &suite, &site, variant).await;
        site.drop_database().await;
        assert!(
            failures.is_empty(),
            "{} of {} rows of {name}.http fail:\n\n{}",
            failures.len(),
            suite.rows.len(),
            failures.join("\n")
        );
    });
}

async fn failures(name: &str, suite: &Suite, site: &Site, variant: Variant) -> Vec<String> {
    let mut failures = Vec::new();
    for row in suite.rows.iter().filter(|row| site.is(&row.when)) {
        for time in 1..=variant.mode.repetitions() {
            if let Some(failure) = play(row, site).await {
                let Row { line, title, .. } = row;
                failures.push(format!(
                    "{name}.http:{line} {title} ({}, time {time})\n{failure}",
                    variant.mode.name()
                ));
                break;
            }
        }
    }
    failures
}

/// Plays a row; what went wrong.
async fn play(row: &Row, site: &Site) -> Option<String> {
    let mut failure = None;
    for step in &row.steps {
        let reply = site.send(step).await;
        let differences = check::differences(&step.expected, &reply);
        if !differences.is_empty() {
            let mut text = format!("  {} {}\n", step.method, step.path);
            for difference in differences {
                writeln!(text, "  - {difference}").unwrap();
            }
            failure = Some(text);
            break;
        }
    }
    let reads = |method: &http::Method| matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS");
    if !row.steps.iter().all(|step| reads(&step.method)) {
        site.restore().await;
    }
    failure
}

#[test]
fn every_file_is_run_and_they_hold_at_least_400_rows() {
    let mut files: Vec<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".http").map(str::to_owned)
        })
        .collect();
    files.sort();
    let mut known = SUITES.to_vec();
    known.sort_unstable();
    assert_eq!(files, known);
    let count: usize = SUITES.iter().map(|name| rows(name).rows.len()).sum();
    assert!(count >= 400, "only {count} rows");
}
