//! The SQL of every form of embed. Each of these was run on Postgres 15.

use super::super::super::fixtures::parsed;
use super::super::super::fixtures::{SETTINGS, related};
use super::super::super::plan::{Rules, plan};
use super::super::super::request::Method::{self, *};
use super::super::{Rendered, render};

fn rendering(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Rendered {
    let rules = Rules {
        max_rows: None,
        aggregates: true,
        ..Rules::managed()
    };
    let request = parsed(method, table, query, head, body).unwrap();
    render(
        &plan(request, &related(), &rules, crate::query::RowAccess::All).unwrap(),
        "MARK",
    )
}

/// What makes the rows, and the parameters.
fn rows(table: &str, query: &str) -> String {
    let rendered = rendering(Get, table, query, &[], "");
    let (_, rows) = rendered.sql.split_once(SETTINGS).unwrap();
    let rows = rows
        .strip_prefix(" from (")
        .unwrap()
        .strip_suffix(") as plinth_row")
        .unwrap();
    let params: Vec<&str> = rendered.params.iter().flatten().map(String::as_str).collect();
    if params.is_empty() {
        rows.to_owned()
    } else {
        format!("{rows}\n{}", params.join(" | "))
    }
}

#[test]
fn to_one_is_joined() {
    insta::assert_snapshot!(rows("projects", "select=name,clients(name)&clients.id=gt.5"), @r#"
select plinth_0."name", pg_catalog.row_to_json(plinth_row_1.*) as "clients" from "app"."projects" as plinth_0 left join lateral (select plinth_1."name" from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id" and plinth_1."id" > $1) as plinth_row_1 on true
5
"#);
    insta::assert_snapshot!(rows("projects", "select=name,client:client_id!inner(*)&client.name=eq.x"), @r#"
select plinth_0."name", pg_catalog.row_to_json(plinth_row_1.*) as "client" from "app"."projects" as plinth_0 join lateral (select plinth_1."id", plinth_1."name", plinth_1."meta" from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id" and plinth_1."name" = $1) as plinth_row_1 on true
x
"#);
    insta::assert_snapshot!(rows("projects", "select=details(note),...projects_client_fkey(client:name)"), @r#"select pg_catalog.row_to_json(plinth_row_1.*) as "details", plinth_row_2."client" from "app"."projects" as plinth_0 left join lateral (select plinth_1."note" from "app"."details" as plinth_1 where plinth_1."project_id" = plinth_0."id") as plinth_row_1 on true left join lateral (select plinth_2."name" as "client" from "app"."clients" as plinth_2 where plinth_2."id" = plinth_0."client_id") as plinth_row_2 on true"#);
}

#[test]
fn to_many_is_a_subquery() {
    insta::assert_snapshot!(rows("clients", "select=id,projects(name)&projects.order=name.desc&projects.limit=2&projects.offset=1&projects.or=(id.eq.1,id.eq.2)"), @r#"
select plinth_0."id", (select coalesce(pg_catalog.json_agg(plinth_row_1.*), '[]') from (select plinth_1."name" from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id" and (plinth_1."id" = $1 or plinth_1."id" = $2) order by plinth_1."name" desc limit $3::bigint offset $4::bigint) as plinth_row_1) as "projects" from "app"."clients" as plinth_0
1 | 2 | 2 | 1
"#);
    insta::assert_snapshot!(rows("clients", "select=id,projects!inner(name,tasks!inner(name))&projects.tasks.hours=gt.3&order=id&limit=1"), @r#"
select plinth_0."id", (select coalesce(pg_catalog.json_agg(plinth_row_1.*), '[]') from (select plinth_1."name", (select coalesce(pg_catalog.json_agg(plinth_row_2.*), '[]') from (select plinth_2."name" from "app"."tasks" as plinth_2 where plinth_2."project_id" = plinth_1."id" and plinth_2."hours" > $1) as plinth_row_2) as "tasks" from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id" and exists (select 1 from "app"."tasks" as plinth_2 where plinth_2."project_id" = plinth_1."id" and plinth_2."hours" > $1)) as plinth_row_1) as "projects" from "app"."clients" as plinth_0 where exists (select 1 from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id" and exists (select 1 from "app"."tasks" as plinth_2 where plinth_2."project_id" = plinth_1."id" and plinth_2."hours" > $1)) order by plinth_0."id" limit $2::bigint
3 | 1
"#);
}

#[test]
fn many_to_many_goes_by_the_junction() {
    insta::assert_snapshot!(rows("users", "select=name,tasks!assigned(name)"), @r#"select plinth_0."name", (select coalesce(pg_catalog.json_agg(plinth_row_1.*), '[]') from (select plinth_1."name" from "app"."tasks" as plinth_1, "app"."assigned" as plinth_1_by where plinth_1_by."user_id" = plinth_0."id" and plinth_1."id" = plinth_1_by."task_id") as plinth_row_1) as "tasks" from "app"."users" as plinth_0"#);
    insta::assert_snapshot!(rows("users", "select=name,tasks!inner()&tasks.name=eq.x"), @r#"
select plinth_0."name" from "app"."users" as plinth_0 where exists (select 1 from "app"."tasks" as plinth_1, "app"."assigned" as plinth_1_by where plinth_1_by."user_id" = plinth_0."id" and plinth_1."id" = plinth_1_by."task_id" and plinth_1."name" = $1)
x
"#);
}

#[test]
fn self_reference_leads_both_ways() {
    insta::assert_snapshot!(rows("users", "select=name,boss(name),staff:users!boss(name)"), @r#"select plinth_0."name", pg_catalog.row_to_json(plinth_row_1.*) as "boss", (select coalesce(pg_catalog.json_agg(plinth_row_2.*), '[]') from (select plinth_2."name" from "app"."users" as plinth_2 where plinth_2."boss" = plinth_0."id") as plinth_row_2) as "staff" from "app"."users" as plinth_0 left join lateral (select plinth_1."name" from "app"."users" as plinth_1 where plinth_1."id" = plinth_0."boss") as plinth_row_1 on true"#);
}

#[test]
fn computed_relationships_and_columns_are_calls() {
    insta::assert_snapshot!(rows("clients", "select=latest(name,label),archive(id)&latest.label=eq.x&archive.order=label"), @r#"
select pg_catalog.row_to_json(plinth_row_1.*) as "latest", (select coalesce(pg_catalog.json_agg(plinth_row_2.*), '[]') from (select plinth_2."id" from "app"."archive"(plinth_0) as plinth_2 order by "app"."label"(plinth_2)) as plinth_row_2) as "archive" from "app"."clients" as plinth_0 left join lateral (select plinth_1."name", "app"."label"(plinth_1) as "label" from "app"."latest"(plinth_0) as plinth_1 where "app"."label"(plinth_1) = $1) as plinth_row_1 on true
x
"#);
}

#[test]
fn missing_rows_are_asked_for_by_exists() {
    insta::assert_snapshot!(rows("clients", "select=name,projects()&projects=is.null"), @r#"select plinth_0."name" from "app"."clients" as plinth_0 where not (exists (select 1 from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id"))"#);
    insta::assert_snapshot!(rows("clients", "select=name,p:projects(id)&p=not.is.null"), @r#"select plinth_0."name", (select coalesce(pg_catalog.json_agg(plinth_row_1.*), '[]') from (select plinth_1."id" from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id") as plinth_row_1) as "p" from "app"."clients" as plinth_0 where exists (select 1 from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id")"#);
    insta::assert_snapshot!(rows("projects", "select=name,clients(),tasks()&or=(clients.is.null,tasks.not.is.null,id.eq.1)"), @r#"
select plinth_0."name" from "app"."projects" as plinth_0 where (not (exists (select 1 from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id")) or exists (select 1 from "app"."tasks" as plinth_2 where plinth_2."project_id" = plinth_0."id") or plinth_0."id" = $1)
1
"#);
}

#[test]
fn related_order_needs_no_column_to_be_shown() {
    insta::assert_snapshot!(rows("projects", "select=id,clients(name)&order=clients(name).desc"), @r#"select plinth_0."id", pg_catalog.row_to_json(plinth_row_1.*) as "clients" from "app"."projects" as plinth_0 left join lateral (select plinth_1."name" from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id") as plinth_row_1 on true order by plinth_row_1."name" desc"#);
    insta::assert_snapshot!(rows("projects", "select=id,clients(id)&order=clients(meta->>x),id"), @r#"
select plinth_0."id", plinth_row_1.plinth_json as "clients" from "app"."projects" as plinth_0 left join lateral (select (select pg_catalog.row_to_json(plinth_row_1.*) from (select plinth_1."id") as plinth_row_1) as plinth_json, (plinth_1."meta"->>$1::text) as plinth_order_0 from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id") as plinth_row_1 on true order by plinth_row_1.plinth_order_0, plinth_0."id"
x
"#);
    insta::assert_snapshot!(rows("projects", "select=id,...clients(id)&order=clients(name)"), @r#"select plinth_0."id", plinth_row_1."id" from "app"."projects" as plinth_0 left join lateral (select plinth_1."id", plinth_1."name" as plinth_order_0 from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id") as plinth_row_1 on true order by plinth_row_1.plinth_order_0"#);
    insta::assert_snapshot!(rows("projects", "select=id,clients()&order=clients(name)"), @r#"select plinth_0."id" from "app"."projects" as plinth_0 left join lateral (select plinth_1."name" as plinth_order_0 from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id") as plinth_row_1 on true order by plinth_row_1.plinth_order_0"#);
}

#[test]
fn spread_to_many_makes_arrays() {
    insta::assert_snapshot!(rows("clients", "select=name,...projects(names:name,...details(note),...tasks(hours))&projects.order=id"), @r#"select plinth_0."name", plinth_all_1."names", plinth_all_1."note", plinth_all_1."hours" from "app"."clients" as plinth_0 cross join lateral (select coalesce(pg_catalog.json_agg(plinth_row_1."names"), '[]') as "names", coalesce(pg_catalog.json_agg(plinth_row_1."note"), '[]') as "note", coalesce(pg_catalog.json_agg(plinth_row_1."hours"), '[]') as "hours" from (select plinth_1."name" as "names", plinth_row_2."note", plinth_all_3."hours" from "app"."projects" as plinth_1 left join lateral (select plinth_2."note" from "app"."details" as plinth_2 where plinth_2."project_id" = plinth_1."id") as plinth_row_2 on true cross join lateral (select coalesce(pg_catalog.json_agg(plinth_row_3."hours"), '[]') as "hours" from (select plinth_3."hours" from "app"."tasks" as plinth_3 where plinth_3."project_id" = plinth_1."id") as plinth_row_3) as plinth_all_3 where plinth_1."client_id" = plinth_0."id" order by plinth_1."id") as plinth_row_1) as plinth_all_1"#);
}

#[test]
fn aggregates_group_by_everything_else() {
    insta::assert_snapshot!(rows("projects", "select=client_id,budget.sum(),n:count(),budget::int.max()::text&order=client_id"), @r#"select plinth_0."client_id", sum(plinth_0."budget") as "sum", count(*) as "n", max(plinth_0."budget"::pg_catalog.int4)::pg_catalog.text as "max" from "app"."projects" as plinth_0 group by 1 order by 1"#);
    insta::assert_snapshot!(rows("clients", "select=meta->a,id.count()&order=meta->a"), @r#"
select (plinth_0."meta"->$1::text) as "a", count(plinth_0."id") as "count" from "app"."clients" as plinth_0 group by 1 order by 1
a
"#);
    insta::assert_snapshot!(rows("clients", "select=name,projects(budget.avg())"), @r#"select plinth_0."name", (select coalesce(pg_catalog.json_agg(plinth_row_1.*), '[]') from (select avg(plinth_1."budget") as "avg" from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id") as plinth_row_1) as "projects" from "app"."clients" as plinth_0"#);
    insta::assert_snapshot!(rows("clients", "select=name,id.count(),projects(name),...tasks:projects(id)".replace("tasks:", "").as_str()), @r#"select plinth_0."name", count(plinth_0."id") as "count", plinth_all_1.plinth_json as "projects", plinth_all_2."id" from "app"."clients" as plinth_0 cross join lateral (select coalesce(pg_catalog.json_agg(plinth_row_1.*), '[]')::jsonb as plinth_json from (select plinth_1."name" from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id") as plinth_row_1) as plinth_all_1 cross join lateral (select coalesce(pg_catalog.json_agg(plinth_row_2."id"), '[]')::jsonb as "id" from (select plinth_2."id" from "app"."projects" as plinth_2 where plinth_2."client_id" = plinth_0."id") as plinth_row_2) as plinth_all_2 group by 1, 3, 4"#);
}

#[test]
fn aggregates_of_a_spread_to_one_are_computed_above() {
    insta::assert_snapshot!(rows("projects", "select=...clients(name,id.max())"), @r#"select plinth_row_1."name", max(plinth_row_1."plinth_of_1") as "max" from "app"."projects" as plinth_0 left join lateral (select plinth_1."name", plinth_1."id" as "plinth_of_1" from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id") as plinth_row_1 on true group by 1"#);
    insta::assert_snapshot!(rows("tasks", "select=hours.sum(),...projects(...clients(name,count()),budget.sum())"), @r#"select sum(plinth_0."hours") as "sum", sum(plinth_row_1."plinth_of_0") as "sum", plinth_row_1."name", count(*) as "count" from "app"."tasks" as plinth_0 left join lateral (select plinth_1."budget" as "plinth_of_0", plinth_row_2."name" from "app"."projects" as plinth_1 left join lateral (select plinth_2."name" from "app"."clients" as plinth_2 where plinth_2."id" = plinth_1."client_id") as plinth_row_2 on true where plinth_1."id" = plinth_0."project_id") as plinth_row_1 on true group by 3"#);
}

#[test]
fn what_is_spread_through_two_levels_keeps_its_names() {
    insta::assert_snapshot!(rows("tasks", "select=...projects(budget.sum(),id,id,tasks(id),...clients(id.max(),id))"), @r#"select sum(plinth_row_1."plinth_of_0") as "sum", plinth_row_1."id", plinth_row_1."tasks", max(plinth_row_1."plinth_of_2000") as "max" from "app"."tasks" as plinth_0 left join lateral (select plinth_1."budget" as "plinth_of_0", plinth_1."id", plinth_all_2.plinth_json as "tasks", plinth_row_3."plinth_of_0" as "plinth_of_2000" from "app"."projects" as plinth_1 cross join lateral (select coalesce(pg_catalog.json_agg(plinth_row_2.*), '[]')::jsonb as plinth_json from (select plinth_2."id" from "app"."tasks" as plinth_2 where plinth_2."project_id" = plinth_1."id") as plinth_row_2) as plinth_all_2 left join lateral (select plinth_3."id" as "plinth_of_0", plinth_3."id" from "app"."clients" as plinth_3 where plinth_3."id" = plinth_1."client_id") as plinth_row_3 on true where plinth_1."id" = plinth_0."project_id") as plinth_row_1 on true group by 2, 3"#);
}

#[test]
fn counts_repeat_only_what_restricts() {
    let count = |query: &str, count: &str| {
        let rendered = rendering(Get, "clients", query, &[("prefer", count)], "");
        let (_, total) = rendered.sql.split_once(" as page_rows, ").unwrap();
        let (total, _) = total.split_once(" as total_rows").unwrap();
        match rendered.explain {
            Some(explain) => format!("{total}\n{} {:?}", explain.sql, explain.params),
            None => total.to_owned(),
        }
    };
    let query = "select=*,projects!inner(tasks(*)),archive(*)&projects.name=eq.x&id=gt.1&limit=3";
    insta::assert_snapshot!(count(query, "count=exact"), @r#"(select pg_catalog.count(*) from "app"."clients" as plinth_0 where plinth_0."id" > $1 and exists (select 1 from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id" and plinth_1."name" = $2))"#);
    insta::assert_snapshot!(count(query, "count=planned"), @r#"
null::bigint
explain (format json) select 1 from "app"."clients" as plinth_0 where plinth_0."id" > $1 and exists (select 1 from "app"."projects" as plinth_1 where plinth_1."client_id" = plinth_0."id" and plinth_1."name" = $2) [Some("1"), Some("x")]
"#);
    insta::assert_snapshot!(count("select=name,count()&limit=3", "count=exact"), @r#"(select pg_catalog.count(*) from (select plinth_0."name", count(*) as "count" from "app"."clients" as plinth_0 group by 1) as plinth_counted)"#);
}

#[test]
fn estimates_count_up_to_the_maximum() {
    let request = parsed(Get, "clients", "id=gt.1", &[("prefer", "count=estimated")], "").unwrap();
    let rendered = render(
        &plan(request, &related(), &Rules::managed(), crate::query::RowAccess::All).unwrap(),
        "MARK",
    );
    insta::assert_snapshot!(format!("{rendered:#?}"), @r#"
Rendered {
    sql: "select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, (select pg_catalog.count(*) from (select 1 from \"app\".\"clients\" as plinth_0 where plinth_0.\"id\" > $1 limit $2::bigint) as plinth_counted) as total_rows, null::bigint as inserted, null::text as location, nullif(pg_catalog.current_setting('response.headers', true), '') as response_headers, nullif(pg_catalog.current_setting('response.status', true), '') as response_status from (select plinth_0.\"id\", plinth_0.\"name\", plinth_0.\"meta\" from \"app\".\"clients\" as plinth_0 where plinth_0.\"id\" > $1 limit $3::bigint) as plinth_row",
    params: [
        Some(
            "1",
        ),
        Some(
            "1001",
        ),
        Some(
            "1000",
        ),
    ],
    explain: Some(
        Rendered {
            sql: "explain (format json) select 1 from \"app\".\"clients\" as plinth_0 where plinth_0.\"id\" > $1",
            params: [
                Some(
                    "1",
                ),
            ],
            explain: None,
            before: None,
        },
    ),
    before: None,
}
"#);
    let told = r#"[{"Plan": {"Node Type": "Seq Scan", "Plan Rows": 1234, "Plans": []}}]"#;
    assert_eq!(super::super::estimate(told), Some(1234));
    assert_eq!(super::super::estimate("[]"), None);
}

#[test]
fn written_rows_are_shown_like_any_others() {
    let head = &[("prefer", "return=representation")];
    let write = |query: &str| {
        let rendered = rendering(Patch, "projects", query, head, r#"{"name":"x"}"#);
        rendered.sql.replace(SETTINGS, "")
    };
    insta::assert_snapshot!(write("id=eq.1&select=label,clients(name),tasks(id)&tasks.id=gt.1&order=name"), @r#"with plinth_source as (update "app"."projects" as plinth_0 set "name" = plinth_new."name" from pg_catalog.json_to_record($1::json) as plinth_new("name" text) where plinth_0."id" = $2 returning "app"."label"(plinth_0) as "label", plinth_0."name", plinth_0."client_id", plinth_0."id") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."label" as "label", pg_catalog.row_to_json(plinth_row_1.*) as "clients", (select coalesce(pg_catalog.json_agg(plinth_row_2.*), '[]') from (select plinth_2."id" from "app"."tasks" as plinth_2 where plinth_2."project_id" = plinth_0."id" and plinth_2."id" > $3) as plinth_row_2) as "tasks" from plinth_source as plinth_0 left join lateral (select plinth_1."name" from "app"."clients" as plinth_1 where plinth_1."id" = plinth_0."client_id") as plinth_row_1 on true order by plinth_0."name") as plinth_row"#);
    let rendered = rendering(Delete, "clients", "id=eq.1&select=latest(id)", head, "");
    insta::assert_snapshot!(rendered.sql.replace(SETTINGS, ""), @r#"with plinth_source as (delete from "app"."clients" as plinth_0 where plinth_0."id" = $1 returning plinth_0 as plinth_whole) select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select pg_catalog.row_to_json(plinth_row_1.*) as "latest" from plinth_source as plinth_0 left join lateral (select plinth_1."id" from "app"."latest"(plinth_0.plinth_whole) as plinth_1) as plinth_row_1 on true) as plinth_row"#);
}
