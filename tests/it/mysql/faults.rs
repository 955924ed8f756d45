//! A server that goes away, is slow, or gives its rows to somebody else first.

use std::time::{Duration, Instant};

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use super::server::{Server, server};
use super::{body, own, read};
use crate::external::{Own, world};
use crate::world::run;

#[test]
fn a_server_that_was_killed_answers_503() {
    run(async {
        let world = world().await;
        let doomed = Server::start("KILL", None).await;
        let database = doomed.database().await;
        let own = Own::of(world, &body(&doomed, &database)).await;
        assert_eq!(
            read(world, &own, "tags?id=eq.1").await,
            json!([{ "id": 1, "word": "hard" }])
        );
        doomed.stop();
        for _ in 0..2 {
            let reply = world.get(&own.rest("tags")).key(&own.secret).send().await;
            assert_eq!(reply.header("retry-after"), "1");
            assert_eq!(reply.code(StatusCode::SERVICE_UNAVAILABLE), "PGRST001");
            let write = world
                .post(&own.rest("log"))
                .key(&own.secret)
                .json(&json!({ "line": "x" }));
            let code = write.send().await.code(StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(code, "PGRST001");
        }
    });
}

#[test]
fn a_read_whose_connection_was_cut_is_done_once_more() {
    run(async {
        let world = world().await;
        let (own, database) = own(world).await;
        assert_eq!(read(world, &own, "tags?select=id&id=eq.1").await, json!([{ "id": 1 }]));
        let mut admin = server().await.admin(None).await.unwrap();
        let sql = "select id from information_schema.processlist where user = ?";
        let all: Vec<u64> = admin.exec(sql, (&database,)).await.unwrap();
        assert!(!all.is_empty());
        for id in all {
            admin.query_drop(format!("kill connection {id}")).await.unwrap();
        }
        assert_eq!(read(world, &own, "tags?select=id&id=eq.1").await, json!([{ "id": 1 }]));
    });
}

#[test]
fn rows_that_are_locked_are_waited_for_no_longer_than_a_request_may_take() {
    run(async {
        let platform = crate::world::platform().await;
        let platform = platform
            .with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1")
            .with("PLINTH_REQUEST_TIMEOUT_MS", "2000");
        let world = crate::world::World::of(&platform, std::sync::Arc::new(plinth::clock::SystemClock));
        let (own, database) = own(&world).await;
        let mut other = server().await.admin(Some(&database)).await.unwrap();
        other
            .query_drop("begin; update tags set word = 'mine' where id = 1")
            .await
            .unwrap();
        let began = Instant::now();
        let write = world
            .patch(&own.rest("tags?id=eq.1"))
            .key(&own.secret)
            .json(&json!({ "word": "ours" }));
        let reply = write.send().await;
        assert!(began.elapsed() < Duration::from_secs(10));
        assert!(
            reply.status == StatusCode::GATEWAY_TIMEOUT || reply.status == StatusCode::CONFLICT,
            "{}",
            reply.status
        );
        other.query_drop("rollback").await.unwrap();
        assert_eq!(
            read(&world, &own, "tags?select=word&id=eq.1").await,
            json!([{ "word": "hard" }])
        );
    });
}

#[test]
fn a_statement_ends_at_the_requests_deadline() {
    run(async {
        let platform = crate::world::platform().await;
        let platform = platform
            .with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1")
            .with("PLINTH_REQUEST_TIMEOUT_MS", "1500");
        let world = crate::world::World::of(&platform, std::sync::Arc::new(plinth::clock::SystemClock));
        let (own, database) = own(&world).await;
        let began = Instant::now();
        let reply = world.get(&own.rest("slow")).key(&own.secret).send().await;
        assert_eq!(reply.code(StatusCode::GATEWAY_TIMEOUT), "records/deadline");
        assert!(began.elapsed() < Duration::from_secs(10));
        // Nothing is left running for long.
        let mut admin = server().await.admin(None).await.unwrap();
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        loop {
            tick.tick().await;
            let sql = "select count(*) from information_schema.processlist where user = ? and info like '%sleep%'
                       or user = ? and info like '%slow%'";
            let left: Option<u64> = admin.exec_first(sql, (&database, &database)).await.unwrap();
            if left == Some(0) {
                break;
            }
            assert!(began.elapsed() < Duration::from_secs(10), "it is still running");
        }
    });
}

#[test]
fn a_reply_that_is_too_large_is_refused_at_every_depth() {
    run(async {
        let world = world().await;
        let (own, database) = own(world).await;
        let mut admin = server().await.admin(Some(&database)).await.unwrap();
        admin
            .query_drop(
                "create table wide (id int primary key, client_id int, word longtext, foreign key (client_id)
                   references clients (id));
                 insert into wide select seq, 1, repeat('x', 1000000) from seq_1_to_30",
            )
            .await
            .unwrap();
        for path in ["wide", "clients?select=id,wide(word)"] {
            let reply = world.get(&own.rest(path)).key(&own.secret).send().await;
            assert_eq!(
                reply.code(StatusCode::PAYLOAD_TOO_LARGE),
                "records/reply-too-large",
                "{path}"
            );
        }
        // The connection is none the worse for it.
        assert_eq!(
            read(world, &own, "clients?select=id&id=eq.1").await,
            json!([{ "id": 1 }])
        );
    });
}
