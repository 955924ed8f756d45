//! Rows that refer to deleted rows.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{facade, insert, secretly, seen};
use crate::tables::fixture::project;
use crate::tables::{LEVELS, created};
use crate::world::{Project, run, text};

/// `lists` ← `todos` (cascade, kept) ← `steps` (cascade, kept), `lists` ← `logs` (cascade, not kept), `lists` ← `pins`
/// (set null), `lists` ← `bills` (restrict).
async fn family(project: &Project) {
    let table = async |name: &str, parent: Option<(&str, &str)>, kept: bool| {
        let mut columns = vec![json!({ "name": "id", "type": "integer", "primary_key": true })];
        columns.extend(parent.map(|(table, action)| {
            json!({ "name": "parent", "type": "integer", "references": { "table": table, "on_delete": action } })
        }));
        created(project, json!({ "name": name, "columns": columns, "softDelete": kept })).await;
    };
    table("lists", None, true).await;
    table("todos", Some(("lists", "cascade")), true).await;
    table("steps", Some(("todos", "cascade")), true).await;
    table("logs", Some(("lists", "cascade")), false).await;
    table("pins", Some(("lists", "set null")), true).await;
    table("bills", Some(("lists", "restrict")), true).await;
    insert(project, "lists", json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }])).await;
    insert(
        project,
        "todos",
        json!([{ "id": 10, "parent": 1 }, { "id": 11, "parent": 1 }, { "id": 20, "parent": 2 }]),
    )
    .await;
    insert(
        project,
        "steps",
        json!([{ "id": 100, "parent": 10 }, { "id": 110, "parent": 11 }]),
    )
    .await;
    insert(project, "logs", json!({ "id": 1000, "parent": 1 })).await;
    insert(project, "pins", json!({ "id": 2000, "parent": 1 })).await;
    insert(project, "bills", json!({ "id": 3000, "parent": 3 })).await;
}

async fn remove(project: &Project, path: &str) {
    secretly(Method::DELETE, project, path, None)
        .await
        .expect(StatusCode::OK);
}

async fn restore(project: &Project, table: &str, id: i32) -> crate::world::Reply {
    facade(
        project,
        "restore",
        json!({ "tableName": table, "filters": { "id": id } }),
    )
    .await
}

fn numbers(ids: &[i32]) -> Vec<Value> {
    ids.iter().map(|id| json!(id)).collect()
}

#[test]
fn a_deletion_takes_along_what_is_kept_too_and_its_restoration_brings_back_the_same() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            family(&project).await;
            // Deleted by itself, before.
            remove(&project, "todos?id=eq.11").await;
            remove(&project, "lists?id=eq.1").await;
            assert_eq!(seen(&project, "lists", "id").await, numbers(&[2, 3]));
            assert_eq!(seen(&project, "todos", "id").await, numbers(&[20]));
            assert_eq!(seen(&project, "steps", "id").await, numbers(&[]));
            // What is not kept stays as it is, until its partner is really gone.
            assert_eq!(seen(&project, "logs", "id").await, numbers(&[1000]));
            let pins = secretly(Method::GET, &project, "pins?select=parent,lists(id)", None).await;
            assert_eq!(pins.expect(StatusCode::OK), json!([{ "parent": 1, "lists": null }]));
            // A row does not come back to a partner that it would go with.
            let alone = restore(&project, "todos", 10).await.expect(StatusCode::CONFLICT);
            assert_eq!(alone["code"], "23503");
            assert!(text(&alone, "hint").contains("Restore that row first"), "{alone}");
            restore(&project, "lists", 1).await.expect(StatusCode::OK);
            assert_eq!(seen(&project, "lists", "id").await, numbers(&[1, 2, 3]));
            assert_eq!(seen(&project, "todos", "id").await, numbers(&[10, 20]));
            assert_eq!(seen(&project, "steps", "id").await, numbers(&[100]));
            restore(&project, "todos", 11).await.expect(StatusCode::OK);
            assert_eq!(seen(&project, "steps", "id").await, numbers(&[100, 110]));
        }
    });
}

#[test]
fn what_restricts_a_deletion_restricts_it_here() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            family(&project).await;
            let reply = secretly(Method::DELETE, &project, "lists?id=in.(2,3)", None).await;
            let body = reply.expect(StatusCode::CONFLICT);
            assert_eq!(body["code"], "23503");
            assert_eq!(seen(&project, "lists", "id").await, numbers(&[1, 2, 3]));
            remove(&project, "bills?id=eq.3000").await;
            remove(&project, "lists?id=eq.3").await;
            assert_eq!(
                restore(&project, "bills", 3000).await.code(StatusCode::CONFLICT),
                "23503"
            );
            restore(&project, "lists", 3).await.expect(StatusCode::OK);
            restore(&project, "bills", 3000).await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_tree_goes_and_comes_back_whole() {
    run(async {
        let project = project("schema").await;
        let columns = json!([
            { "name": "id", "type": "integer", "primary_key": true },
            { "name": "parent", "type": "integer", "references": { "table": "nodes", "on_delete": "cascade" } },
        ]);
        created(
            &project,
            json!({ "name": "nodes", "columns": columns, "softDelete": true }),
        )
        .await;
        insert(&project, "nodes", json!([
            { "id": 1, "parent": null }, { "id": 2, "parent": 1 }, { "id": 3, "parent": 2 }, { "id": 4, "parent": null }
        ])).await;
        remove(&project, "nodes?id=in.(1,3)").await;
        assert_eq!(seen(&project, "nodes", "id").await, numbers(&[4]));
        restore(&project, "nodes", 1).await.expect(StatusCode::OK);
        assert_eq!(seen(&project, "nodes", "id").await, numbers(&[1, 2, 3, 4]));
    });
}
