//! Ways out of a project at level `schema`, tried over HTTP by its own owner. What reaches outside is refused by us,
//! before Postgres sees it: the codes are ours, nothing is written down, and nothing of the neighbour shows.

mod rows;

use http::StatusCode;
use serde_json::{Value, json};

use crate::tables::fixture::{cell, project, schema_of};
use crate::tables::{alter, create};
use crate::world::{Project, Reply, run, text, world};

/// In the neighbour's only row.
const SECRET: &str = "planted-secret-of-the-neighbour";

/// An attacker and a neighbour who has something to hide.
async fn neighbours() -> (Project, Project) {
    let (attacker, neighbour) = (project("schema").await, project("schema").await);
    let design = json!({ "name": "vault", "columns": [{ "name": "word", "type": "text" }] });
    create(&neighbour, design).await.expect(StatusCode::CREATED);
    let client = cell(&neighbour, "schema").await;
    let row = format!(
        "insert into {}.vault (word) values ('{SECRET}')",
        schema_of(&neighbour, "schema")
    );
    client.batch_execute(&row).await.unwrap();
    (attacker, neighbour)
}

/// Expressions that reach outside; `{ref}` is the neighbour's.
const EXPRESSIONS: &[&str] = &[
    "set_config('role', 'p_{ref}_owner', true) is not null",
    "pg_catalog.set_config('role', 'p_{ref}_owner', true) is not null",
    "\"set_config\"('role', 'p_{ref}_owner', true) is not null",
    "SET_CONFIG('role', 'p_{ref}_owner', false) = ''",
    "current_setting('request.jwt.claims') is not null",
    "(select set_config('role', 'p_{ref}_owner', true)) is not null",
    "1 = 1; set role p_{ref}_owner",
    "true) ; set role p_{ref}_owner; --",
    "true /* ) */ ; reset role",
    "query_to_xml('select * from project_{ref}.vault', true, true, '') is not null",
    "query_to_xml_and_xmlschema('select 1', true, true, '')::text <> ''",
    "table_to_xml('project_{ref}.vault'::regclass, true, true, '') is not null",
    "database_to_xml(true, true, '')::text <> ''",
    "xpath('/x', 'x'::xml) is not null",
    "'project_{ref}.vault'::regclass is not null",
    "cast('project_{ref}.vault' as regclass) is not null",
    "title::regclass is not null",
    "title::oid = 1",
    "title::regrole is not null",
    "title::\"regclass\" is not null",
    "title::pg_catalog.regclass is not null",
    "title::project_{ref}.mood is not null",
    "pg_catalog.regclass 'project_{ref}.vault' is not null",
    "exists (select 1 from project_{ref}.vault)",
    "exists (select 1 from \"project_{ref}\".\"vault\")",
    "exists (select 1 from pg_catalog.pg_roles)",
    "exists (select 1 from pg_authid)",
    "exists (select 1 from information_schema.tables)",
    "exists (select 1 from plinth.version)",
    "exists (select 1 from auth_{ref}.users)",
    "exists (select 1 from trash_{ref}.t)",
    "exists (select 1 from app_users, project_{ref}.vault)",
    "exists (select 1 from app_users join project_{ref}.vault on true)",
    "exists (with v as (select * from project_{ref}.vault) select 1 from v)",
    "exists (select 1 from app_users union select 1 from project_{ref}.vault)",
    "exists (table project_{ref}.vault)",
    "exists (select 1 from lateral (select 1) x)",
    "exists (select 1 from generate_series(1, 1000000000))",
    "exists (select 1 from app_users for update)",
    "exists (delete from app_users returning 1)",
    "title in (select word from project_{ref}.vault)",
    "title = (select word from project_{ref}.vault limit 1)",
    "title = any (select word from project_{ref}.vault)",
    "title operator(pg_catalog.=) 'x'",
    "title operator(project_{ref}.===) 'x'",
    "tableoid = 1",
    "ctid is not null",
    "xmin::text <> ''",
    "todos is not null",
    "todos.* is not null",
    "to_jsonb(todos) is not null",
    "row_to_json(todos)::text <> ''",
    "(todos).to_jsonb is not null",
    "todos.to_jsonb is not null",
    "\"to_jsonb\" is not null",
    "pg_sleep(10) is null",
    "pg_read_file('/etc/passwd') is not null",
    "lo_import('/etc/passwd') > 0",
    "dblink('', '') is null",
    "pg_terminate_backend(1)",
    "pg_advisory_lock(1) is null",
    "nextval('project_{ref}.vault_id_seq') > 0",
    "has_table_privilege('project_{ref}.vault', 'select')",
    "current_user = 'x'",
    "session_user = 'x'",
    "current_database() = 'x'",
    "version() <> ''",
    "inet_server_addr() is null",
    "to_tsvector('pg_catalog.english', title) is not null",
    "plinth.push_version('{ref}', 9) is null",
    "plinth.schema_changed('{ref}', null) is null",
    "plinth.check_version('{ref}', 0, 0) is null",
    "auth.users is not null",
    "auth.set_config('role', 'x') is null",
    "count(*) > 0",
    "row_number() over () = 1",
    "title collate \"pg_catalog\".\"C\" = ''",
    "$1 = title",
    ":name = title",
    "title = U&'\\0061' uescape '!'",
    "title = $$x$$ or set_config('role', 'x', true) is null",
    "interval '1 day' = '1 day'::interval",
    "format('%s', todos) <> ''",
    "convert_from(decode('00', 'hex'), 'utf8') <> ''",
    "array(select word from project_{ref}.vault) is not null",
    "jsonb_path_exists('{}', '$.x')",
    "ts_stat('select 1') is null",
];

