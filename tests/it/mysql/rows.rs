//! Rows of requests and replies, in the format of the conformance suite.

use std::fmt::Write as _;

use mysql_async::prelude::Queryable as _;

use super::{own, server};
use crate::conformance::check::differences;
use crate::conformance::row::{Caller, Row, Step, parse};
use crate::conformance::site::encoded;
use crate::external::{Own, world};
use crate::world::{Reply, run};

fn suite(name: &str) {
    let path = format!("{}/it/mysql/rows/{name}.http", env!("CARGO_MANIFEST_DIR"));
    let suite = parse(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|why| panic!("{name}.http:\n{why}"));
    run(async {
        let (own, database) = own(world().await).await;
        let mut failures = Vec::new();
        for row in &suite.rows {
            if let Some(failure) = play(row, &own).await {
                failures.push(format!("{name}.http:{} {}\n{failure}", row.line, row.title));
            }
            if row
                .steps
                .iter()
                .any(|step| !matches!(step.method.as_str(), "GET" | "HEAD"))
            {
                let mut admin = server::server().await.admin(Some(&database)).await.unwrap();
                admin.query_drop(include_str!("data.sql")).await.unwrap();
            }
        }
        assert!(
            failures.is_empty(),
            "{} of {} rows of {name}.http fail:\n\n{}",
            failures.len(),
            suite.rows.len(),
            failures.join("\n")
        );
    });
}

async fn play(row: &Row, own: &Own) -> Option<String> {
    for step in &row.steps {
        let found = differences(&step.expected, &send(step, own).await);
        if found.is_empty() {
            continue;
        }
        let mut text = format!("  {} {}\n", step.method, step.path);
        for difference in found {
            writeln!(text, "  - {difference}").unwrap();
        }
        return Some(text);
    }
    None
}

async fn send(step: &Step, own: &Own) -> Reply {
    let call = world().await.call(
        step.method.clone(),
        &own.rest(encoded(&step.path).trim_start_matches('/')),
    );
    let mut call = match step.caller {
        Caller::Nobody => call,
        Caller::Anon | Caller::User(..) => call.key(&own.publishable),
        Caller::Service => call.key(&own.secret),
    };
    for (name, value) in &step.headers {
        call = call.header(name, value);
    }
    match &step.body {
        Some(body) => call.body(body.as_str(), "application/json").send().await,
        None => call.send().await,
    }
}

#[test]
fn reads_answer_what_they_should() {
    suite("reads");
}

#[test]
fn embeds_answer_what_they_should() {
    suite("embeds");
}

#[test]
fn writes_answer_what_they_should() {
    suite("writes");
}

#[test]
fn what_cannot_be_done_is_refused() {
    suite("refusals");
}

#[test]
fn values_and_names_are_no_sql() {
    suite("injection");
}
