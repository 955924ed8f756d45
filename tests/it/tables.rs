//! The table designer, end to end: over HTTP, on both isolation levels, looking into the database.

pub mod fixture;

use http::StatusCode;
use plinth::clock::SystemClock;
use plinth::designer::{Step, interrupted};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Client;
use uuid::Uuid;

use crate::world::{Call, Project, Reply, World, platform, run, text, world};
use fixture::{cell, control, project, schema_of};

const LEVELS: [&str; 2] = ["schema", "database"];

pub async fn create(project: &Project, schema: Value) -> Reply {
    let call = world().await.post(&project.database("tables/create"));
    let body = json!({ "schemaJson": schema });
    call.bearer(&project.owner.token).json(&body).send().await
}

async fn created(project: &Project, schema: Value) -> Value {
    create(project, schema).await.expect(StatusCode::CREATED)["table"].clone()
}

fn patch(world: &World, project: &Project, table: &Value, operations: &Value) -> Call {
    world
        .patch(&project.database(&format!("tables/{}", text(table, "id"))))
        .bearer(&project.owner.token)
        .header("if-match", &format!("\"{}\"", table["version"]))
        .json(&json!({ "operations": operations }))
}

pub async fn alter(project: &Project, table: &Value, operations: Value) -> Reply {
    patch(world().await, project, table, &operations).send().await
}

async fn altered(project: &Project, table: &Value, operations: Value) -> Value {
    alter(project, table, operations).await.expect(StatusCode::OK)["table"].clone()
}

async fn get(project: &Project, rest: &str) -> Value {
    let call = world().await.get(&project.database(rest));
    call.bearer(&project.owner.token).send().await.expect(StatusCode::OK)
}

async fn delete(project: &Project, table: &Value) -> Reply {
    let path = project.database(&format!("tables/{}", text(table, "id")));
    world().await.delete(&path).bearer(&project.owner.token).send().await
}

async fn restore(project: &Project, table: &Value) -> Reply {
    let path = project.database(&format!("tables/{}/restore", text(table, "id")));
    world().await.post(&path).bearer(&project.owner.token).send().await
}

/// Everything a schema holds, as text: columns, constraints, indexes, enums, policies, grants, triggers.
async fn anatomy(client: &Client, schema: &str) -> String {
    let sql = "
        select coalesce(string_agg(line, E'\\n' order by line), '') from (
          select format('%s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
              a.attnotnull, a.attidentity, pg_get_expr(d.adbin, d.adrelid)) line
            from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
            where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'v')
          union all select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
            where connamespace = $1::text::regnamespace
          union all select indexdef from pg_indexes where schemaname = $1
          union all select format('enum %s %s', t.typname, (select string_agg(e.enumlabel, ',' order by e.enumsortorder)
              from pg_enum e where e.enumtypid = t.oid))
            from pg_type t where t.typnamespace = $1::text::regnamespace and t.typtype = 'e'
          union all select format('policy %s %s %s %s %s %s', tablename, policyname, cmd, roles, qual, with_check)
            from pg_policies where schemaname = $1
          union all select format('grants %s %s %s %s', relname, relacl, relrowsecurity, obj_description(oid, 'pg_class'))
            from pg_class where relnamespace = $1::text::regnamespace and relkind in ('r', 'v')
          union all select format('comment %s %s %s', objoid::regclass, objsubid, description)
            from pg_description join pg_class c on c.oid = objoid where c.relnamespace = $1::text::regnamespace
          union all select pg_get_triggerdef(g.oid) from pg_trigger g join pg_class c on c.oid = g.tgrelid
            where c.relnamespace = $1::text::regnamespace and not g.tgisinternal
        ) lines";
    client.query_one(sql, &[&schema]).await.unwrap().get(0)
}

fn as_owner(project: &Project, sql: &str) -> String {
    format!("begin; set local role \"p_{}_owner\"; {sql}; commit", project.reference)
}

fn todos() -> Value {
    json!({
        "name": "todos",
        "comment": "What is to do",
        "columns": [
            { "name": "id", "type": "uuid", "primary_key": true, "default": "gen_random_uuid()" },
            { "name": "title", "type": "text", "required": true, "unique": true, "check": { "max": 200 } },
            { "name": "state", "type": "enum", "values": ["open", "done"], "default": "open" },
            { "name": "user_id", "type": "uuid", "default": "auth.uid()",
              "references": { "table": "app_users", "column": "id", "on_delete": "cascade" } },
            { "name": "rank", "type": "integer" },
        ],
        "indexes": [{ "columns": ["user_id", "rank"] }],
        "policies": ["owner"],
        "timestamps": true,
    })
}

