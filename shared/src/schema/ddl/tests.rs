mod kept;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::*;
use crate::schema::{spec, starter};

const MOMENT: (uuid::Uuid, jiff::Timestamp) = (uuid::Uuid::from_u128(0xa0), jiff::Timestamp::UNIX_EPOCH);

struct Fixture {
    schema: Ident,
    roles: Roles,
    helpers: Helpers,
    known: Known,
}

impl Fixture {
    fn new() -> Self {
        let ident = |name: &str| Ident::new(name).unwrap();
        let roles = Roles {
            owner: ident("p_x_owner"),
            service: ident("p_x_service"),
            authenticated: ident("p_x_authenticated"),
            anon: ident("p_x_anon"),
        };
        let helpers = Helpers {
            auth: ident("plinth"),
            triggers: ident("plinth"),
            trash: ident("trash_x"),
        };
        let known = Known::new([starter::app_users(), starter::app_data()]);
        Self {
            schema: ident("project_x"),
            roles,
            helpers,
            known,
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            schema: &self.schema,
            roles: &self.roles,
            helpers: &self.helpers,
            known: &self.known,
        }
    }

    fn table(&self, json: Value) -> TableSpec {
        spec::parse(&json, &self.known).unwrap_or_else(|faults| panic!("{faults}"))
    }

    fn create(&self, json: Value) -> Change {
        create_table(&self.table(json), &self.context()).unwrap()
    }

    fn alter(&self, spec: &TableSpec, operations: Value) -> Alteration {
        alter(spec, &json!({ "operations": operations }), &self.context(), MOMENT)
            .unwrap_or_else(|faults| panic!("{faults}"))
    }
}

fn todos() -> Value {
    json!({
        "name": "todos", "comment": "What's to do",
        "columns": [
            {"name": "title", "type": "text", "required": true, "unique": true, "check": {"min": 1, "max": 200}},
            {"name": "state", "type": "enum", "values": ["open", "it's done"], "default": "open"},
            {"name": "rank", "type": "integer", "default": -1, "check": "rank < 10 and title <> ''"},
            {"name": "tags", "type": "text[]", "default": []},
            {"name": "data", "type": "jsonb", "default": {"a": "it's \\"}},
            {"name": "user_id", "type": "uuid", "default": "auth.uid()",
             "references": {"table": "app_users", "column": "id", "on_delete": "cascade"}}
        ],
        "indexes": [{"columns": ["tags"], "method": "gin"}, {"columns": ["user_id", "rank"]}],
        "policy": "owner",
        "timestamps": true
    })
}

