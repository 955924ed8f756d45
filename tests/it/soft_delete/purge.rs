//! What is past its 30 days goes, and nothing younger.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use plinth::purge::{self, Report};
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use super::columns::deleted_at;
use super::{id_of, insert, notes, secretly, seen};
use crate::purging::ONE_AT_A_TIME;
use crate::tables::fixture::{cell, control, project, schema_of};
use crate::tables::{LEVELS, altered, created, delete, restore};
use crate::world::{Project, run, world};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(86_400);

/// A moment that no other test's things were deleted before.
fn era() -> Timestamp {
    "1991-01-01T00:00:00Z".parse().unwrap()
}

/// A run as of some time after the era.
async fn purge(after: Duration) -> Report {
    let app = world().await.app(Function::Purge);
    purge::run(&app, era().checked_add(after).unwrap()).await.unwrap()
}

/// What a run says of one thing.
fn told(report: &Report, id: &str) -> Option<Option<String>> {
    let id: Uuid = id.parse().unwrap();
    let found = report.items.iter().find(|item| item.id == id);
    found.map(|item| item.error.clone())
}

async fn mark(project: &Project, level: &str, filter: &str, at: Timestamp) {
    let schema = schema_of(project, level);
    let sql = format!("update {schema}.notes set plinth_deleted_at = '{at}' where {filter}");
    cell(project, level).await.batch_execute(&sql).await.unwrap();
}

async fn stored(project: &Project, level: &str) -> Vec<i32> {
    let sql = format!("select id from {}.notes order by id", schema_of(project, level));
    let rows = cell(project, level).await.query(&sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[test]
fn deleted_rows_go_in_batches_after_thirty_days_and_a_second() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        for level in LEVELS {
            let project = project(level).await;
            let table = notes(&project).await;
            let rows: Vec<Value> = (1..=8).map(|id| json!({ "id": id })).collect();
            insert(&project, "notes", json!(rows)).await;
            // More than a batch holds.
            let sql = format!(
                "insert into {}.notes (id, plinth_deleted_at)
              select g, '{}'::timestamptz from generate_series(101, 2600) g",
                schema_of(&project, level),
                era()
            );
            cell(&project, level).await.batch_execute(&sql).await.unwrap();
            mark(&project, level, "id between 1 and 5", era()).await;
            mark(&project, level, "id = 6", era().checked_add(SECOND).unwrap()).await;
            secretly(Method::DELETE, &project, "notes?id=eq.7", None)
                .await
                .expect(StatusCode::OK);
            for age in [29 * DAY, 30 * DAY] {
                purge(age).await;
                assert_eq!(stored(&project, level).await.len(), 2_508, "{age:?}");
            }
            let report = purge(30 * DAY + SECOND).await;
            assert!(
                report.rows["row"] >= 2_505 && told(&report, &id_of(&table)).is_none(),
                "{report:?}"
            );
            assert_eq!(stored(&project, level).await, [6, 7, 8]);
            // One that lies aside loses its rows in time too.
            delete(&project, &table).await.expect(StatusCode::OK);
            purge(30 * DAY + 2 * SECOND).await;
            restore(&project, &table).await.expect(StatusCode::OK);
            assert_eq!(stored(&project, level).await, [7, 8]);
        }
    });
}

#[test]
fn a_row_that_others_refer_to_is_told_and_keeps_no_other() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let project = project("schema").await;
        let table = notes(&project).await;
        let columns = json!([{ "name": "note_id", "type": "integer",
            "references": { "table": "notes", "on_delete": "restrict" } }]);
        created(&project, json!({ "name": "tags", "columns": columns })).await;
        insert(
            &project,
            "notes",
            json!([{ "id": 1 }, { "id": 2 }, { "id": 3 }, { "id": 4 }]),
        )
        .await;
        mark(&project, "schema", "id < 4", era()).await;
        // The reference is fulfilled, though nobody sees by what.
        insert(&project, "tags", json!({ "note_id": 1 })).await;
        let report = purge(30 * DAY + SECOND).await;
        let refused = told(&report, &id_of(&table)).flatten();
        assert!(refused.is_some() && !report.complete, "{report:?}");
        assert_eq!(stored(&project, "schema").await, [1, 4]);
        secretly(Method::DELETE, &project, "tags?note_id=eq.1", None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(told(&purge(30 * DAY + SECOND).await, &id_of(&table)), None);
        assert_eq!(stored(&project, "schema").await, [4]);
    });
}

