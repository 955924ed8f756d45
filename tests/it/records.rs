//! Rows through every way in, against a real Postgres.

use http::{Method, StatusCode};
use plinth::tenancy::Isolation;
use serde_json::json;

use crate::handmade::{TODOS, project};
use crate::world::{run, world};

const LEVELS: [Isolation; 2] = [Isolation::Schema, Isolation::Database];

#[test]
fn rows_are_read_and_written_in_the_postgrest_dialect() {
    run(async {
        for level in LEVELS {
            let (world, project) = (world().await, project(level, TODOS).await);
            let key = &project.publishable;
            let call = |method: Method, rest: &str| world.call(method, &project.rest(rest)).key(key);

            // Three times: without names, preparing, by name.
            for _ in 0..3 {
                let reply = call(Method::GET, "todos?id=eq.1&select=id,title,at").send().await;
                assert_eq!(
                    reply.expect(StatusCode::OK),
                    json!([{ "id": 1, "title": "first", "at": "2026-01-02T03:04:05+00:00" }])
                );
                assert_eq!(reply.header("content-range"), "0-0/*");
            }
            let created = call(Method::POST, "todos")
                .header("prefer", "return=representation")
                .json(&json!({ "id": 3, "title": "thïrd" }))
                .send()
                .await;
            assert_eq!(created.expect(StatusCode::CREATED)[0]["title"], "thïrd");
            let minimal = call(Method::POST, "todos").json(&json!({ "id": 4 })).send().await;
            assert_eq!((minimal.status, minimal.text.as_str()), (StatusCode::CREATED, ""));
            assert_eq!(minimal.header("content-type"), "");
            let patched = call(Method::PATCH, "todos?id=eq.3")
                .json(&json!({ "done": true }))
                .send()
                .await;
            assert_eq!((patched.status, patched.text.as_str()), (StatusCode::NO_CONTENT, ""));
            let deleted = call(Method::DELETE, "todos?id=eq.4").send().await;
            assert_eq!(deleted.status, StatusCode::NO_CONTENT);
            let counted = call(Method::GET, "todos?done=is.true&select=id&order=id.desc&limit=1")
                .header("prefer", "count=exact")
                .send()
                .await;
            assert_eq!(counted.expect(StatusCode::PARTIAL_CONTENT), json!([{ "id": 3 }]));
            assert_eq!(counted.header("content-range"), "0-0/2");
            let head = call(Method::HEAD, "todos?select=id")
                .header("prefer", "count=exact")
                .send()
                .await;
            assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
            assert_eq!(head.header("content-range"), "0-2/3");
            let single = call(Method::GET, "todos")
                .header("accept", "application/vnd.pgrst.object+json")
                .send()
                .await;
            assert_eq!(single.code(StatusCode::NOT_ACCEPTABLE), "PGRST116");
        }
    });
}

#[test]
fn what_cannot_be_done_says_so_with_a_code() {
    run(async {
        let (world, project) = (world().await, project(Isolation::Schema, TODOS).await);
        let other = crate::handmade::project(Isolation::Schema, TODOS).await;
        let todo = json!({ "id": 1 });
        let cases: [(Method, &str, &str, u16, &str); 13] = [
            (Method::GET, "nothing", "", 404, "PGRST205"),
            (Method::GET, "todos?nothing=eq.1", "", 400, "42703"),
            (Method::GET, "todos?id=eq.x", "", 400, "22P02"),
            (Method::GET, "todos?id=nonsense.1", "", 400, "PGRST100"),
            (
                Method::GET,
                "todos?select=id::regclass",
                "",
                400,
                "records/cast-not-allowed",
            ),
            (Method::POST, "todos", "{", 400, "PGRST102"),
            (Method::POST, "todos", "{\"id\":1}", 409, "23505"),
            (Method::PATCH, "todos", "{\"done\":true}", 400, "21000"),
            (Method::DELETE, "todos", "", 400, "21000"),
            (Method::GET, "todos/1/2", "", 404, "PGRST125"),
            (Method::GET, "%ff", "", 400, "http/path"),
            (Method::POST, "rpc/add", "{}", 404, "PGRST202"),
            (Method::GET, "todos?id=eq.1%00", "", 400, "PGRST100"),
        ];
        for (method, rest, body, status, code) in cases {
            let call = world
                .call(method.clone(), &project.rest(rest))
                .key(&project.publishable);
            let reply = call.body(body, "application/json").send().await;
            assert_eq!(
                reply.code(StatusCode::from_u16(status).unwrap()),
                code,
                "{method} {rest}"
            );
        }
        let profile = world.get(&project.rest("todos")).key(&project.publishable);
        let profile = profile.header("accept-profile", "pg_catalog").send().await;
        assert_eq!(profile.code(StatusCode::NOT_ACCEPTABLE), "PGRST106");
        for path in ["todos", "", "todos?id=nonsense.1", "rpc/x"] {
            let nobody = world.get(&project.rest(path)).send().await;
            assert_eq!(nobody.code(StatusCode::UNAUTHORIZED), "keys/missing", "{path}");
            let stranger = world.get(&project.rest(path)).key(&other.secret).send().await;
            assert_eq!(stranger.code(StatusCode::UNAUTHORIZED), "keys/invalid", "{path}");
        }
        for service in ["storage", "realtime", "functions"] {
            let path = format!("/p/{}/{service}/v1/x/y", project.reference);
            assert_eq!(
                world.get(&path).send().await.code(StatusCode::NOT_IMPLEMENTED),
                "http/not-implemented"
            );
        }
        // Nothing was changed by any of it.
        let rows = world
            .get(&project.rest("todos?select=id"))
            .key(&project.publishable)
            .send()
            .await;
        assert_eq!(rows.expect(StatusCode::OK), json!([todo, { "id": 2 }]));
    });
}

