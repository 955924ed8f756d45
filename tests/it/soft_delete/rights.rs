//! Who may delete, and who sees what is deleted.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{facade, id_of, insert, secretly, seen, values};
use crate::tables::fixture::{join, project, user};
use crate::tables::{LEVELS, created};
use crate::world::{Project, Reply, User, run, text, world};

async fn end_user(project: &Project, who: &User, method: Method, path: &str, body: Option<Value>) -> Reply {
    let call = world()
        .await
        .call(method, &project.rest(path))
        .key(&project.publishable)
        .bearer(&who.token);
    let call = call.header("prefer", "return=representation");
    match body {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

#[test]
fn delete_policies_decide_and_update_policies_do_not() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let me = world().await.end_user(&project).await;
            let policy = |command: &str, using: &str| json!({ "name": format!("p_{command}"), "command": command, "to": ["authenticated"], "using": using });
            let columns = json!([
                { "name": "id", "type": "integer", "primary_key": true },
                { "name": "writer", "type": "uuid" },
                { "name": "keeper", "type": "uuid" },
            ]);
            let design = json!({ "name": "t", "columns": columns, "softDelete": true, "policies": [
                policy("select", "true"), policy("update", "writer = auth.uid()"), policy("delete", "keeper = auth.uid()"),
            ] });
            created(&project, design).await;
            let rows = json!([
                { "id": 1, "writer": me.id, "keeper": null },
                { "id": 2, "writer": null, "keeper": me.id },
                { "id": 3, "writer": me.id, "keeper": me.id },
                { "id": 4, "writer": null, "keeper": null },
            ]);
            insert(&project, "t", rows).await;
            let changed = end_user(
                &project,
                &me,
                Method::PATCH,
                "t?id=gt.0",
                Some(json!({ "writer": me.id })),
            )
            .await;
            assert_eq!(values(&changed.expect(StatusCode::OK), "id"), [json!(1), json!(3)]);
            // What may be deleted alone is not let in by the back door.
            let stolen = end_user(
                &project,
                &me,
                Method::PATCH,
                "t?id=eq.2",
                Some(json!({ "writer": me.id })),
            )
            .await;
            assert_eq!(stolen.expect(StatusCode::OK), json!([]));
            let gone = end_user(&project, &me, Method::DELETE, "t?id=gt.0", None).await;
            assert_eq!(values(&gone.expect(StatusCode::OK), "id"), [json!(2), json!(3)]);
            assert_eq!(seen(&project, "t", "id").await, [json!(1), json!(4)]);
            let shown = end_user(&project, &me, Method::GET, "t?select=id", None)
                .await
                .expect(StatusCode::OK);
            assert_eq!(values(&shown, "id"), [json!(1), json!(4)]);
            let described = end_user(&project, &me, Method::GET, "", None)
                .await
                .expect(StatusCode::OK);
            assert!(described["paths"]["/t"]["delete"].is_object());
        }
    });
}

#[test]
fn who_may_not_delete_is_refused_and_who_may_only_delete_cannot_update() {
    run(async {
        let project = project("schema").await;
        let me = world().await.end_user(&project).await;
        let policy = |command: &str| json!({ "name": format!("p_{command}"), "command": command, "to": ["authenticated"], "using": "true" });
        let columns =
            json!([{ "name": "id", "type": "integer", "primary_key": true }, { "name": "a", "type": "text" }]);
        for (name, command) in [("one", "update"), ("two", "delete")] {
            let policies = json!([policy("select"), policy(command)]);
            let design = json!({ "name": name, "columns": columns, "softDelete": true, "policies": policies });
            created(&project, design).await;
            insert(&project, name, json!({ "id": 1 })).await;
        }
        let refused = end_user(&project, &me, Method::DELETE, "one?id=eq.1", None).await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "42501");
        let refused = end_user(&project, &me, Method::PATCH, "two?id=eq.1", Some(json!({ "a": "b" }))).await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "42501");
        let described = end_user(&project, &me, Method::GET, "", None)
            .await
            .expect(StatusCode::OK);
        assert!(described["paths"]["/two"]["patch"].is_null() && described["paths"]["/one"]["delete"].is_null());
        end_user(&project, &me, Method::DELETE, "two?id=eq.1", None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(seen(&project, "one", "id").await, [json!(1)]);
        assert_eq!(seen(&project, "two", "id").await, [Value::Null; 0]);
    });
}