#[test]
fn create_makes_every_type_key_check_index_and_default() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let types = [
                "uuid",
                "text",
                "integer",
                "bigint",
                "boolean",
                "timestamptz",
                "timestamp",
                "date",
                "time",
                "json",
                "jsonb",
                "decimal",
                "decimal(10,2)",
                "real",
                "double",
                "mood",
            ];
            let mut columns = vec![json!({ "name": "no", "type": "bigint", "primary": true, "identity": true })];
            for (index, kind) in types.iter().enumerate() {
                columns.push(json!({ "name": format!("c{index}"), "type": kind }));
                columns.push(json!({ "name": format!("a{index}"), "type": format!("{kind}[]"), "default": [] }));
            }
            columns.extend([
                json!({ "name": "amount", "type": "decimal(8,2)", "required": true, "default": 1.5,
                        "check": { "min": 0, "max": 1000 } }),
                json!({ "name": "note", "type": "text", "default": "it's; \"quoted\" \\ and drop table x" }),
                json!({ "name": "even", "type": "integer", "check": "even is null or even % 2 = 0" }),
                json!({ "name": "lower", "type": "text", "default_expression": "lower('ABC')" }),
                json!({ "name": "parent", "type": "bigint",
                        "references": { "table": "everything", "column": "no", "on_delete": "set null" } }),
            ]);
            let table = created(
                &project,
                json!({
                    "name": "everything", "columns": columns, "timestamps": true,
                    "enums": [{ "name": "mood", "values": ["good", "it's bad"] }],
                    "indexes": [{ "columns": ["c10"], "method": "gin" }, { "columns": ["c1", "c2"], "unique": true }],
                }),
            )
            .await;
            assert_eq!(table["version"], 1);
            assert_eq!(table["schema"]["name"], "everything");
            let client = cell(&project, level).await;
            let schema = schema_of(&project, level);
            let sql = format!(
                "insert into {schema}.everything (even) values (2) returning note, amount::text, lower, c0::text"
            );
            let row = client.query_one(&sql, &[]).await.unwrap();
            assert_eq!(row.get::<_, &str>(0), "it's; \"quoted\" \\ and drop table x");
            assert_eq!((row.get::<_, &str>(1), row.get::<_, &str>(2)), ("1.50", "abc"));
            for (bad, state) in [
                ("even) values (3", "23514"),
                ("amount) values (1001", "23514"),
                ("parent) values (99", "23503"),
            ] {
                let failed = client
                    .execute(&format!("insert into {schema}.everything ({bad})"), &[])
                    .await;
                assert_eq!(failed.unwrap_err().code().unwrap().code(), state, "{bad}");
            }
        }
    });
}

#[test]
fn every_operation_reaches_the_database_and_its_down_takes_it_back() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (client, schema) = (cell(&project, level).await, schema_of(&project, level));
            let mut states = vec![anatomy(&client, &schema).await];
            let mut table = created(&project, todos()).await;
            states.push(anatomy(&client, &schema).await);
            for operations in [
                json!([{ "op": "add_column", "column": { "name": "due", "type": "date", "comment": "When" } }]),
                json!([{ "op": "alter_column", "name": "rank", "type": "bigint", "required": true, "default": 0 }]),
                json!([{ "op": "alter_column", "name": "title", "unique": false, "check": null, "comment": "It" }]),
                json!([{ "op": "rename_column", "from": "rank", "to": "position" }]),
                json!([{ "op": "add_index", "index": { "columns": ["due"] } },
                       { "op": "drop_index", "columns": ["user_id", "position"] }]),
                json!([{ "op": "set_policies", "policies": ["public-read",
                         { "name": "open_ones", "command": "select", "to": ["anon"], "using": "state = 'open'" }] }]),
                json!([{ "op": "set_timestamps", "timestamps": false }]),
                json!([{ "op": "rename_table", "to": "tasks" }]),
                json!([{ "op": "set_policies", "policy": "private" }, { "op": "drop_column", "name": "state" }]),
            ] {
                let before = table["version"].as_i64().unwrap();
                table = altered(&project, &table, operations).await;
                assert_eq!(table["version"], before + 1);
                let state = anatomy(&client, &schema).await;
                assert_ne!(Some(&state), states.last());
                states.push(state);
            }
            let history = get(&project, "migrations").await["migrations"].clone();
            let history = history.as_array().unwrap();
            assert_eq!(history.len(), 10);
            for (migration, (after, before)) in history
                .iter()
                .zip(states.iter().skip(1).zip(&states).collect::<Vec<_>>().into_iter().rev())
            {
                assert_eq!(&anatomy(&client, &schema).await, after);
                client
                    .batch_execute(&as_owner(&project, migration["down"].as_str().unwrap()))
                    .await
                    .unwrap();
                let now = anatomy(&client, &schema).await;
                // What a column was lists in another order; lines are sorted, so only attributes count.
                assert_eq!(&now, before, "{}", migration["up"]);
                assert_eq!(migration["state"], "applied");
                assert_eq!(migration["author"], project.owner.id.as_str());
                assert_eq!(migration["checksum"].as_str().unwrap().len(), 64);
            }
        }
    });
}