#[test]
fn policies_see_the_caller_and_the_request() {
    run(async {
        let sql = "
            create table notes (id int primary key, seen text);
            insert into notes values (1, 'one'), (2, 'two');
            alter table notes enable row level security;
            create policy by_header on notes for select to anon
              using (current_setting('request.headers')::json ->> 'x-note' = seen
                and current_setting('request.path') = '/notes' and current_setting('request.method') = 'GET'
                and current_setting('request.headers') not like '%plinth_publishable%');
            create policy all_of_it on notes for select to service_role using (true);
            grant select on notes to $anon, $service;";
        let (world, project) = (world().await, project(Isolation::Schema, sql).await);
        let path = project.rest("notes?select=id");
        let anon = world
            .get(&path)
            .key(&project.publishable)
            .header("x-note", "two")
            .send()
            .await;
        assert_eq!(anon.expect(StatusCode::OK), json!([{ "id": 2 }]));
        let service = world.get(&path).key(&project.secret).send().await;
        assert_eq!(service.expect(StatusCode::OK), json!([{ "id": 1 }, { "id": 2 }]));
        let refused = world
            .delete(&project.rest("notes?id=eq.1"))
            .key(&project.publishable)
            .send()
            .await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "42501");
        let refused = world
            .delete(&project.rest("notes?id=eq.1"))
            .key(&project.secret)
            .send()
            .await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "42501");
    });
}

#[test]
fn a_constraint_that_fails_at_commit_is_the_reply() {
    run(async {
        let sql = "
            create table parents (id int primary key);
            create table children (id int primary key, parent int references parents deferrable initially deferred);
            grant select, insert on parents, children to $service;";
        let (world, project) = (world().await, project(Isolation::Schema, sql).await);
        let call = world.post(&project.rest("children")).key(&project.secret);
        let reply = call.json(&json!({ "id": 1, "parent": 9 })).send().await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "23503");
        let rows = world.get(&project.rest("children")).key(&project.secret).send().await;
        assert_eq!(rows.expect(StatusCode::OK), json!([]));
        let call = world
            .post(&project.rest("parents"))
            .key(&project.secret)
            .header("prefer", "tx=rollback");
        assert_eq!(call.json(&json!({ "id": 1 })).send().await.status, StatusCode::CREATED);
        let rows = world.get(&project.rest("parents")).key(&project.secret).send().await;
        assert_eq!(rows.expect(StatusCode::OK), json!([]));
    });
}

#[test]
fn the_catalog_knows_types_keys_and_defaults() {
    run(async {
        let sql = "
            create type mood as enum ('ok', 'sad');
            create table people (id bigint generated by default as identity primary key, mood mood, moods mood[],
              name text default 'nobody', born date, shout text generated always as (upper(name)) stored,
              unique (name, born));
            create view moods as select id, mood from people;
            grant select, insert on people to $service; grant select on moods to $service;
            grant usage on all sequences in schema public to $service;";
        let project = project(Isolation::Database, sql).await;
        let world = world().await;
        let app = world.app(plinth_local::platform::Function::Records);
        let known = app.tenancy.project(&project.reference).await.unwrap();
        let target = app.data_target(&known, known.ready_backend().unwrap()).await.unwrap();
        let place = plinth::backend::Place {
            reference: project.reference.clone(),
            schema: project.names().schema(project.isolation),
            extra_search_path: Vec::new(),
            reader: Some(project.names().service()),
            versioned: true,
            generation: 0,
            declared: plinth::schema::catalog::Declared::default(),
        };
        let records = app.backends.records(&target).unwrap();
        let snapshot = records
            .catalog(&place, std::time::Duration::from_secs(5))
            .await
            .unwrap();
        assert_eq!(snapshot.version, 1);
        let catalog = snapshot.catalog;
        assert_eq!(catalog.enums["mood"], ["ok", "sad"]);
        let people = catalog.relation("people").unwrap();
        let told: Vec<_> = people
            .columns
            .iter()
            .map(|c| {
                format!(
                    "{} {} {:?} {} {}",
                    c.name, c.data_type, c.default, c.nullable, c.generated
                )
            })
            .collect();
        insta_like(
            &told,
            &[
                "id bigint Some(\"nextval('public.people_id_seq'::regclass)\") false false",
                "mood mood None true false",
                "moods mood[] None true false",
                "name text Some(\"'nobody'::text\") true false",
                "born date None true false",
                "shout text None true true",
            ],
        );
        assert_eq!(people.primary_key.len(), 1);
        assert_eq!(people.unique_keys[0].len(), 2);
        assert_eq!(
            catalog.relation("moods").unwrap().kind,
            plinth::schema::catalog::RelationKind::View
        );

        // An enum's parameter has a type that the client has to look up before it can name the statement.
        for _ in 0..3 {
            let reply = world
                .get(&project.rest("people?mood=eq.ok"))
                .key(&project.secret)
                .send()
                .await;
            assert_eq!(reply.expect(StatusCode::OK), json!([]));
        }
    });
}

