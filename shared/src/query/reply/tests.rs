//! Statuses and headers, row by row.

use super::super::fixtures::planned;
use super::*;

/// Method, query, `Prefer`, body, rows of the page, total, new rows; then status and range.
type Answer = (
    Method,
    &'static str,
    &'static str,
    &'static str,
    u64,
    Option<u64>,
    Option<i64>,
    u16,
    &'static str,
);

fn answered(method: Method, query: &str, head: &[(&str, &str)], body: &str, counts: Counts) -> Result<Reply> {
    reply(&planned(method, "todos", query, head, body).unwrap(), counts)
}

fn header<'a>(reply: &'a Reply, name: &str) -> &'a str {
    reply
        .headers
        .iter()
        .find(|(other, _)| other == name)
        .map_or("", |(_, value)| value)
}

#[test]
fn status_and_range_follow_method_and_counts() {
    use Method::*;
    let count = "count=exact";
    let rep = "return=representation";
    let merge = "resolution=merge-duplicates";
    let rows = r#"{"id":1}"#;
    let cases: &[Answer] = &[
        (Get, "", "", "", 3, None, None, 200, "0-2/*"),
        (Get, "", "", "", 0, None, None, 200, "*/*"),
        (Get, "", count, "", 3, Some(3), None, 200, "0-2/3"),
        (Get, "limit=3", count, "", 3, Some(9), None, 206, "0-2/9"),
        (Get, "limit=3&offset=6", count, "", 3, Some(9), None, 206, "6-8/9"),
        (Get, "offset=9", count, "", 0, Some(9), None, 206, "*/9"),
        (Get, "", count, "", 0, Some(0), None, 200, "*/0"),
        (Head, "limit=3", count, "", 3, Some(9), None, 206, "0-2/9"),
        (Post, "", "", rows, 1, None, None, 201, "*/*"),
        (
            Post,
            "",
            "count=exact, return=representation",
            rows,
            2,
            Some(2),
            None,
            201,
            "*/2",
        ),
        (Post, "", "", "[]", 0, None, None, 201, "*/*"),
        (Post, "", merge, rows, 1, None, Some(1), 201, "*/*"),
        (Post, "", merge, rows, 1, None, Some(0), 200, "*/*"),
        (Patch, "id=eq.1", "", rows, 1, None, None, 204, "0-0/*"),
        (Patch, "id=eq.1", rep, rows, 1, None, None, 200, "0-0/*"),
        (Patch, "id=eq.1", rep, rows, 0, None, None, 200, "*/*"),
        (Delete, "id=eq.1", "", "", 1, None, None, 204, "*/*"),
        (Delete, "id=eq.1", count, "", 1, Some(1), None, 204, "*/1"),
        (Put, "id=eq.1", "", rows, 1, None, Some(1), 204, ""),
        (Put, "id=eq.1", rep, rows, 1, None, Some(1), 201, ""),
        (Put, "id=eq.1", rep, rows, 1, None, Some(0), 200, ""),
    ];
    for (method, query, prefer, body, page_rows, total_rows, inserted, status, range) in cases {
        let counts = Counts {
            body: Some("[]".into()),
            page_rows: *page_rows,
            total_rows: *total_rows,
            inserted: *inserted,
            ..Counts::default()
        };
        let reply = answered(*method, query, &[("prefer", prefer)], body, counts).unwrap();
        assert_eq!(
            (reply.status, header(&reply, "content-range")),
            (*status, *range),
            "{method:?} {query} {prefer}"
        );
        let shows = *method == Get || prefer.contains(rep);
        assert_eq!(reply.body.is_some(), shows, "{method:?} {prefer}");
        assert_eq!(!header(&reply, "content-type").is_empty(), shows || *method == Head);
    }
}

#[test]
fn offset_behind_the_total_is_416() {
    let counts = Counts {
        total_rows: Some(9),
        ..Counts::default()
    };
    let error = answered(Method::Get, "offset=10", &[("prefer", "count=exact")], "", counts).unwrap_err();
    assert_eq!((error.kind(), error.code()), (ErrorKind::Range, "PGRST103"));
    assert_eq!(
        error.details(),
        Some("An offset of 10 was requested, but there are only 9 rows.")
    );
    assert_eq!(error.headers(), [("content-range".to_owned(), "*/9".to_owned())]);
}

#[test]
fn singular_read_of_other_than_one_row_is_406() {
    for rows in [0, 2] {
        let counts = Counts {
            page_rows: rows,
            ..Counts::default()
        };
        let head = [("accept", "application/vnd.pgrst.object+json")];
        let error = answered(Method::Get, "", &head, "", counts).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::NotAcceptable, "PGRST116"));
        assert_eq!(error.details(), Some(&*format!("The result contains {rows} rows")));
    }
}

