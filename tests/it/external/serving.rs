//! What a request's transaction is like, and how changes behind our back are noticed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use plinth::clock::SystemClock;
use serde_json::json;

use super::{Own, sql, token, world, world_at};
use crate::world::{run, text, unique};

#[test]
fn the_database_is_told_what_postgrest_tells_it() {
    run(async {
        let own = Own::with(json!({ "appSettings": { "app.settings.name": "a value" } })).await;
        let call = own.facts().await.header("cookie", "a=1; b=2").header("x-mine", "yes");
        let facts = call.send().await.expect(StatusCode::OK)[0].clone();
        assert_eq!((&facts["method"], &facts["path"]), (&json!("GET"), &json!("/facts")));
        assert_eq!(
            (&facts["headers"]["x-mine"], &facts["headers"]["cookie"]),
            (&json!("yes"), &json!(null))
        );
        assert_eq!(facts["cookies"], json!({ "a": "1", "b": "2" }));
        assert_eq!(facts["setting"], "a value");
        assert_eq!(facts["search_path"], "\"api\", \"hidden\", pg_temp");
        assert_eq!(
            (&facts["zone"], &facts["dates"]),
            (&json!("Europe/Berlin"), &json!("German, DMY"))
        );
        let asked = own
            .facts()
            .await
            .header("prefer", "timezone=America/New_York")
            .send()
            .await;
        assert_eq!(asked.expect(StatusCode::OK)[0]["zone"], "America/New_York");
        // Nothing of it is left for the next request on the connection.
        let plain = own.facts().await.send().await.expect(StatusCode::OK);
        assert_eq!(
            (&plain[0]["zone"], &plain[0]["cookies"]),
            (&json!("Europe/Berlin"), &json!({}))
        );
    });
}

#[test]
fn the_profile_chooses_among_the_schemas() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({ "schemas": ["api", "v2"] })).await;
        let user = token(&json!({ "role": "web_user" }));
        let first = world.get(&own.rest("todos?id=eq.1&select=id")).send().await;
        assert_eq!(
            (first.header("content-profile"), first.expect(StatusCode::OK)),
            ("api", json!([{ "id": 1 }]))
        );
        let second = world
            .get(&own.rest("notes?id=eq.1&select=id"))
            .header("accept-profile", "v2")
            .send()
            .await;
        assert_eq!(
            (second.header("content-profile"), second.expect(StatusCode::OK)),
            ("v2", json!([{ "id": 1 }]))
        );
        let id = 1000 + i32::from(unique().as_bytes()[3]);
        let write = world
            .post(&own.rest("notes"))
            .bearer(&user)
            .header("content-profile", "v2");
        let written = write.json(&json!({ "id": id })).send().await;
        assert_eq!(
            (written.status, written.header("content-profile")),
            (StatusCode::CREATED, "v2")
        );
        // A read header does not choose for a write.
        let write = world
            .post(&own.rest("notes"))
            .bearer(&user)
            .header("accept-profile", "v2");
        assert_eq!(
            write
                .json(&json!({ "id": id }))
                .send()
                .await
                .code(StatusCode::NOT_FOUND),
            "PGRST205"
        );
        let unknown = world
            .get(&own.rest("secrets"))
            .header("accept-profile", "hidden")
            .send()
            .await;
        let refused = unknown.expect(StatusCode::NOT_ACCEPTABLE);
        assert_eq!(
            (
                text(&refused, "code"),
                text(&refused, "message"),
                text(&refused, "hint")
            ),
            (
                "PGRST106".into(),
                "Invalid schema: hidden".into(),
                "Only the following schemas are exposed: api, v2".into()
            )
        );
        sql(&format!("delete from v2.notes where id = {id}")).await;
        let one = Own::with(json!({})).await;
        let reply = world.get(&one.rest("todos?limit=0")).send().await;
        assert_eq!((reply.status, reply.header("content-profile")), (StatusCode::OK, ""));
    });
}

#[test]
fn the_pre_request_function_runs_as_the_role_in_the_same_transaction() {
    run(async {
        for name in ["api.check", "check"] {
            let own = Own::with(json!({ "preRequest": name })).await;
            // Several times: statements get names on the way.
            for _ in 0..4 {
                let facts = own.facts().await.send().await.expect(StatusCode::OK);
                assert_eq!(facts[0]["checked"], "web_anon");
                let blocked = own.facts().await.header("x-blocked", "1").send().await;
                let refused = blocked.expect(StatusCode::IM_A_TEAPOT);
                assert_eq!(
                    (text(&refused, "message"), text(&refused, "hint")),
                    ("blocked here".into(), "go away".into())
                );
            }
        }
    });
}

