//! Every way in deletes softly, and no way in shows what is deleted.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{facade, insert, notes, rest, secretly, seen, values};
use crate::tables::fixture::{cell, project, schema_of};
use crate::tables::{LEVELS, altered, created};
use crate::world::{Project, Reply, run, text, world};

/// How many rows of a table there really are, and how many of them are deleted.
async fn stored(project: &Project, level: &str, table: &str) -> (i64, i64) {
    let schema = schema_of(project, level);
    let sql = format!("select count(*), count(plinth_deleted_at) from {schema}.{table}");
    let row = cell(project, level).await.query_one(&sql, &[]).await.unwrap();
    (row.get(0), row.get(1))
}

async fn v1(project: &Project, method: Method, path: &str) -> Reply {
    world()
        .await
        .call(method, &format!("/api/v1/{path}"))
        .key(&project.secret)
        .send()
        .await
}

#[test]
fn every_door_marks_rows_and_answers_as_if_they_were_gone() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            notes(&project).await;
            let rows: Vec<Value> = (1..=9)
                .map(|id| json!({ "id": id, "title": format!("n{id}") }))
                .collect();
            insert(&project, "notes", json!(rows)).await;
            let before = secretly(Method::GET, &project, "notes?id=eq.1&select=id,title,updated_at", None).await;
            let gone = secretly(
                Method::DELETE,
                &project,
                "notes?id=eq.1&select=id,title,updated_at",
                None,
            )
            .await;
            assert_eq!(gone.expect(StatusCode::OK), before.expect(StatusCode::OK));
            let minimal = world()
                .await
                .delete(&project.rest("notes?id=eq.2"))
                .key(&project.secret)
                .send()
                .await;
            assert_eq!((minimal.status, minimal.text.as_str()), (StatusCode::NO_CONTENT, ""));
            let counted = world()
                .await
                .delete(&project.rest("notes?id=in.(2,3,4)"))
                .key(&project.secret);
            let counted = counted.header("prefer", "count=exact").send().await;
            assert_eq!(
                (counted.status, counted.header("content-range")),
                (StatusCode::NO_CONTENT, "*/2")
            );
            let strict = world()
                .await
                .delete(&project.rest("notes?id=gt.4"))
                .key(&project.secret);
            let strict = strict.header("prefer", "handling=strict, max-affected=2").send().await;
            assert_eq!(strict.code(StatusCode::BAD_REQUEST), "PGRST124");
            let tried = world()
                .await
                .delete(&project.rest("notes?id=gt.4"))
                .key(&project.secret);
            tried.header("prefer", "tx=rollback").send().await;
            let bare = world()
                .await
                .delete(&project.rest("notes"))
                .key(&project.secret)
                .send()
                .await;
            assert_eq!(bare.code(StatusCode::BAD_REQUEST), "21000");
            assert_eq!(stored(&project, level, "notes").await, (9, 4));
            let one = v1(&project, Method::DELETE, "notes/5").await.expect(StatusCode::OK);
            assert_eq!(one["record"]["title"], "n5");
            assert_eq!(
                v1(&project, Method::DELETE, "notes/5")
                    .await
                    .code(StatusCode::NOT_FOUND),
                "records/not-found"
            );
            let path = project.database("records/6?tableName=notes");
            world()
                .await
                .delete(&path)
                .bearer(&project.owner.token)
                .send()
                .await
                .expect(StatusCode::OK);
            let many = facade(
                &project,
                "delete",
                json!({ "tableName": "notes", "filters": { "id": 7 } }),
            )
            .await;
            assert_eq!(many.expect(StatusCode::OK)["records"][0]["id"], 7);
            assert_eq!(stored(&project, level, "notes").await, (9, 7));
            assert_eq!(seen(&project, "notes", "id").await, [json!(8), json!(9)]);
        }
    });
}

#[test]
fn nothing_shows_or_touches_deleted_rows() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            notes(&project).await;
            let columns = json!([
                { "name": "id", "type": "integer", "primary_key": true },
                { "name": "note_id", "type": "integer", "references": { "table": "notes", "on_delete": "set null" } },
            ]);
            created(&project, json!({ "name": "tags", "columns": columns })).await;
            insert(
                &project,
                "notes",
                json!([{ "id": 1, "title": "a" }, { "id": 2, "title": "b" }]),
            )
            .await;
            insert(
                &project,
                "tags",
                json!([{ "id": 10, "note_id": 1 }, { "id": 20, "note_id": 2 }]),
            )
            .await;
            secretly(Method::DELETE, &project, "notes?id=eq.1", None)
                .await
                .expect(StatusCode::OK);
            let get = async |path: &str| secretly(Method::GET, &project, path, None).await.expect(StatusCode::OK);
            for path in [
                "notes?id=eq.1",
                "notes?title=eq.a",
                "notes?id=lt.2",
                "tags?id=eq.10&select=id,notes!inner(id)",
            ] {
                assert_eq!(get(path).await, json!([]), "{path}");
            }
            assert_eq!(
                get("tags?select=id,notes(id)&order=id").await,
                json!([
                    { "id": 10, "notes": null }, { "id": 20, "notes": { "id": 2 } }
                ])
            );
            let counted = world().await.get(&project.rest("notes?select=id")).key(&project.secret);
            let counted = counted.header("prefer", "count=exact").send().await;
            assert_eq!(counted.header("content-range"), "0-0/1");
            let changed = secretly(
                Method::PATCH,
                &project,
                "notes?id=in.(1,2)",
                Some(json!({ "title": "c" })),
            )
            .await;
            assert_eq!(values(&changed.expect(StatusCode::OK), "id"), [json!(2)]);
            for query in [
                "select=plinth_deleted_at",
                "plinth_deleted_at=not.is.null",
                "order=plinth_deleted_at",
            ] {
                let reply = secretly(Method::GET, &project, &format!("notes?{query}"), None).await;
                assert_eq!(reply.code(StatusCode::BAD_REQUEST), "42703", "{query}");
            }
            for (method, path) in [(Method::POST, "notes"), (Method::PATCH, "notes?id=eq.2")] {
                let body = json!({ "id": 2, "plinth_deleted_at": null });
                let reply = secretly(method, &project, path, Some(body)).await;
                assert_eq!(reply.code(StatusCode::BAD_REQUEST), "PGRST204");
            }
            let described = get("").await;
            assert!(!described.to_string().contains("plinth_"), "{described}");
            let delete = &described["paths"]["/notes"]["delete"];
            assert!(text(delete, "description").contains("30 days"), "{delete}");
        }
    });
}

