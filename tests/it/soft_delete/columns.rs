//! Columns that are deleted and come back.

use http::{Method, StatusCode};
use plinth::designer;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{id_of, insert, secretly, seen};
use crate::tables::fixture::{cell, control, project, schema_of};
use crate::tables::{LEVELS, alter, altered, anatomy, created, delete, get, restore};
use crate::world::{Project, Reply, run, text, world};

async fn back(project: &Project, table: &Value, column: &str, said: Value) -> Reply {
    let path = format!("tables/{}/columns/{column}/restore", id_of(table));
    let call = world().await.post(&project.database(&path));
    call.bearer(&project.owner.token).json(&said).send().await
}

fn deleted(table: &Value, name: &str) -> String {
    let columns = table["deletedColumns"].as_array().unwrap();
    let found = columns.iter().rev().find(|column| column["name"] == name);
    text(found.unwrap_or_else(|| panic!("no deleted {name} in {table}")), "id")
}

async fn items(project: &Project) -> Value {
    let columns = json!([
        { "name": "id", "type": "integer", "primary_key": true },
        { "name": "code", "type": "text", "required": true, "unique": true, "comment": "Its code" },
        { "name": "state", "type": "enum", "values": ["open", "done"], "required": true, "default": "open" },
        { "name": "no", "type": "bigint", "identity": true, "required": true },
        { "name": "rank", "type": "integer", "check": "rank > 0 and rank < most" },
        { "name": "most", "type": "integer", "default": 100 },
        { "name": "user_id", "type": "uuid", "references": { "table": "app_users", "on_delete": "cascade" } },
    ]);
    let indexes = json!([{ "columns": ["rank", "most"] }]);
    created(
        project,
        json!({ "name": "items", "columns": columns, "indexes": indexes }),
    )
    .await
}

#[test]
fn deleted_columns_are_hidden_and_come_back_with_values_and_constraints() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (client, schema) = (cell(&project, level).await, schema_of(&project, level));
            let table = items(&project).await;
            let before = anatomy(&client, &schema).await;
            insert(
                &project,
                "items",
                json!([{ "id": 1, "code": "a", "rank": 5 }, { "id": 2, "code": "b", "rank": 6 }]),
            )
            .await;
            let names = ["code", "state", "no", "rank", "user_id"];
            let drops: Vec<Value> = names
                .iter()
                .map(|name| json!({ "op": "drop_column", "name": name }))
                .collect();
            let gone = altered(&project, &table, json!(drops)).await;
            assert_eq!(gone["deletedColumns"].as_array().unwrap().len(), 5);
            assert!(gone["deletedColumns"][0]["restorableUntil"].is_string());
            assert!(!gone["schema"].to_string().contains("removed"), "{gone}");
            let all = secretly(Method::GET, &project, "items?id=eq.1", None)
                .await
                .expect(StatusCode::OK);
            assert_eq!(all, json!([{ "id": 1, "most": 100 }]));
            let hidden = format!("plinth_gone_{}", deleted(&gone, "code").replace('-', ""));
            for query in [
                "select=code",
                &format!("select={hidden}"),
                &format!("{hidden}=eq.a"),
                &format!("order={hidden}"),
                "select=to_jsonb",
            ] {
                let reply = secretly(Method::GET, &project, &format!("items?{query}"), None).await;
                assert_eq!(reply.code(StatusCode::BAD_REQUEST), "42703", "{query}");
            }
            let body = json!({ "id": 9, (hidden.as_str()): "x" });
            let reply = secretly(Method::POST, &project, "items", Some(body)).await;
            assert_eq!(reply.code(StatusCode::BAD_REQUEST), "PGRST204");
            let described = secretly(Method::GET, &project, "", None).await.expect(StatusCode::OK);
            assert!(!described.to_string().contains("plinth_gone"));
            // Rows go on coming and going.
            insert(&project, "items", json!([{ "id": 3 }, { "id": 4 }])).await;
            secretly(Method::DELETE, &project, "items?id=eq.4", None)
                .await
                .expect(StatusCode::OK);
            secretly(Method::PATCH, &project, "items?id=eq.2", Some(json!({ "most": 50 })))
                .await
                .expect(StatusCode::OK);
            // What needs no value of the new rows comes back as it was; they have defaults and numbers.
            for name in ["state", "no", "rank", "user_id"] {
                back(&project, &table, &deleted(&gone, name), json!({}))
                    .await
                    .expect(StatusCode::OK);
            }
            // This one had no default: row 3 has none.
            let refused = back(&project, &table, &deleted(&gone, "code"), json!({})).await;
            let body = refused.expect(StatusCode::CONFLICT);
            assert_eq!(body["code"], "tables/data");
            assert!(text(&body, "details").contains("column code"), "{body}");
            back(&project, &table, &deleted(&gone, "code"), json!({ "required": false }))
                .await
                .expect(StatusCode::OK);
            let rows = secretly(
                Method::GET,
                &project,
                "items?select=id,code,state,no,rank&order=id",
                None,
            )
            .await;
            assert_eq!(
                rows.expect(StatusCode::OK),
                json!([
                    { "id": 1, "code": "a", "state": "open", "no": 1, "rank": 5 },
                    { "id": 2, "code": "b", "state": "open", "no": 2, "rank": 6 },
                    { "id": 3, "code": null, "state": "open", "no": 3, "rank": null },
                ])
            );
            let whole = get(&project, &format!("tables/{}", id_of(&table))).await["table"].clone();
            secretly(Method::PATCH, &project, "items?id=eq.3", Some(json!({ "code": "c" })))
                .await
                .expect(StatusCode::OK);
            altered(
                &project,
                &whole,
                json!([{ "op": "alter_column", "name": "code", "required": true }]),
            )
            .await;
            assert_eq!(anatomy(&client, &schema).await, before, "{level}");
        }
    });
}

