//! Databases on a running server, copied from a prepared one instead of built anew.

use plinth::ident::Ident;
use tokio_postgres::{Client, NoTls};

use super::Server;
use crate::error::{Error, Result};

/// Creates the empty database `name`.
///
/// # Errors
/// It exists already, or the server is gone.
pub async fn create(server: &Server, name: &Ident) -> Result<()> {
    maintain(server, &format!("create database {}", name.quoted())).await
}

/// Creates the database `name` as a copy of `template`, to which nobody may be connected.
///
/// # Errors
/// As [`create`]; or somebody is connected to the template.
pub async fn copy(server: &Server, template: &Ident, name: &Ident) -> Result<()> {
    maintain(
        server,
        &format!("create database {} template {}", name.quoted(), template.quoted()),
    )
    .await
}

/// Drops the database `name`, its connections with it, if it exists.
///
/// # Errors
/// The server is gone.
pub async fn remove(server: &Server, name: &Ident) -> Result<()> {
    maintain(
        server,
        &format!("drop database if exists {} with (force)", name.quoted()),
    )
    .await
}

/// Runs one statement on the maintenance database, on a connection of its own: callers live on different runtimes.
async fn maintain(server: &Server, sql: &str) -> Result<()> {
    let failed = |error| Error::new(format!("`{sql}` failed")).caused_by(error);
    let (client, connection): (Client, _) = tokio_postgres::connect(server.url("postgres").expose(), NoTls)
        .await
        .map_err(failed)?;
    let connection = tokio::spawn(connection);
    let done = client.batch_execute(sql).await.map_err(failed);
    drop(client);
    // Its end is awaited, so that no session is left behind the caller's back.
    let _ = connection.await;
    done
}