#[test]
fn a_deleted_row_holds_its_unique_values_and_says_so() {
    run(async {
        let project = project("schema").await;
        notes(&project).await;
        insert(&project, "notes", json!({ "id": 1, "title": "a" })).await;
        secretly(Method::DELETE, &project, "notes?id=eq.1", None)
            .await
            .expect(StatusCode::OK);
        for row in [json!({ "id": 1, "title": "new" }), json!({ "id": 2, "title": "a" })] {
            let reply = secretly(Method::POST, &project, "notes", Some(row)).await;
            let body = reply.expect(StatusCode::CONFLICT);
            assert_eq!(body["code"], "23505");
            assert!(text(&body, "hint").contains("deleted row"), "{body}");
        }
        let upsert = async |resolution: &str| {
            let call = world().await.post(&project.rest("notes")).key(&project.secret);
            let call = call.header(
                "prefer",
                &format!("resolution={resolution}-duplicates, return=representation"),
            );
            call.json(&json!({ "id": 1, "title": "again" })).send().await
        };
        let body = upsert("merge").await.json();
        assert_eq!(body["code"], "42501");
        assert!(text(&body, "hint").contains("deleted"), "{body}");
        assert_eq!(upsert("ignore").await.expect(StatusCode::CREATED), json!([]));
        facade(&project, "restore", json!({ "tableName": "notes" }))
            .await
            .expect(StatusCode::OK);
        assert_eq!(seen(&project, "notes", "title").await, [json!("a")]);
        assert_eq!(upsert("merge").await.expect(StatusCode::OK)[0]["title"], "again");
    });
}

#[test]
fn keeping_is_switched_on_and_off() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let columns = json!([{ "name": "id", "type": "integer", "primary_key": true }]);
            let design = json!({ "name": "t", "columns": columns, "policies": ["authenticated"], "timestamps": true });
            let plain = created(&project, design).await;
            insert(&project, "t", json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }])).await;
            secretly(Method::DELETE, &project, "t?id=eq.1", None)
                .await
                .expect(StatusCode::OK);
            let kept = altered(
                &project,
                &plain,
                json!([{ "op": "set_soft_delete", "softDelete": true }]),
            )
            .await;
            assert_eq!(kept["schema"]["softDelete"], true);
            secretly(Method::DELETE, &project, "t?id=eq.2", None)
                .await
                .expect(StatusCode::OK);
            assert_eq!(stored(&project, level, "t").await, (2, 1));
            let renamed = altered(&project, &kept, json!([{ "op": "rename_table", "to": "u" }])).await;
            assert_eq!(seen(&project, "u", "id").await, [json!(3)]);
            let off = json!([{ "op": "set_soft_delete", "softDelete": false }]);
            let refused = crate::tables::alter(&project, &renamed, off.clone())
                .await
                .expect(StatusCode::CONFLICT);
            assert_eq!(refused["code"], "tables/data");
            assert!(text(&refused, "message").contains("Deleted rows"), "{refused}");
            facade(&project, "restore", json!({ "tableName": "u" }))
                .await
                .expect(StatusCode::OK);
            altered(&project, &renamed, off).await;
            assert_eq!(seen(&project, "u", "id").await, [json!(2), json!(3)]);
            secretly(Method::DELETE, &project, "u?id=eq.2", None)
                .await
                .expect(StatusCode::OK);
            let none = facade(&project, "restore", json!({ "tableName": "u" })).await;
            assert_eq!(none.code(StatusCode::CONFLICT), "records/not-soft-delete");
            assert_eq!(seen(&project, "u", "id").await, [json!(3)]);
        }
    });
}

#[test]
fn profiles_of_end_users_are_not_kept_so() {
    run(async {
        let project = project("schema").await;
        let tables = crate::tables::get(&project, "tables").await["tables"].clone();
        let on = json!([{ "op": "set_soft_delete", "softDelete": true }]);
        let reply = crate::tables::alter(&project, &tables[1], on).await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "tables/needed");
    });
}

#[test]
fn a_publishable_key_without_policy_is_refused_as_before() {
    run(async {
        let project = project("schema").await;
        notes(&project).await;
        let reply = rest(Method::DELETE, &project, &project.publishable, "notes?id=eq.1", None).await;
        assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "42501");
    });
}