fn places(expression: &str) -> [(&'static str, Value); 5] {
    let todos = |column: Value, policies: Value| {
        json!({ "name": "todos", "columns": [
            { "name": "id", "type": "uuid", "primary_key": true }, { "name": "title", "type": "text" }, column,
        ], "policies": policies })
    };
    let plain = || json!({ "name": "n", "type": "boolean" });
    [
        (
            "check",
            todos(
                json!({ "name": "n", "type": "boolean", "check": expression }),
                json!([]),
            ),
        ),
        (
            "default",
            todos(
                json!({ "name": "n", "type": "boolean", "default_expression": expression }),
                json!([]),
            ),
        ),
        (
            "using",
            todos(
                plain(),
                json!([{ "name": "p", "command": "select", "to": ["anon"], "using": expression }]),
            ),
        ),
        (
            "with check",
            todos(
                plain(),
                json!([{ "name": "p", "command": "insert", "to": ["anon"], "check": expression }]),
            ),
        ),
        (
            "update",
            todos(
                plain(),
                json!([{ "name": "p", "command": "update", "to": ["authenticated"], "using": "true", "check": expression }]),
            ),
        ),
    ]
}

/// Refused by us, with our code and a hint, and silent about the neighbour.
#[track_caller]
fn refused(reply: &Reply, what: &str) {
    let body = reply.json();
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{what}: {}", reply.text);
    assert_eq!(body["code"], "tables/invalid-schema", "{what}: {}", reply.text);
    assert!(
        body["hint"].is_string() && body["details"].is_string(),
        "{what}: {}",
        reply.text
    );
    assert!(!reply.text.contains(SECRET), "{what}: {}", reply.text);
}

/// Nothing was written down, so nothing was run.
async fn untouched(project: &Project, migrations: usize) {
    let path = project.database("migrations?limit=100");
    let reply = world().await.get(&path).bearer(&project.owner.token).send().await;
    let history = reply.expect(StatusCode::OK);
    assert_eq!(history["migrations"].as_array().unwrap().len(), migrations);
}

#[test]
fn no_expression_of_a_design_reaches_outside() {
    run(async {
        let (attacker, neighbour) = neighbours().await;
        for expression in EXPRESSIONS {
            let expression = expression.replace("{ref}", &neighbour.reference);
            for (place, design) in places(&expression) {
                let reply = create(&attacker, design).await;
                refused(&reply, &format!("{place}: {expression}"));
            }
        }
        untouched(&attacker, 0).await;
    });
}

#[test]
fn no_expression_of_an_alteration_reaches_outside() {
    run(async {
        let (attacker, neighbour) = neighbours().await;
        let design = json!({ "name": "todos", "columns": [{ "name": "title", "type": "text" }] });
        let table = create(&attacker, design).await.expect(StatusCode::CREATED)["table"].clone();
        for expression in EXPRESSIONS.iter().step_by(3) {
            let expression = expression.replace("{ref}", &neighbour.reference);
            for operation in [
                json!({ "op": "alter_column", "name": "title", "check": expression }),
                json!({ "op": "alter_column", "name": "title", "default_expression": expression }),
                json!({ "op": "add_column", "column": { "name": "n", "type": "boolean", "check": expression } }),
                json!({ "op": "set_policies", "policies": [{ "name": "p", "command": "all", "to": ["anon"],
                        "using": expression }] }),
            ] {
                let reply = alter(&attacker, &table, json!([operation])).await;
                refused(&reply, &operation.to_string());
            }
        }
        untouched(&attacker, 1).await;
    });
}

#[test]
fn no_name_type_or_role_of_a_design_reaches_outside() {
    run(async {
        let (attacker, neighbour) = neighbours().await;
        let schema = schema_of(&neighbour, "schema");
        let vault = format!("{schema}.vault");
        let quoted = format!("{schema}\".\"vault");
        let names = [
            vault.as_str(),
            &quoted,
            "a\"; drop schema public; --",
            "a'b",
            "a;b",
            "a b",
            "A",
            "",
            "pg_x",
            "plinth_x",
            "tableoid",
            "ctid",
            "ä",
            "a\u{0}b",
            "a\nb",
            "\"a\"",
            "a.b",
            "a--",
            "a/*",
            "$1",
            "1a",
            "_a",
            "users",
        ];
        let mut designs = Vec::new();
        for name in names {
            let column = |name: &str| json!({ "name": name, "type": "text" });
            if !["tableoid", "ctid"].contains(&name) {
                designs.push(json!({ "name": name, "columns": [] }));
            }
            if name != "users" {
                designs.push(json!({ "name": "t", "columns": [column(name)] }));
                designs.push(json!({ "name": "t", "columns": [column("a")], "indexes": [{ "columns": [name] }] }));
                designs.push(json!({ "name": "t", "columns": [{ "name": "a", "type": "uuid",
                    "references": { "table": "app_users", "column": name } }] }));
                designs.push(json!({ "name": "t", "columns": [{ "name": "user_id", "type": "uuid" }],
                    "policies": [{ "template": "owner", "column": name }] }));
            }
            designs.push(json!({ "name": "t", "columns": [{ "name": "a", "type": "uuid",
                "references": { "table": name, "column": "id" } }] }));
        }
        for kind in [
            "regclass",
            "regrole",
            "oid",
            "xml",
            "name",
            "money",
            "text; drop table x",
            "text)",
            "text check (true)",
            "project_x.mood",
            "pg_catalog.text",
            "\"text\"",
            "serial",
            "text[][]",
            "decimal(1001,0)",
            "decimal(1,1);",
            "varchar(10)",
            "information_schema.sql_identifier",
            "cstring",
            "record",
            "anyelement",
            "text\u{0}",
        ] {
            designs.push(json!({ "name": "t", "columns": [{ "name": "a", "type": kind }] }));
        }
        for role in [
            "public",
            "p_x_owner",
            "plinth_provision",
            "service_role",
            "anon; set role x",
            "authenticated, public",
        ] {
            designs.push(json!({ "name": "t", "columns": [], "policies": [
                { "name": "p", "command": "select", "to": [role], "using": "true" }] }));
        }
        for (kind, default) in [
            ("uuid", "auth.uid() or true"),
            ("uuid", "plinth.uid()"),
            ("integer", "1); drop table x; --"),
            ("timestamptz", "now() - interval '1 day'"),
            ("boolean", "true or set_config('role', 'x', true) is null"),
            ("date", "2020-01-01'::date; --"),
            ("decimal", "1e999"),
            ("decimal", "nan"),
        ] {
            designs.push(json!({ "name": "t", "columns": [{ "name": "a", "type": kind, "default": default }] }));
        }
        for (key, value) in [
            ("on_delete", json!("cascade; drop table x")),
            ("match", json!("full")),
            ("table", json!({ "x": 1 })),
        ] {
            let mut reference = json!({ "table": "app_users", "column": "id" });
            reference[key] = value;
            designs.push(json!({ "name": "t", "columns": [{ "name": "a", "type": "uuid", "references": reference }] }));
        }
        for method in ["gist", "btree; drop", "hash", ""] {
            designs.push(json!({ "name": "t", "columns": [{ "name": "a", "type": "text" }],
                "indexes": [{ "columns": ["a"], "method": method }] }));
        }
        for design in designs {
            let reply = create(&attacker, design.clone()).await;
            refused(&reply, &design.to_string());
        }
        untouched(&attacker, 0).await;
    });
}

#[test]
fn texts_of_a_design_stay_texts() {
    run(async {
        let attacker = project("schema").await;
        let nasty = r#"'; drop table x; -- " \' $$ /* E'\' {0} % ü"#;
        let design = json!({ "name": "t", "comment": nasty, "columns": [
            { "name": "a", "type": "text", "default": nasty, "comment": nasty },
            { "name": "b", "type": "enum", "values": [nasty, "x'); --"], "default": nasty },
            { "name": "c", "type": "jsonb", "default": { nasty: [nasty] } },
            { "name": "d", "type": "text[]", "default": [nasty, "}"] },
            { "name": "e", "type": "text", "default_expression": format!("'{}'", nasty.replace('\'', "''")) },
        ] });
        let made = create(&attacker, design.clone()).await.expect(StatusCode::CREATED);
        let client = cell(&attacker, "schema").await;
        let schema = schema_of(&attacker, "schema");
        let sql = format!(
            "insert into {schema}.t default values returning a, b::text, c, d, e, obj_description('{schema}.t'::regclass)"
        );
        let row = client.query_one(&sql, &[]).await.unwrap();
        for index in [0, 1, 4, 5] {
            assert_eq!(row.get::<_, &str>(index), nasty, "{index}");
        }
        assert_eq!(row.get::<_, Value>(2), json!({ nasty: [nasty] }));
        assert_eq!(row.get::<_, Vec<String>>(3), [nasty, "}"]);
        // What is stored is taken again as it is.
        let again = made["table"]["schema"].clone();
        let mut second = again.clone();
        second["name"] = json!("u");
        second["enums"][0]["name"] = json!("u_b");
        second["columns"][2]["type"] = json!("u_b");
        create(&attacker, second).await.expect(StatusCode::CREATED);
    });
}

#[test]
fn bad_input_to_the_designer_is_a_4xx_with_a_code_and_changes_nothing() {
    run(async {
        let attacker = project("schema").await;
        let table = "00000000-0000-4000-8000-000000000000";
        let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
        let long = "a".repeat(900_000);
        let parentheses = format!("{}true{}", "(".repeat(2000), ")".repeat(2000));
        let terms = vec!["true"; 1000].join(" or ");
        let create_path = attacker.database("tables/create");
        let cases: Vec<(&str, String, Vec<u8>, u16, &str)> = vec![
            ("POST", create_path.clone(), b"{".to_vec(), 400, "http/json"),
            ("POST", create_path.clone(), b"\xff\xfe".to_vec(), 400, "http/json"),
            ("POST", create_path.clone(), b"[]".to_vec(), 400, "http/body"),
            ("POST", create_path.clone(), br#"{"schemaJson":{},"x":1}"#.to_vec(), 400, "http/body"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{deep}}}"#).into(), 400, "http/json"),
            ("POST", create_path.clone(), br#"{"schemaJson":5}"#.to_vec(), 400, "tables/invalid-schema"),
            ("POST", create_path.clone(), br#"{"schemaJson":{"name":"t\u0000","columns":[]}}"#.to_vec(), 400, "tables/invalid-schema"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{{"name":"{long}","columns":[]}}}}"#).into(), 400, "tables/invalid-schema"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{{"name":"t","columns":[{{"name":"{long}","type":"{long}"}}]}}}}"#).into(), 413, "http/too-large"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{{"name":"t","columns":[{{"name":"a","type":"{long}"}}]}}}}"#).into(), 400, "tables/invalid-schema"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{{"name":"t","columns":[{{"name":"a","type":"text","check":"{long}"}}]}}}}"#).into(), 400, "tables/invalid-schema"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{{"name":"t","columns":[{{"name":"a","type":"text","check":"{parentheses}"}}]}}}}"#).into(), 400, "tables/invalid-schema"),
            ("POST", create_path.clone(), format!(r#"{{"schemaJson":{{"name":"t","columns":[{{"name":"a","type":"text","check":"{terms}"}}]}}}}"#).into(), 400, "tables/invalid-schema"),
            ("POST", create_path, format!(r#"{{"schemaJson":{{"name":"t","{long}":1,"columns":[]}}}}"#).into(), 400, "tables/invalid-schema"),
            ("POST", attacker.database("tables/not-a-uuid/restore"), vec![], 400, "http/path"),
            ("POST", attacker.database(&format!("tables/{table}/restore")), vec![], 404, "tables/not-found"),
            ("PATCH", attacker.database(&format!("tables/{table}")), br#"{"operations":[]}"#.to_vec(), 404, "tables/not-found"),
            ("PATCH", attacker.database(&format!("tables/{table}")), br#"{"operations":{}}"#.to_vec(), 404, "tables/not-found"),
            ("PATCH", attacker.database(&format!("tables/{table}")), b"null".to_vec(), 400, "http/body"),
            ("DELETE", attacker.database(&format!("tables/{table}")), vec![], 404, "tables/not-found"),
            ("GET", attacker.database("tables/%00"), vec![], 400, "http/path"),
            ("GET", attacker.database("tables/%ff"), vec![], 400, "http/bad-request"),
            ("GET", attacker.database("tables?deleted=maybe"), vec![], 400, "http/query"),
            ("GET", attacker.database("migrations?limit=0"), vec![], 400, "http/query"),
            ("GET", attacker.database("migrations?limit=99999999999999999999"), vec![], 400, "http/query"),
            ("GET", attacker.database("migrations?cursor=%27;drop"), vec![], 400, "http/query"),
            ("GET", "/api/database/x'/tables".to_owned(), vec![], 404, "projects/not-found"),
        ];
        for (method, path, body, status, code) in cases {
            let call = world()
                .await
                .call(method.parse().unwrap(), &path)
                .bearer(&attacker.owner.token);
            let shown = format!(
                "{method} {path} {}",
                String::from_utf8_lossy(&body).chars().take(80).collect::<String>()
            );
            let reply = call
                .header("if-match", "\"1\"")
                .body(body, "application/json")
                .send()
                .await;
            let answer = reply.json();
            assert_eq!(
                (reply.status.as_u16(), text(&answer, "code").as_str()),
                (status, code),
                "{shown}: {answer}"
            );
            assert!(reply.text.len() < 4_000, "{shown}: {} bytes", reply.text.len());
        }
        untouched(&attacker, 0).await;
    });
}
