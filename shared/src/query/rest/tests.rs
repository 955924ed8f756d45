//! Golden requests, and what is refused before there is one.

mod maps;

use serde_json::json;

use super::super::fixtures::parsed;
use super::super::plan::{RowAccess, Rules, plan};
use super::super::request::Method::{Delete, Get, Patch, Post, Put};
use super::super::{ColumnRule, Method, Plan};
use super::*;

/// `people` can do all there is; `pages`, `marks`, `links` and `wholes` have the other ways to be read in parts.
fn map() -> Resources {
    resources(&json!({
        "people": {
            "list": "/people?active=true", "get": "/people/{id}", "create": "/people", "update": "/people/{id}",
            "delete": "/people/{id}", "items": "data", "item": "data",
            "pagination": { "style": "offset", "offsetParam": "skip", "sizeParam": "limit", "maxSize": 50 },
            "total": { "path": "meta.total" },
            "filters": { "age": "age", "name": "q[name]", "at": "at", "fine": "fine" },
            "order": { "param": "sort", "columns": ["name", "age"] },
            "columns": { "id": "bigint", "name": "text", "age": "bigint", "fine": "boolean", "tags": "jsonb",
                "at": "timestamp with time zone" },
        },
        "pages": { "list": "/pages", "pagination": { "style": "page", "sizeParam": "per_page", "maxSize": 100 },
            "total": { "header": "x-total-count" },
            "order": { "param": "sort", "directionParam": "order", "columns": ["id", "name"] },
            "columns": { "name": "text" } },
        "fixed": { "list": "/fixed", "pagination": { "style": "page", "firstPage": 0, "maxSize": 20 } },
        "marks": { "list": "/marks", "pagination": { "style": "cursor", "sizeParam": "limit", "next": "next", "maxSize": 10 } },
        "links": { "list": "/links", "pagination": { "style": "link", "sizeParam": "limit", "maxSize": 10 } },
        "wholes": { "list": "/wholes" },
        "keyed": { "get": "/one?key={id}", "id": "key" },
    }))
    .unwrap()
}