#[test]
fn a_deleted_row_grants_nothing_through_policies_that_look_at_it() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let me = world().await.end_user(&project).await;
            let columns = json!([{ "name": "user_id", "type": "uuid", "primary_key": true }]);
            let team = json!({ "name": "team", "columns": columns, "policies": ["owner"], "softDelete": true });
            created(&project, team).await;
            let columns = json!([{ "name": "id", "type": "integer", "primary_key": true }]);
            let using = "exists (select 1 from team where team.user_id = auth.uid())";
            let policy = json!({ "name": "members", "command": "select", "to": ["authenticated"], "using": using });
            created(
                &project,
                json!({ "name": "files", "columns": columns, "policies": [policy] }),
            )
            .await;
            insert(&project, "team", json!({ "user_id": me.id })).await;
            insert(&project, "files", json!({ "id": 1 })).await;
            let files = async || {
                end_user(&project, &me, Method::GET, "files", None)
                    .await
                    .expect(StatusCode::OK)
            };
            assert_eq!(files().await, json!([{ "id": 1 }]));
            secretly(Method::DELETE, &project, &format!("team?user_id=eq.{}", me.id), None)
                .await
                .expect(StatusCode::OK);
            assert_eq!(files().await, json!([]));
        }
    });
}

#[test]
fn deleted_rows_are_listed_and_restored_by_secret_keys_and_members() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let table = super::notes(&project).await;
            insert(
                &project,
                "notes",
                json!([{ "id": 1, "title": "a" }, { "id": 2, "title": "b" }, { "id": 3, "title": "c" }]),
            )
            .await;
            secretly(Method::DELETE, &project, "notes?id=in.(1,2)", None)
                .await
                .expect(StatusCode::OK);
            let list = json!({ "tableName": "notes", "deleted": true, "sort": [{ "column": "id" }], "count": "exact" });
            let listed = facade(&project, "query", list.clone()).await.expect(StatusCode::OK);
            assert_eq!(values(&listed["records"], "id"), [json!(1), json!(2)]);
            assert_eq!(listed["total"], 2);
            assert!(listed["records"][0]["plinth_deleted_at"].is_string(), "{listed}");
            let by_time = json!({ "tableName": "notes", "deleted": true, "select": "id",
                "filters": { "plinth_deleted_at": { "gte": "2020-01-01" } }, "sort": [{ "column": "plinth_deleted_at" }] });
            let listed = facade(&project, "query", by_time).await.expect(StatusCode::OK);
            assert_eq!(listed["records"].as_array().unwrap().len(), 2, "{listed}");
            let (viewer, me) = (user().await, world().await.end_user(&project).await);
            join(&project, &viewer, "viewer").await;
            let ask = async |operation: &str, key: Option<&str>, token: Option<&str>, body: &Value| {
                let mut call = world().await.post(&project.database(&format!("records/{operation}")));
                if let Some(key) = key {
                    call = call.key(key);
                }
                if let Some(token) = token {
                    call = call.bearer(token);
                }
                call.json(body).send().await
            };
            let restore = json!({ "tableName": "notes", "filters": { "id": 1 } });
            for (operation, body) in [("query", &list), ("restore", &restore)] {
                for token in [None, Some(me.token.as_str())] {
                    let reply = ask(operation, Some(&project.publishable), token, body).await;
                    assert_eq!(reply.code(StatusCode::FORBIDDEN), "records/deleted-rows", "{operation}");
                }
            }
            ask("query", None, Some(&viewer.token), &list)
                .await
                .expect(StatusCode::OK);
            assert_eq!(
                ask("restore", None, Some(&viewer.token), &restore).await.status,
                StatusCode::FORBIDDEN
            );
            let back = ask("restore", Some(&project.secret), None, &restore)
                .await
                .expect(StatusCode::OK);
            assert_eq!(back["records"][0]["title"], "a");
            assert!(back["records"][0].get("plinth_deleted_at").is_none());
            assert_eq!(seen(&project, "notes", "id").await, [json!(1), json!(3)]);
            let again = facade(&project, "restore", restore.clone())
                .await
                .expect(StatusCode::OK);
            assert_eq!(again["records"], json!([]));
            let unknown = facade(&project, "restore", json!({ "tableName": "nothing" })).await;
            assert_eq!(unknown.code(StatusCode::NOT_FOUND), "PGRST205");
            assert!(!id_of(&table).is_empty() && !text(&table, "name").is_empty());
        }
    });
}
