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
        "policies": ["owner"],
        "timestamps": true,
        "softDelete": true
    })
}

#[test]
fn a_table_that_keeps_deleted_rows_marks_them_under_its_delete_policies() {
    let change = Fixture::new().create(kept());
    let body = change
        .up
        .iter()
        .find(|line| line.starts_with("create or replace function"));
    assert!(body.unwrap().contains("security definer set search_path = pg_catalog"));
    assert!(change.up_sql().contains("\"plinth_deleted_at\" timestamptz,"));
    let ours = [
        "create index \"notes_plinth",
        "create trigger",
        "grant update",
        "create policy \"plinth",
    ];
    let lines = change.up.iter().map(String::as_str);
    let ours: Vec<&str> = lines
        .filter(|line| ours.iter().any(|start| line.starts_with(start)))
        .collect();
    assert_snapshot!(ours.join("\n"), @r#"
    create index "notes_plinth_deleted_idx" on "project_x"."notes" using btree ("plinth_deleted_at") where "plinth_deleted_at" is not null
    create trigger "touch_updated_at" before update on "project_x"."notes" for each row when (new."plinth_deleted_at" is not distinct from old."plinth_deleted_at") execute function "plinth"."touch_updated_at"()
    create trigger "plinth_deleted" after update of "plinth_deleted_at" on "project_x"."notes" for each row when (old."plinth_deleted_at" is distinct from new."plinth_deleted_at") execute function "trash_x"."plinth_deleted"()
    grant update ("plinth_deleted_at") on table "project_x"."notes" to "p_x_authenticated"
    create policy "plinth_hidden" on "project_x"."notes" as restrictive for all to "p_x_anon", "p_x_authenticated" using ("plinth_deleted_at" is null or ("plinth_deleted_at" = pg_catalog.now() and coalesce(pg_catalog.current_setting('plinth.deleting', true), '') = tableoid::pg_catalog.text))
    create policy "plinth_hidden_service" on "project_x"."notes" as restrictive for all to "p_x_service" using ("plinth_deleted_at" is null or ("plinth_deleted_at" = pg_catalog.now() and coalesce(pg_catalog.current_setting('plinth.deleting', true), '') = tableoid::pg_catalog.text) or coalesce(pg_catalog.current_setting('plinth.restoring', true), '') = tableoid::pg_catalog.text)
    create policy "plinth_gate_authenticated" on "project_x"."notes" as restrictive for update to "p_x_authenticated" using (not (coalesce(pg_catalog.current_setting('plinth.deleting', true), '') = tableoid::pg_catalog.text) or ("user_id" = (select "plinth"."uid"()))) with check (true)
    create policy "plinth_gate_anon" on "project_x"."notes" as restrictive for update to "p_x_anon" using (not (coalesce(pg_catalog.current_setting('plinth.deleting', true), '') = tableoid::pg_catalog.text)) with check (true)
    create policy "plinth_delete" on "project_x"."notes" for update to "p_x_authenticated" using (coalesce(pg_catalog.current_setting('plinth.deleting', true), '') = tableoid::pg_catalog.text) with check (coalesce(pg_catalog.current_setting('plinth.deleting', true), '') = tableoid::pg_catalog.text)
    "#);
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
    assert_snapshot!(gone.change.up_sql(), @r#"
    drop index "project_x"."notes_title_kind_idx";
    alter table "project_x"."notes" drop constraint "notes_title_key";
    alter table "project_x"."notes" alter column "title" drop not null;
    alter table "project_x"."notes" rename column "title" to "plinth_gone_000000000000000000000000000000a0";
    alter table "project_x"."notes" rename column "kind" to "plinth_gone_000000000000000000000000000000a1";
    alter type "project_x"."notes_kind" rename to "plinth_gone_000000000000000000000000000000a1_0";
    "#);
    assert_snapshot!(gone.proof.join("\n"), @r#"
    alter table "project_x"."notes" drop column "plinth_gone_000000000000000000000000000000a0"
    alter table "project_x"."notes" drop column "plinth_gone_000000000000000000000000000000a1"
    "#);
    let operations =
        json!([{"op": "restore_column", "id": gone.spec.removed[0].id, "name": "heading", "unique": false}]);
    let back = fixture.alter(&gone.spec, operations);
    assert_snapshot!(back.change.up_sql(), @r#"
    alter table "project_x"."notes" rename column "plinth_gone_000000000000000000000000000000a0" to "heading";
    alter table "project_x"."notes" alter column "heading" set not null;
    "#);
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
    assert_snapshot!(up.join("\n"), @r#"
    drop index "project_x"."notes_plinth_deleted_idx"
    drop trigger "touch_updated_at" on "project_x"."notes"
    drop trigger "plinth_deleted" on "project_x"."notes"
    alter table "project_x"."notes" add constraint "plinth_no_deleted_rows" check ("plinth_deleted_at" is null)
    alter table "project_x"."notes" drop column "plinth_deleted_at"
    create trigger "touch_updated_at" before update on "project_x"."notes" for each row execute function "plinth"."touch_updated_at"()
    revoke all on table "project_x"."notes" from public, "p_x_anon", "p_x_authenticated", "p_x_service"
    grant select, insert, update, delete on table "project_x"."notes" to "p_x_authenticated"
    grant select, insert, update, delete on table "project_x"."notes" to "p_x_service"
    "#);
}

#[test]
fn what_is_purged_goes_with_its_types() {
    let fixture = Fixture::new();
    let spec = fixture.table(kept());
    let gone = fixture.alter(&spec, json!([{"op": "drop_column", "name": "kind"}]));
    let (trash, moved) = (Ident::new("trash_x").unwrap(), Ident::new("t_1").unwrap());
    assert_snapshot!(purge_table(&gone.spec, &trash, &moved).join("\n"), @r#"
    drop table if exists "trash_x"."t_1"
    drop type if exists "trash_x"."plinth_gone_000000000000000000000000000000a0_0"
    "#);
    let schema = Ident::new("project_x").unwrap();
    let column = purge_column(&gone.spec.removed[0], (&schema, &gone.spec.name));
    assert_snapshot!(column.join("\n"), @r#"
    alter table if exists "project_x"."notes" drop column if exists "plinth_gone_000000000000000000000000000000a0"
    drop type if exists "project_x"."plinth_gone_000000000000000000000000000000a0_0"
    "#);
    assert_snapshot!(purge_rows((&schema, &gone.spec.name)), @r#"with due as (select ctid as place from "project_x"."notes" where "plinth_deleted_at" < $1 order by "plinth_deleted_at", ctid limit $2 offset $3 for update skip locked), gone as (delete from "project_x"."notes" as t using due where t.ctid = due.place returning 1) select pg_catalog.count(*) from gone"#);
}
