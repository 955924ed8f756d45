//! One suite for every kind of database: each row says which features it needs. Where the engine has declared them it
//! must answer as expected; where it has not, it must refuse, by name, and never answer something else.

mod cockroach;
mod mysql;
mod postgres;
mod rest;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::StatusCode;
use plinth::backend::Fut;
use plinth::query::Feature;
use serde_json::{Map, Value};

use super::check;
use super::row::{Caller, Row, Step, Suite, parse};
use super::site::encoded;
use crate::external::{Own, world};
use crate::world::{Call, Reply, run};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/conformance/engines");
const FILES: [&str; 5] = ["aggregates", "embeds", "reads", "table", "writes"];
/// What fills the tables of an engine that knows SQL.
const DATA: &str = include_str!("engines/data.sql");

/// A database of one kind, with the fixtures in it.
trait Server: Send + Sync {
    /// The id that the catalogue of providers has for it.
    fn provider(&self) -> &'static str;
    /// The body of the provision.
    fn provision(&self) -> Value;
    /// Whether it knows SQL: constraints of its own, then.
    fn knows_sql(&self) -> bool;
    /// Puts the data back as it was.
    fn restore(&self) -> Fut<'_, ()>;
}

struct Site {
    server: Box<dyn Server>,
    own: Own,
    capabilities: BTreeSet<String>,
}

impl Site {
    async fn of(server: Box<dyn Server>, rest: &Map<String, Value>) -> Self {
        server.restore().await;
        let mut body = server.provision();
        for (name, value) in rest {
            body["config"]["rest"][name] = value.clone();
        }
        Self {
            own: Own::of(world().await, &body).await,
            capabilities: declared(server.provider()).await,
            server,
        }
    }

    /// The features that a row needs and the engine has not declared.
    fn missing<'a>(&self, row: &'a Row) -> Vec<&'a str> {
        let needs = row.needs.iter().map(String::as_str);
        needs.filter(|needed| !self.capabilities.contains(*needed)).collect()
    }

    /// Plays a row; what went wrong.
    async fn play(&self, row: &Row) -> Option<String> {
        let missing = self.missing(row);
        for step in &row.steps {
            let reply = self.send(step).await;
            let found = match missing.is_empty() {
                true => check::differences(&step.expected, &reply),
                false => not_refused(&missing, &reply),
            };
            if !found.is_empty() {
                let mut text = format!("  {} {}\n", step.method, step.path);
                for difference in found {
                    writeln!(text, "  - {difference}").unwrap();
                }
                return Some(text);
            }
            if !missing.is_empty() {
                // What follows builds on it.
                return None;
            }
        }
        None
    }

    async fn send(&self, step: &Step) -> Reply {
        let path = self.own.rest(encoded(&step.path).trim_start_matches('/'));
        let call: Call = world().await.call(step.method.clone(), &path);
        let mut call = match step.caller {
            Caller::Nobody => call,
            Caller::Anon | Caller::User(..) => call.key(&self.own.publishable),
            Caller::Service => call.key(&self.own.secret),
        };
        for (name, value) in &step.headers {
            call = call.header(name, value);
        }
        match &step.body {
            Some(body) => call.body(body.as_str(), "application/json").send().await,
            None => call.send().await,
        }
    }
}

/// What the catalogue of providers says such a database can do.
async fn declared(provider: &str) -> BTreeSet<String> {
    let user = world().await.user().await;
    let reply = world().await.get("/api/providers").bearer(&user.token).send().await;
    let catalogue = reply.expect(StatusCode::OK);
    let entries = catalogue["providers"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["id"] == provider).unwrap();
    let names = entry["capabilities"].as_array().unwrap().iter();
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// A refusal names one of the features that are missing.
fn not_refused(missing: &[&str], reply: &Reply) -> Vec<String> {
    let body: Value = serde_json::from_str(&reply.text).unwrap_or_default();
    let details = body["details"].as_str().unwrap_or_default();
    let named = missing
        .iter()
        .any(|feature| details.starts_with(&format!("{feature}:")));
    if reply.status == StatusCode::NOT_IMPLEMENTED && body["code"] == "PGRST127" && named {
        return Vec::new();
    }
    let wanted = missing.join(" or ");
    vec![format!(
        "not declared: expected 501 PGRST127 that names {wanted}, got {} {}",
        reply.status, reply.text
    )]
}

fn file(name: &str) -> Suite {
    let text = std::fs::read_to_string(format!("{FOLDER}/{name}.http")).unwrap();
    parse(&text).unwrap_or_else(|why| panic!("{name}.http:\n{why}"))
}

async fn every_file(made: impl AsyncFn() -> Box<dyn Server>) {
    let mut failures = Vec::new();
    for name in FILES {
        let suite = file(name);
        let site = Site::of(made().await, &suite.rest).await;
        for row in &suite.rows {
            let applies = |condition: &String| condition != "sql" || site.server.knows_sql();
            if !row.when.iter().all(applies) {
                continue;
            }
            if let Some(failure) = site.play(row).await {
                failures.push(format!("{name}.http:{} {}\n{failure}", row.line, row.title));
            }
            let reads = |step: &Step| matches!(step.method.as_str(), "GET" | "HEAD");
            if !row.steps.iter().all(reads) {
                site.server.restore().await;
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} rows fail:\n\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn postgres() {
    run(every_file(postgres::made));
}

#[test]
fn cockroach() {
    run(every_file(cockroach::made));
}

#[test]
fn mariadb() {
    run(every_file(mysql::made));
}

#[test]
fn rest() {
    run(every_file(rest::made));
}

#[test]
fn every_file_is_run_and_needs_only_features_that_exist() {
    let files: BTreeSet<String> = std::fs::read_dir(FOLDER)
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.strip_suffix(".http").map(str::to_owned)
        })
        .collect();
    assert!(files.iter().eq(FILES.iter()), "{files:?}");
    for name in FILES {
        for row in file(name).rows {
            for needed in row.needs {
                let known = Feature::ALL.iter().any(|feature| feature.name() == needed);
                assert!(known, "{name}.http:{} needs {needed:?}", row.line);
            }
            for condition in row.when {
                assert_eq!(condition, "sql", "{name}.http:{}", row.line);
            }
        }
    }
}
