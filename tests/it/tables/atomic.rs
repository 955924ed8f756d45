//! Changes happen whole or not at all, one after the other, whatever fails in between.

use http::StatusCode;
use plinth::designer::{Step, interrupted};
use serde_json::json;
use std::time::Duration;
use uuid::Uuid;

use super::fixture::{cell, control, project, schema_of};
use super::{LEVELS, alter, altered, anatomy, create, created, delete, get, patch, restore, todos};
use crate::world::{Project, run, text, world};

#[test]
fn a_change_that_the_rows_refuse_leaves_nothing() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (client, schema) = (cell(&project, level).await, schema_of(&project, level));
            let table = created(
                &project,
                json!({ "name": "t", "columns": [
                { "name": "word", "type": "text" }, { "name": "far", "type": "uuid" } ] }),
            )
            .await;
            let rows = format!(
                "insert into {schema}.t (word, far) values ('secret word', gen_random_uuid()), ('secret word', null)"
            );
            client.batch_execute(&rows).await.unwrap();
            let before = anatomy(&client, &schema).await;
            for (operation, status, code) in [
                (
                    json!({ "op": "add_column", "column": { "name": "n", "type": "text", "required": true } }),
                    409,
                    "tables/data",
                ),
                (
                    json!({ "op": "alter_column", "name": "word", "unique": true }),
                    409,
                    "tables/data",
                ),
                (
                    json!({ "op": "alter_column", "name": "far", "required": true }),
                    409,
                    "tables/data",
                ),
                (
                    json!({ "op": "alter_column", "name": "word", "type": "integer" }),
                    409,
                    "tables/data",
                ),
                (
                    json!({ "op": "alter_column", "name": "word", "check": { "max": 3 } }),
                    409,
                    "tables/data",
                ),
                (
                    json!({ "op": "alter_column", "name": "far", "references": { "table": "app_users" } }),
                    409,
                    "tables/data",
                ),
                (
                    json!({ "op": "alter_column", "name": "word", "check": "word > 5" }),
                    400,
                    "tables/types",
                ),
            ] {
                let operations =
                    json!([{ "op": "add_column", "column": { "name": "early", "type": "text" } }, operation]);
                let reply = alter(&project, &table, operations).await;
                assert_eq!(reply.code(StatusCode::from_u16(status).unwrap()), code, "{operation}");
                assert!(!reply.text.contains("secret word"), "{}", reply.text);
                assert!(reply.json()["hint"].is_string(), "{}", reply.text);
                assert_eq!(anatomy(&client, &schema).await, before);
            }
            let history = get(&project, "migrations").await["migrations"].clone();
            assert_eq!(history[0]["state"], "failed");
            assert!(!history.to_string().contains("secret word"));
            assert_eq!(
                get(&project, &format!("tables/{}", text(&table, "id"))).await["table"]["version"],
                1
            );
        }
    });
}

#[test]
fn a_change_cut_off_at_any_step_is_settled_by_the_next() {
    run(async {
        for (step, happened) in [(Step::Planned, false), (Step::Run, false), (Step::Committed, true)] {
            let project = project("database").await;
            let (client, schema) = (cell(&project, "database").await, schema_of(&project, "database"));
            let table = created(&project, todos()).await;
            let operations = json!([{ "op": "rename_column", "from": "rank", "to": "place" }]);
            let call = patch(world().await, &project, &table, &operations);
            assert!(interrupted(step, call.send()).await.is_none(), "{step:?}");
            let pending = get(&project, "migrations").await["migrations"][0].clone();
            assert_eq!(pending["state"], "pending");
            // The next change, made on what was known before.
            let next = alter(&project, &table, json!([{ "op": "drop_column", "name": "state" }])).await;
            let history = get(&project, "migrations").await["migrations"].clone();
            let settled = history
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["id"] == pending["id"])
                .unwrap()
                .clone();
            let now = get(&project, &format!("tables/{}", text(&table, "id"))).await["table"].clone();
            let column = if happened {
                assert_eq!(next.code(StatusCode::CONFLICT), "tables/stale");
                assert_eq!(settled["state"], "applied");
                "place"
            } else {
                next.expect(StatusCode::OK);
                assert_eq!(settled["state"], "failed");
                "rank"
            };
            assert_eq!(now["version"], 2);
            assert!(now["schema"]["columns"].to_string().contains(&format!("\"{column}\"")));
            client
                .query(&format!("select {column} from {schema}.todos"), &[])
                .await
                .unwrap();
            let actions = audit(&project).await;
            assert_eq!(actions, ["tables.create", "tables.alter"], "{step:?}");
        }
    });
}

