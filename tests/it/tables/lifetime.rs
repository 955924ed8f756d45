//! Tables that go and come back, tables that must stay, and how many there may be.

use http::StatusCode;
use plinth::clock::SystemClock;
use serde_json::{Value, json};
use std::sync::Arc;
use uuid::Uuid;

use super::fixture::{cell, control, project, schema_of};
use super::{LEVELS, alter, altered, anatomy, created, delete, get, restore, todos};
use crate::world::{World, platform, run, text};

#[test]
fn delete_and_restore_keep_rows_and_keys() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (client, schema) = (cell(&project, level).await, schema_of(&project, level));
            let table = created(&project, todos()).await;
            let other = created(
                &project,
                json!({ "name": "steps", "columns": [
                { "name": "todo_id", "type": "uuid", "references": { "table": "todos" } } ] }),
            )
            .await;
            client
                .batch_execute(&format!("insert into {schema}.todos (title) values ('one'), ('two')"))
                .await
                .unwrap();
            assert_eq!(
                delete(&project, &table).await.code(StatusCode::CONFLICT),
                "tables/needed"
            );
            delete(&project, &other).await.expect(StatusCode::OK);
            // The reference of a table that lies aside holds nothing back.
            let with_table = anatomy(&client, &schema).await;
            let gone = delete(&project, &table).await.expect(StatusCode::OK);
            assert!(gone["table"]["deletedAt"].is_string());
            assert_eq!(
                delete(&project, &table).await.code(StatusCode::NOT_FOUND),
                "tables/not-found"
            );
            let names = |tables: Value| -> Vec<String> {
                tables["tables"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|table| text(table, "name"))
                    .collect()
            };
            assert_eq!(names(get(&project, "tables").await), ["app_data", "app_users"]);
            assert_eq!(names(get(&project, "tables?deleted=true").await), ["steps", "todos"]);
            // Another one may have the name meanwhile.
            let usurper = created(&project, todos()).await;
            assert_eq!(
                restore(&project, &table).await.code(StatusCode::CONFLICT),
                "tables/name-taken"
            );
            delete(&project, &usurper).await.expect(StatusCode::OK);
            assert_eq!(
                restore(&project, &other).await.code(StatusCode::CONFLICT),
                "tables/restore"
            );
            let back = restore(&project, &table).await.expect(StatusCode::OK);
            assert_eq!(back["table"]["version"], 3);
            assert_eq!(anatomy(&client, &schema).await, with_table);
            let rows = client
                .query(&format!("select title from {schema}.todos"), &[])
                .await
                .unwrap();
            assert_eq!(rows.len(), 2);
            restore(&project, &other).await.expect(StatusCode::OK);
            assert_eq!(
                restore(&project, &other).await.code(StatusCode::CONFLICT),
                "tables/not-deleted"
            );
        }
    });
}

#[test]
fn a_deleted_table_is_restorable_for_thirty_days() {
    run(async {
        let project = project("schema").await;
        let table = created(&project, todos()).await;
        delete(&project, &table).await.expect(StatusCode::OK);
        let id: Uuid = text(&table, "id").parse().unwrap();
        let age = |age: &'static str| async move {
            let sql = format!("update plinth.tables set deleted_at = now() - interval '{age}' where id = $1");
            control().await.execute(&sql, &[&id]).await.unwrap();
        };
        age("30 days 1 second").await;
        assert_eq!(
            restore(&project, &table).await.code(StatusCode::NOT_FOUND),
            "tables/not-found"
        );
        age("29 days 23 hours 59 minutes").await;
        restore(&project, &table).await.expect(StatusCode::OK);
    });
}

#[test]
fn what_backends_need_stays() {
    run(async {
        let project = project("schema").await;
        let tables = get(&project, "tables").await["tables"].clone();
        let (data, users) = (&tables[0], &tables[1]);
        assert_eq!(users["name"], "app_users");
        delete(&project, data).await.expect(StatusCode::OK);
        assert_eq!(
            delete(&project, users).await.code(StatusCode::CONFLICT),
            "tables/needed"
        );
        for operations in [
            json!([{ "op": "drop_column", "name": "email" }]),
            json!([{ "op": "alter_column", "name": "full_name", "type": "integer" }]),
            json!([{ "op": "rename_column", "from": "email", "to": "x" },
                   { "op": "add_column", "column": { "name": "email", "type": "text" } }]),
            json!([{ "op": "rename_table", "to": "people" }]),
        ] {
            let reply = alter(&project, users, operations.clone()).await;
            assert_eq!(reply.code(StatusCode::CONFLICT), "tables/needed", "{operations}");
        }
        altered(
            &project,
            users,
            json!([{ "op": "add_column", "column": { "name": "city", "type": "text" } }]),
        )
        .await;
    });
}

#[test]
fn a_project_has_a_bounded_number_of_tables() {
    run(async {
        let project = project("schema").await;
        let small = World::of(&platform().await.with("PLINTH_MAX_TABLES", "3"), Arc::new(SystemClock));
        let create = |name: &str| {
            let body = json!({ "schemaJson": { "name": name, "columns": [] } });
            small
                .post(&project.database("tables/create"))
                .bearer(&project.owner.token)
                .json(&body)
                .send()
        };
        let third = create("third").await.expect(StatusCode::CREATED)["table"].clone();
        assert_eq!(create("fourth").await.code(StatusCode::FORBIDDEN), "tables/quota");
        delete(&project, &third).await.expect(StatusCode::OK);
        create("fourth").await.expect(StatusCode::CREATED);
        let path = project.database(&format!("tables/{}/restore", text(&third, "id")));
        let reply = small.post(&path).bearer(&project.owner.token).send().await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "tables/quota");
    });
}
