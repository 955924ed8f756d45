//! How long scripts may be at work, and how much they answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use plinth::clock::SystemClock;
use serde_json::json;

use super::{read, script, write};
use crate::world::{Project, World, run, world};

#[test]
fn long_answers_are_cut_and_what_writes_is_run_to_its_end() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let began = Instant::now();
        let reply = read(
            world,
            &project,
            "select 1 as n from generate_series(1, 50000) a, generate_series(1, 50000) b",
        )
        .await;
        assert_eq!((&reply["rowCount"], &reply["truncated"]), (&json!(1000), &json!(true)));
        assert_eq!(reply["results"].as_array().unwrap().len(), 1000);
        assert!(began.elapsed() < Duration::from_secs(10), "it was read to its end");
        let reply = read(
            world,
            &project,
            "select repeat('x', 2000000) as x from generate_series(1, 9)",
        )
        .await;
        assert_eq!((&reply["rowCount"], &reply["truncated"]), (&json!(2), &json!(true)));
        write(world, &project, "create table t (a int)").await;
        let reply = write(
            world,
            &project,
            "insert into t select generate_series(1, 3000) returning a",
        )
        .await;
        assert_eq!((&reply["rowCount"], &reply["truncated"]), (&json!(1000), &json!(true)));
        let reply = read(world, &project, "select count(*) as n from t").await;
        assert_eq!(reply["results"], json!([{ "n": 3000 }]));
    });
}

#[test]
fn a_script_that_takes_too_long_is_stopped() {
    run(async {
        let usual = world().await;
        let project = usual.project("database").await;
        let hasty = World::of(
            &usual.platform.with("PLINTH_SQL_TIMEOUT_MS", "400"),
            Arc::new(SystemClock),
        );
        write(usual, &project, "create table t (a int)").await;
        for query in [
            "insert into t values (1); select pg_sleep(30)",
            "insert into t values (1); set statement_timeout = 0; select pg_sleep(30)",
        ] {
            let body = json!({ "query": query, "readOnly": false });
            let reply = script(&hasty, &project, &body).await;
            assert_eq!(reply.code(StatusCode::GATEWAY_TIMEOUT), "sql/timeout", "{query}");
            assert_eq!(read(usual, &project, "select a from t").await["results"], json!([]));
        }
        nothing_runs(&project).await;
    });
}

#[test]
fn a_script_whose_client_is_gone_is_stopped() {
    run(async {
        let world = world().await;
        let project = world.project("database").await;
        let body = json!({ "query": "select pg_sleep(60)" });
        let path = project.database("sql");
        let running = world.post(&path).key(&project.secret).json(&body).send();
        let seen = async { while sleeping(&project).await == 0 {} };
        tokio::select! {
            reply = running => panic!("{reply:?}"),
            () = seen => {}
        }
        nothing_runs(&project).await;
    });
}

/// Scripts of the project that sleep now, as its own login sees them.
async fn sleeping(project: &Project) -> i64 {
    let sql = "reset role; select count(*) as n from pg_stat_activity where wait_event = 'PgSleep'";
    let seen = read(world().await, project, sql).await;
    seen["results"][0]["n"].as_i64().unwrap()
}

async fn nothing_runs(project: &Project) {
    let began = Instant::now();
    while sleeping(project).await > 0 {
        assert!(began.elapsed() < Duration::from_secs(10), "it goes on");
    }
}
