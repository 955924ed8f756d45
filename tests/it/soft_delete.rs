//! Deleted columns, and deleted rows of tables that keep them: hidden from everything, restorable, purged in time.

mod columns;
mod doors;
mod model;
mod purge;
mod relations;
mod rights;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::tables::created;
use crate::world::{Project, Reply, text, world};

/// A request of the project's data API with that key.
async fn rest(method: Method, project: &Project, key: &str, path: &str, body: Option<Value>) -> Reply {
    let call = world().await.call(method, &project.rest(path)).key(key);
    let call = call.header("prefer", "return=representation");
    match body {
        Some(body) => call.json(&body).send().await,
        None => call.send().await,
    }
}

/// The same with the secret key.
async fn secretly(method: Method, project: &Project, path: &str, body: Option<Value>) -> Reply {
    rest(method, project, &project.secret, path, body).await
}

/// One of the JSON façades, as the project's owner.
async fn facade(project: &Project, operation: &str, body: Value) -> Reply {
    let call = world().await.post(&project.database(&format!("records/{operation}")));
    call.bearer(&project.owner.token).json(&body).send().await
}

/// The values of a column, in their order.
fn values(rows: &Value, column: &str) -> Vec<Value> {
    let mut values: Vec<Value> = rows.as_array().unwrap().iter().map(|row| row[column].clone()).collect();
    values.sort_by_key(Value::to_string);
    values
}

/// The rows of a table that a secret key sees, by one column.
async fn seen(project: &Project, table: &str, column: &str) -> Vec<Value> {
    let rows = secretly(Method::GET, project, &format!("{table}?select={column}"), None).await;
    values(&rows.expect(StatusCode::OK), column)
}

/// A table that keeps deleted rows, numbered by hand.
async fn notes(project: &Project) -> Value {
    let columns = json!([
        { "name": "id", "type": "integer", "primary_key": true },
        { "name": "title", "type": "text", "unique": true },
        { "name": "user_id", "type": "uuid", "default": "auth.uid()" },
    ]);
    let design =
        json!({ "name": "notes", "columns": columns, "policies": ["owner"], "timestamps": true, "softDelete": true });
    created(project, design).await
}

async fn insert(project: &Project, table: &str, rows: Value) {
    secretly(Method::POST, project, table, Some(rows))
        .await
        .expect(StatusCode::CREATED);
}

fn id_of(table: &Value) -> String {
    text(table, "id")
}
