//! Row rules over a MariaDB: who sees, makes, changes and removes which rows.

use std::fmt::Write as _;

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use serde_json::{Map, Value, json};

use super::{body, server};
use crate::conformance::check::differences;
use crate::conformance::row::{Caller, Row, Step, parse};
use crate::conformance::site::{encoded, subject};
use crate::external::{Own, SECRET, now, world};
use crate::world::{Call, Reply, World, run, text, unique};

/// A project on a fresh database that is filled by that SQL, and the database's name.
pub async fn ruled(world: &World, sql: &str) -> (Own, String) {
    let server = server::server().await;
    let database = server.empty_database().await;
    let mut admin = server.admin(Some(&database)).await.unwrap();
    admin.query_drop(sql).await.unwrap();
    let mut body = body(server, &database);
    body["config"]["rest"] = json!({ "jwtSecret": SECRET });
    (Own::of(world, &body).await, database)
}

/// Writes the row rules of a table that has none.
pub async fn put(world: &World, own: &Own, table: &str, policies: &Value) -> Reply {
    let path = policies_of(own, table);
    let call = world.put(&path).bearer(&own.owner.token).header("if-match", "\"0\"");
    call.json(&json!({ "policies": policies })).send().await
}

fn policies_of(own: &Own, table: &str) -> String {
    format!("/api/database/{}/tables/{table}/policies", own.backend)
}

/// A token of the user's issuer.
pub fn token(name: &str, over: &Map<String, Value>) -> String {
    let mut claims = Map::from_iter([
        ("sub".to_owned(), json!(subject(name))),
        ("email".to_owned(), json!(format!("{name}@example.com"))),
        ("aud".to_owned(), json!("authenticated")),
        ("role".to_owned(), json!("authenticated")),
        ("exp".to_owned(), json!(now() + 3600)),
    ]);
    claims.extend(over.clone());
    crate::external::signed(&Value::Object(claims), SECRET)
}

fn as_caller(call: Call, own: &Own, caller: &Caller) -> Call {
    match caller {
        Caller::Nobody => call,
        Caller::Anon => call.key(&own.publishable),
        Caller::User(name, claims) => call.key(&own.publishable).bearer(&token(name, claims)),
        Caller::Service => call.key(&own.secret),
    }
}

async fn send(step: &Step, own: &Own) -> Reply {
    let call = world().await.call(
        step.method.clone(),
        &own.rest(encoded(&step.path).trim_start_matches('/')),
    );
    let mut call = as_caller(call, own, &step.caller);
    for (name, value) in &step.headers {
        call = call.header(name, value);
    }
    match &step.body {
        Some(body) => call.body(body.as_str(), "application/json").send().await,
        None => call.send().await,
    }
}

async fn play(row: &Row, own: &Own) -> Option<String> {
    for step in &row.steps {
        let found = differences(&step.expected, &send(step, own).await);
        if !found.is_empty() {
            let mut told = format!("  {} {}\n", step.method, step.path);
            for difference in found {
                writeln!(told, "  - {difference}").unwrap();
            }
            return Some(told);
        }
    }
    None
}

const SCHEMA: &str = include_str!("rules/schema.sql");
const DATA: &str = include_str!("rules/data.sql");

fn policies() -> Vec<(&'static str, Value)> {
    vec![
        (
            "notes",
            json!(["owner", { "name": "shared", "command": "select", "to": ["anon", "authenticated"], "using": "shared" }]),
        ),
        (
            "boards",
            json!([{ "name": "mine", "command": "all", "to": ["authenticated"], "using":
            "exists (select 1 from members m where m.board_id = boards.id and m.user_id = auth.uid())",
            "check": "title <> 'forbidden'" }]),
        ),
        ("members", json!(["owner"])),
        ("tags", json!(["public-read"])),
        (
            "note_tags",
            json!([{ "name": "seen", "command": "select", "to": ["authenticated"], "using": "tag_id <> 3" }]),
        ),
        (
            "inbox",
            json!([{ "name": "drop", "command": "insert", "to": ["anon"], "check": "length(body) < 10" }]),
        ),
        (
            "ledger",
            json!([
                { "name": "r", "command": "select", "to": ["authenticated"], "using": "amount < 100" },
                { "name": "w", "command": "update", "to": ["authenticated"], "using": "amount > 0", "check": "amount < 1000" },
                { "name": "d", "command": "delete", "to": ["authenticated"], "using": "amount = 1" },
            ]),
        ),
        ("secrets", json!(["private"])),
    ]
}

