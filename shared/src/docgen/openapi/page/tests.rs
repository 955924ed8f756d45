use serde_json::json;

use super::*;

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": "<script>alert(1)</script>", "version": "1", "description": "One `two` \"three\"" },
        "servers": [{ "url": "https://example.com" }],
        "tags": [{ "name": "a\"b", "description": "Things" }],
        "paths": { "/x/{id}": { "get": {
            "operationId": "x.get", "summary": "Get <x>", "tags": ["a\"b"],
            "parameters": [{ "$ref": "#/components/parameters/id" }],
            "responses": { "200": { "description": "ok", "content": { "application/json": {
                "schema": { "type": "array", "items": { "$ref": "#/components/schemas/X" } }, "example": ["</pre><b>"] } } } },
        } } },
        "components": {
            "parameters": { "id": { "name": "id", "in": "path", "required": true, "schema": { "type": ["string", "null"], "format": "uuid" } } },
            "schemas": { "X": { "type": "object", "required": ["n"], "properties": { "n": { "enum": ["<i>", null] } } } },
        },
    })
}

#[test]
fn a_page_holds_everything_and_no_markup_of_the_document() {
    let html = render(&document());
    for wanted in [
        "&lt;script&gt;",
        "<code>two</code>",
        "id=\"x.get\"",
        "href=\"#x.get\"",
        "<code>/x/{id}</code>",
        "string (uuid) or null",
        "array of <a href=\"#schema-X\">X</a>",
        "&lt;/pre&gt;",
        "id=\"schema-X\"",
        "<code>n</code> <strong>required</strong>",
        "id=\"tag-a_b\"",
    ] {
        assert!(html.contains(wanted), "{wanted} is not in {html}");
    }
    for unwanted in ["<script", "<i>", "<b>", " src=", "http-equiv", "@import", "url("] {
        assert!(!html.contains(unwanted), "{unwanted}");
    }
}

#[test]
fn the_policy_lets_the_pages_own_style_in_and_nothing_else() {
    let policy = content_security_policy();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
    assert!(render(&document()).contains(&format!("<style>{STYLE}</style>")));
}
