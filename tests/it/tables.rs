//! The table designer, end to end: over HTTP, on both isolation levels, looking into the database.

mod atomic;
pub mod fixture;
mod lifetime;
mod rights;

use http::StatusCode;
use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::world::{Call, Project, Reply, World, run, text, world};
use fixture::{cell, project, schema_of};

pub const LEVELS: [&str; 2] = ["schema", "database"];

pub async fn create(project: &Project, schema: Value) -> Reply {
    let call = world().await.post(&project.database("tables/create"));
    let body = json!({ "schemaJson": schema });
    call.bearer(&project.owner.token).json(&body).send().await
}

pub async fn created(project: &Project, schema: Value) -> Value {
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

pub async fn altered(project: &Project, table: &Value, operations: Value) -> Value {
    alter(project, table, operations).await.expect(StatusCode::OK)["table"].clone()
}

pub async fn get(project: &Project, rest: &str) -> Value {
    let call = world().await.get(&project.database(rest));
    call.bearer(&project.owner.token).send().await.expect(StatusCode::OK)
}

pub async fn delete(project: &Project, table: &Value) -> Reply {
    let path = project.database(&format!("tables/{}", text(table, "id")));
    world().await.delete(&path).bearer(&project.owner.token).send().await
}

pub async fn restore(project: &Project, table: &Value) -> Reply {
    let path = project.database(&format!("tables/{}/restore", text(table, "id")));
    world().await.post(&path).bearer(&project.owner.token).send().await
}

/// Everything a schema holds, as text: columns, constraints, indexes, enums, policies, grants, triggers.
pub async fn anatomy(client: &Client, schema: &str) -> String {
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
