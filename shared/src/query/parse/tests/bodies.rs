//! Bodies of every kind.

use super::super::super::fixtures::parsed;
use super::super::super::request::{Body, Method};
use super::super::body;
use crate::error::{ErrorKind, Result};

#[test]
fn bodies_are_json_objects() {
    let body = |text: &str| body(text.as_bytes());
    let one = body(r#"{"a":1e999,"b":{"c":[]},"a":2}"#).unwrap();
    assert_eq!(
        (one.is_array, one.rows, one.keys),
        (false, 1, vec!["a".to_owned(), "b".to_owned()])
    );
    for (text, rows, uniform) in [
        ("[]", 0, true),
        ("[{}]", 1, true),
        ("[{},{}]", 2, true),
        (r#"[{"a":1,"b":2},{"a":1,"b":2}]"#, 2, true),
        (r#"[{"a":1,"b":2},{"b":1,"\u0061":2}]"#, 2, true),
        (r#"[{"a":1,"b":2},{"a":1,"b":2,"a":3}]"#, 2, true),
        (r#"[{"a":1},{"b":1}]"#, 2, false),
        (r#"[{"a":1},{"a":1,"b":1}]"#, 2, false),
        (r#"[{"a":1,"b":1},{"a":1},{"a":1,"b":1}]"#, 3, false),
        (r#"[{"a":1},{}]"#, 2, false),
    ] {
        let many = body(text).unwrap();
        assert_eq!(
            (many.is_array, many.rows, many.uniform),
            (true, rows, uniform),
            "{text}"
        );
    }
    for bad in ["", "1", "\"a\"", "{", "{} {}", "null", "[", &"[".repeat(100_000)] {
        let error = body(bad).unwrap_err();
        assert_eq!((error.code(), error.public()), ("PGRST102", "Empty or invalid json"));
    }
    for bad in ["[1]", "[[]]", "[{},null]", "[{\"a\":1},\"x\"]"] {
        let error = body(bad).unwrap_err();
        assert_eq!(
            (error.code(), error.public()),
            ("PGRST102", "All object keys must match")
        );
    }
    assert_eq!(super::super::body(b"\xff").unwrap_err().code(), "PGRST102");
    let wide: Vec<String> = (0..2_000).map(|n| format!("\"k{n}\":1")).collect();
    assert_eq!(body(&format!("{{{}}}", wide.join(","))).unwrap_err().code(), "PGRST102");
}

fn posted(kind: &str, body: &str) -> Result<Body> {
    parsed(Method::Post, "t", "", &[("content-type", kind)], body).map(|request| request.body.unwrap())
}

#[test]
fn csv_lines_become_objects() {
    for (text, rows, json) in [
        ("a,b\n1,x\n2,NULL\n", 2, r#"[{"a":"1","b":"x"},{"a":"2","b":null}]"#),
        (
            "a,\"b,c\"\r\n\"x \"\"y\"\"\nz\",\r\n\r\n",
            1,
            r#"[{"a":"x \"y\"\nz","b,c":""}]"#,
        ),
        ("\u{feff}a\n\"NULL\"", 1, r#"[{"a":null}]"#),
        ("a\n\\1", 1, r#"[{"a":"\\1"}]"#),
        ("a,b", 0, "[]"),
    ] {
        let body = posted("text/csv; charset=utf-8", text).unwrap();
        assert_eq!((body.rows, &*body.json), (rows, json), "{text}");
        assert!(body.is_array && body.uniform);
    }
    for (bad, message) in [
        ("", "Empty or invalid csv"),
        ("a,b\n1", "All lines must have same number of fields"),
        ("a\n1,2", "All lines must have same number of fields"),
        ("a\n\"x", "Empty or invalid csv"),
        ("a\n\"x\"y", "Empty or invalid csv"),
    ] {
        let error = posted("text/csv", bad).unwrap_err();
        assert_eq!((error.code(), error.public()), ("PGRST102", message), "{bad}");
    }
}

#[test]
fn forms_become_one_object() {
    let form = |text: &str| posted("application/x-www-form-urlencoded", text);
    let body = form("b=x+y%2B&a=1&a=2&c").unwrap();
    assert_eq!(&*body.json, r#"{"a":"2","b":"x y+","c":""}"#);
    assert!(!body.is_array && body.rows == 1);
    assert_eq!(&*form("").unwrap().json, "{}");
    assert_eq!(form("a=%ff").unwrap_err().code(), "PGRST102");
}

#[test]
fn other_content_types_are_refused() {
    for fine in ["application/json; charset=utf-8", "Application/JSON", ""] {
        assert!(posted(fine, "{}").is_ok(), "{fine}");
    }
    for bad in [
        "text/html",
        "text/plain",
        "application/octet-stream",
        "multipart/form-data; x",
    ] {
        let error = posted(bad, "{}").unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::UnsupportedMedia, "PGRST102"));
        assert!(error.public().starts_with("Content-Type not acceptable: "), "{bad}");
    }
}