#[test]
fn location_is_encoded_and_preferences_are_listed_in_order() {
    let counts = Counts {
        page_rows: 1,
        location: Some(r#"{"id":"a b&c"}"#.into()),
        ..Counts::default()
    };
    let head = [(
        "prefer",
        "handling=strict, tx=commit, count=exact, return=headers-only, max-affected=1",
    )];
    let reply = answered(Method::Post, "", &head, r#"{"id":1}"#, counts).unwrap();
    assert_eq!(header(&reply, "location"), "/todos?id=eq.a%20b%26c");
    assert_eq!(
        header(&reply, "preference-applied"),
        "return=headers-only, count=exact, tx=commit, handling=strict"
    );
}

#[test]
fn preference_applied_names_what_the_method_honours() {
    use Method::*;
    let all = "max-affected=9, timezone=UTC, handling=strict, tx=rollback, count=exact, return=minimal, missing=default, \
               resolution=merge-duplicates";
    let rest = "count=exact, tx=rollback, handling=strict, timezone=UTC";
    for (method, query, body, applied) in [
        (Get, "", "", rest.to_owned()),
        (
            Post,
            "",
            "{}",
            format!("resolution=merge-duplicates, missing=default, return=minimal, {rest}"),
        ),
        (
            Patch,
            "id=eq.1",
            "{}",
            format!("missing=default, return=minimal, {rest}, max-affected=9"),
        ),
        (Put, "id=eq.1", r#"{"id":1}"#, format!("return=minimal, {rest}")),
        (Delete, "id=eq.1", "", format!("return=minimal, {rest}, max-affected=9")),
    ] {
        let counts = Counts {
            total_rows: Some(0),
            ..Counts::default()
        };
        let reply = answered(method, query, &[("prefer", all)], body, counts).unwrap();
        assert_eq!(header(&reply, "preference-applied"), applied, "{method:?}");
    }
}

#[test]
fn content_type_names_the_shape() {
    let vendor = "application/vnd.pgrst";
    for (accept, content_type) in [
        ("*/*", "application/json; charset=utf-8".to_owned()),
        ("text/csv", "text/csv; charset=utf-8".to_owned()),
        (
            "application/vnd.pgrst.array+json",
            "application/json; charset=utf-8".to_owned(),
        ),
        (
            "application/vnd.pgrst.array+json;nulls=stripped",
            format!("{vendor}.array+json;nulls=stripped; charset=utf-8"),
        ),
        (
            "application/vnd.pgrst.object",
            format!("{vendor}.object+json; charset=utf-8"),
        ),
        (
            "application/vnd.pgrst.plan;options=verbose|analyze",
            format!("{vendor}.plan+text; for=\"application/json\"; options=analyze|verbose; charset=utf-8"),
        ),
    ] {
        let counts = Counts {
            page_rows: 1,
            ..Counts::default()
        };
        let reply = answered(Method::Get, "", &[("accept", accept)], "", counts).unwrap();
        assert_eq!(header(&reply, "content-type"), content_type);
    }
}

#[test]
fn database_functions_may_choose_status_and_headers() {
    let counts = Counts {
        response_status: Some("418".into()),
        response_headers: Some(r#"[{"X-Tea":"mint"},{"Content-Type":"text/plain"}]"#.into()),
        ..Counts::default()
    };
    let reply = answered(Method::Get, "", &[], "", counts).unwrap();
    assert_eq!(
        (reply.status, header(&reply, "x-tea"), header(&reply, "content-type")),
        (418, "mint", "text/plain")
    );
    for (status, headers, code) in [
        (Some("tea"), None, "PGRST112"),
        (Some("99999"), None, "PGRST112"),
        (None, Some("{}"), "PGRST111"),
        (None, Some(r#"[{"a":1}]"#), "PGRST111"),
        (None, Some("[{}]"), "PGRST111"),
        (None, Some(r#"[{"a":"1","b":"2"}]"#), "PGRST111"),
        (None, Some(r#"[{"a b":"c"}]"#), "PGRST111"),
        (None, Some(r#"[{"a":"x\r\ny"}]"#), "PGRST111"),
    ] {
        let counts = Counts {
            response_status: status.map(str::to_owned),
            response_headers: headers.map(str::to_owned),
            ..Counts::default()
        };
        assert_eq!(answered(Method::Get, "", &[], "", counts).unwrap_err().code(), code);
    }
}
