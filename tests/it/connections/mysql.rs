//! The connection test against real MariaDB servers and real faults.

mod answers;
mod encrypted;
mod faults;

use serde_json::{Value, json};

use crate::mysql::server::{PASSWORD, Server};
use crate::world::unique;

/// A database with two tables, and an account that may do that there.
async fn account(server: &Server, rights: &str) -> String {
    let name = format!("conn_{}", unique());
    server
        .sql(&format!(
            "create database {name}; create table {name}.notes (id int primary key); create table {name}.tags (id int);
             create user '{name}'@'127.0.0.1' identified by '{PASSWORD}'"
        ))
        .await;
    for rights in rights.split(';').filter(|rights| !rights.trim().is_empty()) {
        let grant = rights.replace("$db", &name);
        server.sql(&format!("{grant} to '{name}'@'127.0.0.1'")).await;
    }
    name
}

const MODEST: &str = "grant select, insert, update, delete on $db.*";

/// `credentials` of that account for the database of its name.
fn at(port: u16, account: &str) -> Value {
    json!({ "host": "127.0.0.1", "port": port, "database": account, "username": account, "password": PASSWORD })
}

async fn test(credentials: &Value) -> Value {
    super::test_of(&json!({ "provider": "mysql", "credentials": credentials })).await
}
