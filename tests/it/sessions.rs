//! What one request leaves behind on a connection, the next one does not find.

use http::StatusCode;
use plinth::tenancy::Isolation;
use serde_json::json;

use crate::handmade::{Handmade, TODOS, project, superuser};
use crate::world::{Project, World, platform, run};

/// A world whose functions have one connection per database.
async fn narrow() -> World {
    let platform = platform().await.with("PLINTH_POOL_SIZE", "1");
    World::of(&platform, std::sync::Arc::new(plinth::clock::SystemClock))
}

#[test]
fn two_tenants_in_turn_on_one_connection_see_their_own_rows_only() {
    run(async {
        let world = narrow().await;
        let table = |name: &str| {
            format!(
                "create table things (id int primary key, whose text default current_setting('app.tenant_id'));
                 insert into things values (1, '{name}');
                 create policy own on things using (true); grant select, insert on things to $anon;"
            )
        };
        let a = project(Isolation::Schema, &table("a")).await;
        let b = project(Isolation::Schema, &table("b")).await;
        for round in 0..4 {
            for (mine, name) in [(&a, "a"), (&b, "b")] {
                let rows = world
                    .get(&mine.rest("things?id=eq.1&select=whose"))
                    .key(&mine.publishable);
                assert_eq!(rows.send().await.expect(StatusCode::OK), json!([{ "whose": name }]));
                // After a commit, a rollback and an error.
                let written = world.post(&mine.rest("things")).key(&mine.publishable);
                let written = written
                    .header("prefer", "return=representation")
                    .json(&json!({ "id": 10 + round }));
                let written = written.send().await.expect(StatusCode::CREATED);
                assert_eq!(written[0]["whose"], mine.id.to_string());
                let undone = world.post(&mine.rest("things")).key(&mine.publishable);
                let undone = undone.header("prefer", "tx=rollback").json(&json!({ "id": 100 }));
                assert_eq!(undone.send().await.status, StatusCode::CREATED);
                let failed = world
                    .post(&mine.rest("things"))
                    .key(&mine.publishable)
                    .json(&json!({ "id": 1 }));
                assert_eq!(failed.send().await.code(StatusCode::CONFLICT), "23505");
            }
        }
    });
}

#[test]
fn a_session_left_dirty_by_tenant_code_serves_the_next_request_all_the_same() {
    run(async {
        let world = narrow().await;
        let dirty = [
            "set_config('role', '$service', false)",
            "set_config('search_path', 'pg_catalog', false)",
            "set_config('request.jwt.claims', '{\"sub\":\"x\"}', false)",
            "set_config('statement_timeout', '1', false)",
            "set_config('default_transaction_read_only', 'on', false)",
            "set_config('default_transaction_isolation', 'serializable', false)",
            "set_config('row_security', 'off', false)",
            "set_config('standard_conforming_strings', 'off', false)",
            "set_config('DateStyle', 'SQL, DMY', false)",
            "set_config('TimeZone', 'Asia/Tokyo', false)",
            "set_config('client_encoding', 'LATIN1', false)",
            "set_config('bytea_output', 'escape', false)",
            "set_config('response.status', '418', false)",
        ];
        let sql = format!(
            "{TODOS}
             create table dirt (id int primary key, what text);
             create function pour() returns trigger language plpgsql as $$ begin
               execute new.what; return new; end $$;
             create trigger pour before insert on dirt for each row execute function pour();
             grant select, insert on dirt to $anon, $service;"
        );
        let project = project(Isolation::Database, &sql).await;
        let expected = json!([{ "id": 1, "title": "first", "done": false, "at": "2026-01-02T03:04:05+00:00" }]);
        let soils = dirty.iter().map(|set| format!("select {set}")).chain([
            "deallocate all".to_owned(),
            "deallocate all; prepare s1 as select 1".to_owned(),
        ]);
        for (at, soil) in soils.enumerate() {
            let soil = soil.replace("$service", project.names().service().as_str());
            let soiled = world.post(&project.rest("dirt")).key(&project.publishable);
            let soiled = soiled.json(&json!({ "id": at, "what": soil })).send().await;
            // What it did to its own reply is its own affair.
            assert!(
                soiled.status.is_success() || soiled.status == StatusCode::IM_A_TEAPOT,
                "{soil}: {}",
                soiled.text
            );
            for _ in 0..3 {
                let read = world
                    .get(&project.rest("todos?id=eq.1"))
                    .key(&project.publishable)
                    .send()
                    .await;
                assert_eq!(read.expect(StatusCode::OK), expected, "{soil}");
                let written = world.patch(&project.rest("todos?id=eq.2")).key(&project.publishable);
                let written = written
                    .header("prefer", "return=representation")
                    .json(&json!({ "title": "zwö\\lf" }));
                assert_eq!(
                    written.send().await.expect(StatusCode::OK)[0]["title"],
                    "zwö\\lf",
                    "{soil}"
                );
            }
        }
    });
}

/// A server may remember whose roles a login has as they were before a grant that was committed while it looked.
#[test]
fn a_session_that_missed_a_grant_is_not_asked_twice() {
    run(async {
        let world = narrow().await;
        let [neighbour, new] = [
            project(Isolation::Schema, TODOS).await,
            project(Isolation::Schema, TODOS).await,
        ];
        let server = superuser("postgres").await;
        let role = new.names().anon().quoted().to_string();
        let read = |of: &Handmade| {
            let read = world.get(&of.rest("todos?id=eq.1")).key(&of.publishable);
            async { read.send().await.status }
        };
        assert_eq!(read(&new).await, StatusCode::OK);
        for round in 0..100 {
            let grant = async {
                for change in [
                    format!("revoke {role} from plinth_api"),
                    format!("grant {role} to plinth_api"),
                ] {
                    server.batch_execute(&change).await.unwrap();
                }
            };
            let traffic = async {
                for _ in 0..10 {
                    assert_eq!(read(&neighbour).await, StatusCode::OK);
                }
            };
            tokio::join!(traffic, grant);
            assert_eq!(read(&new).await, StatusCode::OK, "round {round}");
        }
    });
}

/// What a change of tables finds out about its session, the next one does not trip over.
#[test]
fn a_change_that_may_not_be_made_leaves_the_session_as_it_was() {
    run(async {
        let world = narrow().await;
        let (kept_out, other) = (world.project("schema").await, world.project("schema").await);
        let server = superuser("postgres").await;
        let owner = format!("p_{}_owner", kept_out.reference);
        let change = |to: &str| format!("{to} plinth_provision");
        let create = |on: &Project, name: &str| {
            let columns = json!([{ "name": "id", "type": "integer", "primary_key": true }]);
            let design = json!({ "schemaJson": { "name": name, "columns": columns } });
            let call = world.post(&on.database("tables/create")).bearer(&on.owner.token);
            let call = call.json(&design);
            async { call.send().await.status }
        };
        let away = format!("{owner}_away");
        for (without, with) in [
            (
                change(&format!("revoke {owner} from")),
                change(&format!("grant {owner} to")),
            ),
            (
                format!("alter role {owner} rename to {away}"),
                format!("alter role {away} rename to {owner}"),
            ),
        ] {
            server.batch_execute(&without).await.unwrap();
            let refused = create(&kept_out, "refused").await;
            assert_eq!(refused, StatusCode::INTERNAL_SERVER_ERROR, "{without}");
            let name = format!("made_{}", without.len());
            assert_eq!(create(&other, &name).await, StatusCode::CREATED, "{without}");
            server.batch_execute(&with).await.unwrap();
            assert_eq!(create(&kept_out, &name).await, StatusCode::CREATED, "{without}");
        }
    });
}