#[test]
fn deleted_columns_go_after_thirty_days_and_a_second() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        for level in LEVELS {
            let project = project(level).await;
            let columns = json!([
                { "name": "a", "type": "enum", "values": ["x", "y"] }, { "name": "b", "type": "text" },
            ]);
            let table = created(&project, json!({ "name": "t", "columns": columns })).await;
            insert(&project, "t", json!({ "a": "x", "b": "z" })).await;
            let gone = altered(&project, &table, json!([{ "op": "drop_column", "name": "a" }])).await;
            let id = gone["deletedColumns"][0]["id"].as_str().unwrap().to_owned();
            deleted_at(&table, &era().to_string()).await;
            if level == "database" {
                delete(&project, &table).await.expect(StatusCode::OK);
            }
            let there = async || {
                let sql = "select count(*) from pg_attribute where attname = $1";
                let name = format!("plinth_gone_{}", id.replace('-', ""));
                let client = cell(&project, level).await;
                let columns: i64 = client.query_one(sql, &[&name]).await.unwrap().get(0);
                let sql = "select count(*) from pg_type where typname = $1";
                let types: i64 = client.query_one(sql, &[&format!("{name}_0")]).await.unwrap().get(0);
                (columns, types)
            };
            for age in [29 * DAY, 30 * DAY] {
                assert_eq!(told(&purge(age).await, &id), None, "{age:?}");
                assert_eq!(there().await, (1, 1), "{age:?}");
            }
            assert_eq!(told(&purge(30 * DAY + SECOND).await, &id), Some(None));
            assert_eq!(there().await, (0, 0));
            assert_eq!(told(&purge(30 * DAY + SECOND).await, &id), None);
            if level == "database" {
                restore(&project, &table).await.expect(StatusCode::OK);
            }
            assert_eq!(seen(&project, "t", "b").await, [json!("z")]);
            let (log, target) = (control().await, id.as_str());
            let sql = "select count(*) from plinth.audit_log where action = 'tables.purge-column' and target = $1";
            assert_eq!(log.query_one(sql, &[&target]).await.unwrap().get::<_, i64>(0), 1);
        }
    });
}

#[test]
fn deleted_tables_go_after_thirty_days_and_a_second() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        for level in LEVELS {
            let project = project(level).await;
            let columns = json!([{ "name": "a", "type": "enum", "values": ["x", "y"] }, { "name": "b", "type": "enum", "values": ["z"] }]);
            let table = created(&project, json!({ "name": "t", "columns": columns, "softDelete": true })).await;
            let gone = altered(&project, &table, json!([{ "op": "drop_column", "name": "b" }])).await;
            delete(&project, &gone).await.expect(StatusCode::OK);
            let id = id_of(&table);
            let sql = "update plinth.tables set deleted_at = $2 where id = $1";
            let uuid: Uuid = id.parse().unwrap();
            control().await.execute(sql, &[&uuid, &era()]).await.unwrap();
            let trash = match level {
                "schema" => format!("trash_{}", project.reference),
                _ => "plinth_trash".to_owned(),
            };
            let there = async || {
                let sql = "select (select count(*) from pg_class where relnamespace = $1::text::regnamespace and relkind = 'r')
                  + (select count(*) from pg_type where typnamespace = $1::text::regnamespace and typtype = 'e')";
                let row = cell(&project, level).await.query_one(sql, &[&trash]).await.unwrap();
                row.get::<_, i64>(0)
            };
            for age in [29 * DAY, 30 * DAY] {
                assert_eq!(told(&purge(age).await, &id), None, "{age:?}");
                assert_eq!(there().await, 3, "{age:?}");
            }
            assert_eq!(told(&purge(30 * DAY + SECOND).await, &id), Some(None));
            assert_eq!(there().await, 0);
            let left = control()
                .await
                .query("select from plinth.tables where id = $1", &[&uuid])
                .await
                .unwrap();
            assert!(left.is_empty());
            assert_eq!(
                restore(&project, &table).await.code(StatusCode::NOT_FOUND),
                "tables/not-found"
            );
        }
    });
}
