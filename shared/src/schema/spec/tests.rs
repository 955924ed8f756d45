use serde_json::{Value, json};

use super::*;
use crate::schema::known::Known;
use crate::schema::starter;

fn known() -> Known {
    Known::new([starter::app_users(), starter::app_data()])
}

fn read(json: Value) -> TableSpec {
    parse(&json, &known()).unwrap_or_else(|faults| panic!("{json}: {faults}"))
}

/// `path code` of every fault.
fn faults(json: Value) -> Vec<String> {
    let faults = parse(&json, &known()).expect_err(&json.to_string());
    faults
        .iter()
        .map(|fault| format!("{} {}", fault.path, fault.code))
        .collect()
}

#[test]
fn parse_table_without_key_gets_an_id() {
    let spec = read(json!({"name": "notes", "columns": [{"name": "body", "type": "text"}]}));
    assert_eq!(
        serde_json::to_value(&spec).unwrap(),
        json!({"name": "notes", "policies": [], "columns": [
            {"name": "id", "type": "uuid", "primary_key": true, "required": true, "default": "gen_random_uuid()"},
            {"name": "body", "type": "text"}
        ]})
    );
}

#[test]
fn parse_takes_its_own_canonical_json() {
    let full = json!({
        "name": "todos", "comment": "What to do",
        "columns": [
            {"name": "id", "type": "bigint", "primary": true, "identity": true},
            {"name": "title", "type": "text", "required": true, "unique": true, "check": {"min": 1, "max": 200}},
            {"name": "state", "type": "enum", "values": ["open", "done"], "default": "open"},
            {"name": "moods", "type": "mood[]", "default": ["good"]},
            {"name": "price", "type": "decimal(10,2)", "default": "1.50", "check": "price >= 0 and price < 1000"},
            {"name": "user_id", "type": "uuid", "default": "auth.uid()", "references": {"table": "app_users", "on_delete": "CASCADE"}},
            {"name": "parent", "type": "bigint", "references": {"table": "todos", "column": "id", "on_delete": "set_null"}},
            {"name": "slug", "type": "text", "default_expression": "lower('ABC')", "comment": "In the address"},
            {"name": "data", "type": "jsonb", "default": {"a": [1, null]}}
        ],
        "enums": [{"name": "mood", "values": ["good", "bad"]}],
        "indexes": [{"columns": ["data"], "method": "gin"}, {"columns": ["user_id", "state"], "unique": true}],
        "policies": ["public-read", {"name": "mine", "command": "select", "to": ["anon"], "using": "state = 'done'"}],
        "timestamps": true
    });
    let spec = read(full);
    let canonical = serde_json::to_value(&spec).unwrap();
    assert_eq!(read(canonical.clone()), spec);
    assert_eq!(serde_json::from_value::<TableSpec>(canonical).unwrap(), spec);
    assert_eq!(spec.columns.last().unwrap().name.as_str(), "updated_at");
}

#[test]
fn parse_starter_tables_are_valid_themselves() {
    let users = serde_json::to_value(starter::app_users()).unwrap();
    assert_eq!(parse(&users, &Known::default()).unwrap(), starter::app_users());
    let data = serde_json::to_value(starter::app_data()).unwrap();
    assert_eq!(
        parse(&data, &Known::new([starter::app_users()])).unwrap(),
        starter::app_data()
    );
}

#[test]
fn parse_names_every_fault_with_its_path() {
    let bad = json!({
        "name": "Todos", "colour": "red",
        "columns": [
            {"name": "pg_x", "type": "text"},
            {"name": "a", "type": "regclass[][]", "uniqe": true},
            {"name": "b", "type": "integer", "default": "1; drop table x"},
            {"name": "b", "type": "mood"},
            {"name": "c", "type": "uuid", "references": {"table": "nowhere"}},
            {"name": "d", "type": "text", "references": {"table": "app_users", "column": "id"}},
            {"name": "e", "required": "yes", "type": "text", "check": "tableoid = 1"},
            "f"
        ],
        "indexes": [{"columns": ["nope"]}, {"columns": ["e"], "method": "gin"}],
        "policies": ["owner", {"name": "p", "to": ["everyone"], "using": "set_config('a','b',true) = 'b'"}]
    });
    assert_eq!(
        faults(bad),
        [
            " schema/unknown-key",
            "name schema/name",
            "columns[0].name schema/name",
            "columns[1] schema/unknown-key",
            "columns[1].type schema/type",
            "columns[6].required schema/shape",
            "columns[7] schema/shape",
            "policies[1].to[0] schema/policy",
            "columns[3].name schema/duplicate",
            "columns[2].default schema/default",
            "columns[3].type schema/type",
            "columns[4].references.table schema/reference",
            "columns[5].references schema/reference",
            "columns[6].check expression/unknown-column",
            "indexes[0].columns[0] schema/index",
            "indexes[1].columns[0] schema/index",
            "policies[0] schema/policy",
            "policies[1].using expression/unknown-function",
        ]
    );
}