#[test]
fn a_bad_design_lists_every_fault_with_its_path() {
    run(async {
        let project = project("schema").await;
        let reply = create(
            &project,
            json!({ "name": "Bad Name", "columns": [
            { "name": "a", "type": "money" }, { "name": "b", "type": "text", "defualt": 1 },
            { "name": "c", "type": "integer", "default": "x" } ] }),
        )
        .await;
        let body = reply.expect(StatusCode::BAD_REQUEST);
        assert_eq!(
            (&body["code"], &body["message"]),
            (&json!("tables/invalid-schema"), &json!("Invalid schema"))
        );
        let details = text(&body, "details");
        for path in ["name:", "columns[0].type:", "columns[1]:", "columns[2].default:"] {
            assert!(
                details.lines().any(|line| line.starts_with(path)),
                "{path} in {details}"
            );
        }
        let post = async |body: Value| {
            let call = world().await.post(&project.database("tables/create"));
            call.bearer(&project.owner.token).json(&body).send().await
        };
        let described = post(json!({ "description": "A shop" })).await;
        assert_eq!(described.code(StatusCode::NOT_IMPLEMENTED), "ai/not-configured");
        assert_eq!(
            post(json!({})).await.code(StatusCode::BAD_REQUEST),
            "tables/invalid-schema"
        );
        assert_eq!(post(json!([])).await.code(StatusCode::BAD_REQUEST), "http/body");
        assert!(
            get(&project, "migrations").await["migrations"]
                .as_array()
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn if_match_guards_an_alteration() {
    run(async {
        let project = project("schema").await;
        let reply = create(&project, todos()).await;
        assert_eq!(reply.header("etag"), "\"1\"");
        let table = reply.json()["table"].clone();
        let path = project.database(&format!("tables/{}", text(&table, "id")));
        let operations = json!({ "operations": [{ "op": "drop_column", "name": "rank" }] });
        let bare = world()
            .await
            .patch(&path)
            .bearer(&project.owner.token)
            .json(&operations)
            .send()
            .await;
        let body = bare.expect(StatusCode::BAD_REQUEST);
        assert_eq!(body["code"], "tables/if-match");
        assert!(text(&body, "hint").contains("If-Match"));
        let newer = altered(&project, &table, json!([{ "op": "drop_column", "name": "rank" }])).await;
        assert_eq!(newer["version"], 2);
        let stale = alter(&project, &table, json!([{ "op": "drop_column", "name": "state" }])).await;
        let body = stale.expect(StatusCode::CONFLICT);
        assert_eq!(body["code"], "tables/stale");
        assert!(text(&body, "message").contains("version 2"));
        let reply = world().await.get(&path).bearer(&project.owner.token).send().await;
        assert_eq!(reply.header("etag"), "\"2\"");
    });
}

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

#[test]
fn renames_carry_references_and_policies_of_other_tables_along() {
    run(async {
        let project = project("schema").await;
        let todos = created(&project, todos()).await;
        let steps = created(
            &project,
            json!({ "name": "steps", "columns": [
            { "name": "todo_id", "type": "uuid", "references": { "table": "todos", "column": "id" } } ],
            "policies": [{ "name": "mine", "command": "select", "to": ["authenticated"],
              "using": "exists (select 1 from todos where todos.id = steps.todo_id and user_id = auth.uid())" }] }),
        )
        .await;
        altered(&project, &todos, json!([{ "op": "rename_table", "to": "tasks" }])).await;
        let steps = get(&project, &format!("tables/{}", text(&steps, "id"))).await["table"].clone();
        assert_eq!(steps["version"], 2);
        assert_eq!(steps["schema"]["columns"][1]["references"]["table"], "tasks");
        altered(
            &project,
            &steps,
            json!([{ "op": "add_column", "column": { "name": "n", "type": "integer" } }]),
        )
        .await;
    });
}

#[test]
fn policy_templates_let_through_what_they_say() {
    run(async {
        for level in LEVELS {
            let project = project(level).await;
            let (client, schema) = (cell(&project, level).await, schema_of(&project, level));
            for (name, policy) in [
                ("own", "owner"),
                ("shown", "public-read"),
                ("shared", "authenticated"),
                ("closed", "private"),
            ] {
                created(&project, json!({ "name": name, "policy": policy, "columns": [
                    { "name": "user_id", "type": "uuid", "default": "auth.uid()" }, { "name": "note", "type": "text" } ] })).await;
            }
            let (ann, bob) = (
                "11111111-1111-4111-8111-111111111111",
                "22222222-2222-4222-8222-222222222222",
            );
            for table in ["own", "shown", "shared", "closed"] {
                let rows =
                    format!("insert into {schema}.{table} (user_id, note) values ('{ann}', 'a'), ('{bob}', 'b')");
                client.batch_execute(&rows).await.unwrap();
            }
            // role, user, table, rows seen (none: refused), whether a row of the other's may be written
            for (role, user, table, seen) in [
                ("anon", "", "own", None),
                ("anon", "", "shown", Some(2)),
                ("anon", "", "shared", None),
                ("anon", "", "closed", None),
                ("authenticated", ann, "own", Some(1)),
                ("authenticated", ann, "shown", Some(2)),
                ("authenticated", ann, "shared", Some(2)),
                ("authenticated", ann, "closed", None),
                ("service", "", "own", Some(2)),
                ("service", "", "closed", Some(2)),
            ] {
                let claims = json!({ "sub": user, "role": role }).to_string();
                let begin = format!(
                    "begin; set local role \"p_{}_{role}\"; set local request.jwt.claims = '{claims}'",
                    project.reference
                );
                client.batch_execute(&begin).await.unwrap();
                let rows = client.query(&format!("select * from {schema}.{table}"), &[]).await;
                client.batch_execute("rollback").await.unwrap();
                assert_eq!(rows.ok().map(|rows| rows.len()), seen, "{role} {table}");
                client.batch_execute(&begin).await.unwrap();
                let theft = client
                    .execute(&format!("update {schema}.{table} set note = 'x' where note = 'b'"), &[])
                    .await;
                client.batch_execute("rollback").await.unwrap();
                let may = role == "service" || (role, table) == ("authenticated", "shared");
                assert_eq!(theft.unwrap_or(0), u64::from(may), "{role} {table}");
            }
        }
    });
}

#[test]
fn roles_decide_who_designs() {
    run(async {
        let project = project("schema").await;
        let table = created(&project, todos()).await;
        let path = project.database(&format!("tables/{}", text(&table, "id")));
        for (role, reads, writes) in [("viewer", 200, 403), ("developer", 200, 200), ("", 404, 404)] {
            let user = fixture::user().await;
            if !role.is_empty() {
                fixture::join(&project, &user, role).await;
            }
            for path in [path.clone(), project.database("tables"), project.database("migrations")] {
                let reply = world().await.get(&path).bearer(&user.token).send().await;
                assert_eq!(reply.status.as_u16(), reads, "{role} {path}");
            }
            let design = json!({ "schemaJson": { "name": format!("of_{role}x"), "columns": [] } });
            let posted = world()
                .await
                .post(&project.database("tables/create"))
                .bearer(&user.token)
                .json(&design)
                .send()
                .await;
            assert_eq!(
                posted.status.as_u16(),
                if writes == 200 { 201 } else { writes },
                "{role}: {}",
                posted.text
            );
            let restored = world()
                .await
                .post(&format!("{path}/restore"))
                .bearer(&user.token)
                .send()
                .await;
            assert_eq!(
                restored.status.as_u16(),
                if writes == 200 { 409 } else { writes },
                "{role}"
            );
        }
        let nobody = world().await.get(&path).send().await;
        assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);
        // Another project's table is not found in this one.
        let other = fixture::project("schema").await;
        let foreign = other.database(&format!("tables/{}", text(&table, "id")));
        let reply = world().await.get(&foreign).bearer(&other.owner.token).send().await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "tables/not-found");
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