#[test]
fn create_table_renders_up_and_down() {
    let change = Fixture::new().create(todos());
    assert_snapshot!(change.up_sql(), @r#"
    create type "project_x"."todos_state" as enum ('open', 'it''s done');
    create table "project_x"."todos" (
      "id" uuid default pg_catalog.gen_random_uuid() not null,
      "title" text not null,
      "state" "project_x"."todos_state" default 'open'::"project_x"."todos_state",
      "rank" integer default '-1'::integer,
      "tags" text[] default array[]::text[],
      "data" jsonb default E'{"a":"it''s \\\\"}'::jsonb,
      "user_id" uuid default "plinth"."uid"(),
      "created_at" timestamptz default pg_catalog.now() not null,
      "updated_at" timestamptz default pg_catalog.now() not null,
      constraint "todos_pkey" primary key ("id"),
      constraint "todos_title_key" unique ("title"),
      constraint "todos_title_check" check (pg_catalog.char_length("title") >= '1'::integer and pg_catalog.char_length("title") <= '200'::integer),
      constraint "todos_rank_check" check (("rank" < 10) and ("title" <> '')),
      constraint "todos_user_id_fkey" foreign key ("user_id") references "project_x"."app_users" ("id") on delete cascade
    );
    alter table "project_x"."todos" enable row level security;
    create index "todos_tags_gin_idx" on "project_x"."todos" using gin ("tags");
    create index "todos_user_id_rank_idx" on "project_x"."todos" using btree ("user_id", "rank");
    comment on table "project_x"."todos" is 'What''s to do';
    create trigger "touch_updated_at" before update on "project_x"."todos" for each row execute function "plinth"."touch_updated_at"();
    revoke all on table "project_x"."todos" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."todos" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."todos" to "p_x_service";
    create policy "service" on "project_x"."todos" for all to "p_x_service" using (true) with check (true);
    create policy "owner" on "project_x"."todos" for all to "p_x_authenticated" using ("user_id" = (select "plinth"."uid"())) with check ("user_id" = (select "plinth"."uid"()));
    "#);
    assert_snapshot!(change.down_sql(), @r#"
    drop table "project_x"."todos";
    drop type "project_x"."todos_state";
    "#);
}

#[test]
fn starter_tables_render_like_any_other() {
    let fixture = Fixture::new();
    let context = fixture.context();
    assert_snapshot!(create_table(&starter::app_users(), &context).unwrap().up_sql(), @r#"
    create table "project_x"."app_users" (
      "id" uuid default pg_catalog.gen_random_uuid() not null,
      "email" text not null,
      "full_name" text,
      "avatar_url" text,
      "metadata" jsonb default '{}'::jsonb,
      "created_at" timestamptz default pg_catalog.now() not null,
      "updated_at" timestamptz default pg_catalog.now() not null,
      constraint "app_users_pkey" primary key ("id"),
      constraint "app_users_email_key" unique ("email")
    );
    alter table "project_x"."app_users" enable row level security;
    create trigger "touch_updated_at" before update on "project_x"."app_users" for each row execute function "plinth"."touch_updated_at"();
    revoke all on table "project_x"."app_users" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, update on table "project_x"."app_users" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."app_users" to "p_x_service";
    create policy "service" on "project_x"."app_users" for all to "p_x_service" using (true) with check (true);
    create policy "own_row_select" on "project_x"."app_users" for select to "p_x_authenticated" using ("id" = (select "plinth"."uid"()));
    create policy "own_row_update" on "project_x"."app_users" for update to "p_x_authenticated" using ("id" = (select "plinth"."uid"())) with check ("id" = (select "plinth"."uid"()));
    "#);
    assert_snapshot!(create_table(&starter::app_data(), &context).unwrap().up_sql(), @r#"
    create table "project_x"."app_data" (
      "id" uuid default pg_catalog.gen_random_uuid() not null,
      "user_id" uuid,
      "data_type" text not null,
      "data" jsonb,
      "created_at" timestamptz default pg_catalog.now() not null,
      "updated_at" timestamptz default pg_catalog.now() not null,
      constraint "app_data_pkey" primary key ("id"),
      constraint "app_data_user_id_fkey" foreign key ("user_id") references "project_x"."app_users" ("id") on delete cascade
    );
    alter table "project_x"."app_data" enable row level security;
    create index "app_data_user_id_idx" on "project_x"."app_data" using btree ("user_id");
    create trigger "touch_updated_at" before update on "project_x"."app_data" for each row execute function "plinth"."touch_updated_at"();
    revoke all on table "project_x"."app_data" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."app_data" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."app_data" to "p_x_service";
    create policy "service" on "project_x"."app_data" for all to "p_x_service" using (true) with check (true);
    create policy "owner" on "project_x"."app_data" for all to "p_x_authenticated" using ("user_id" = (select "plinth"."uid"())) with check ("user_id" = (select "plinth"."uid"()));
    "#);
    assert_snapshot!(script(&starter::users_view(&context)), @r#"
    create view "project_x"."users" with (security_invoker = true) as
      select "id", "email", null::text as "password_hash", "full_name", "avatar_url", "created_at", "updated_at"
      from "project_x"."app_users";
    revoke all on table "project_x"."users" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select on table "project_x"."users" to "p_x_authenticated", "p_x_service";
    "#);
}

/// Grants and policies of a table with that policy.
fn policies(policy: Value) -> String {
    let change = Fixture::new().create(json!({
        "name": "t", "columns": [{"name": "owner_id", "type": "uuid"}, {"name": "open", "type": "boolean"}], "policies": policy
    }));
    script(&change.up.into_iter().skip(2).collect::<Vec<_>>())
}

#[test]
fn policy_owner_lets_users_at_their_rows() {
    assert_snapshot!(policies(json!(["owner"])), @r#"
    revoke all on table "project_x"."t" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_service";
    create policy "service" on "project_x"."t" for all to "p_x_service" using (true) with check (true);
    create policy "owner" on "project_x"."t" for all to "p_x_authenticated" using ("owner_id" = (select "plinth"."uid"())) with check ("owner_id" = (select "plinth"."uid"()));
    "#);
}

#[test]
fn policy_public_read_lets_everybody_read() {
    assert_snapshot!(policies(json!(["public-read"])), @r#"
    revoke all on table "project_x"."t" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_authenticated";
    grant select on table "project_x"."t" to "p_x_anon";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_service";
    create policy "service" on "project_x"."t" for all to "p_x_service" using (true) with check (true);
    create policy "public_read" on "project_x"."t" for select to "p_x_anon", "p_x_authenticated" using (true);
    create policy "public_read_owner" on "project_x"."t" for all to "p_x_authenticated" using ("owner_id" = (select "plinth"."uid"())) with check ("owner_id" = (select "plinth"."uid"()));
    "#);
}

#[test]
fn policy_authenticated_lets_users_at_all_rows() {
    assert_snapshot!(policies(json!(["authenticated"])), @r#"
    revoke all on table "project_x"."t" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_service";
    create policy "service" on "project_x"."t" for all to "p_x_service" using (true) with check (true);
    create policy "authenticated" on "project_x"."t" for all to "p_x_authenticated" using (true) with check (true);
    "#);
}

#[test]
fn policy_private_and_none_leave_the_service_alone() {
    assert_eq!(policies(json!(["private"])), policies(json!([])));
    assert_snapshot!(policies(json!(["private"])), @r#"
    revoke all on table "project_x"."t" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_service";
    create policy "service" on "project_x"."t" for all to "p_x_service" using (true) with check (true);
    "#);
}

#[test]
fn policy_custom_grants_its_command_only() {
    let custom = json!([
        {"name": "seen", "command": "select", "to": ["anon", "authenticated"], "using": "open or owner_id = auth.uid()"},
        {"name": "added", "command": "insert", "to": ["authenticated"],
         "check": "exists (select 1 from app_users u where u.id = auth.uid() and u.email like '%@x.org')"}
    ]);
    assert_snapshot!(policies(custom), @r#"
    revoke all on table "project_x"."t" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert on table "project_x"."t" to "p_x_authenticated";
    grant select on table "project_x"."t" to "p_x_anon";
    grant select, insert, update, delete on table "project_x"."t" to "p_x_service";
    create policy "service" on "project_x"."t" for all to "p_x_service" using (true) with check (true);
    create policy "seen" on "project_x"."t" for select to "p_x_anon", "p_x_authenticated" using ("open" or ("owner_id" = (select "plinth"."uid"())));
    create policy "added" on "project_x"."t" for insert to "p_x_authenticated" with check (exists (select 1 from "project_x"."app_users" as "u" where ("u"."id" = (select "plinth"."uid"())) and ("u"."email" like '%@x.org')));
    "#);
}

#[test]
fn alter_renders_every_operation_and_its_reverse() {
    let fixture = Fixture::new();
    let altered = fixture.alter(
        &fixture.table(todos()),
        json!([
            {"op": "add_column", "column": {"name": "due", "type": "date", "comment": "When"}},
            {"op": "add_column", "column": {"name": "mood", "type": "enum", "values": ["good", "bad"]}},
            {"op": "rename_column", "from": "user_id", "to": "owner"},
            {"op": "alter_column", "name": "rank", "type": "bigint", "required": true, "default": 0, "check": {"min": 0}},
            {"op": "alter_column", "name": "title", "unique": false, "check": null},
            {"op": "drop_column", "name": "data"},
            {"op": "rename_table", "to": "tasks"},
            {"op": "add_index", "index": {"columns": ["due"]}},
            {"op": "drop_index", "columns": ["tags"]},
            {"op": "set_policies", "policies": ["public-read"]},
            {"op": "set_timestamps", "timestamps": false}
        ]),
    );
    assert_snapshot!(altered.change.up_sql(), @r#"
    alter table "project_x"."todos" add column "due" date;
    comment on column "project_x"."todos"."due" is 'When';
    create type "project_x"."todos_mood" as enum ('good', 'bad');
    alter table "project_x"."todos" add column "mood" "project_x"."todos_mood";
    alter table "project_x"."todos" rename column "user_id" to "owner";
    alter table "project_x"."todos" rename constraint "todos_user_id_fkey" to "todos_owner_fkey";
    alter index "project_x"."todos_user_id_rank_idx" rename to "todos_owner_rank_idx";
    drop policy "service" on "project_x"."todos";
    drop policy "owner" on "project_x"."todos";
    alter table "project_x"."todos" drop constraint "todos_rank_check";
    alter table "project_x"."todos" alter column "rank" drop default;
    alter table "project_x"."todos" alter column "rank" type bigint using "rank"::bigint;
    alter table "project_x"."todos" alter column "rank" set default '0'::bigint;
    alter table "project_x"."todos" alter column "rank" set not null;
    alter table "project_x"."todos" add constraint "todos_rank_check" check ("rank" >= '0'::bigint);
    revoke all on table "project_x"."todos" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."todos" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."todos" to "p_x_service";
    create policy "service" on "project_x"."todos" for all to "p_x_service" using (true) with check (true);
    create policy "owner" on "project_x"."todos" for all to "p_x_authenticated" using ("owner" = (select "plinth"."uid"())) with check ("owner" = (select "plinth"."uid"()));
    alter table "project_x"."todos" drop constraint "todos_title_key";
    alter table "project_x"."todos" drop constraint "todos_title_check";
    alter table "project_x"."todos" rename column "data" to "plinth_gone_000000000000000000000000000000a0";
    alter table "project_x"."todos" rename to "tasks";
    alter table "project_x"."tasks" rename constraint "todos_pkey" to "tasks_pkey";
    alter table "project_x"."tasks" rename constraint "todos_rank_check" to "tasks_rank_check";
    alter table "project_x"."tasks" rename constraint "todos_owner_fkey" to "tasks_owner_fkey";
    alter index "project_x"."todos_tags_gin_idx" rename to "tasks_tags_gin_idx";
    alter index "project_x"."todos_owner_rank_idx" rename to "tasks_owner_rank_idx";
    create index "tasks_due_idx" on "project_x"."tasks" using btree ("due");
    drop index "project_x"."tasks_tags_gin_idx";
    drop policy "service" on "project_x"."tasks";
    drop policy "owner" on "project_x"."tasks";
    revoke all on table "project_x"."tasks" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select on table "project_x"."tasks" to "p_x_authenticated";
    grant select on table "project_x"."tasks" to "p_x_anon";
    grant select, insert, update, delete on table "project_x"."tasks" to "p_x_service";
    create policy "service" on "project_x"."tasks" for all to "p_x_service" using (true) with check (true);
    create policy "public_read" on "project_x"."tasks" for select to "p_x_anon", "p_x_authenticated" using (true);
    drop trigger "touch_updated_at" on "project_x"."tasks";
    "#);
    assert_snapshot!(altered.change.down_sql(), @r#"
    create trigger "touch_updated_at" before update on "project_x"."tasks" for each row execute function "plinth"."touch_updated_at"();
    drop policy "service" on "project_x"."tasks";
    drop policy "public_read" on "project_x"."tasks";
    revoke all on table "project_x"."tasks" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."tasks" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."tasks" to "p_x_service";
    create policy "service" on "project_x"."tasks" for all to "p_x_service" using (true) with check (true);
    create policy "owner" on "project_x"."tasks" for all to "p_x_authenticated" using ("owner" = (select "plinth"."uid"())) with check ("owner" = (select "plinth"."uid"()));
    create index "tasks_tags_gin_idx" on "project_x"."tasks" using gin ("tags");
    drop index "project_x"."tasks_due_idx";
    alter table "project_x"."tasks" rename to "todos";
    alter table "project_x"."todos" rename constraint "tasks_pkey" to "todos_pkey";
    alter table "project_x"."todos" rename constraint "tasks_rank_check" to "todos_rank_check";
    alter table "project_x"."todos" rename constraint "tasks_owner_fkey" to "todos_owner_fkey";
    alter index "project_x"."tasks_tags_gin_idx" rename to "todos_tags_gin_idx";
    alter index "project_x"."tasks_owner_rank_idx" rename to "todos_owner_rank_idx";
    alter table "project_x"."todos" rename column "plinth_gone_000000000000000000000000000000a0" to "data";
    alter table "project_x"."todos" add constraint "todos_title_key" unique ("title");
    alter table "project_x"."todos" add constraint "todos_title_check" check (pg_catalog.char_length("title") >= '1'::integer and pg_catalog.char_length("title") <= '200'::integer);
    drop policy "service" on "project_x"."todos";
    drop policy "owner" on "project_x"."todos";
    alter table "project_x"."todos" drop constraint "todos_rank_check";
    alter table "project_x"."todos" alter column "rank" drop default;
    alter table "project_x"."todos" alter column "rank" type integer using "rank"::integer;
    alter table "project_x"."todos" alter column "rank" set default '-1'::integer;
    alter table "project_x"."todos" alter column "rank" drop not null;
    alter table "project_x"."todos" add constraint "todos_rank_check" check (("rank" < 10) and ("title" <> ''));
    revoke all on table "project_x"."todos" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    grant select, insert, update, delete on table "project_x"."todos" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."todos" to "p_x_service";
    create policy "service" on "project_x"."todos" for all to "p_x_service" using (true) with check (true);
    create policy "owner" on "project_x"."todos" for all to "p_x_authenticated" using ("owner" = (select "plinth"."uid"())) with check ("owner" = (select "plinth"."uid"()));
    alter table "project_x"."todos" rename column "owner" to "user_id";
    alter table "project_x"."todos" rename constraint "todos_owner_fkey" to "todos_user_id_fkey";
    alter index "project_x"."todos_owner_rank_idx" rename to "todos_user_id_rank_idx";
    alter table "project_x"."todos" drop column "mood";
    drop type "project_x"."todos_mood";
    alter table "project_x"."todos" drop column "due";
    "#);
    assert_eq!(altered.spec.name.as_str(), "tasks");
    assert!(altered.also.is_empty());
}

#[test]
fn alter_rename_reaches_other_tables_designs() {
    let mut fixture = Fixture::new();
    let lists = fixture.table(json!({"name": "lists", "columns": [{"name": "owner_id", "type": "uuid"}]}));
    fixture.known.insert(lists.clone());
    let items = fixture.table(json!({"name": "items", "columns": [
        {"name": "list_id", "type": "uuid", "references": {"table": "lists"}}
    ], "policies": [{"name": "mine", "to": ["authenticated"],
        "using": "exists (select 1 from lists where lists.id = items.list_id and owner_id = auth.uid())"}]}));
    fixture.known.insert(items);
    let operations =
        json!([{"op": "rename_column", "from": "id", "to": "key"}, {"op": "rename_table", "to": "boards"}]);
    let altered = fixture.alter(&lists, operations);
    let items = serde_json::to_value(&altered.also).unwrap();
    assert_eq!(
        items[0]["columns"][1]["references"],
        json!({"table": "boards", "column": "key", "on_delete": "no action"})
    );
    assert_eq!(
        items[0]["policies"][0]["using"],
        r#"exists (select 1 from boards as lists where (lists."key" = "items".list_id) and (lists.owner_id = auth.uid()))"#
    );
    let mut after = Known::new(altered.also);
    after.insert(altered.spec);
    let items = after.remove("items").unwrap();
    spec::parse(&serde_json::to_value(&items).unwrap(), &after).unwrap();
}

#[test]
fn alter_policies_that_look_at_each_other_are_refused() {
    let mut fixture = Fixture::new();
    let look = |at: &str| json!([{"name": "look", "to": ["anon"], "using": format!("exists (select 1 from {at})")}]);
    for (name, at) in [("a", None), ("b", Some("a")), ("c", Some("b"))] {
        let policies = at.map_or(json!([]), look);
        let spec = fixture.table(json!({"name": name, "columns": [], "policies": policies}));
        fixture.known.insert(spec);
    }
    let a = fixture.known.table("a").unwrap().clone();
    let operations = json!({"operations": [{"op": "set_policies", "policies": look("c")}]});
    let faults = alter(&a, &operations, &fixture.context(), MOMENT).unwrap_err();
    assert_eq!(
        faults.iter().map(|fault| fault.code).collect::<Vec<_>>(),
        ["expression/recursion"]
    );
}

#[test]
fn alter_names_every_fault_below_its_operation() {
    let mut fixture = Fixture::new();
    let todos = fixture.table(todos());
    fixture.known.insert(todos.clone());
    let operations = json!({"operations": [
        {"op": "explode"},
        {"op": "add_column", "column": {"name": "x", "type": "regclass"}},
        {"op": "drop_column", "name": "nope"},
        {"op": "drop_column", "name": "user_id"},
        {"op": "alter_column", "name": "rank", "type": "uuid"},
        {"op": "alter_column", "name": "rank", "colour": 1},
        {"op": "rename_table", "to": "app_users"},
        {"op": "rename_column", "from": "rank", "to": "title"},
        {"op": "drop_column", "name": "updated_at"},
        {"op": "drop_column", "name": "title"}
    ]});
    let faults = alter(&todos, &operations, &fixture.context(), MOMENT).unwrap_err();
    let found: Vec<String> = faults
        .iter()
        .map(|fault| format!("{} {}", fault.path, fault.code))
        .collect();
    assert_eq!(
        found,
        [
            "operations[0].op schema/operation",
            "operations[1].column.type schema/type",
            "operations[2].name schema/unknown-column",
            "operations[3].policies[0] schema/policy",
            "operations[4].type schema/type",
            "operations[4].default schema/default",
            "operations[5] schema/unknown-key",
            "operations[6].to schema/name-taken",
            "operations[7].columns[3].name schema/duplicate",
            "operations[8].timestamps schema/timestamps",
            "operations[9].columns[2].check expression/unknown-column",
        ]
    );
    let users = alter(
        &starter::app_users(),
        &json!({"operations": [{"op": "drop_column", "name": "id"}]}),
        &fixture.context(),
        MOMENT,
    );
    assert!(
        users
            .unwrap_err()
            .to_string()
            .contains("id cannot be dropped: app_data needs it")
    );
}

#[test]
fn drop_table_moves_it_aside_and_back() {
    let fixture = Fixture::new();
    let (trash, moved) = (Ident::new("trash_x").unwrap(), Ident::new("t_1").unwrap());
    let spec = fixture.table(json!({"name": "notes", "columns": [
        {"name": "title", "type": "text", "unique": true},
        {"name": "kind", "type": "enum", "values": ["a"]},
        {"name": "user_id", "type": "uuid", "references": {"table": "app_users", "on_delete": "restrict"}}
    ], "policy": "owner"}));
    let change = drop_table(&spec, &fixture.context(), &trash, &moved).unwrap();
    assert_snapshot!(change.up_sql(), @r#"
    revoke all on table "project_x"."notes" from public, "p_x_anon", "p_x_authenticated", "p_x_service";
    alter table "project_x"."notes" drop constraint "notes_user_id_fkey";
    alter index "project_x"."notes_pkey" rename to "t_1_1";
    alter index "project_x"."notes_title_key" rename to "t_1_2";
    alter type "project_x"."notes_kind" rename to "t_1_notes_kind";
    alter type "project_x"."t_1_notes_kind" set schema "trash_x";
    alter table "project_x"."notes" rename to "t_1";
    alter table "project_x"."t_1" set schema "trash_x";
    "#);
    assert_snapshot!(change.down_sql(), @r#"
    alter table "trash_x"."t_1" set schema "project_x";
    alter table "project_x"."t_1" rename to "notes";
    alter type "trash_x"."t_1_notes_kind" set schema "project_x";
    alter type "project_x"."t_1_notes_kind" rename to "notes_kind";
    alter index "project_x"."t_1_2" rename to "notes_title_key";
    alter index "project_x"."t_1_1" rename to "notes_pkey";
    alter table "project_x"."notes" add constraint "notes_user_id_fkey" foreign key ("user_id") references "project_x"."app_users" ("id") on delete restrict;
    grant select, insert, update, delete on table "project_x"."notes" to "p_x_authenticated";
    grant select, insert, update, delete on table "project_x"."notes" to "p_x_service";
    "#);
}

#[test]
fn drop_table_that_others_need_is_refused() {
    let fixture = Fixture::new();
    let (trash, moved) = (Ident::new("trash_x").unwrap(), Ident::new("t_1").unwrap());
    let faults = drop_table(&starter::app_users(), &fixture.context(), &trash, &moved).unwrap_err();
    assert!(faults.to_string().contains("app_data still needs app_users"));
}
