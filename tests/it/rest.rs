//! A REST API of somebody's as a backend, as it is served, tried and tested.

mod connection;
mod faults;
mod provisioning;
mod rebinding;
pub mod server;
mod serving;

use http::StatusCode;
use serde_json::{Value, json};

use crate::external::{Own, world};
use crate::world::Reply;
use server::Api;

/// Every way to be read in parts, three rows at once.
fn map() -> Value {
    let order = json!({ "param": "sort", "columns": ["id", "name", "age"] });
    let filters = json!({ "place": "place", "age": "age" });
    let style = |style: &str, items: &str, pagination: Value| {
        json!({ "list": format!("/{style}/people"), "get": format!("/{style}/people/{{id}}"), "items": items,
            "item": "row", "pagination": pagination, "filters": filters, "order": order })
    };
    let mut people = style(
        "offset",
        "data",
        json!({ "style": "offset", "offsetParam": "skip", "maxSize": 3 }),
    );
    people["create"] = "/offset/people".into();
    people["update"] = "/offset/people/{id}".into();
    people["delete"] = "/offset/people/{id}".into();
    people["total"] = json!({ "path": "meta.total" });
    let mut pages = style(
        "page",
        "",
        json!({ "style": "page", "sizeParam": "limit", "maxSize": 4 }),
    );
    pages["total"] = json!({ "header": "X-Total-Count" });
    json!({
        "people": people,
        "pages": pages,
        "marks": style("cursor", "items", json!({ "style": "cursor", "cursorParam": "after", "sizeParam": "limit",
            "next": "next", "maxSize": 3 })),
        "links": style("link", "", json!({ "style": "link", "sizeParam": "limit", "maxSize": 3 })),
        "wholes": style("whole", "", json!({ "style": "none" })),
    })
}

/// `credentials` of that API, with this map.
fn credentials(api: &Api, resources: &Value) -> Value {
    let mut credentials = api.credentials("http");
    credentials["resources"] = resources.clone();
    credentials
}

/// The body of a provision.
fn body(credentials: &Value) -> Value {
    json!({ "backendType": "external", "config": { "externalProvider": "rest", "credentials": credentials } })
}

/// A project with that API for a backend.
pub async fn own(api: &Api) -> Own {
    Own::of(world().await, &body(&credentials(api, &map()))).await
}

async fn get(own: &Own, path: &str) -> Reply {
    world().await.get(&own.rest(path)).key(&own.secret).send().await
}

async fn read(own: &Own, path: &str) -> Value {
    get(own, path).await.expect(StatusCode::OK)
}

/// The ids of what is read.
async fn ids(own: &Own, path: &str) -> Vec<i64> {
    let rows = read(own, path).await;
    rows.as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_i64().unwrap())
        .collect()
}
