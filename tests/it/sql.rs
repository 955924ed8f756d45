//! The SQL endpoint: scripts on the project's own login, whole or not at all.

mod limits;
mod rights;

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{Project, Reply, World, run, world};

/// Runs a script with the secret key.
async fn script(world: &World, project: &Project, body: &Value) -> Reply {
    let path = project.database("sql");
    world.post(&path).key(&project.secret).json(body).send().await
}

/// A script that may write, and succeeds.
async fn write(world: &World, project: &Project, query: &str) -> Value {
    let body = json!({ "query": query, "readOnly": false });
    script(world, project, &body).await.expect(StatusCode::OK)
}

async fn read(world: &World, project: &Project, query: &str) -> Value {
    let body = json!({ "query": query });
    script(world, project, &body).await.expect(StatusCode::OK)
}

#[test]
fn what_a_script_makes_is_there_for_the_very_next_request() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let get = async || world.get(&project.rest("notes")).key(&project.publishable).send().await;
        assert_eq!(get().await.code(StatusCode::NOT_FOUND), "PGRST205");
        let made = write(
            world,
            &project,
            "create table notes (id int generated always as identity primary key, body text not null);
             alter table notes enable row level security;
             create policy everybody on notes for select to anon using (body <> 'hidden');
             grant select on notes to anon;
             create function loud(notes) returns text language sql stable as $$ select upper($1.body) $$;
             insert into notes (body) values ('a; b'), ('hidden') returning id",
        )
        .await;
        assert_eq!(made["results"], json!([{ "id": 1 }, { "id": 2 }]));
        assert_eq!(get().await.expect(StatusCode::OK), json!([{ "id": 1, "body": "a; b" }]));
        // What only rows know is no change of the catalog; what a block does is one.
        write(
            world,
            &project,
            "do $$ begin execute 'alter table notes add column seen bool'; end $$",
        )
        .await;
        assert_eq!(
            get().await.expect(StatusCode::OK),
            json!([{ "id": 1, "body": "a; b", "seen": null }])
        );
        write(world, &project, "drop table notes cascade").await;
        assert_eq!(get().await.code(StatusCode::NOT_FOUND), "PGRST205");
    });
}

#[test]
fn the_version_moves_with_the_catalog_and_with_nothing_else() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        write(
            world,
            &project,
            "create table t (a int); grant select on t to service_role",
        )
        .await;
        let version = async || {
            let sql = format!(
                "set local role p_{0}_service; select plinth.schema_version('{0}') as version",
                project.reference
            );
            read(world, &project, &sql).await["results"][0]["version"]
                .as_i64()
                .unwrap()
        };
        for (query, moves) in [
            ("insert into t values (1)", 0),
            ("select count(*) from t", 0),
            ("create view v as select a from t", 1),
            ("comment on column t.a is 'x'", 1),
            ("grant select on v to service_role", 1),
            ("create function f() returns int language sql return 1", 1),
            ("create policy p on t using (true)", 1),
            ("alter table t enable row level security", 1),
            (
                "create trigger r before update on t for each row execute function plinth.touch_updated_at()",
                1,
            ),
            ("drop view v", 1),
        ] {
            let before = version().await;
            write(world, &project, query).await;
            assert_eq!(version().await - before, moves, "{query}");
        }
    });
}

#[test]
fn values_come_with_their_types_and_columns_with_their_names() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        write(
            world,
            &project,
            "create domain age as int; create type mood as enum ('good')",
        )
        .await;
        let reply = read(
            world,
            &project,
            "select 1::int8 as a, 12.50::numeric as b, 'NaN'::numeric as c, 1e300::float8 as d, true as e, null::int as f,
               '{\"x\":[1]}'::jsonb as g, 'q\"\\é'::text as h, array[1,2] as i, 7::age as j, 'good'::mood as k,
               '2026-01-02 03:04:05+00'::timestamptz as l, 1 as a",
        )
        .await;
        assert_eq!(
            reply["results"],
            json!([{ "a": 1, "b": 12.50, "c": "NaN", "d": 1e300, "e": true, "f": null, "g": { "x": [1] },
                "h": "q\"\\é", "i": "{1,2}", "j": 7, "k": "good", "l": "2026-01-02 03:04:05+00", "a_2": 1 }])
        );
        let columns: Vec<String> = reply["columns"]
            .as_array()
            .unwrap()
            .iter()
            .map(|column| {
                format!(
                    "{} {}",
                    column["name"].as_str().unwrap(),
                    column["type"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            columns.join(", "),
            "a int8, b numeric, c numeric, d float8, e bool, f int4, g jsonb, h text, i int4[], j int4, k mood, \
             l timestamptz, a_2 int4"
        );
        assert_eq!((&reply["rowCount"], &reply["truncated"]), (&json!(1), &json!(false)));
        assert!(reply["durationMs"].is_u64());
        let many = read(
            world,
            &project,
            "select 1 as a; show search_path; set local work_mem = '1MB'",
        )
        .await;
        assert_eq!(many["results"], json!([{ "search_path": "\"public\", pg_temp" }]));
        let plan = read(world, &project, "explain select 1").await;
        assert_eq!(plan["columns"][0]["name"], "QUERY PLAN");
    });
}

