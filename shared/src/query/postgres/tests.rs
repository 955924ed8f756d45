//! The SQL itself. Each of these shapes was prepared and run on Postgres 15.

use proptest::prelude::*;

use super::super::facade;
use super::super::fixtures::{SETTINGS, catalog, planned, rendered};
use super::super::plan::{Rules, plan};
use super::super::request::Method::*;
use super::super::request::Request;
use super::*;
use crate::error::ErrorKind;

const REPRESENTATION: &[(&str, &str)] = &[("prefer", "return=representation")];

#[test]
fn read_by_key_is_one_small_select() {
    insta::assert_snapshot!(rendered(Get, "tags", "a=eq.1&b=eq.x", &[], ""), @r#"
select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from "app"."tags" as plinth_0 where plinth_0."a" = $1 and plinth_0."b" = $2) as plinth_row
$1 = 1
$2 = x
"#);
}

#[test]
fn every_statement_reads_what_functions_set() {
    for (method, query, body) in [(Get, "", ""), (Post, "", "{}"), (Delete, "a=eq.1", "")] {
        let plan = planned(method, "tags", query, &[], body).unwrap();
        assert_eq!(render(&plan, "M").sql.matches(SETTINGS).count(), 1);
    }
}

#[test]
fn read_page_counts_the_whole() {
    let head = &[("prefer", "count=exact")];
    insta::assert_snapshot!(rendered(Get, "tags", "select=a&c=gt.1&order=a.desc.nullslast,b&limit=2&offset=4", head, ""), @r#"
select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, (select pg_catalog.count(*) from "app"."tags" as plinth_0 where plinth_0."c" > $1) as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a" from "app"."tags" as plinth_0 where plinth_0."c" > $1 order by plinth_0."a" desc nulls last, plinth_0."b" limit $2::bigint offset $3::bigint) as plinth_row
$1 = 1
$2 = 2
$3 = 4
"#);
    insta::assert_snapshot!(rendered(Head, "tags", "", head, ""), @r#"select null::text as body, pg_catalog.count(*) as page_rows, pg_catalog.count(*) as total_rows, null::bigint as inserted, null::text as location from (select 1 from "app"."tags" as plinth_0) as plinth_row"#);
}

#[test]
fn read_singular_strips_nulls() {
    let head = &[("accept", "application/vnd.pgrst.object+json;nulls=stripped")];
    insta::assert_snapshot!(rendered(Get, "tags", "select=c", head, ""), @r#"select (pg_catalog.json_strip_nulls(pg_catalog.json_agg(plinth_row.*))->0)::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."c" from "app"."tags" as plinth_0) as plinth_row"#);
}

#[test]
fn read_as_csv_begins_with_the_names() {
    let head = &[("accept", "text/csv")];
    insta::assert_snapshot!(rendered(Get, "tags", "select=a,\"b,\\\"c\":b", head, ""), @r#"
select ($1::text || coalesce(pg_catalog.string_agg(pg_catalog.btrim((plinth_row.*)::text, '()'), e'\n'), '')) as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b" as "b,""c" from "app"."tags" as plinth_0) as plinth_row
$1 = a,"b,""c"
"#);
}

#[test]
fn explained_statement_is_the_same_statement() {
    let head = &[(
        "accept",
        "application/vnd.pgrst.plan+json; for=\"application/vnd.pgrst.object+json\"; options=buffers|analyze",
    )];
    insta::assert_snapshot!(rendered(Get, "tags", "select=a", head, ""), @r#"explain (format json, analyze, buffers) select (pg_catalog.json_agg(plinth_row.*)->0)::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a" from "app"."tags" as plinth_0) as plinth_row"#);
    insta::assert_snapshot!(rendered(Delete, "tags", "a=eq.1", &[("accept", "application/vnd.pgrst.plan")], ""), @r#"
explain (format text) with plinth_source as (delete from "app"."tags" as plinth_0 where plinth_0."a" = $1 returning 1) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = 1
"#);
}

#[test]
fn select_aliases_casts_and_json_paths() {
    let query = "select=id::text,n:title,data->a->0->>b,tags->0,m:mood::text,title::mood[]";
    insta::assert_snapshot!(rendered(Get, "todos", query, &[], ""), @r#"
select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."id"::pg_catalog.text as "id", plinth_0."title" as "n", (plinth_0."data"->$1::text->$2::int->>$3::text) as "b", (pg_catalog.to_jsonb(plinth_0."tags")->$4::int) as "tags", plinth_0."mood"::pg_catalog.text as "m", plinth_0."title"::"app"."mood"[] as "title" from "app"."todos" as plinth_0) as plinth_row
$1 = a
$2 = 0
$3 = b
$4 = 0
"#);
}

/// The `where` of a request, and its parameters.
fn predicate(query: &str) -> String {
    let text = rendered(Get, "todos", &format!("select=id&{query}"), &[], "");
    let (_, text) = text.split_once(" where ").unwrap();
    text.replacen(") as plinth_row", "", 1).replace('\n', " ")
}

#[test]
fn filters_render_as_operators_over_parameters() {
    let queries = [
        "id=eq.1",
        "id=neq.1",
        "title=like.*a*",
        "title=ilike(any).{*a*,b}",
        "title=imatch.^a",
        r#"id=in.(1,"x\"y",null)"#,
        "moods=in.(\"{ok}\",\"{sad}\")",
        "moods=in.()",
        "done=is.not_null",
        "done=not.is.true",
        "title=isdistinct.x",
        "tags=cs.{x}",
        "span=nxl.[1,2)",
        "title=fts(english).cat",
        "data->>k=wfts.cat",
        "span=plfts.cat",
        "data->a->>0=eq.1",
        "tags->1=eq.1",
        "id=gte.1&id=lt.9",
        "or=(id.eq.1,and(id.gt.2,title.not.is.null),not.or(done.is.true))",
    ];
    let lines: Vec<String> = queries.iter().map(|query| predicate(query)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
plinth_0."id" = $1 $1 = 1
plinth_0."id" <> $1 $1 = 1
plinth_0."title" like $1 $1 = %a%
plinth_0."title" ilike any($1) $1 = {%a%,b}
plinth_0."title" ~* $1 $1 = ^a
plinth_0."id" = any($1) $1 = {"1","x\"y","null"}
plinth_0."moods" in ($1, $2) $1 = {ok} $2 = {sad}
false
plinth_0."done" is not null
not (plinth_0."done" is true)
plinth_0."title" is distinct from $1 $1 = x
plinth_0."tags" @> $1 $1 = {x}
plinth_0."span" &> $1 $1 = [1,2)
pg_catalog.to_tsvector($1::pg_catalog.regconfig, plinth_0."title") @@ pg_catalog.to_tsquery($2::pg_catalog.regconfig, $3) $1 = english $2 = english $3 = cat
pg_catalog.to_tsvector((plinth_0."data"->>$1::text)) @@ pg_catalog.websearch_to_tsquery($2) $1 = k $2 = cat
plinth_0."span" @@ pg_catalog.plainto_tsquery($1) $1 = cat
(plinth_0."data"->$1::text->>$2::int) = $3 $1 = a $2 = 0 $3 = 1
(pg_catalog.to_jsonb(plinth_0."tags")->$1::int) = $2 $1 = 1 $2 = 1
plinth_0."id" >= $1 and plinth_0."id" < $2 $1 = 1 $2 = 9
(plinth_0."id" = $1 or (plinth_0."id" > $2 and not (plinth_0."title" is null)) or not (plinth_0."done" is true)) $1 = 1 $2 = 2
"#);
}

#[test]
fn insert_expands_one_json_parameter() {
    let body = r#"[{"title":"a","mood":"ok","moods":["sad"]},{"title":"b","mood":null,"moods":null}]"#;
    insta::assert_snapshot!(rendered(Post, "todos", "select=id,t:title&order=title", REPRESENTATION, body), @r#"
with plinth_source as (insert into "app"."todos" as plinth_0 ("title", "mood", "moods") select plinth_new."title", plinth_new."mood", plinth_new."moods" from pg_catalog.json_to_recordset($1::json) as plinth_new("title" text, "mood" "app"."mood", "moods" "app"."mood"[]) returning plinth_0."id", plinth_0."title") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."id", plinth_0."title" as "t" from plinth_source as plinth_0 order by plinth_0."title") as plinth_row
$1 = [{"title":"a","mood":"ok","moods":["sad"]},{"title":"b","mood":null,"moods":null}]
"#);
}

#[test]
fn insert_minimal_returns_no_column() {
    insta::assert_snapshot!(rendered(Post, "tags", "", &[], r#"{"a":1}"#), @r#"
with plinth_source as (insert into "app"."tags" as plinth_0 ("a") select plinth_new."a" from pg_catalog.json_to_record($1::json) as plinth_new("a" integer) returning 1) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = {"a":1}
"#);
    insta::assert_snapshot!(rendered(Post, "tags", "", &[], "{}"), @r#"
with plinth_source as (insert into "app"."tags" as plinth_0 select from pg_catalog.generate_series(1, $1::bigint) returning 1) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = 1
"#);
}

#[test]
fn insert_headers_only_answers_the_key() {
    let head = &[("prefer", "return=headers-only")];
    insta::assert_snapshot!(rendered(Post, "tags", "", head, r#"{"a":1,"b":"x"}"#), @r#"
with plinth_source as (insert into "app"."tags" as plinth_0 ("a", "b") select plinth_new."a", plinth_new."b" from pg_catalog.json_to_record($1::json) as plinth_new("a" integer, "b" text) returning plinth_0."a", plinth_0."b") select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, case when pg_catalog.count(*) = 1 then (pg_catalog.json_agg(plinth_row.*)->0)::text end as location from (select plinth_0."a"::text as "a", plinth_0."b"::text as "b" from plinth_source as plinth_0) as plinth_row
$1 = {"a":1,"b":"x"}
"#);
}

#[test]
fn insert_missing_keys_take_defaults() {
    let head = &[("prefer", "missing=default")];
    insta::assert_snapshot!(rendered(Post, "todos", "columns=title,done,at", head, r#"[{"title":"a"}]"#), @r#"
with plinth_source as (insert into "app"."todos" as plinth_0 ("title", "done", "at") select plinth_new."title", plinth_new."done", plinth_new."at" from pg_catalog.jsonb_to_recordset((select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('done', (false), 'at', (now())) || plinth_given.value) from pg_catalog.jsonb_array_elements($1::jsonb) as plinth_given)) as plinth_new("title" text, "done" boolean, "at" timestamp with time zone) returning 1) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = [{"title":"a"}]
"#);
}

#[test]
fn upsert_counts_new_rows_without_reading_columns() {
    let merge = &[("prefer", "resolution=merge-duplicates")];
    insta::assert_snapshot!(rendered(Post, "tags", "", merge, r#"{"a":1,"b":"x"}"#), @r#"
with plinth_source as (insert into "app"."tags" as plinth_0 ("a", "b") select plinth_new."a", plinth_new."b" from pg_catalog.json_to_record($1::json) as plinth_new("a" integer, "b" text) where pg_catalog.set_config('plinth.inserted', (coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint + 1)::text, true) is not null on conflict ("a", "b") do update set "a" = excluded."a", "b" = excluded."b" where pg_catalog.set_config('plinth.inserted', (coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint - 1)::text, true) is not null returning 1) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = {"a":1,"b":"x"}
"#);
    let ignore = &[("prefer", "resolution=ignore-duplicates")];
    insta::assert_snapshot!(rendered(Post, "tags", "on_conflict=c", ignore, r#"{"c":"x"}"#), @r#"
with plinth_source as (insert into "app"."tags" as plinth_0 ("c") select plinth_new."c" from pg_catalog.json_to_record($1::json) as plinth_new("c" text) on conflict ("c") do nothing returning 1) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = {"c":"x"}
"#);
}

#[test]
fn put_asserts_the_key() {
    insta::assert_snapshot!(rendered(Put, "tags", "a=eq.1&b=eq.x", &[], r#"{"a":1,"b":"x"}"#), @r#"
with plinth_source as (insert into "app"."tags" as plinth_0 ("a", "b") select plinth_new."a", plinth_new."b" from pg_catalog.json_to_record($1::json) as plinth_new("a" integer, "b" text) where plinth_new."a" = $2 and plinth_new."b" = $3 and pg_catalog.set_config('plinth.inserted', (coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint + 1)::text, true) is not null on conflict ("a", "b") do update set "a" = excluded."a", "b" = excluded."b" where pg_catalog.set_config('plinth.inserted', (coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint - 1)::text, true) is not null returning 1) select null::text as body, case when pg_catalog.count(*) <> 1 then ($4::text || pg_catalog.count(*))::bigint else pg_catalog.count(*) end as page_rows, null::bigint as total_rows, coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = {"a":1,"b":"x"}
$2 = 1
$3 = x
$4 = MARK:put:
"#);
}

#[test]
fn update_sets_from_the_body() {
    let head = &[
        ("prefer", "return=representation"),
        ("accept", "application/vnd.pgrst.object+json"),
    ];
    insta::assert_snapshot!(rendered(Patch, "tags", "a=eq.1&select=c", head, r#"{"c":"x"}"#), @r#"
with plinth_source as (update "app"."tags" as plinth_0 set "c" = plinth_new."c" from pg_catalog.json_to_record($1::json) as plinth_new("c" text) where plinth_0."a" = $2 returning plinth_0."c") select (pg_catalog.json_agg(plinth_row.*)->0)::text as body, case when pg_catalog.count(*) <> 1 then ($3::text || pg_catalog.count(*))::bigint else pg_catalog.count(*) end as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."c" from plinth_source as plinth_0) as plinth_row
$1 = {"c":"x"}
$2 = 1
$3 = MARK:single:
"#);
    insta::assert_snapshot!(rendered(Patch, "tags", "a=eq.1", &[], "{}"), @r#"with plinth_source as (select 1 from "app"."tags" as plinth_0 where false) select null::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row"#);
}

#[test]
fn delete_asserts_the_most_rows() {
    let head = &[("prefer", "handling=strict, max-affected=3")];
    insta::assert_snapshot!(rendered(Delete, "tags", "a=eq.1", head, ""), @r#"
with plinth_source as (delete from "app"."tags" as plinth_0 where plinth_0."a" = $1 returning 1) select null::text as body, case when pg_catalog.count(*) > $2::bigint then ($3::text || pg_catalog.count(*))::bigint else pg_catalog.count(*) end as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select 1 from plinth_source as plinth_0) as plinth_row
$1 = 1
$2 = 3
$3 = MARK:most:
"#);
}

#[test]
fn hostile_names_stay_quoted() {
    insta::assert_snapshot!(rendered(Get, "odd\"; name", r#"select="x\"; y":"co\"l; --""#, &[], ""), @r#"select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."co""l; --" as "x""; y" from "app"."odd""; name" as plinth_0) as plinth_row"#);
}

#[test]
fn facades_build_the_same_plans() {
    let filters = serde_json::json!({"title": "it's", "done": true, "id": [1, 2], "owner": null});
    let query = |filters: serde_json::Value| {
        let document = facade::Document {
            filters,
            limit: Some(100),
            ..facade::Document::default()
        };
        document.add_to(Request::new(Get, "todos"), &catalog())
    };
    let requests = [
        query(filters).unwrap(),
        facade::one("tags", "a", "1"),
        facade::create("tags", br#"{"a":1}"#).unwrap(),
        facade::update("tags", "a", "1", br#"{"c":"x"}"#).unwrap(),
        facade::delete("tags", "a", "1"),
    ];
    let texts = requests.map(|request| {
        render(
            &plan(request, &catalog(), &Rules::managed(), crate::query::RowAccess::All).unwrap(),
            "M",
        )
        .sql
        .replace(SETTINGS, "")
    });
    insta::assert_snapshot!(texts.join("\n"), @r#"
select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."id", plinth_0."title", plinth_0."done", plinth_0."mood", plinth_0."moods", plinth_0."tags", plinth_0."data", plinth_0."owner", plinth_0."at", plinth_0."word", plinth_0."span" from "app"."todos" as plinth_0 where plinth_0."done" = $1 and plinth_0."id" = any($2) and plinth_0."owner" is null and plinth_0."title" = $3 limit $4::bigint) as plinth_row
select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from "app"."tags" as plinth_0 where plinth_0."a" = $1 limit $2::bigint) as plinth_row
with plinth_source as (insert into "app"."tags" as plinth_0 ("a") select plinth_new."a" from pg_catalog.json_to_record($1::json) as plinth_new("a" integer) returning plinth_0."a", plinth_0."b", plinth_0."c") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from plinth_source as plinth_0) as plinth_row
with plinth_source as (update "app"."tags" as plinth_0 set "c" = plinth_new."c" from pg_catalog.json_to_record($1::json) as plinth_new("c" text) where plinth_0."a" = $2 returning plinth_0."a", plinth_0."b", plinth_0."c") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from plinth_source as plinth_0) as plinth_row
with plinth_source as (delete from "app"."tags" as plinth_0 where plinth_0."a" = $1 returning plinth_0."a", plinth_0."b", plinth_0."c") select coalesce(pg_catalog.json_agg(plinth_row.*), '[]')::text as body, pg_catalog.count(*) as page_rows, null::bigint as total_rows, null::bigint as inserted, null::text as location from (select plinth_0."a", plinth_0."b", plinth_0."c" from plinth_source as plinth_0) as plinth_row
"#);
    let error = query(serde_json::json!({"title": {"above": 1}})).unwrap_err();
    assert_eq!(error.code(), "records/invalid-filter");
    let nul = facade::one("tags", "b", "x\0y");
    assert_eq!(
        plan(nul, &catalog(), &Rules::managed(), crate::query::RowAccess::All)
            .unwrap_err()
            .code(),
        "PGRST100"
    );
}

#[test]
fn assertions_are_recognised_by_their_marker_only() {
    let told = |message: &str| failed_assertion("k3y", message);
    let text = |what: &str| format!("invalid input syntax for type bigint: \"k3y:{what}:7\"");
    assert_eq!(told(&text("single")).unwrap().kind(), ErrorKind::NotAcceptable);
    assert_eq!(
        told(&text("single")).unwrap().details(),
        Some("The result contains 7 rows")
    );
    assert_eq!(told(&text("most")).unwrap().code(), "PGRST124");
    assert_eq!(told(&text("put")).unwrap().code(), "PGRST115");
    for other in [
        text("drop"),
        text("single").replace("k3y", "guess"),
        "k3y".to_owned(),
        "k3y:single:x".to_owned(),
    ] {
        assert!(told(&other).is_none(), "{other}");
    }
}

proptest! {
    #[test]
    fn values_never_reach_the_text(value in "[a-z'\";\\-\\\\$ ]{0,10}") {
        let secret = format!("q7Zx{value}");
        let encoded: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let body = serde_json::json!({"title": &secret, "data": {&secret: 1}}).to_string();
        let query = format!("title=eq.{encoded}&tags=cs.{encoded}&data->>{encoded}=like.{encoded}&mood=not.in.({encoded})");
        for (method, body) in [(Get, ""), (Patch, &*body), (Delete, "")] {
            // A text with `-` may not parse as a JSON key: then nothing reaches the text either.
            if let Ok(plan) = planned(method, "todos", &query, REPRESENTATION, body) {
                let rendered = render(&plan, "M");
                prop_assert!(!rendered.sql.contains("q7Zx"), "{}", rendered.sql);
                prop_assert!(rendered.params.iter().flatten().any(|param| param.contains("q7Zx")));
            }
        }
    }
}
