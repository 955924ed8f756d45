//! One real Postgres per test process, and a database of its own for each test.
//!
//! The server starts on first use and goes when the process ends, with its folder, however the process ends.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};

use plinth::ident::Ident;
use plinth::sensitive::Sensitive;
use tokio::sync::{Mutex, OnceCell};

use crate::config::LocalConfig;
use crate::error::{Error, Result};
use crate::postgres::{Options, Server, template};

static SERVER: OnceCell<Server> = OnceCell::const_new();
/// Templates that are ready, by name. Held while one is made or copied: Postgres copies a template for one at a time.
static TEMPLATES: Mutex<Option<HashMap<&'static str, Ident>>> = Mutex::const_new(None);
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A database that belongs to one test.
#[derive(Debug, Clone)]
pub struct TestDatabase {
    name: Ident,
    url: Sensitive,
}

impl TestDatabase {
    /// Its name.
    pub fn name(&self) -> &Ident {
        &self.name
    }

    /// Its URL as the superuser.
    pub fn url(&self) -> &str {
        self.url.expose()
    }
}

/// The process's server: not durable, on a free port, in a temporary folder.
///
/// # Errors
/// As [`Server::temporary`]. A failed start is tried again by the next caller.
pub async fn server() -> Result<&'static Server> {
    SERVER
        .get_or_try_init(|| async {
            let config = LocalConfig::from_env()?;
            let mut options = Options::new("");
            // Each test has databases and platforms of its own, whose connections stay open until the process ends.
            options.max_connections = 600;
            options.binaries = config.postgres_bin;
            options.download_to = Some(config.data_dir.join("download"));
            Server::temporary(options).await
        })
        .await
}

/// A fresh, empty database.
///
/// # Errors
/// The server does not start or does not obey.
pub async fn empty_database() -> Result<TestDatabase> {
    let server = server().await?;
    let database = next(server)?;
    template::create(server, &database.name).await?;
    Ok(database)
}

/// A fresh copy of the database that `prepare` fills once per process and `name`, given its URL. `prepare` must not
/// leave a connection open.
///
/// # Errors
/// As [`empty_database`], or what `prepare` returns.
pub async fn database<F, E>(name: &'static str, prepare: impl FnOnce(String) -> F) -> Result<TestDatabase>
where
    F: Future<Output = Result<(), E>>,
    E: std::error::Error + Send + Sync + 'static,
{
    let server = server().await?;
    let database = next(server)?;
    let mut templates = TEMPLATES.lock().await;
    let templates = templates.get_or_insert_default();
    let prepared = match templates.get(name) {
        Some(prepared) => prepared.clone(),
        None => {
            let fresh = empty_database().await?;
            let done = prepare(fresh.url().to_owned()).await;
            done.map_err(|error| Error::new(format!("The template {name:?} could not be prepared")).caused_by(error))?;
            templates.insert(name, fresh.name.clone());
            fresh.name
        }
    };
    template::copy(server, &prepared, &database.name).await?;
    Ok(database)
}

fn next(server: &Server) -> Result<TestDatabase> {
    let name = format!("test_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let url = server.url(&name);
    let name = Ident::new(name).map_err(|error| Error::new("A test database has no name").caused_by(error))?;
    Ok(TestDatabase { name, url })
}