#[test]
fn everybody_meets_the_rules() {
    let suite = parse(include_str!("rules/rows.http")).unwrap_or_else(|why| panic!("rows.http:\n{why}"));
    run(async {
        let world = world().await;
        let (own, database) = ruled(world, SCHEMA).await;
        for (table, policies) in policies() {
            put(world, &own, table, &policies).await.expect(StatusCode::OK);
        }
        let mut failures = Vec::new();
        for row in &suite.rows {
            let mut admin = server::server().await.admin(Some(&database)).await.unwrap();
            admin.query_drop(DATA).await.unwrap();
            if let Some(failure) = play(row, &own).await {
                failures.push(format!("rows.http:{} {}\n{failure}", row.line, row.title));
            }
        }
        let (all, failed) = (suite.rows.len(), failures.len());
        assert!(failed == 0, "{failed} of {all} rows fail:\n\n{}", failures.join("\n"));
    });
}

#[test]
fn without_policies_the_secret_key_alone_comes_in() {
    run(async {
        let world = world().await;
        let (own, _) = ruled(world, SCHEMA).await;
        let call = || world.get(&own.rest("tags?select=id"));
        let refused = call().key(&own.publishable).send().await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "records/secret-key-only");
        let refused = call()
            .key(&own.publishable)
            .bearer(&token("alice", &Map::new()))
            .send()
            .await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "records/secret-key-only");
        assert_eq!(call().key(&own.secret).send().await.status, StatusCode::OK);
    });
}

