//! Maps as they are given, derived from documents, and inferred from rows.

use serde_json::{Value, json};

use super::*;

#[test]
fn a_map_is_read_with_a_line_for_every_fault() {
    let wrong = resources(&json!({
        "a": { "list": "a", "get": "/a", "create": "/../x", "update": "/a/{id}/{id}", "nope": 1 },
        "b": { "list": "/b#c", "pagination": { "style": "magic", "maxSize": 0 }, "total": {}, "filters": { "x": "" },
            "order": { "param": "s" }, "columns": { "x": "blob" }, "updateMethod": "planted" },
        "c": {}, "d": 5, "e": { "list": "//planted", "get": "/%2e%2E/{id}" },
    }))
    .unwrap_err();
    let paths: Vec<&str> = wrong.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            ".a.nope",
            ".a.list",
            ".a.create",
            ".a.get",
            ".a.update",
            ".a.list",
            ".b.list",
            ".b.updateMethod",
            ".b.pagination.maxSize",
            ".b.pagination.style",
            ".b.total.header",
            ".b.filters.x",
            ".b.order.param",
            ".b.columns.x",
            ".b.list",
            ".c.list",
            ".d",
            ".d.list",
            ".e.list",
            ".e.get",
            ".e.list",
        ]
    );
    assert!(!format!("{wrong:?}").contains("planted"));
    assert!(resources(&json!({})).is_err() && resources(&json!([])).is_err());
}

fn document() -> Value {
    json!({
        "openapi": "3.1.0",
        "paths": {
            "/v1/orders": {
                "get": {
                    "parameters": [
                        { "name": "state", "in": "query", "schema": { "type": "string" } },
                        { "name": "expand", "in": "query" }, { "$ref": "#/components/parameters/Page" },
                        { "name": "per_page", "in": "query", "schema": { "type": "integer", "maximum": 25 } },
                    ],
                    "responses": { "200": { "headers": { "X-Total-Count": {} },
                        "content": { "application/json": { "schema": { "type": "object", "properties": {
                            "items": { "type": "array", "items": { "$ref": "#/components/schemas/Order" } } } } } } } },
                },
                "post": {},
            },
            "/v1/orders/{order_id}": { "get": { "responses": { "200": { "$ref": "#/components/responses/One" } } },
                "put": {}, "delete": {} },
            "/v1/loop": { "get": { "responses": { "200": { "$ref": "#/components/responses/Loop" } } } },
            "/health": { "get": { "responses": { "200": { "description": "fine" } } } },
        },
        "components": {
            "parameters": { "Page": { "name": "page", "in": "query" } },
            "responses": {
                "Loop": { "$ref": "#/components/responses/Loop" },
                "One": { "content": { "application/json": { "schema": { "properties": {
                    "order": { "$ref": "#/components/schemas/Order" } } } } } } },
            "schemas": {
                "Base": { "required": ["order_id"], "properties": { "order_id": { "type": "string", "format": "uuid" } } },
                "Order": { "allOf": [{ "$ref": "#/components/schemas/Base" }, { "properties": {
                    "state": { "type": ["string", "null"] }, "placed": { "type": "string", "format": "date-time" },
                    "sum": { "type": "number" }, "lines": { "type": "array" }, "parent": { "$ref": "#/components/schemas/Order" } } }] },
            },
        },
    })
}

#[test]
fn a_document_becomes_resources() {
    let found = describe(&document()).unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["orders"]);
    let orders = &found["orders"];
    let paths = [
        &orders.list,
        &orders.get,
        &orders.create,
        &orders.update,
        &orders.delete,
    ];
    assert_eq!(
        paths.map(Option::as_deref),
        [
            Some("/v1/orders"),
            Some("/v1/orders/{id}"),
            Some("/v1/orders"),
            None,
            Some("/v1/orders/{id}")
        ]
    );
    assert_eq!(
        (&*orders.id, &*orders.items, &*orders.item),
        ("order_id", &["items".to_owned()][..], &["order".to_owned()][..])
    );
    assert_eq!(orders.total, Some(Total::Header("X-Total-Count".to_owned())));
    assert_eq!(orders.filters.keys().collect::<Vec<_>>(), ["state"]);
    assert_eq!(orders.pagination.most(), Some(25));
    assert!(matches!(&orders.pagination, Pagination::Page { page, .. } if page == "page"));
    let columns: Vec<_> = orders
        .columns
        .iter()
        .map(|column| format!("{} {}", column.name, column.data_type))
        .collect();
    assert_eq!(
        columns,
        [
            "order_id uuid",
            "lines jsonb",
            "parent jsonb",
            "placed timestamp with time zone",
            "state text",
            "sum numeric"
        ]
    );
    for (document, why) in [
        (json!({}), "it is no OpenAPI document: openapi or swagger is missing"),
        (json!({ "openapi": "3.0.0" }), "its paths are missing"),
        (
            json!({ "swagger": "2.0", "paths": {} }),
            "no path of it answers a list of objects",
        ),
    ] {
        assert_eq!(describe(&document).unwrap_err(), why);
    }
}

#[test]
fn columns_are_inferred_from_rows() {
    let rows = json!([
        { "id": 1, "n": 1, "mixed": 1, "text": "a", "at": "2024-01-01T00:00:00Z", "none": null, "on": true },
        { "id": 2, "n": 1.5, "mixed": "a", "text": "2024-01-01", "at": null, "none": null, "tags": [] },
    ]);
    let rows: Vec<_> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row.as_object().unwrap().clone())
        .collect();
    let mut columns: Vec<_> = sampled(&rows)
        .into_iter()
        .map(|column| format!("{} {} {}", column.name, column.data_type, column.nullable))
        .collect();
    columns.sort();
    assert_eq!(
        columns,
        [
            "at timestamp with time zone true",
            "id bigint false",
            "mixed jsonb false",
            "n numeric false",
            "none jsonb true",
            "on boolean true",
            "tags jsonb true",
            "text text false",
        ]
    );
}
