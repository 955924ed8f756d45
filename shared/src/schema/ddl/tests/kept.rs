//! What is kept when it is deleted: columns aside, rows marked.

use insta::assert_snapshot;
use serde_json::json;

use super::*;

fn kept() -> Value {
    json!({
        "name": "notes",
        "columns": [
            {"name": "id", "type": "uuid", "primary_key": true},
            {"name": "title", "type": "text", "required": true, "unique": true, "default": "x", "comment": "It"},
            {"name": "kind", "type": "enum", "values": ["a"]},
            {"name": "user_id", "type": "uuid", "references": {"table": "app_users", "on_delete": "cascade"}}
        ],
        "indexes": [{"columns": ["title", "kind"]}],
        "policies": ["owner", {"name": "look", "command": "select", "to": ["anon"], "using": "title = 'x'"}],
        "timestamps": true,
        "softDelete": true
    })
}

#[test]
fn a_table_that_keeps_deleted_rows_marks_them_under_its_delete_policies() {
    let change = Fixture::new().create(kept());
    let up: Vec<&str> = change
        .up
        .iter()
        .map(String::as_str)
        .filter(|line| line.contains("plinth_"))
        .collect();
    let body = up
        .iter()
        .find(|line| line.starts_with("create or replace function"))
        .unwrap();
    assert!(body.contains("security definer set search_path = pg_catalog"));
    let without: Vec<&str> = up
        .into_iter()
        .filter(|line| !line.starts_with("create or replace function"))
        .collect();
    assert_snapshot!(without.join("\n"), @r#""#);
}

#[test]
fn a_deleted_column_goes_aside_and_comes_back() {
    let fixture = Fixture::new();
    let mut design = kept();
    design["softDelete"] = false.into();
    let spec = fixture.table(design);
    let gone = fixture.alter(
        &spec,
        json!([{"op": "drop_column", "name": "title"}, {"op": "drop_column", "name": "kind"}]),
    );
    assert_snapshot!(gone.change.up_sql(), @r#""#);
    assert_snapshot!(gone.proof.join("\n"), @r#""#);
    let operations =
        json!([{"op": "restore_column", "id": gone.spec.removed[0].id, "name": "heading", "unique": false}]);
    let back = fixture.alter(&gone.spec, operations);
    assert_snapshot!(back.change.up_sql(), @r#""#);
    assert_eq!(back.spec.columns[1].name.as_str(), "heading");
    assert_eq!(back.spec.removed.len(), 1);
    let json = serde_json::to_value(&gone.spec).unwrap();
    assert_eq!(serde_json::from_value::<TableSpec>(json).unwrap(), gone.spec);
}

#[test]
fn keeping_deleted_rows_is_switched_off_only_without_any() {
    let fixture = Fixture::new();
    let altered = fixture.alter(
        &fixture.table(kept()),
        json!([{"op": "set_soft_delete", "softDelete": false}]),
    );
    let up: Vec<&str> = altered
        .change
        .up
        .iter()
        .map(String::as_str)
        .filter(|line| !line.contains("policy"))
        .collect();
    assert_snapshot!(up.join("\n"), @r#""#);
}

#[test]
fn what_is_purged_goes_with_its_types() {
    let fixture = Fixture::new();
    let spec = fixture.table(kept());
    let gone = fixture.alter(&spec, json!([{"op": "drop_column", "name": "kind"}]));
    let (trash, moved) = (Ident::new("trash_x").unwrap(), Ident::new("t_1").unwrap());
    assert_snapshot!(purge_table(&gone.spec, &trash, &moved).join("\n"), @r#""#);
    let schema = Ident::new("project_x").unwrap();
    let column = purge_column(&gone.spec.removed[0], (&schema, &gone.spec.name));
    assert_snapshot!(column.join("\n"), @r#""#);
    assert_snapshot!(purge_rows((&schema, &gone.spec.name)), @r#""#);
}
