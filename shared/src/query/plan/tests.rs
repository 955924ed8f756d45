//! What the planner refuses, and how it says so.

use super::super::fixtures::{catalog, parsed, planned};
use super::*;

/// Method, table, query, headers, body; then what the error is.
type Refusal = (
    Method,
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static str,
    ErrorKind,
    &'static str,
);

const JSON: &[(&str, &str)] = &[];

#[test]
fn requests_outside_the_catalog_or_the_rules_are_refused() {
    use ErrorKind::*;
    use Method::*;
    const MERGE: &[(&str, &str)] = &[("prefer", "resolution=merge-duplicates")];
    let cases: &[Refusal] = &[
        (Get, "nope", "", JSON, "", NotFound, "PGRST205"),
        (Get, "pg_catalog.pg_class", "", JSON, "", NotFound, "PGRST205"),
        (Get, "todos", "select=nope", JSON, "", Invalid, "42703"),
        (Get, "todos", "nope=eq.1", JSON, "", Invalid, "42703"),
        (Get, "todos", "order=nope", JSON, "", Invalid, "42703"),
        (Get, "todos", "select=tableoid", JSON, "", Invalid, "42703"),
        (Get, "todos", "select=ctid", JSON, "", Invalid, "42703"),
        (Get, "todos", "ctid=eq.(0,1)", JSON, "", Invalid, "42703"),
        (Get, "todos", "order=xmin", JSON, "", Invalid, "42703"),
        (Get, "todos", "select=to_jsonb", JSON, "", Invalid, "42703"),
        (Get, "todos", "or=(tableoid.eq.1)", JSON, "", Invalid, "42703"),
        (
            Get,
            "todos",
            "select=id::regclass",
            JSON,
            "",
            Invalid,
            "records/cast-not-allowed",
        ),
        (
            Get,
            "todos",
            "select=id::xml",
            JSON,
            "",
            Invalid,
            "records/cast-not-allowed",
        ),
        (
            Get,
            "todos",
            "select=id::oid",
            JSON,
            "",
            Invalid,
            "records/cast-not-allowed",
        ),
        (
            Get,
            "todos",
            "select=id::todos",
            JSON,
            "",
            Invalid,
            "records/cast-not-allowed",
        ),
        (
            Get,
            "todos",
            "select=id::text[][]",
            JSON,
            "",
            Invalid,
            "records/cast-not-allowed",
        ),
        (
            Get,
            "todos",
            "title=fts(evil).a",
            JSON,
            "",
            Invalid,
            "records/search-config-not-allowed",
        ),
        (Get, "todos", "select=id,tags(a)", JSON, "", Invalid, "PGRST200"),
        (Get, "todos", "select=...tags(a)", JSON, "", Invalid, "PGRST200"),
        (Get, "todos", "select=id.sum()", JSON, "", Invalid, "PGRST123"),
        (Get, "todos", "order=tags(a)", JSON, "", Invalid, "PGRST108"),
        (Get, "todos", "tags.a=eq.1", JSON, "", Invalid, "PGRST108"),
        (Post, "todos", "", JSON, r#"{"nope":1}"#, Invalid, "PGRST204"),
        (
            Post,
            "todos",
            "columns=nope",
            JSON,
            r#"{"title":1}"#,
            Invalid,
            "PGRST204",
        ),
        (
            Post,
            "todos",
            "on_conflict=nope",
            MERGE,
            r#"{"title":1}"#,
            Invalid,
            "42703",
        ),
        (
            Post,
            "todos",
            "",
            JSON,
            r#"[{"title":1},{"done":true}]"#,
            Invalid,
            "PGRST102",
        ),
        (Post, "todos", "", JSON, r#"{"\u0000":1}"#, Invalid, "PGRST204"),
        (
            Patch,
            "todos",
            "id=eq.1",
            JSON,
            r#"[{"title":1},{"title":2}]"#,
            Invalid,
            "PGRST102",
        ),
        (Patch, "todos", "", JSON, r#"{"title":1}"#, Invalid, "21000"),
        (Delete, "todos", "", JSON, "", Invalid, "21000"),
        (Delete, "todos", "limit=1&order=id", JSON, "", Invalid, "21000"),
        (Put, "todos", "", JSON, r#"{"id":1}"#, MethodNotAllowed, "PGRST105"),
        (
            Put,
            "todos",
            "id=gt.1",
            JSON,
            r#"{"id":1}"#,
            MethodNotAllowed,
            "PGRST105",
        ),
        (
            Put,
            "todos",
            "id=eq.1&title=eq.x",
            JSON,
            r#"{"id":1}"#,
            MethodNotAllowed,
            "PGRST105",
        ),
        (
            Put,
            "todos",
            "id=eq.1&limit=1",
            JSON,
            r#"{"id":1}"#,
            Invalid,
            "PGRST114",
        ),
        (Put, "todos", "id=eq.1", JSON, r#"{"title":"x"}"#, Invalid, "PGRST115"),
    ];
    for (method, table, query, head, body, kind, code) in cases {
        let error = planned(*method, table, query, head, body).expect_err(query);
        assert_eq!(
            (error.kind(), error.code()),
            (*kind, *code),
            "{method:?} {table} {query}: {error:?}"
        );
    }
}

#[test]
fn a_slip_gets_the_nearest_name_as_hint() {
    let table = planned(Method::Get, "todo", "", JSON, "").unwrap_err();
    assert_eq!(
        table.public(),
        "Could not find the table 'app.todo' in the schema cache"
    );
    assert_eq!(table.hint(), Some("Perhaps you meant the table 'app.todos'"));
    let column = planned(Method::Get, "todos", "titel=eq.x", JSON, "").unwrap_err();
    assert_eq!(column.public(), "column todos.titel does not exist");
    assert_eq!(
        column.hint(),
        Some("Perhaps you meant to reference the column \"title\"")
    );
    let long = planned(Method::Get, &"x".repeat(1 << 20), "", JSON, "").unwrap_err();
    assert!(long.public().len() < 300 && long.hint().is_none());
}

#[test]
fn unfiltered_writes_pass_where_the_rules_allow_them() {
    let request = parsed(Method::Delete, "todos", "", JSON, "").unwrap();
    assert!(plan(request, &catalog(), &Rules::external(), RowAccess::All).is_ok());
}

#[test]
fn pages_are_the_intersection_of_query_range_and_maximum() {
    let cases = [
        ("", None, None, Page { offset: 0, limit: None }),
        (
            "limit=5&offset=3",
            None,
            None,
            Page {
                offset: 3,
                limit: Some(5),
            },
        ),
        (
            "",
            Some("0-9"),
            None,
            Page {
                offset: 0,
                limit: Some(10),
            },
        ),
        (
            "limit=5&offset=3",
            Some("4-100"),
            None,
            Page {
                offset: 4,
                limit: Some(4),
            },
        ),
        (
            "limit=5",
            Some("10-"),
            None,
            Page {
                offset: 10,
                limit: Some(0),
            },
        ),
        (
            "limit=5000",
            None,
            Some(100),
            Page {
                offset: 0,
                limit: Some(100),
            },
        ),
        (
            "",
            None,
            Some(100),
            Page {
                offset: 0,
                limit: Some(100),
            },
        ),
        (
            "limit=0",
            None,
            Some(100),
            Page {
                offset: 0,
                limit: Some(0),
            },
        ),
    ];
    for (query, range, max_rows, expected) in cases {
        let head: Vec<(&str, &str)> = range.map(|range| ("range", range)).into_iter().collect();
        let request = parsed(Method::Get, "todos", query, &head, "").unwrap();
        let plan = plan(
            request,
            &catalog(),
            &Rules {
                max_rows,
                ..Rules::managed()
            },
            RowAccess::All,
        )
        .unwrap();
        assert_eq!(plan.shown.page, expected, "{query} {range:?}");
    }
}

#[test]
fn stock_search_configurations_are_sorted_for_the_search() {
    for config in ["arabic", "english", "simple", "yiddish"] {
        assert!(SearchConfigRule::Stock.allows(config));
    }
    assert!(!SearchConfigRule::Stock.allows("pg_catalog.english"));
}

#[test]
fn every_listed_spelling_is_found() {
    for spelling in [
        "bigint",
        "timestamp with time zone",
        "VARCHAR",
        "double precision",
        "int2[]",
        "mood",
        "mood[]",
    ] {
        assert!(
            types::cast(spelling, &catalog(), CastRule::Listed).is_ok(),
            "{spelling}"
        );
    }
}

#[test]
fn allowed_methods_follow_what_the_relation_takes() {
    use crate::schema::catalog::Writable;
    let mut catalog = catalog();
    let mut allowed = |table: &str, (insert, update, delete): (bool, bool, bool)| {
        let writable = Writable { insert, update, delete };
        catalog.relations.get_mut(table).unwrap().writable = writable;
        allowed_on_table(table, &catalog).unwrap()
    };
    let all = "OPTIONS,GET,HEAD,POST,PUT,PATCH,DELETE";
    assert_eq!(allowed("tags", (true, true, true)), all);
    assert_eq!(allowed("tags", (false, false, false)), "OPTIONS,GET,HEAD");
    assert_eq!(allowed("tags", (true, false, true)), "OPTIONS,GET,HEAD,POST,DELETE");
    assert_eq!(
        allowed("odd\"; name", (true, true, true)),
        "OPTIONS,GET,HEAD,POST,PATCH,DELETE"
    );
    assert_eq!(
        allowed_on_table("tagz", &catalog).unwrap_err().hint(),
        Some("Perhaps you meant the table 'app.tags'")
    );
}

#[test]
fn media_types_are_settled_by_rules_and_what_there_is() {
    let (plain, explains) = (
        Rules::managed(),
        Rules {
            plan: true,
            ..Rules::managed()
        },
    );
    let settled = |accept: &str, rules: &Rules, own: Option<&str>| {
        let head = [("accept", accept)];
        let request = parsed(Method::Get, "todos", "", &head, "").unwrap();
        negotiate(&request.accept, rules, own).map(|accept| accept.content_type())
    };
    let plan = "application/vnd.pgrst.plan+json; for=\"text/csv\"";
    for (accept, rules, own, content_type) in [
        ("", &plain, None, "application/json; charset=utf-8"),
        ("text/html, */*", &plain, None, "application/json; charset=utf-8"),
        ("text/html, text/csv", &plain, None, "text/csv; charset=utf-8"),
        ("*/*", &plain, Some("image/png"), "image/png"),
        ("", &plain, Some("image/png"), "image/png"),
        ("image/png", &plain, Some("image/png"), "image/png"),
        ("text/plain", &plain, Some("text/plain"), "text/plain; charset=utf-8"),
        (
            "application/json",
            &plain,
            Some("image/png"),
            "application/json; charset=utf-8",
        ),
        (
            plan,
            &explains,
            None,
            "application/vnd.pgrst.plan+json; for=\"text/csv\"; charset=utf-8",
        ),
    ] {
        assert_eq!(settled(accept, rules, own).unwrap(), content_type, "{accept}");
    }
    for (accept, rules, message) in [
        ("text/html, image/png", &explains, "text/html, image/png"),
        ("application/geo+json", &explains, "application/geo+json"),
        (plan, &plain, plan),
        (
            "application/vnd.pgrst.plan;for=\"text/html\"",
            &explains,
            "application/vnd.pgrst.plan+text; for=\"text/html\"",
        ),
    ] {
        let error = settled(accept, rules, None).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotAcceptable, "PGRST107"));
        assert_eq!(
            error.public(),
            format!("None of these media types are available: {message}")
        );
    }
}
