//! A REST API.

use std::sync::Arc;

use plinth::backend::Fut;
use serde_json::{Value, json};

use super::Server;
use crate::rest::server::{Api, Door};

struct Rest(Arc<Api>);

pub(super) async fn made() -> Box<dyn Server> {
    Box::new(Rest(Api::start(Door::Bearer).await))
}

/// A resource whose lists are read by offset, and sorted by any of these columns.
fn resource(name: &str, columns: &[(&str, &str)]) -> Value {
    let typed: serde_json::Map<_, _> = columns
        .iter()
        .map(|(name, of)| ((*name).to_owned(), json!(of)))
        .collect();
    let names: Vec<_> = columns.iter().map(|(name, _)| *name).collect();
    let (list, one) = (format!("/offset/{name}"), format!("/offset/{name}/{{id}}"));
    json!({ "list": list, "create": list, "get": one, "update": one, "delete": one, "items": "data", "item": "row",
        "pagination": { "style": "offset", "offsetParam": "skip", "sizeParam": "limit" },
        "total": { "path": "meta.total" }, "order": { "param": "sort", "columns": names }, "columns": typed })
}

impl Server for Rest {
    fn provider(&self) -> &'static str {
        "rest"
    }

    fn provision(&self) -> Value {
        let (int, text) = ("bigint", "text");
        let mut credentials = self.0.credentials("http");
        credentials["resources"] = json!({
            "clients": resource("clients", &[("id", int), ("name", text)]),
            "projects": resource("projects", &[("id", int), ("name", text), ("client_id", int)]),
            "tasks": resource("tasks", &[("id", int), ("project_id", int), ("title", text), ("rank", int)]),
            "tags": resource("tags", &[("id", int), ("word", text)]),
            "items": resource("items", &[("id", int), ("sku", text), ("name", text), ("price", "numeric"),
                ("made", "timestamp with time zone")]),
            "open_tasks": resource("open_tasks", &[("id", int), ("title", text), ("project", text)]),
            "documents": resource("documents", &[("id", int), ("body", "jsonb")]),
        });
        json!({ "backendType": "external", "config": { "externalProvider": "rest", "credentials": credentials,
            "rest": {} } })
    }

    fn knows_sql(&self) -> bool {
        false
    }

    fn restore(&self) -> Fut<'_, ()> {
        Box::pin(async {
            let fill = |table: &str, rows: Value| self.0.fill(table, rows.as_array().unwrap().clone());
            fill(
                "clients",
                json!([{ "id": 1, "name": "Apple" }, { "id": 2, "name": "Bär" }]),
            );
            fill(
                "projects",
                json!([
                    { "id": 1, "name": "iPod", "client_id": 1 }, { "id": 2, "name": "iPhone", "client_id": 1 },
                    { "id": 3, "name": "Honey", "client_id": 2 }, { "id": 4, "name": "Alone", "client_id": null },
                ]),
            );
            fill(
                "tasks",
                json!([
                    { "id": 1, "project_id": 1, "title": "draw", "rank": 2 }, { "id": 2, "project_id": 1, "title": "build", "rank": 1 },
                    { "id": 3, "project_id": 2, "title": "draw", "rank": null }, { "id": 4, "project_id": 3, "title": "catch", "rank": 5 },
                    { "id": 5, "project_id": 2, "title": "ship", "rank": 3 },
                ]),
            );
            fill("open_tasks", json!([{ "id": 4, "title": "catch", "project": "Honey" }]));
            fill(
                "tags",
                json!([{ "id": 1, "word": "hard" }, { "id": 2, "word": "fun" }, { "id": 3, "word": "lost" }]),
            );
            fill(
                "items",
                json!([
                    { "id": 1, "sku": "a-1", "name": "first", "price": 1.10, "made": "2024-01-01T00:00:00" },
                    { "id": 2, "sku": "b_2", "name": "Second", "price": 20.00, "made": "2024-01-02T00:00:00" },
                    { "id": 3, "sku": "c%3", "name": "third", "price": null, "made": "2024-01-03T00:00:00" },
                ]),
            );
            fill(
                "documents",
                json!([
                    { "id": 1, "body": { "a": [1, 2.5], "b": null, "c": "text" } }, { "id": 2, "body": { "a": [], "c": "other" } },
                ]),
            );
        })
    }
}
