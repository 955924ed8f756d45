//! `Prefer`, `Accept` and `Range`.

use super::super::super::fixtures::{headers, parsed};
use super::super::super::request::*;
use super::super::{accept, headers as reading};

#[test]
fn prefer_reads_several_headers_and_ignores_the_unknown() {
    let prefer = |pairs: &[(&str, &str)]| reading::prefer(&headers(pairs));
    let both = prefer(&[
        ("prefer", "return=representation, count=exact, foo=bar"),
        (
            "prefer",
            "resolution=merge-duplicates,missing=default, tx=rollback, timezone=Europe/Paris, max-affected=3",
        ),
        ("prefer", "return=minimal"),
    ]);
    assert_eq!(
        both.unwrap(),
        Prefer {
            resolution: Some(Resolution::Merge),
            missing: Some(Missing::Default),
            representation: Some(Return::Representation),
            count: Some(CountKind::Exact),
            tx: Some(TxEnd::Rollback),
            handling: None,
            timezone: Some("Europe/Paris".into()),
            max_affected: Some(3),
        }
    );
    let error = prefer(&[("prefer", "handling=strict, foo=bar, count=most")]).unwrap_err();
    assert_eq!(
        (error.code(), error.details()),
        ("PGRST122", Some("Invalid preferences: foo=bar, count=most"))
    );
}

#[test]
fn accept_ranks_by_quality_then_by_how_specific() {
    let accepted = |value: &str| {
        let types = accept::accept(&headers(&[("accept", value)]));
        types.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    for (value, types) in [
        ("*/*", "*/*"),
        ("application/json", "application/json"),
        ("", ""),
        (
            "text/html, application/json;q=0.9, */*;q=0.8",
            "text/html application/json */*",
        ),
        ("*/*, text/csv", "text/csv */*"),
        ("text/csv;q=0.5, application/json", "application/json text/csv"),
        ("text/csv;q=0, image/png;q=x", "image/png"),
        ("application/vnd.pgrst.object+json", "application/vnd.pgrst.object+json"),
        ("application/vnd.pgrst.array+json", "application/json"),
        (
            "application/json, application/vnd.pgrst.array+json;nulls=stripped",
            "application/vnd.pgrst.array+json;nulls=stripped application/json",
        ),
        (
            r#"application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object;nulls=stripped"; options=analyze|wal|x;"#,
            r#"application/vnd.pgrst.plan+json; for="application/vnd.pgrst.object+json;nulls=stripped"; options=analyze|wal"#,
        ),
        (
            "application/vnd.pgrst.plan",
            r#"application/vnd.pgrst.plan+text; for="application/json""#,
        ),
        (
            "application/vnd.pgrst.plan; for=\"application/vnd.pgrst.plan\"",
            r#"application/vnd.pgrst.plan+text; for="application/json""#,
        ),
    ] {
        assert_eq!(accepted(value), types, "{value}");
    }
}

#[test]
fn range_header_counts_for_reads_only() {
    let range = |method, value| parsed(method, "t", "", &[("range", value)], "{}").map(|request| request.range);
    assert_eq!(range(Method::Get, "0-9").unwrap(), Some((0, Some(9))));
    assert_eq!(range(Method::Head, "5-").unwrap(), Some((5, None)));
    assert_eq!(range(Method::Post, "0-9").unwrap(), None);
    assert_eq!(range(Method::Get, "bytes=0-9").unwrap(), None);
    assert_eq!(range(Method::Get, "9-0").unwrap_err().code(), "PGRST103");
}
