use serde_json::{Value, json};

use super::*;
use crate::error::Result;
use crate::query::fixtures::catalog;
use crate::query::{Rules, plan, postgres};

fn document(json: &Value) -> Result<Request> {
    Document::read(json.to_string().as_bytes())?.add_to(Request::new(Method::Get, "todos"), &catalog())
}

/// A request's SQL from its condition on, with its parameters.
fn sql(request: Request) -> Result<String> {
    let plan = plan(request, &catalog(), &Rules::managed(), crate::query::RowAccess::All)?;
    let rendered = postgres::render(&plan, "marker");
    let (_, condition) = rendered.sql.split_once(" where ").unwrap_or_default();
    let condition = condition.split(" order by ").next().unwrap_or_default();
    let condition = condition.split(" limit ").next().unwrap_or_default();
    let params: Vec<_> = rendered.params.iter().flatten().map(String::as_str).collect();
    Ok(format!("{condition} | {}", params.join(" ~ ")))
}

fn all(cases: &[Value]) -> String {
    let lines = cases.iter().map(|filters| {
        let made = document(&json!({ "filters": filters })).and_then(sql);
        made.unwrap_or_else(|error| format!("{error} ({})", error.details().unwrap_or_default()))
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn values_alone_mean_equality_null_and_lists() {
    let cases = [
        json!({}),
        json!({ "title": "a" }),
        json!({ "id": 12, "done": true }),
        json!({ "title": null }),
        json!({ "id": [1, 2] }),
        json!({ "title": ["a,\"b", null] }),
        json!({ "id": [] }),
        json!([{ "id": 1 }, { "title": "b" }]),
    ];
    insta::assert_snapshot!(all(&cases), @r#"
     | 1000
    plinth_0."title" = $1 | a ~ 1000
    plinth_0."done" = $1 and plinth_0."id" = $2 | true ~ 12 ~ 1000
    plinth_0."title" is null | 1000
    plinth_0."id" = any($1) | {"1","2"} ~ 1000
    (plinth_0."title" = any($1) or plinth_0."title" is null) | {"a,\"b"} ~ 1000
    plinth_0."id" = any($1) | {} ~ 1000
    plinth_0."id" = $1 and plinth_0."title" = $2 | 1 ~ b ~ 1000
    "#);
}

#[test]
fn operators_are_those_of_the_url() {
    let cases = [
        json!({ "id": { "gte": 1, "lt": 9 } }),
        json!({ "title": { "ilike": "*a*" }, "id": { "neq": 3 } }),
        json!({ "title": { "like(any)": ["a*", "b*"] } }),
        json!({ "title": { "match": "^a", "imatch": "b$" } }),
        json!({ "id": { "in": [1, 2] }, "title": { "nin": ["x", null] } }),
        json!({ "done": { "is": true }, "title": { "is": "NOT_NULL" } }),
        json!({ "title": { "isdistinct": "a" }, "done": { "isdistinct": null } }),
        json!({ "tags": { "cs": ["a", "b,c"] } }),
        json!({ "tags": { "ov": "{a}" }, "data": { "cd": ["a"] } }),
        json!({ "data": { "cs": { "a": [1] } } }),
        json!({ "span": { "sl": "[1,2)", "adj": "[3,4)" } }),
        json!({ "title": { "wfts(english)": "cat", "fts": "dog" } }),
        json!({ "data->>kind": "note", "data->a->0": { "eq": { "b": 1 } } }),
    ];
    insta::assert_snapshot!(all(&cases), @r#"
    (plinth_0."id" >= $1 and plinth_0."id" < $2) | 1 ~ 9 ~ 1000
    plinth_0."id" <> $1 and plinth_0."title" ilike $2 | 3 ~ %a% ~ 1000
    plinth_0."title" like any($1) | {"a%","b%"} ~ 1000
    (plinth_0."title" ~* $1 and plinth_0."title" ~ $2) | b$ ~ ^a ~ 1000
    plinth_0."id" = any($1) and not (plinth_0."title" = any($2) or plinth_0."title" is null) | {"1","2"} ~ {"x"} ~ 1000
    plinth_0."done" is true and plinth_0."title" is not null | 1000
    plinth_0."done" is not null and plinth_0."title" is distinct from $1 | a ~ 1000
    plinth_0."tags" @> $1 | {"a","b,c"} ~ 1000
    plinth_0."data" <@ $1 and plinth_0."tags" && $2 | ["a"] ~ {a} ~ 1000
    plinth_0."data" @> $1 | {"a":[1]} ~ 1000
    (plinth_0."span" -|- $1 and plinth_0."span" << $2) | [3,4) ~ [1,2) ~ 1000
    (pg_catalog.to_tsvector(plinth_0."title") @@ pg_catalog.to_tsquery($1) and pg_catalog.to_tsvector($2::pg_catalog.regconfig, plinth_0."title") @@ pg_catalog.websearch_to_tsquery($3::pg_catalog.regconfig, $4)) | dog ~ english ~ english ~ cat ~ 1000
    (plinth_0."data"->>$1::text) = $2 and (plinth_0."data"->$3::text->$4::int) = $5 | kind ~ note ~ a ~ 0 ~ {"b":1} ~ 1000
    "#);
}

#[test]
fn groups_and_negations_nest() {
    let cases = [
        json!({ "or": [{ "id": 1 }, { "title": "a", "done": true }] }),
        json!({ "and": [{ "or": [{ "id": 1 }, { "id": 2 }] }, { "not": { "title": "a" } }] }),
        json!({ "id": { "not": { "gt": 1, "lt": 9 } }, "title": { "not": null } }),
        json!({ "id": { "not": [1, 2] } }),
        json!({ "not": { "or": [{ "id": 1 }, { "id": 2 }] } }),
        json!({ "or": [] }),
    ];
    insta::assert_snapshot!(all(&cases), @r#"
    (plinth_0."id" = $1 or (plinth_0."done" = $2 and plinth_0."title" = $3)) | 1 ~ true ~ a ~ 1000
    ((plinth_0."id" = $1 or plinth_0."id" = $2) and not (plinth_0."title" = $3)) | 1 ~ 2 ~ a ~ 1000
    not (plinth_0."id" > $1 and plinth_0."id" < $2) and not (plinth_0."title" is null) | 1 ~ 9 ~ 1000
    not (plinth_0."id" = any($1)) | {"1","2"} ~ 1000
    not (plinth_0."id" = $1 or plinth_0."id" = $2) | 1 ~ 2 ~ 1000
    (false) | 1000
    "#);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let mut deep = json!({ "id": 1 });
    for _ in 0..30 {
        deep = json!({ "not": deep });
    }
    let many: Vec<Value> = (0..600).map(|id| json!({ "id": id })).collect();
    let cases = [
        json!("id=1"),
        json!([1]),
        json!({ "id": {} }),
        json!({ "id": { "above": 1 } }),
        json!({ "id": { "gt": null } }),
        json!({ "id": { "in": 1 } }),
        json!({ "done": { "is": "maybe" } }),
        json!({ "title": { "fts": 1 } }),
        json!({ "title": { "neq(any)": ["a"] } }),
        json!({ "or": [1] }),
        json!({ "or": [{ "tags.a": 1 }] }),
        json!({ "nothing": 1 }),
        json!({ "tags.a": 1 }),
        json!({ "title": "a\0b" }),
        json!({ "a->": 1 }),
        deep,
        json!({ "or": many }),
    ];
    insta::assert_snapshot!(all(&cases), @r#"
    records/invalid-filter: filters takes objects of columns and values ()
    records/invalid-filter: filters takes objects of columns and values ()
    records/invalid-filter: The filter on id has no operator ()
    records/invalid-filter: The filter on id has an unknown operator, or a value it does not take (above)
    records/invalid-filter: The filter on id cannot be compared with null (gt)
    records/invalid-filter: The filter on id takes a list (in)
    records/invalid-filter: The filter on done takes null, true, false, "not_null" or "unknown" (is)
    records/invalid-filter: The filter on title has an unknown operator, or a value it does not take (fts)
    records/invalid-filter: The filter on title has an unknown operator, or a value it does not take (neq(any))
    records/invalid-filter: or takes objects of columns and values ()
    records/invalid-filter: tags is an embed, and stands inside a group ()
    42703: column todos.nothing does not exist ()
    PGRST108: 'tags' is not an embedded resource in this request ()
    PGRST100: A value holds a NUL character ()
    PGRST100: "failed to parse tree path (a->)" (line 1, column 4) (unexpected end of input expecting JSON key or array index)
    records/invalid-filter: Filters are nested deeper than 20 levels ()
    PGRST100: The request has too many conditions (601 given, 500 allowed)
    "#);
}

#[test]
fn documents_say_each_thing_once() {
    for (document, code) in [
        (json!({ "filter": {} }), "PGRST102"),
        (json!([]), "PGRST102"),
        (json!({ "limit": -1 }), "PGRST102"),
        (json!({ "where": {}, "filters": {} }), "PGRST102"),
        (
            json!({ "sort": [{ "column": "id", "direction": "up" }] }),
            "records/invalid-sort",
        ),
        (json!({ "sort": 1 }), "records/invalid-sort"),
        (json!({ "select": 1 }), "PGRST100"),
        (json!({ "select": "a(" }), "PGRST100"),
        (json!({ "count": "all" }), "PGRST100"),
    ] {
        let refused = self::document(&document).unwrap_err();
        assert_eq!(refused.code(), code, "{document}");
    }
    let url =
        crate::query::parse_request(Method::Get, "todos", "limit=1&id=gt.1", &http::HeaderMap::new(), b"").unwrap();
    let with = |document: Value| {
        let document = Document::read(document.to_string().as_bytes()).unwrap();
        document.add_to(url.clone(), &catalog())
    };
    assert_eq!(with(json!({ "limit": 2 })).unwrap_err().code(), "PGRST100");
    assert_eq!(with(json!({ "where": { "done": true } })).unwrap().filters.len(), 2);
}

#[test]
fn orders_in_json_and_in_words_are_the_same() {
    let json = document(
        &json!({ "sort": [{ "column": "at", "direction": "desc", "nulls": "last" }, "title", { "column": "id" }] }),
    );
    let words = document(&json!({ "order": "at.desc.nullslast,title,id" }));
    assert_eq!(json.unwrap(), words.unwrap());
}

fn keyset(query: &str) -> (Request, Option<Keyset>) {
    let request = crate::query::parse_request(Method::Get, "todos", query, &http::HeaderMap::new(), b"").unwrap();
    let keyset = Keyset::of(&request, catalog().relation("todos").unwrap());
    (request, keyset)
}

#[test]
fn a_cursor_goes_on_behind_its_row() {
    let (_, keyset) = keyset("order=title.desc,at.nullsfirst");
    let keyset = keyset.unwrap();
    let row = |json: &str| serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
    let mut shown = Vec::new();
    for json in [
        r#"{"id": 12345678901234567890, "title": "a\"b", "at": null}"#,
        r#"{"id": 1, "title": null, "at": "2026-01-01T00:00:00+00:00"}"#,
    ] {
        let cursor = keyset.cursor(&row(json)).unwrap();
        let mut request = Request::new(Method::Get, "todos");
        request.filters.push(Scoped::root(keyset.after(&cursor).unwrap()));
        shown.push(sql(request).unwrap());
    }
    insta::assert_snapshot!(shown.join("\n"), @r#"
    (plinth_0."title" <= $1 and ((plinth_0."title" < $2) or (plinth_0."title" = $3 and plinth_0."at" is not null) or (plinth_0."title" = $4 and plinth_0."at" is null and plinth_0."id" > $5))) | a"b ~ a"b ~ a"b ~ a"b ~ 12345678901234567890 ~ 1000
    ((plinth_0."title" is not null) or (plinth_0."title" is null and plinth_0."at" > $1) or (plinth_0."title" is null and plinth_0."at" = $2 and plinth_0."id" > $3)) | 2026-01-01T00:00:00+00:00 ~ 2026-01-01T00:00:00+00:00 ~ 1 ~ 1000
    "#);
    assert_eq!(keyset.cursor(&row(r#"{"id": 1}"#)), None);
}

#[test]
fn a_cursor_of_another_order_or_table_is_refused() {
    let row = serde_json::value::RawValue::from_string(r#"{"id": 1, "title": "a"}"#.to_owned()).unwrap();
    let cursor = keyset("order=title").1.unwrap().cursor(&row).unwrap();
    for other in ["order=title.desc", "order=title.nullsfirst", ""] {
        let refused = keyset(other).1.unwrap().after(&cursor).unwrap_err();
        assert_eq!(refused.code(), "records/invalid-cursor", "{other}");
    }
    for garbage in ["", "x", "!!", "bnVsbA", &"A".repeat(10_000)] {
        assert!(keyset("order=title").1.unwrap().after(garbage).is_err());
    }
    assert!(keyset("order=title").1.unwrap().after(&cursor).is_ok());
}

#[test]
fn there_is_no_keyset_where_rows_are_not_told_apart() {
    for query in ["order=data->>a", "order=nothing", "select=id.sum()"] {
        assert_eq!(keyset(query).1, None, "{query}");
    }
    let (request, keyset) = keyset("select=name:title&order=at");
    let applied = keyset.unwrap().apply(request).unwrap();
    assert_eq!(applied.select.len(), 3, "what the cursor is made of is shown");
    let (request, keyset) = self::keyset("select=*,id:title");
    assert_eq!(
        keyset.unwrap().apply(request).unwrap_err().code(),
        "records/cursor-column"
    );
}