#[test]
fn another_column_may_have_the_name_meanwhile() {
    run(async {
        let project = project("schema").await;
        let mut table = created(
            &project,
            json!({ "name": "t", "columns": [{ "name": "a", "type": "text" }] }),
        )
        .await;
        let mut ids = Vec::new();
        for value in ["one", "two", "three"] {
            insert(&project, "t", json!({ "a": value })).await;
            table = altered(
                &project,
                &table,
                json!([
                    { "op": "drop_column", "name": "a" },
                    { "op": "add_column", "column": { "name": "a", "type": "text" } },
                ]),
            )
            .await;
            ids.push(deleted(&table, "a"));
        }
        assert_eq!(ids.len(), 3);
        let taken = back(&project, &table, &ids[0], json!({})).await;
        assert_eq!(taken.code(StatusCode::CONFLICT), "tables/name-taken");
        for (id, name) in ids.iter().zip(["x", "y", "z"]) {
            back(&project, &table, id, json!({ "name": name }))
                .await
                .expect(StatusCode::OK);
        }
        let rows = secretly(Method::GET, &project, "t?select=x,y,z", None)
            .await
            .expect(StatusCode::OK);
        let mut shown: Vec<String> = rows.as_array().unwrap().iter().map(Value::to_string).collect();
        shown.sort();
        assert_eq!(
            shown,
            [
                r#"{"x":"one","y":null,"z":null}"#,
                r#"{"x":null,"y":"two","z":null}"#,
                r#"{"x":null,"y":null,"z":"three"}"#
            ]
        );
        let again = back(&project, &table, &ids[0], json!({})).await;
        assert_eq!(again.code(StatusCode::NOT_FOUND), "tables/column-not-found");
        let odd = back(&project, &table, &ids[0], json!([])).await;
        assert_eq!(odd.code(StatusCode::BAD_REQUEST), "http/body");
    });
}

#[test]
fn names_that_change_meanwhile_are_followed() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let lists = created(&project, json!({ "name": "lists", "columns": [] })).await;
            let columns = json!([
                { "name": "low", "type": "integer" },
                { "name": "rank", "type": "integer", "check": "rank > low" },
                { "name": "kind", "type": "enum", "values": ["a", "b"], "default": "b" },
                { "name": "list_id", "type": "uuid", "references": { "table": "lists" } },
            ]);
            let table = created(&project, json!({ "name": "t", "columns": columns })).await;
            insert(&project, "t", json!({ "low": 1, "rank": 2, "kind": "a" })).await;
            let gone = altered(
                &project,
                &table,
                json!([
                    { "op": "drop_column", "name": "rank" }, { "op": "drop_column", "name": "kind" },
                    { "op": "drop_column", "name": "list_id" },
                    { "op": "rename_column", "from": "low", "to": "least" }, { "op": "rename_table", "to": "u" },
                ]),
            )
            .await;
            altered(&project, &lists, json!([{ "op": "rename_table", "to": "boards" }])).await;
            delete(&project, &table).await.expect(StatusCode::OK);
            restore(&project, &table).await.expect(StatusCode::OK);
            for name in ["rank", "kind", "list_id"] {
                back(&project, &table, &deleted(&gone, name), json!({}))
                    .await
                    .expect(StatusCode::OK);
            }
            let whole = get(&project, &format!("tables/{}", id_of(&table))).await["table"].clone();
            let column = |name: &str| {
                let columns = whole["schema"]["columns"].as_array().unwrap();
                columns.iter().find(|column| column["name"] == name).unwrap().clone()
            };
            assert_eq!(column("list_id")["references"]["table"], "boards");
            assert!(column("rank")["check"].as_str().unwrap().contains("least"), "{whole}");
            assert!(whole.get("deletedColumns").is_none());
            assert_eq!(seen(&project, "u", "rank").await, [json!(2)]);
            assert_eq!(seen(&project, "u", "kind").await, [json!("a")]);
            let reply = secretly(Method::POST, &project, "u", Some(json!({ "least": 3, "rank": 3 }))).await;
            assert_eq!(reply.code(StatusCode::BAD_REQUEST), "23514");
        }
    });
}

