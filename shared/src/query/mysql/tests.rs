//! Golden statements, and what is refused before there is one.

use super::super::fixtures::{parsed, related};
use super::super::plan::{Rules, plan};
use super::super::request::Method::{Delete, Get, Patch, Post};
use super::super::{Method, Plan};
use super::value::{operand, same};
use super::*;
use crate::error::ErrorKind;
use crate::query::plan::Class;

fn planned(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Plan {
    let rules = Rules {
        columns: super::super::ColumnRule::Catalog,
        aggregates: true,
        ..Rules::external()
    };
    plan(
        parsed(method, table, query, head, body).unwrap(),
        &related(),
        &rules,
        crate::query::RowAccess::All,
    )
    .unwrap()
}

fn told(statement: &Statement) -> String {
    let params = statement.params.iter().map(|param| match param {
        Param::Null => "null".to_owned(),
        Param::Text(text) => text.clone(),
        Param::Bytes(bytes) => format!("{bytes:?}"),
        Param::Int(number) => format!("{number}i"),
        Param::Unsigned(number) => format!("{number}u"),
        Param::Float(number) => format!("{number}f"),
    });
    let params: Vec<_> = params.collect();
    format!("{}\n{}", statement.sql, params.join(" | "))
}

fn read_of(table: &str, query: &str) -> String {
    told(&read(&planned(Get, table, query, &[], "")).unwrap().rows)
}

#[test]
fn a_read_is_one_select_of_objects() {
    insta::assert_snapshot!(read_of("projects", "select=id,named:name&id=gt.1&name=in.(a,b)&order=name.desc&limit=2&offset=1"), @r#"
    select json_object(?, plinth_0.`id`, ?, plinth_0.`name`) from `app`.`projects` as plinth_0 where (plinth_0.`id` > ? and plinth_0.`name` in (?, ?)) order by plinth_0.`name` is not null, plinth_0.`name` desc limit ? offset ?
    id | named | 1i | a | b | 2u | 1u
    "#);
}

#[test]
fn embeds_are_subqueries_of_the_rows_that_are_shown() {
    insta::assert_snapshot!(read_of("projects", "select=id,clients(name),tasks!inner(id)&tasks.order=id&tasks.limit=1"), @r#"
    select json_object(?, plinth_0.`id`, ?, json_extract((select json_object(?, plinth_1.`name`) from `app`.`clients` as plinth_1 where plinth_1.`id` = plinth_0.`client_id` limit 1), '$'), ?, json_extract(coalesce((select json_arrayagg(json_object(?, plinth_2.`id`) order by plinth_2.`id` is null, plinth_2.`id` limit 1) from `app`.`tasks` as plinth_2 where plinth_2.`project_id` = plinth_0.`id`), '[]'), '$')) from `app`.`projects` as plinth_0 where exists (select 1 from `app`.`tasks` as plinth_3 where plinth_3.`project_id` = plinth_0.`id`)
    id | clients | name | tasks | id
    "#);
}

#[test]
fn a_path_means_what_it_does_in_postgres() {
    insta::assert_snapshot!(read_of("clients", "select=meta->a,text:meta->>b,meta->0->>1&meta->>a=eq.x&order=meta->>a"), @r#"
    select json_object(?, json_extract(json_extract(plinth_0.`meta`, ?), '$'), ?, (case when json_type(json_extract(plinth_0.`meta`, ?)) = 'NULL' then null else json_unquote(json_extract(plinth_0.`meta`, ?)) end), ?, (case when json_type((case when json_type(json_extract(plinth_0.`meta`, ?)) = 'ARRAY' and json_type(json_extract(plinth_0.`meta`, ?)) = 'ARRAY' then json_extract(plinth_0.`meta`, ?) end)) = 'NULL' then null else json_unquote((case when json_type(json_extract(plinth_0.`meta`, ?)) = 'ARRAY' and json_type(json_extract(plinth_0.`meta`, ?)) = 'ARRAY' then json_extract(plinth_0.`meta`, ?) end)) end)) from `app`.`clients` as plinth_0 where (cast((case when json_type(json_extract(plinth_0.`meta`, ?)) = 'NULL' then null else json_unquote(json_extract(plinth_0.`meta`, ?)) end) as binary) = cast(? as binary)) order by cast((case when json_type(json_extract(plinth_0.`meta`, ?)) = 'NULL' then null else json_unquote(json_extract(plinth_0.`meta`, ?)) end) as binary) is null, cast((case when json_type(json_extract(plinth_0.`meta`, ?)) = 'NULL' then null else json_unquote(json_extract(plinth_0.`meta`, ?)) end) as binary)
    a | $."a" | text | $."b" | $."b" | meta | $ | $[0] | $[0][1] | $ | $[0] | $[0][1] | $."a" | $."a" | x | $."a" | $."a" | $."a" | $."a"
    "#);
}

#[test]
fn aggregates_group_by_what_is_beside_them() {
    insta::assert_snapshot!(read_of("tasks", "select=project_id,count(),id.avg()&order=project_id"), @r#"
    select json_object(?, plinth_0.`project_id`, ?, (count(*) + 0), ?, ((cast(sum(plinth_0.`id`) as decimal(65,20)) / count(plinth_0.`id`)) + 0)) from `app`.`tasks` as plinth_0 group by plinth_0.`project_id` order by plinth_0.`project_id` is null, plinth_0.`project_id`
    project_id | count | avg
    "#);
    insta::assert_snapshot!(read_of("projects", "select=id,tasks(id.max())"), @r#"
    select json_object(?, plinth_0.`id`, ?, json_extract((select json_array(json_object(?, (max(plinth_1.`id`) + 0))) from `app`.`tasks` as plinth_1 where plinth_1.`project_id` = plinth_0.`id`), '$')) from `app`.`projects` as plinth_0
    id | tasks | max
    "#);
}

#[test]
fn groups_are_counted_and_plans_asked() {
    let count = |query: &str, kind: &str| {
        let plan = planned(Get, "tasks", query, &[("prefer", kind)], "");
        match read(&plan).unwrap().total.unwrap() {
            Total::Counted(total) | Total::Planned(total) => told(&total),
        }
    };
    insta::assert_snapshot!(count("select=project_id,count()", "count=exact"), @r#"
    select count(*) from (select count(*) from `app`.`tasks` as plinth_0 group by plinth_0.`project_id`) as plinth_counted
    "#);
    insta::assert_snapshot!(count("id=gt.1", "count=planned"), @r#"
    select 1 from `app`.`tasks` as plinth_0 where (plinth_0.`id` > ?)
    1i
    "#);
    assert_eq!(expected(&[(Some(200.0), Some(50.0)), (Some(3.0), None)]), 300);
    assert_eq!((expected(&[(None, None)]), expected(&[])), (0, 1));
}

#[test]
fn an_upsert_names_the_key_that_was_meant() {
    let prefer = [("prefer", "resolution=merge-duplicates")];
    let plan = planned(Post, "clients", "", &prefer, r#"[{"id":1,"name":"a"}]"#);
    insta::assert_snapshot!(told(&insert(&plan, Flavour::MariaDb).unwrap().statements[0]), @r#"
    insert into `app`.`clients` (`id`, `name`) values (?, ?) on duplicate key update `id` = if(`id` <=> values(`id`), if((@plinth_found := @plinth_found + 1) > 0, values(`id`), null), (select 1 union select 2)), `name` = values(`name`)
    1i | a
    "#);
}

#[test]
fn an_update_and_a_delete_filter_in_sql() {
    let plan = planned(Patch, "clients", "id=eq.1", &[], r#"{"name":"a"}"#);
    insta::assert_snapshot!(told(&update(&plan).unwrap().change.unwrap()), @r#"
    update `app`.`clients` as plinth_0 set plinth_0.`name` = ? where plinth_0.`id` = ?
    a | 1i
    "#);
    let plan = planned(Delete, "clients", "or=(id.eq.1,name.is.null)", &[], "");
    insta::assert_snapshot!(told(&delete(&plan).unwrap().change), @r#"
    delete from `app`.`clients` where (`id` = ? or `name` is null)
    1i
    "#);
}

#[test]
fn what_cannot_be_done_is_refused_from_the_plan() {
    for (query, feature) in [
        ("name=fts.x", "text-search: the operator fts"),
        (
            "or=(id.eq.1,not.and(name.plfts.x,id.eq.2))",
            "text-search: the operator plfts",
        ),
        ("name=cs.x", "containment: the operator cs"),
        ("select=name::uuid", "casts: a cast to uuid"),
        ("select=name::int4", "casts: a cast to int4"),
        (
            "select=id,clients(id)&clients.meta=eq.1",
            "json-comparisons: a comparison of JSON",
        ),
        ("select=id::int8,count()", "aggregates: a group by a cast"),
        ("select=name.sum()", "aggregates: sum() of this type"),
        ("select=clients(id),count()", "aggregates: an aggregate beside an embed"),
        ("select=tasks(project_id,count())", "aggregates: groups"),
        (
            "select=clients(meta)&clients.order=meta->a",
            "json-comparisons: an order of JSON",
        ),
        ("select=clients(meta->\"a\\\"b\")", "json-paths"),
        ("select=clients(meta->-1)", "json-paths: a path into JSON"),
        ("select=name->a", "json-paths: a path into JSON"),
        ("order=name->a", "json-paths: a path into JSON"),
        ("select=id,tasks(name->a)", "json-paths: a path into JSON"),
    ] {
        let error = refuse(&planned(Get, "projects", query, &[], ""), Flavour::MariaDb).unwrap_err();
        assert_eq!(
            (error.code(), error.kind()),
            ("PGRST127", ErrorKind::Unsupported),
            "{query}"
        );
        let details = error.details().unwrap_or_default();
        assert!(details.starts_with(feature), "{query}: {details}");
    }
}

#[test]
fn a_value_is_checked_against_its_column() {
    for (class, text, code) in [
        (Class::Integer, "1", None),
        (Class::Integer, "-9223372036854775808", None),
        (Class::Integer, "18446744073709551615", None),
        (Class::Integer, "18446744073709551616", Some("22003")),
        (Class::Integer, "true", None),
        (Class::Bool, "t", None),
        (Class::Bool, "OFF", None),
        (Class::Bool, "o", Some("22P02")),
        (Class::Bool, "2", Some("22P02")),
        (Class::Integer, "1.5", Some("22P02")),
        (Class::Integer, "", Some("22P02")),
        (Class::Integer, "1 or 1=1", Some("22P02")),
        (Class::Decimal, "1.10", None),
        (Class::Decimal, ".5", None),
        (Class::Decimal, "1e5", Some("22P02")),
        (Class::Decimal, "0.0000000000000000000000000000001", Some("22003")),
        (Class::Decimal, ".", Some("22P02")),
        (Class::Float, "1e5", None),
        (Class::Float, "NaN", Some("22P02")),
        (Class::Bytes, "AP8=", None),
        (Class::Bytes, "\\x00", Some("22P02")),
        (Class::Date, "2024-02-30", Some("22007")),
        (Class::Timestamp, "2024-02-29T00:00:00+02:00", None),
        (Class::Timestamp, "now", Some("22007")),
        (Class::Time, "10:00' or '1", Some("22007")),
        (Class::Text, "' or 1=1", None),
    ] {
        let refused = operand(class, text).err();
        assert_eq!(refused.as_ref().map(Error::code), code, "{class:?} {text}");
    }
    assert!(same(Class::Integer, "01", "1") && !same(Class::Text, "01", "1"));
}