#[test]
fn parse_one_fault_cases() {
    let column = |column: Value| json!({"name": "t", "columns": [column]});
    let typed = |kind: &str, key: &str, value: Value| column(json!({"name": "c", "type": kind, key: value}));
    for (json, expected) in [
        (json!([]), " schema/shape"),
        (json!({"name": "t"}), "columns schema/missing"),
        (json!({"name": "app_users", "columns": []}), "name schema/name-taken"),
        (json!({"name": "users", "columns": []}), "name schema/name-taken"),
        (
            json!({"name": "app_users_pkey", "columns": []}),
            "name schema/name-taken",
        ),
        (json!({"name": "text", "columns": []}), "name schema/name"),
        (json!({"name": "plinth_x", "columns": []}), "name schema/name"),
        (
            json!({"name": "a\"; drop schema x; --", "columns": []}),
            "name schema/name",
        ),
        (json!({"name": "a".repeat(64), "columns": []}), "name schema/name"),
        (
            json!({"name": "a".repeat(1_000_000), "columns": []}),
            "name schema/name",
        ),
        (
            column(json!({"name": "ctid", "type": "text"})),
            "columns[0].name schema/name",
        ),
        (typed("text[][]", "unique", json!(false)), "columns[0].type schema/type"),
        (typed("pg_class", "unique", json!(false)), "columns[0].type schema/type"),
        (
            typed("app_users", "unique", json!(false)),
            "columns[0].type schema/type",
        ),
        (typed("json", "unique", json!(true)), "columns[0].type schema/type"),
        (typed("text", "default", json!(1)), "columns[0].default schema/default"),
        (
            typed("text", "default", json!("a\0b")),
            "columns[0].default schema/default",
        ),
        (
            typed("integer", "default", json!(3_000_000_000_u64)),
            "columns[0].default schema/default",
        ),
        (
            typed("integer", "default", json!("now()")),
            "columns[0].default schema/default",
        ),
        (
            typed("uuid", "default", json!("now()")),
            "columns[0].default schema/default",
        ),
        (
            typed("date", "default", json!("2024-02-30")),
            "columns[0].default schema/default",
        ),
        (
            typed("timestamptz", "default", json!("now(); select 1")),
            "columns[0].default schema/default",
        ),
        (
            typed("decimal", "default", json!("NaN")),
            "columns[0].default schema/default",
        ),
        (
            typed("boolean", "default", json!("true")),
            "columns[0].default schema/default",
        ),
        (
            typed("jsonb", "default", json!({"a": "\u{0}"})),
            "columns[0].default schema/default",
        ),
        (
            typed("text[]", "default", json!("x")),
            "columns[0].default schema/default",
        ),
        (
            typed("text", "default_expression", json!("current_setting('x')")),
            "columns[0].default_expression expression/unknown-function",
        ),
        (
            typed("boolean", "check", json!({"min": 1})),
            "columns[0].check schema/check",
        ),
        (
            typed("integer", "check", json!({"min": 2, "max": 1})),
            "columns[0].check schema/check",
        ),
        (
            typed("integer", "check", json!({"min": "x"})),
            "columns[0].check schema/check",
        ),
        (typed("integer", "check", json!({})), "columns[0].check schema/check"),
        (
            typed("text", "identity", json!(true)),
            "columns[0].identity schema/identity",
        ),
        (typed("enum", "values", json!([])), "columns[0].values schema/values"),
        (
            typed("enum", "values", json!(["a", "a"])),
            "columns[0].values[1] schema/duplicate",
        ),
        (
            typed(
                "text",
                "references",
                json!({"table": "app_data", "column": "data_type"}),
            ),
            "columns[0].references.column schema/reference",
        ),
        (
            typed(
                "uuid",
                "references",
                json!({"table": "app_users", "on_delete": "explode"}),
            ),
            "columns[0].references.on_delete schema/on-delete",
        ),
        (
            json!({"name": "t", "columns": [], "policy": "owner"}),
            "policy schema/policy",
        ),
        (
            json!({"name": "t", "columns": [], "policy": "everyone"}),
            "policy schema/policy",
        ),
        (
            json!({"name": "t", "columns": [], "policies": [{"name": "a", "command": "insert", "to": ["anon"], "using": "true", "check": "true"}]}),
            "policies[0].using schema/policy",
        ),
        (
            json!({"name": "t", "columns": [], "policies": [{"name": "service", "to": ["anon"], "using": "true"}]}),
            "policies[0].name schema/policy",
        ),
        (
            json!({"name": "t", "columns": [], "enums": [{"name": "uuid", "values": ["a"]}]}),
            "enums[0].name schema/name-taken",
        ),
        (
            json!({"name": "t", "columns": [], "enums": [{"name": "app_data", "values": ["a"]}]}),
            "enums[0].name schema/name-taken",
        ),
    ] {
        let found = faults(json.clone());
        assert_eq!(found.first().map(String::as_str), Some(expected), "{json} {found:?}");
    }
}

#[test]
fn parse_too_many_columns_is_a_fault() {
    let columns: Vec<Value> = (0..=MAX_COLUMNS)
        .map(|n| json!({"name": format!("c{n}"), "type": "text"}))
        .collect();
    assert!(faults(json!({"name": "t", "columns": columns})).contains(&"columns schema/too-many".to_owned()));
}
