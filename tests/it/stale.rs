//! A plan made on an older state never acts.

use http::StatusCode;
use plinth::tenancy::Isolation;
use plinth::token::KeyClass;
use serde_json::json;

use crate::handmade::{TODOS, project, superuser};
use crate::world::{run, world};

#[test]
fn columns_swapped_by_a_ddl_the_request_waited_behind_are_read_by_their_new_names() {
    run(async {
        let sql = "create table pairs (id int primary key, secret text, open text);
                   insert into pairs values (1, 'hidden', 'shown');
                   grant select on pairs to $anon;";
        let (world, project) = (world().await, project(Isolation::Schema, sql).await);
        let read = || {
            world
                .get(&project.rest("pairs?select=open"))
                .key(&project.publishable)
                .send()
        };
        for _ in 0..3 {
            assert_eq!(read().await.expect(StatusCode::OK), json!([{ "open": "shown" }]));
        }
        let ddl = superuser(&project.database()).await;
        let schema = project.schema();
        ddl.batch_execute(&format!(
            "begin; set local search_path = {schema};
             alter table pairs rename column open to gone; alter table pairs rename column secret to open;
             alter table pairs rename column gone to secret; {}",
            project.moved()
        ))
        .await
        .unwrap();
        let waiting = tokio::spawn(
            world
                .get(&project.rest("pairs?select=open"))
                .key(&project.publishable)
                .send(),
        );
        until_waiting(&project.schema()).await;
        ddl.batch_execute("commit").await.unwrap();
        // The old plan read the column under its new name; what counts is that the reply is of the new state as a whole.
        let reply = waiting.await.unwrap();
        assert_eq!(reply.expect(StatusCode::OK), json!([{ "open": "hidden" }]));
    });
}

/// Waits until a statement on something in `schema` waits for a lock.
async fn until_waiting(schema: &str) {
    let watcher = superuser("plinth_cell").await;
    let sql = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%' || $1 || '%'";
    loop {
        let waiting: i64 = watcher.query_one(sql, &[&schema]).await.unwrap().get(0);
        if waiting > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[test]
fn a_write_behind_a_ddl_runs_once_on_the_new_state() {
    run(async {
        let sql = "create table amounts (id int primary key, cents int); grant select, insert on amounts to $service;";
        let (world, project) = (world().await, project(Isolation::Schema, sql).await);
        let warm = world.get(&project.rest("amounts")).key(&project.secret).send().await;
        warm.expect(StatusCode::OK);
        project.change("alter table amounts rename column cents to euros").await;
        let old = world
            .post(&project.rest("amounts"))
            .key(&project.secret)
            .json(&json!({ "id": 1, "cents": 5 }));
        assert_eq!(old.send().await.code(StatusCode::BAD_REQUEST), "PGRST204");
        let new = world
            .post(&project.rest("amounts"))
            .key(&project.secret)
            .json(&json!({ "id": 1, "euros": 5 }));
        assert_eq!(new.send().await.status, StatusCode::CREATED);
        let rows = world.get(&project.rest("amounts")).key(&project.secret).send().await;
        assert_eq!(rows.expect(StatusCode::OK), json!([{ "id": 1, "euros": 5 }]));
    });
}

#[test]
fn a_table_made_after_the_catalog_was_read_is_found() {
    run(async {
        let (world, project) = (world().await, project(Isolation::Schema, TODOS).await);
        let read = || world.get(&project.rest("later")).key(&project.publishable).send();
        assert_eq!(read().await.code(StatusCode::NOT_FOUND), "PGRST205");
        project
            .change("create table later (id int); insert into later values (1); grant select on later to $anon")
            .await;
        assert_eq!(read().await.expect(StatusCode::OK), json!([{ "id": 1 }]));
        project.change("drop table later").await;
        assert_eq!(read().await.code(StatusCode::NOT_FOUND), "PGRST205");
    });
}

#[test]
fn a_dropped_policy_hides_rows_from_the_next_request() {
    run(async {
        let (world, project) = (world().await, project(Isolation::Schema, TODOS).await);
        let read = || {
            world
                .get(&project.rest("todos?select=id"))
                .key(&project.publishable)
                .send()
        };
        for _ in 0..3 {
            assert_eq!(read().await.expect(StatusCode::OK).as_array().unwrap().len(), 2);
        }
        project.change("drop policy all_of_it on todos").await;
        assert_eq!(read().await.expect(StatusCode::OK), json!([]));
    });
}

#[test]
fn a_revoked_key_is_refused_on_the_next_request() {
    run(async {
        for level in [Isolation::Schema, Isolation::Database] {
            let (world, project) = (world().await, project(level, TODOS).await);
            let path = project.rest("todos?select=id&id=eq.1");
            for _ in 0..3 {
                let reply = world.get(&path).key(&project.secret).send().await;
                assert_eq!(reply.expect(StatusCode::OK), json!([{ "id": 1 }]));
            }
            let fresh = project.revoke(KeyClass::Secret).await;
            let write = world
                .post(&project.rest("todos"))
                .key(&project.secret)
                .json(&json!({ "id": 50 }));
            assert_eq!(write.send().await.code(StatusCode::UNAUTHORIZED), "keys/invalid");
            // Also where the database would have refused it for another reason.
            let fresh_reply = world.get(&path).key(&fresh).send().await;
            assert_eq!(fresh_reply.expect(StatusCode::OK), json!([{ "id": 1 }]));
            let written = world.get(&project.rest("todos?id=eq.50")).key(&fresh).send().await;
            assert_eq!(written.expect(StatusCode::OK), json!([]));
        }
    });
}

#[test]
fn a_revoked_key_is_refused_even_if_the_database_refuses_the_request() {
    run(async {
        let (world, project) = (world().await, project(Isolation::Schema, TODOS).await);
        let duplicate = || {
            let call = world.post(&project.rest("todos")).key(&project.secret);
            call.json(&json!({ "id": 1 })).send()
        };
        assert_eq!(duplicate().await.code(StatusCode::CONFLICT), "23505");
        project.revoke(KeyClass::Secret).await;
        assert_eq!(duplicate().await.code(StatusCode::UNAUTHORIZED), "keys/invalid");
    });
}