async fn audit(project: &Project) -> Vec<String> {
    let id: Uuid = project.id.parse().unwrap();
    let sql = "select l.action from plinth.audit_log l join plinth.audit_subjects s on s.audit_id = l.id
               where l.project_id = $1 and s.actor = $2 and l.action like 'tables.%' order by l.sequence";
    let actor = format!("user:{}", project.owner.id);
    let rows = control().await.query(sql, &[&id, &actor]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn every_change_is_one_migration_one_audit_row_and_one_step_of_the_version() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let client = cell(&project, level).await;
            let version = || async {
                let sql = "select schema from plinth.version where ref = $1";
                client
                    .query_one(sql, &[&project.reference])
                    .await
                    .unwrap()
                    .get::<_, i64>(0)
            };
            let first = version().await;
            let table = created(&project, todos()).await;
            altered(&project, &table, json!([{ "op": "drop_column", "name": "rank" }])).await;
            delete(&project, &table).await.expect(StatusCode::OK);
            restore(&project, &table).await.expect(StatusCode::OK);
            assert_eq!(version().await, first + 4);
            assert_eq!(
                audit(&project).await,
                ["tables.create", "tables.alter", "tables.delete", "tables.restore"]
            );
            let page = get(&project, "migrations?limit=3").await;
            let kinds: Vec<_> = page["migrations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| text(row, "kind"))
                .collect();
            assert_eq!(kinds, ["restore", "delete", "alter"]);
            let rest = get(
                &project,
                &format!("migrations?limit=3&cursor={}", text(&page, "nextCursor")),
            )
            .await;
            assert_eq!(rest["migrations"][0]["kind"], "create");
            assert!(rest.get("nextCursor").is_none());
        }
    });
}

#[test]
fn two_changes_at_once_come_one_after_the_other() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let table = created(&project, todos()).await;
            let (world, operation) = (
                world().await,
                |name: &str| json!([{ "op": "add_column", "column": { "name": name, "type": "text" } }]),
            );
            let (left, right) = (operation("l"), operation("r"));
            let (left, right) = tokio::join!(
                patch(world, &project, &table, &left).send(),
                patch(world, &project, &table, &right).send()
            );
            let mut statuses = [left.status.as_u16(), right.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 409], "{} {}", left.text, right.text);
            let names = ["x1", "x2", "x3", "x4"];
            let creations = names.map(|name| json!({ "name": name, "columns": [{ "name": "a", "type": "text" }] }));
            let [a, b, c, d] = creations.map(|design| create(&project, design));
            let (a, b, c, d) = tokio::join!(a, b, c, d);
            for reply in [a, b, c, d] {
                reply.expect(StatusCode::CREATED);
            }
            let history = get(&project, "migrations").await["migrations"].clone();
            let sequences: Vec<i64> = history
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["sequence"].as_i64().unwrap())
                .collect();
            assert_eq!(sequences, [6, 5, 4, 3, 2, 1]);
        }
    });
}

#[test]
fn a_change_waits_for_a_tables_traffic_without_holding_it_up() {
    run(async {
        let project = project("schema").await;
        let schema = schema_of(&project, "schema");
        let table = created(&project, todos()).await;
        let (holder, reader) = (cell(&project, "schema").await, cell(&project, "schema").await);
        holder
            .batch_execute(&format!("begin; select * from {schema}.todos"))
            .await
            .unwrap();
        let operations = json!([{ "op": "drop_column", "name": "rank" }]);
        let change = patch(world().await, &project, &table, &operations).send();
        let traffic = async {
            // Every read gets through while the change waits behind the one that is open.
            for _ in 0..40 {
                let sql = format!("select from {schema}.todos");
                let read = reader.query(&sql, &[]);
                tokio::time::timeout(Duration::from_secs(1), read)
                    .await
                    .unwrap()
                    .unwrap();
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            holder.batch_execute("commit").await.unwrap();
        };
        let (changed, ()) = tokio::join!(change, traffic);
        changed.expect(StatusCode::OK);
    });
}