#[track_caller]
fn insta_like(told: &[String], expected: &[&str]) {
    assert_eq!(told, expected);
}

#[test]
fn the_json_facades_create_query_change_and_delete() {
    run(async {
        let (world, project) = (world().await, project(Isolation::Schema, TODOS).await);
        let records = |rest: &str| format!("/api/database/{}/records/{rest}", project.backend);
        let key = &project.secret;
        let query = |body: serde_json::Value| world.post(&records("query")).key(key).json(&body).send();

        let body = json!({ "tableName": "todos", "data": { "id": 7, "title": "seven" } });
        let created = world.post(&records("create")).key(key).json(&body).send().await;
        assert_eq!(created.expect(StatusCode::CREATED)["record"]["id"], 7);
        let found = query(json!({ "tableName": "todos", "filters": { "title": "seven", "done": false } })).await;
        assert_eq!(found.expect(StatusCode::OK)["records"][0]["id"], 7);
        let page = query(json!({ "tableName": "todos", "limit": 1, "offset": 1 })).await;
        assert_eq!(page.expect(StatusCode::OK)["records"][0]["id"], 2);
        let missing = query(json!({ "tableName": "nothing" }))
            .await
            .expect(StatusCode::NOT_FOUND);
        assert_eq!(
            (missing["message"].as_str(), missing["code"].as_str()),
            (Some("Table not found"), Some("PGRST205"))
        );
        let body = json!({ "tableName": "todos", "data": { "title": "VII" } });
        let changed = world.put(&records("7")).key(key).json(&body).send().await;
        assert_eq!(changed.expect(StatusCode::OK)["record"]["title"], "VII");
        let gone = world.delete(&records("7?tableName=todos")).key(key).send().await;
        assert_eq!(gone.expect(StatusCode::OK)["record"]["title"], "VII");
        let gone = world.delete(&records("7?tableName=todos")).key(key).send().await;
        assert_eq!(gone.code(StatusCode::NOT_FOUND), "records/not-found");
        let nobody = world
            .post(&records("query"))
            .json(&json!({ "tableName": "todos" }))
            .send()
            .await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        let bad = world
            .post(&records("query"))
            .key(key)
            .json(&json!({ "table": "todos" }))
            .send()
            .await;
        assert_eq!(bad.code(StatusCode::BAD_REQUEST), "http/body");

        let v1 = |method: Method, rest: &str| world.call(method, &format!("/api/v1/{rest}")).key(key);
        let created = v1(Method::POST, "todos")
            .json(&json!([{ "id": 8 }, { "id": 9 }]))
            .send()
            .await;
        assert_eq!(
            created.expect(StatusCode::CREATED)["records"].as_array().unwrap().len(),
            2
        );
        let one = v1(Method::GET, "todos/8").send().await.expect(StatusCode::OK);
        assert_eq!(one["record"]["id"], 8);
        let list = v1(Method::GET, "todos?id=gte.8&order=id.desc").send().await;
        assert_eq!(list.expect(StatusCode::OK)["records"][0]["id"], 9);
        let changed = v1(Method::PUT, "todos/8").json(&json!({ "done": true })).send().await;
        assert_eq!(changed.expect(StatusCode::OK)["record"]["done"], true);
        assert_eq!(v1(Method::DELETE, "todos/8").send().await.status, StatusCode::OK);
        assert_eq!(
            v1(Method::GET, "todos/8").send().await.code(StatusCode::NOT_FOUND),
            "records/not-found"
        );
        assert_eq!(
            v1(Method::GET, "todos/%ff").send().await.code(StatusCode::BAD_REQUEST),
            "http/path"
        );
    });
}

#[test]
fn the_last_use_of_a_key_is_written_down() {
    run(async {
        let project = project(Isolation::Schema, TODOS).await;
        // A world of its own: its first use is due at once.
        let world = crate::world::World::of(
            crate::world::platform().await,
            std::sync::Arc::new(plinth::clock::SystemClock),
        );
        world
            .get(&project.rest("todos"))
            .key(&project.secret)
            .send()
            .await
            .expect(StatusCode::OK);
        let control = crate::handmade::superuser("plinth").await;
        let sql = "select count(*) from plinth.keys where project_id = $1 and last_used_at is not null";
        let used: i64 = control.query_one(sql, &[&project.id]).await.unwrap().get(0);
        assert_eq!(used, 1);
    });
}