#[test]
fn parameters_are_values_of_the_types_the_statement_wants() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let body = json!({
            "query": "select $1::int + 1 as a, $2::text as b, $3::jsonb -> 'k' as c, 3 = any($4::int[]) as d, $5::date as e,
                $6::bool as f -- the end",
            "params": [41, "'; drop table x; -- \\", { "k": [1, "z"] }, [1, 3], null, true],
        });
        let reply = script(world, &project, &body).await.expect(StatusCode::OK);
        assert_eq!(
            reply["results"],
            json!([{ "a": 42, "b": "'; drop table x; -- \\", "c": [1, "z"], "d": true, "e": null, "f": true }])
        );
        write(world, &project, "create table t (a int, b text[])").await;
        let body =
            json!({ "query": "insert into t values ($1, $2)", "params": [1, ["x", "y,\"z\""]], "readOnly": false });
        let reply = script(world, &project, &body).await.expect(StatusCode::OK);
        assert_eq!((&reply["rowCount"], &reply["results"]), (&json!(1), &json!([])));
        let reply = read(world, &project, "select b[2] as b from t").await;
        assert_eq!(reply["results"], json!([{ "b": "y,\"z\"" }]));
        for (body, code) in [
            (json!({ "query": "select $1", "params": [] }), "sql/params"),
            (json!({ "query": "select 1", "params": [1] }), "sql/params"),
            (json!({ "query": "select $1; select 1", "params": [1] }), "sql/params"),
            (json!({ "query": "select $1::int", "params": ["x"] }), "22P02"),
        ] {
            assert_eq!(
                script(world, &project, &body).await.code(StatusCode::BAD_REQUEST),
                code,
                "{body}"
            );
        }
    });
}

#[test]
fn a_script_happens_whole_or_not_at_all() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        write(
            world,
            &project,
            "create table t (a int primary key deferrable initially deferred)",
        )
        .await;
        for (query, status, code, details) in [
            (
                "insert into t values (1);\ninsert into t values (1/0)",
                400,
                "22012",
                "statement 2, line 2, character 1",
            ),
            (
                "insert into t values (1); insert\n  into nothing values (1)",
                400,
                "42P01",
                "statement 2, line 2, character 8",
            ),
            (
                "insert into t values (1); insert into t values (1)",
                409,
                "23505",
                "at the commit; Key (a)=(1) already exists.",
            ),
            (
                "insert into t values (1); commit",
                400,
                "sql/transaction-control",
                "statement 2, line 1, character 27",
            ),
            (
                "insert into t values (1); /**/ Rollback to x",
                400,
                "sql/transaction-control",
                "statement 2, line 1, character 32",
            ),
            (
                "insert into t values (1); do $$ begin commit; end $$",
                400,
                "2D000",
                "statement 2",
            ),
            // Postgres reads more statements here than the script seems to have.
            (
                "insert into t values (1); set standard_conforming_strings = off; select 'x\\'' ; commit; select ''",
                400,
                "42601",
                "statement 3",
            ),
            ("insert into t values (1); vacuum", 400, "25001", "statement 2"),
            (
                "insert into t values (1); copy t to stdout",
                400,
                "sql/copy",
                "statement 2",
            ),
            (
                "insert into t values (1); select * from pg_authid",
                403,
                "42501",
                "statement 2",
            ),
            (
                "insert into t values (1); do $$ begin raise 'no' using hint = 'yes', detail = 'why'; end $$",
                400,
                "P0001",
                "why",
            ),
        ] {
            let body = json!({ "query": query, "readOnly": false });
            let reply = script(world, &project, &body).await;
            let json = reply.json();
            assert_eq!(
                (reply.status.as_u16(), json["code"].as_str().unwrap()),
                (status, code),
                "{query}: {json}"
            );
            assert!(json["details"].as_str().unwrap().contains(details), "{query}: {json}");
            assert_eq!(
                read(world, &project, "select count(*) as n from t").await["results"],
                json!([{ "n": 0 }])
            );
        }
    });
}

#[test]
fn a_read_only_script_leaves_nothing() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        write(world, &project, "create table t (a int)").await;
        let refused = script(world, &project, &json!({ "query": "insert into t values (1)" })).await;
        let refused = refused.expect(StatusCode::BAD_REQUEST);
        assert_eq!(refused["code"], "25006");
        assert!(refused["hint"].as_str().unwrap().contains("readOnly"), "{refused}");
        for query in [
            "set transaction read write; insert into t values (1)",
            "select set_config('transaction_read_only', 'off', true); insert into t values (1)",
            "reset transaction_read_only; insert into t values (1)",
            "do $$ begin reset transaction_read_only; insert into t values (1); end $$",
        ] {
            let reply = script(world, &project, &json!({ "query": query })).await;
            assert!(
                reply.status == StatusCode::OK || reply.status == StatusCode::BAD_REQUEST,
                "{}",
                reply.text
            );
            assert_eq!(
                read(world, &project, "select a from t").await["results"],
                json!([]),
                "{query}"
            );
        }
    });
}
