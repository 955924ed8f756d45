//! Random filters on random rows: what Postgres answers is what an evaluation in memory answers, three-valued logic and
//! quoting included.

mod evaluate;
mod generate;
mod write_down;

use std::cell::Cell;

use http::StatusCode;
use plinth::tenancy::Isolation;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

use crate::handmade::{Handmade, project};
use crate::world::{run, world};
use evaluate::holds;
use generate::{filters, rows};
use write_down::query;

/// A row, each column of a kind of its own; `id` is its place.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    a: Option<i32>,
    b: Option<i32>,
    t: Option<String>,
    f: Option<bool>,
    tags: Option<Vec<String>>,
    nums: Option<Vec<i32>>,
    j: Option<serde_json::Map<String, serde_json::Value>>,
}

/// A tree of conditions.
#[derive(Debug, Clone)]
pub(crate) enum Filter {
    Group { not: bool, any: bool, parts: Vec<Filter> },
    Test { not: bool, test: Test },
}

/// One condition, by the kind of column it is on.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    Int(IntColumn, Op<i32>),
    Text(Op<String>),
    Like {
        fold: bool,
        pattern: String,
    },
    Bool(BoolTest),
    IsNull {
        column: &'static str,
        not_null: bool,
    },
    Tags(SetOp, Vec<String>),
    Nums(SetOp, Vec<i32>),
    /// `j->>k`
    JsonText(Op<String>),
    /// `j->n`
    JsonNumber {
        distinct: bool,
        equal: bool,
        value: i32,
    },
    /// `j=cs.{…}` or `cd`
    Json {
        contains: bool,
        value: serde_json::Map<String, serde_json::Value>,
    },
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum IntColumn {
    A,
    B,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Eq,
    Neq,
    Gt,
    Gte,
    Lt,
    Lte,
}

#[derive(Debug, Clone)]
pub(crate) enum Op<T> {
    Compare(Order, T),
    /// With `any` (true) or `all` of these.
    Each(Order, bool, Vec<T>),
    In(Vec<T>),
    Distinct(T),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum SetOp {
    Eq,
    Contains,
    ContainedBy,
    Overlaps,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum BoolTest {
    Eq(bool),
    Is(Option<bool>),
}

const TABLE: &str = r#"
    create table samples (id int primary key, a int, b int, t text collate "C", f bool, tags text[] collate "C",
                          nums int[], j jsonb);
    alter table samples enable row level security;
    create policy all_of_it on samples using (true) with check (true);
    grant select, insert, delete on samples to $anon, $service;
"#;

async fn fill(project: &Handmade, rows: &[Row]) {
    let rows: Vec<_> = rows
        .iter()
        .enumerate()
        .map(|(id, row)| {
            json!({ "id": id, "a": row.a, "b": row.b, "t": row.t, "f": row.f, "tags": row.tags, "nums": row.nums, "j": row.j })
        })
        .collect();
    let world = world().await;
    let all = world
        .delete(&project.rest("samples?id=not.is.null"))
        .key(&project.secret);
    all.send().await.expect(StatusCode::NO_CONTENT);
    let call = world
        .post(&project.rest("samples"))
        .key(&project.secret)
        .json(&json!(rows));
    call.send().await.expect(StatusCode::CREATED);
}

#[test]
fn random_filters_answer_as_an_evaluation_in_memory_does() {
    const TABLES: u32 = 6;
    const FILTERS: u32 = 150;
    let project = run(project(Isolation::Schema, TABLE));
    let config = Config {
        cases: FILTERS,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    // How many filters told rows apart: neither all nor none of them matched.
    let telling = Cell::new(0);
    for _ in 0..TABLES {
        let mut runner = TestRunner::new(config.clone());
        let rows = rows().new_tree(&mut runner).unwrap().current();
        run(fill(&project, &rows));
        let outcome = runner.run(&filters(), |filters| {
            let expected: Vec<_> = rows
                .iter()
                .enumerate()
                .filter(|(_, row)| filters.iter().all(|filter| holds(filter, row) == Some(true)))
                .map(|(id, _)| json!({ "id": id }))
                .collect();
            let told_apart = !expected.is_empty() && expected.len() < rows.len();
            telling.set(telling.get() + u32::from(told_apart));
            let path = project.rest(&format!("samples?select=id&order=id&{}", query(&filters)));
            let reply = run(async { world().await.get(&path).key(&project.publishable).send().await });
            prop_assert_eq!(reply.status, StatusCode::OK, "{}\n{}", path, reply.text);
            prop_assert_eq!(reply.json(), json!(expected), "{}", path);
            Ok(())
        });
        if let Err(failed) = outcome {
            panic!("{failed}\nover {rows:#?}");
        }
    }
    assert!(
        telling.get() > TABLES * FILTERS / 4,
        "only {} filters told rows apart",
        telling.get()
    );
}