#[test]
fn a_column_whose_partner_is_gone_says_so_and_comes_back_without() {
    run(async {
        let project = project("schema").await;
        let lists = created(&project, json!({ "name": "lists", "columns": [] })).await;
        let columns = json!([{ "name": "list_id", "type": "uuid", "references": { "table": "lists" } }]);
        let table = created(&project, json!({ "name": "t", "columns": columns })).await;
        let gone = altered(&project, &table, json!([{ "op": "drop_column", "name": "list_id" }])).await;
        delete(&project, &lists).await.expect(StatusCode::OK);
        let id = deleted(&gone, "list_id");
        assert_eq!(
            back(&project, &table, &id, json!({})).await.code(StatusCode::CONFLICT),
            "tables/restore"
        );
        back(&project, &table, &id, json!({ "references": null }))
            .await
            .expect(StatusCode::OK);
    });
}

#[test]
fn what_something_made_with_sql_needs_stays() {
    run(async {
        let project = project("database").await;
        let table = created(
            &project,
            json!({ "name": "t", "columns": [{ "name": "a", "type": "text" }] }),
        )
        .await;
        let client = cell(&project, "database").await;
        client
            .batch_execute("create view public.v as select a from public.t")
            .await
            .unwrap();
        let before = anatomy(&client, "public").await;
        let reply = alter(&project, &table, json!([{ "op": "drop_column", "name": "a" }])).await;
        assert_eq!(reply.code(StatusCode::CONFLICT), "tables/needed");
        assert_eq!(anatomy(&client, "public").await, before);
    });
}

/// Makes it look deleted so long before a moment.
pub(super) async fn deleted_at(table: &Value, moment: &str) {
    let sql =
        "update plinth.tables set spec = jsonb_set(spec, '{removed,0,deletedAt}', to_jsonb($2::text)) where id = $1";
    let id: Uuid = id_of(table).parse().unwrap();
    assert_eq!(control().await.execute(sql, &[&id, &moment]).await.unwrap(), 1);
}

#[test]
fn a_deleted_column_is_restorable_for_thirty_days() {
    run(async {
        let project = project("schema").await;
        let table = created(
            &project,
            json!({ "name": "t", "columns": [{ "name": "a", "type": "text" }] }),
        )
        .await;
        let gone = altered(&project, &table, json!([{ "op": "drop_column", "name": "a" }])).await;
        let id = deleted(&gone, "a");
        let now = world().await.app(plinth_local::platform::Function::Tables).clock.now();
        let day = std::time::Duration::from_secs(86_400);
        let projects = [plinth::ident::ProjectId(project.id.parse().unwrap())];
        let listed = async || {
            let client = control().await;
            designer::deleted_columns(&client, &projects, now).await.unwrap().len()
        };
        deleted_at(
            &table,
            &(now - 30 * day - std::time::Duration::from_secs(1)).to_string(),
        )
        .await;
        assert_eq!(listed().await, 0);
        let shown = get(&project, &format!("tables/{}", id_of(&table))).await;
        assert!(shown["table"].get("deletedColumns").is_none());
        assert_eq!(
            back(&project, &table, &id, json!({})).await.code(StatusCode::NOT_FOUND),
            "tables/column-not-found"
        );
        deleted_at(&table, &(now - 29 * day).to_string()).await;
        assert_eq!(listed().await, 1);
        back(&project, &table, &id, json!({})).await.expect(StatusCode::OK);
        assert_eq!(listed().await, 0);
    });
}