#[test]
fn max_rows_cut_and_rollbacks_are_the_owners_choice() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({ "maxRows": 2, "txOverride": false })).await;
        let rows = world.get(&own.rest("todos")).send().await.expect(StatusCode::OK);
        assert_eq!(rows.as_array().unwrap().len(), 2);
        let free = Own::with(json!({})).await;
        let user = token(&json!({ "role": "web_user" }));
        let write = world
            .post(&free.rest("todos"))
            .bearer(&user)
            .header("prefer", "tx=rollback");
        let reply = write.json(&json!({ "id": 77, "title": "gone" })).send().await;
        assert_eq!(
            (reply.status, reply.header("preference-applied")),
            (StatusCode::CREATED, "tx=rollback")
        );
        let left = world.get(&free.rest("todos?id=eq.77")).send().await;
        assert_eq!(left.expect(StatusCode::OK), json!([]));
    });
}

#[test]
fn a_change_behind_our_back_that_breaks_a_request_is_seen_at_once() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({})).await;
        let (table, user) = (unique(), token(&json!({ "role": "web_user" })));
        let grant = "grant all on all tables in schema api to web_user";
        sql(&format!(
            "create table api.{table} (id int primary key, a text); insert into api.{table} values (1, 'x'); {grant}"
        ))
        .await;
        let get = |query: &str| world.get(&own.rest(&format!("{table}{query}"))).bearer(&user);
        // Seen on its first reading.
        assert_eq!(
            get("?select=a").send().await.expect(StatusCode::OK),
            json!([{ "a": "x" }])
        );
        // A column that was renamed: the database refuses the old plan, the new name works.
        sql(&format!("alter table api.{table} rename a to b")).await;
        assert_eq!(
            get("?select=b").send().await.expect(StatusCode::OK),
            json!([{ "b": "x" }])
        );
        // `*` on the old catalog names a column that is gone.
        sql(&format!("alter table api.{table} drop column b")).await;
        assert_eq!(get("").send().await.expect(StatusCode::OK), json!([{ "id": 1 }]));
        // A table that came, and one that went.
        sql(&format!("create table api.{table}_new (id int); {grant}")).await;
        let new = world.get(&own.rest(&format!("{table}_new"))).bearer(&user).send().await;
        assert_eq!(new.expect(StatusCode::OK), json!([]));
        sql(&format!("drop table api.{table}")).await;
        assert_eq!(get("").send().await.status, StatusCode::NOT_FOUND);
    });
}

#[test]
fn a_new_column_is_seen_after_a_reload() {
    run(async {
        // A process that has read the catalog, and one that reloads.
        let reader = world_at(Arc::new(SystemClock)).await;
        let own = Own::with(json!({})).await;
        let (table, user) = (unique(), token(&json!({ "role": "web_user" })));
        sql(&format!("create table api.{table} (id int); insert into api.{table} values (1); grant all on api.{table} to web_user")).await;
        let get = || reader.get(&own.rest(&table)).bearer(&user);
        assert_eq!(get().send().await.expect(StatusCode::OK), json!([{ "id": 1 }]));
        sql(&format!("alter table api.{table} add column more text default 'm'")).await;
        let reload = format!("/api/projects/{}/backend/reload", own.id);
        let reloaded = world().await.post(&reload).bearer(&own.owner.token).send().await;
        assert_eq!(text(&reloaded.expect(StatusCode::OK), "backendType"), "external");
        let started = Instant::now();
        while get().send().await.expect(StatusCode::OK) != json!([{ "id": 1, "more": "m" }]) {
            assert!(started.elapsed() < Duration::from_secs(15), "the reload is not heard");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

#[test]
fn the_json_facades_work_over_it() {
    run(async {
        let world = world().await;
        let own = Own::with(json!({ "serviceRole": "web_service" })).await;
        let query = json!({ "tableName": "todos", "filters": { "id": 2 } });
        let path = format!("/api/database/{}/records/query", own.backend);
        for call in [
            world.post(&path).key(&own.secret),
            world.post(&path).key(&own.publishable),
            world.post(&path).bearer(&own.owner.token),
        ] {
            let found = call.json(&query).send().await.expect(StatusCode::OK);
            assert_eq!(found["records"][0]["title"], "second");
        }
        assert_eq!(
            world.post(&path).json(&query).send().await.status,
            StatusCode::UNAUTHORIZED
        );
        let one = world.get("/api/v1/todos/3").key(&own.publishable).send().await;
        assert_eq!(one.expect(StatusCode::OK)["record"]["title"], "third");
        let created = world.post("/api/v1/todos").key(&own.secret);
        let id = 500 + i32::from(unique().as_bytes()[4]);
        let created = created.json(&json!({ "id": id, "title": "made" })).send().await;
        assert_eq!(created.expect(StatusCode::CREATED)["record"]["owner"], "web_service");
        let gone = world
            .delete(&format!("/api/v1/todos/{id}"))
            .key(&own.secret)
            .send()
            .await;
        assert_eq!(gone.status, StatusCode::OK);
    });
}

#[test]
fn what_works_on_tables_of_ours_is_refused_politely() {
    run(async {
        let own = Own::with(json!({})).await;
        let path = format!("/api/database/{}/tables", own.backend);
        let reply = world().await.get(&path).bearer(&own.owner.token).send().await;
        assert!(
            reply.status.as_u16() < 500 || reply.status == StatusCode::NOT_IMPLEMENTED,
            "{}",
            reply.text
        );
    });
}
