//! A MariaDB of the user's own as a backend.

mod alike;
mod faults;
mod members;
mod planetscale;
mod provisioning;
mod random_rules;
mod rows;
mod rules;
pub mod server;
pub mod tls;

use http::StatusCode;
use serde_json::{Value, json};

use crate::external::Own;
use crate::world::World;
use server::{PASSWORD, Server};

/// The body of a provision of that database.
pub fn body(server: &Server, database: &str) -> Value {
    json!({ "backendType": "external", "config": { "externalProvider": "mysql", "credentials": {
        "connectionString": format!("mysql://{database}:{PASSWORD}@127.0.0.1:{}/{database}", server.port) } } })
}

/// A project on a fresh database with the fixtures, and the database's name.
async fn own(world: &World) -> (Own, String) {
    let server = server::server().await;
    let database = server.database().await;
    (Own::of(world, &body(server, &database)).await, database)
}

/// A read with the secret key.
async fn read(world: &World, own: &Own, path: &str) -> Value {
    let reply = world.get(&own.rest(path)).key(&own.secret).send().await;
    reply.expect(StatusCode::OK)
}