fn planned(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Result<Plan> {
    let rules = Rules {
        columns: ColumnRule::Catalog,
        ..Rules::external()
    };
    let catalog = catalog(&map(), &Default::default());
    plan(
        parsed(method, table, query, head, body)?,
        &catalog,
        &rules,
        RowAccess::All,
    )
}

fn of(method: Method, table: &str, query: &str, head: &[(&str, &str)], body: &str) -> Result<Work> {
    work(&planned(method, table, query, head, body)?, &map()[table])
}

fn told(ask: &Ask) -> String {
    let query: Vec<_> = ask
        .query
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let body = ask.body.as_deref().unwrap_or_default();
    format!("{:?} {} {} {body}", ask.verb, ask.path, query.join(" "))
        .trim()
        .to_owned()
}

fn list(table: &str, query: &str) -> String {
    match of(Get, table, query, &[], "").unwrap() {
        Work::List(list) => format!(
            "{} | skip {} take {:?} of {:?}",
            told(&list.ask),
            list.skip,
            list.take,
            list.most
        ),
        Work::Get { ask, .. } => told(&ask),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_read_asks_for_what_is_shown_and_no_more() {
    for (table, query, expected) in [
        (
            "people",
            "select=id",
            "Get /people active=true skip=0 limit=50 | skip 0 take Some(50) of Some(50)",
        ),
        (
            "people",
            "age=eq.5&limit=2&offset=7&order=name.desc,age",
            "Get /people active=true age=5 sort=-name,age skip=7 limit=2 | skip 0 take Some(2) of Some(2)",
        ),
        (
            "people",
            "name=eq.a%26b&fine=is.true&limit=500",
            "Get /people active=true q[name]=a&b fine=true skip=0 limit=50 | skip 0 take Some(50) of Some(50)",
        ),
        ("people", "id=eq.7", "Get /people/7"),
        ("people", "id=eq.7&age=eq.5&limit=1", "Get /people/7"),
        ("keyed", "key=eq.a/b%3F", "Get /one key=a/b?"),
        (
            "pages",
            "limit=10&offset=20&order=id.desc",
            "Get /pages sort=id order=desc page=3 per_page=10 | skip 0 take Some(10) of Some(10)",
        ),
        (
            "pages",
            "limit=10&offset=5",
            "Get /pages page=1 per_page=15 | skip 5 take Some(10) of Some(15)",
        ),
        (
            "fixed",
            "limit=5&offset=42",
            "Get /fixed page=2 | skip 2 take Some(5) of Some(20)",
        ),
        (
            "marks",
            "limit=3",
            "Get /marks limit=3 | skip 0 take Some(3) of Some(3)",
        ),
        (
            "marks",
            "limit=3&offset=15",
            "Get /marks limit=10 | skip 15 take Some(3) of Some(10)",
        ),
        ("links", "", "Get /links limit=10 | skip 0 take Some(10) of Some(10)"),
        (
            "wholes",
            "limit=3&offset=1",
            "Get /wholes | skip 1 take Some(3) of None",
        ),
    ] {
        assert_eq!(list(table, query), expected, "{table}?{query}");
    }
}

#[test]
fn a_key_stays_in_its_place_of_the_path() {
    let Work::Get { ask, .. } = of(Get, "keyed", "key=eq.x", &[], "").unwrap() else {
        panic!()
    };
    assert_eq!(ask.query, [("key".to_owned(), "x".to_owned())]);
    let map = resources(&json!({ "t": { "get": "/t/{id}/row" } })).unwrap();
    let catalog = catalog(&map, &Default::default());
    let of = |key: &str| {
        let request = parsed(Get, "t", &format!("id=eq.{key}"), &[], "").unwrap();
        work(
            &plan(request, &catalog, &Rules::external(), RowAccess::All).unwrap(),
            &map["t"],
        )
    };
    for (key, path) in [
        ("..%2Fadmin", "/t/..%2Fadmin/row"),
        ("a%3Fb%23c", "/t/a%3Fb%23c/row"),
        ("%C3%A4", "/t/%C3%A4/row"),
        ("%252e", "/t/%252e/row"),
    ] {
        let Work::Get { ask, .. } = of(key).unwrap() else {
            panic!()
        };
        assert_eq!(ask.path, path);
    }
    for key in ["", ".", ".."] {
        assert_eq!(of(key).unwrap_err().code(), "PGRST127", "{key}");
    }
}

#[test]
fn a_write_is_one_request() {
    let told_of = |work: Work| match work {
        Work::Insert { ask, .. } | Work::Update { ask, .. } => told(&ask),
        Work::Delete { before, ask } => format!("{} {}", before.as_ref().map(told).unwrap_or_default(), told(&ask)),
        other => format!("{other:?}"),
    };
    let shown = [("prefer", "return=representation")];
    for (method, query, head, body, expected) in [
        (
            Post,
            "",
            &[][..],
            r#"{"name":"a","age":1.0}"#,
            r#"Post /people  {"name":"a","age":1.0}"#,
        ),
        (
            Post,
            "columns=name,age",
            &[],
            r#"[{"name":"a","x":1}]"#,
            r#"Post /people  {"name":"a","age":null}"#,
        ),
        (
            Post,
            "columns=name,age",
            &[("prefer", "missing=default")],
            r#"{"name":"a"}"#,
            r#"Post /people  {"name":"a"}"#,
        ),
        (
            Patch,
            "id=eq.7",
            &[],
            r#"{"id":7,"name":"b"}"#,
            r#"Patch /people/7  {"id":7,"name":"b"}"#,
        ),
        (Patch, "id=eq.7", &[], "{}", "Nothing"),
        (Delete, "id=eq.7", &[], "", " Delete /people/7"),
        (Delete, "id=eq.7", &shown, "", "Get /people/7 Delete /people/7"),
    ] {
        let work = of(method, "people", query, head, body).unwrap();
        assert_eq!(told_of(work), expected, "{method:?} {query} {body}");
    }
}

#[test]
fn what_the_api_cannot_do_is_refused_by_its_name() {
    let cannot = |feature: &str, what: &str| format!("{feature}: {what} is not to be had on this REST API");
    let no_path = |what: &str| format!("The resource map has no path for {what}");
    for (method, table, query, head, details) in [
        (Get, "people", "age=gt.5", "", cannot("filters", "the operator gt")),
        (Get, "people", "age=in.(5)", "", cannot("filters", "the operator in")),
        (
            Get,
            "people",
            "or=(age.eq.5,age.eq.6)",
            "",
            cannot("filters", "the operator or"),
        ),
        (Get, "people", "age=not.eq.5", "", cannot("filters", "the operator not")),
        (Get, "people", "age=is.null", "", cannot("filters", "the operator is")),
        (
            Get,
            "people",
            "name=like.a*",
            "",
            cannot("patterns", "the operator like"),
        ),
        (
            Get,
            "people",
            "name=fts.a",
            "",
            cannot("text-search", "the operator fts"),
        ),
        (Get, "people", "name=cs.a", "", cannot("containment", "the operator cs")),
        (
            Get,
            "people",
            "tags=eq.1",
            "",
            cannot("json-comparisons", "a comparison of JSON"),
        ),
        (Get, "pages", "name=eq.x", "", cannot("filters", "a filter by name")),
        (Get, "people", "select=age::text", "", cannot("casts", "a cast")),
        (
            Get,
            "people",
            "select=tags->a",
            "",
            cannot("json-paths", "a path into JSON"),
        ),
        (Get, "people", "order=fine", "", cannot("order", "an order by fine")),
        (
            Get,
            "people",
            "order=name.nullsfirst",
            "",
            cannot("order", "the place of nulls"),
        ),
        (
            Get,
            "pages",
            "order=id,name",
            "",
            cannot("order", "an order by more than one column"),
        ),
        (Get, "wholes", "order=id", "", cannot("order", "an order")),
        (Get, "marks", "", "count=exact", cannot("count-exact", "a count")),
        (
            Get,
            "people",
            "",
            "count=planned",
            cannot("count-planned", "count=planned"),
        ),
        (
            Get,
            "fixed",
            "limit=15&offset=10",
            "",
            cannot("pages", "an offset that is no multiple of the limit"),
        ),
        (
            Get,
            "marks",
            "limit=1&offset=100",
            "",
            cannot(
                "pages",
                "an offset behind 10 pages, which can only be reached one by one",
            ),
        ),
        (Get, "keyed", "", "", no_path("many rows (list)")),
        (
            Post,
            "people",
            "",
            "resolution=merge-duplicates",
            cannot("upsert", "an upsert"),
        ),
        (Post, "people", "", "tx=rollback", cannot("rollback", "tx=rollback")),
        (Put, "people", "id=eq.1", "", cannot("upsert", "an upsert")),
        (Post, "pages", "", "", no_path("inserts (create)")),
        (Patch, "pages", "id=eq.1", "", no_path("updates (update)")),
        (
            Patch,
            "people",
            "",
            "",
            cannot("write-by-filter", "a write to other rows than the one with id=eq.…"),
        ),
        (
            Patch,
            "people",
            "age=eq.1",
            "",
            cannot("write-by-filter", "a write to other rows than the one with id=eq.…"),
        ),
        (
            Patch,
            "people",
            "id=eq.2",
            "",
            cannot("write-by-filter", "a change of the key"),
        ),
        (
            Delete,
            "people",
            "id=eq.1&age=eq.2",
            "",
            cannot("write-by-filter", "a write to other rows than the one with id=eq.…"),
        ),
        (Delete, "pages", "id=eq.1", "", no_path("deletes (delete)")),
    ] {
        let head: Vec<_> = Some(("prefer", head))
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        let body = if table == "people" {
            r#"{"id":1,"name":"a"}"#
        } else {
            r#"{"id":1}"#
        };
        let refused = of(method, table, query, &head, body).unwrap_err();
        assert_eq!(
            (refused.code(), refused.details()),
            ("PGRST127", Some(&*details)),
            "{table}?{query}"
        );
    }
    let refused = of(Post, "people", "", &[], r#"[{"name":"a"},{"name":"b"}]"#).unwrap_err();
    assert_eq!(
        refused.details(),
        Some(&*cannot("bulk-insert", "more than one row in an insert"))
    );
}

#[test]
fn a_value_that_its_column_cannot_have_is_refused() {
    for (query, code) in [
        ("age=eq.abc", "22P02"),
        ("age=eq.1.5", "22P02"),
        ("id=eq.x", "22P02"),
        ("fine=eq.maybe", "22P02"),
        ("at=eq.yesterday", "22007"),
    ] {
        assert_eq!(of(Get, "people", query, &[], "").unwrap_err().code(), code, "{query}");
    }
}

fn a_list(most: Option<u64>, checks: &[(&str, &str)]) -> List {
    let Work::List(list) = of(Get, "wholes", "", &[], "").unwrap() else {
        panic!()
    };
    let check = |(column, value): &(&str, &str)| Check {
        column: (*column).to_owned(),
        value: (*value).to_owned(),
    };
    List {
        most,
        checks: checks.iter().map(check).collect(),
        ..list
    }
}

#[test]
fn what_comes_back_is_looked_at() {
    let place = ["data".to_owned()];
    let body = br#"{"data":[{"a":"X","n":1.0,"t":"2024-01-01T00:00:00+00:00"},{"n":1}],"n":2}"#;
    for (most, checks, expected) in [
        (None, &[][..], Ok(2)),
        (Some(2), &[("a", "x"), ("n", "1"), ("t", "2024-01-01T00:00:00Z")], Ok(2)),
        (Some(1), &[], Err("records/api-page")),
        (None, &[("n", "2")], Err("records/api-filter")),
    ] {
        let found = rows(body, &place, &a_list(most, checks));
        assert_eq!(
            found.map(|rows| rows.len()).map_err(|error| error.code().to_owned()),
            expected.map_err(str::to_owned)
        );
    }
    for body in [
        "",
        "<html>",
        "[]",
        r#"{"data":5}"#,
        r#"{"data":[5]}"#,
        r#"{"data":null}"#,
        "\u{feff}{}",
    ] {
        let refused = rows(body.as_bytes(), &place, &a_list(None, &[])).unwrap_err();
        assert_eq!(refused.code(), "records/api-shape", "{body}");
    }
    assert!(rows(b"\xff", &[], &a_list(None, &[])).is_err());
}

#[test]
fn a_row_is_shown_with_every_digit_and_its_missing_members_as_null() {
    let plan = planned(Get, "people", "select=years:age,name,tags", &[], "").unwrap();
    let body = br#"{"age":12345678901234567890.10,"tags":{"b":[1, 2]},"secret":1}"#;
    let row = one(body, &[]).unwrap().unwrap();
    assert_eq!(
        String::from_utf8(shown_row(&row, &plan.shown)).unwrap(),
        r#"{"years":12345678901234567890.10,"name":null,"tags":{"b":[1, 2]}}"#
    );
    assert!(one(b" ", &[]).unwrap().is_none());
    assert!(one(b"null", &[]).unwrap().is_none());
    assert!(one(b"[]", &[]).is_err());
}

#[test]
fn a_total_is_a_number_of_the_header_or_the_body() {
    let header = |text: &'static str| total(&Total::Header("x".to_owned()), move |_| Some(text.to_owned()), b"");
    assert_eq!(header("17").unwrap(), 17);
    assert_eq!(header("items 0-9/17").unwrap(), 17);
    assert!(header("*/*").is_err());
    let path = Total::Path(vec!["meta".to_owned(), "total".to_owned()]);
    assert_eq!(total(&path, |_| None, br#"{"meta":{"total":"5"}}"#).unwrap(), 5);
    assert!(total(&path, |_| None, b"[]").is_err());
}