#[test]
fn policies_are_versioned_audited_and_checked() {
    run(async {
        let world = world().await;
        let (own, _) = ruled(world, SCHEMA).await;
        let path = policies_of(&own, "notes");
        let get = || async { world.get(&path).bearer(&own.owner.token).send().await };
        let none = get().await;
        assert_eq!(none.header("etag"), "\"0\"");
        assert_eq!(
            none.expect(StatusCode::OK),
            json!({ "table": "notes", "version": 0, "policies": [] })
        );
        let made = put(world, &own, "notes", &json!(["owner"])).await;
        assert_eq!(made.header("etag"), "\"1\"");
        let expected =
            json!({ "table": "notes", "version": 1, "policies": [{ "template": "owner", "column": "user_id" }] });
        assert_eq!(made.expect(StatusCode::OK), expected);
        assert_eq!(get().await.expect(StatusCode::OK), expected);
        let stale = put(world, &own, "notes", &json!([])).await;
        assert_eq!(stale.code(StatusCode::CONFLICT), "tables/stale");
        let unversioned = world
            .put(&path)
            .bearer(&own.owner.token)
            .json(&json!({ "policies": [] }))
            .send()
            .await;
        assert_eq!(unversioned.code(StatusCode::BAD_REQUEST), "tables/if-match");
        let unknown = put(world, &own, "note", &json!([])).await;
        assert_eq!(
            text(&unknown.expect(StatusCode::NOT_FOUND), "hint"),
            "Perhaps you meant notes"
        );
        let rule = |using: &str| json!([{ "name": "p", "command": "select", "to": ["anon"], "using": using }]);
        for (table, policies, told) in [
            ("tags", rule("wrod = 'a'"), "Perhaps you meant word"),
            ("tags", rule("word = 1"), "A comparison of text with integer"),
            ("tags", rule("upper(word) = 'A'"), "The function upper"),
            ("tags", rule("exists (select 1 from bords)"), "Perhaps you meant boards"),
            ("tags", json!(["owner"]), "no owner column"),
            ("tags", json!([{ "template": "owner", "column": "id" }]), "not uuid"),
            (
                "members",
                rule("exists (select 1 from notes where notes.id = board_id and exists (select 1 from members))"),
                "itself",
            ),
        ] {
            let refused = put(world, &own, table, &policies).await;
            let refused = refused.expect(StatusCode::BAD_REQUEST);
            assert_eq!(text(&refused, "code"), "tables/invalid-schema");
            assert!(text(&refused, "details").contains(told), "{told}: {refused}");
        }
        let audit = world
            .get(&format!("/api/projects/{}/audit", own.id))
            .bearer(&own.owner.token)
            .send()
            .await;
        let audit = audit.expect(StatusCode::OK).to_string();
        assert_eq!(audit.matches("tables.policies").count(), 1, "{audit}");
        let stranger = world.user().await;
        let hidden = world.get(&path).bearer(&stranger.token).send().await;
        assert_eq!(hidden.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn where_the_database_has_rules_of_its_own_none_are_kept() {
    run(async {
        let own = Own::with(json!({})).await;
        let refused = put(world().await, &own, "todos", &json!(["owner"])).await;
        assert_eq!(refused.code(StatusCode::CONFLICT), "policies/native");
    });
}

#[test]
fn a_token_brings_no_other_role_than_the_two() {
    run(async {
        let world = world().await;
        let (own, _) = ruled(world, SCHEMA).await;
        put(world, &own, "tags", &json!(["public-read"]))
            .await
            .expect(StatusCode::OK);
        let read = |role: Value, key: String| {
            let claims = Map::from_iter([("role".to_owned(), role)]);
            world
                .get(&own.rest("tags?select=id&id=eq.1"))
                .key(&key)
                .bearer(&token("alice", &claims))
        };
        for (role, status) in [
            (json!("authenticated"), StatusCode::OK),
            (json!("anon"), StatusCode::OK),
            (json!("service_role"), StatusCode::UNAUTHORIZED),
            (json!("editor"), StatusCode::UNAUTHORIZED),
        ] {
            let reply = read(role.clone(), own.publishable.clone()).send().await;
            assert_eq!(reply.status, status, "{role}: {}", reply.text);
        }
        // A token decides, whatever key it comes with.
        let reply = world
            .get(&own.rest("secrets"))
            .key(&own.secret)
            .bearer(&token("alice", &Map::new()))
            .send()
            .await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "42501");
        let forged = crate::external::signed(&json!({ "sub": unique() }), &unique().repeat(4));
        let reply = world
            .get(&own.rest("tags"))
            .key(&own.publishable)
            .bearer(&forged)
            .send()
            .await;
        assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "PGRST301");
    });
}

#[test]
fn a_column_that_went_away_closes_its_table() {
    run(async {
        let world = world().await;
        let (own, database) = ruled(world, SCHEMA).await;
        put(world, &own, "tags", &json!(["public-read"]))
            .await
            .expect(StatusCode::OK);
        put(world, &own, "notes", &json!(["owner"]))
            .await
            .expect(StatusCode::OK);
        let mut admin = server::server().await.admin(Some(&database)).await.unwrap();
        admin.query_drop("alter table notes drop column user_id").await.unwrap();
        let read = |table: &str| {
            let call = world.get(&own.rest(&format!("{table}?select=id")));
            call.key(&own.publishable).bearer(&token("alice", &Map::new()))
        };
        let closed = read("notes").send().await;
        assert_eq!(closed.code(StatusCode::INTERNAL_SERVER_ERROR), "records/row-rules");
        assert_eq!(read("tags").send().await.status, StatusCode::OK);
    });
}

#[test]
fn the_description_shows_what_the_rules_let_a_caller_do() {
    run(async {
        let world = world().await;
        let (own, _) = ruled(world, SCHEMA).await;
        put(world, &own, "tags", &json!(["public-read"]))
            .await
            .expect(StatusCode::OK);
        let told = world
            .get(&own.rest(""))
            .key(&own.publishable)
            .send()
            .await
            .expect(StatusCode::OK);
        let paths: Vec<&String> = told["paths"].as_object().unwrap().keys().collect();
        assert_eq!(paths, ["/", "/tags"]);
        let methods: Vec<&String> = told["paths"]["/tags"].as_object().unwrap().keys().collect();
        assert_eq!(methods, ["get"]);
    });
}
