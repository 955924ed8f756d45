//! A platform user's own database: connected, set up, and worked with, on PostgreSQL and on MariaDB.

mod board;
mod connecting;
mod setup;

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use plinth::control::scram_verifier;
use plinth::personal::template;
use plinth::tenancy::Family;
use serde_json::{Value, json};

use crate::handmade::superuser;
use crate::mysql::server;
use crate::world::{Reply, User, World, unique};

const CONNECTION: &str = "/api/user/database-connection";
const SETUP: &str = "/api/user/database-connection/setup";
const PASSWORD: &str = "planted-personal/p@ssword";
/// As it is written in a connection string.
const ENCODED: &str = "planted-personal%2Fp%40ssword";

/// The world where loopback databases are allowed.
async fn world() -> &'static World {
    crate::external::world().await
}

/// An empty database of somebody's, and its login.
struct Database {
    family: Family,
    name: String,
    url: String,
}

impl Database {
    async fn empty(family: Family) -> Self {
        match family {
            Family::MySql => {
                let server = server::server().await;
                let name = server.empty_database().await;
                let url = format!("mysql://{name}:{}@127.0.0.1:{}/{name}", server::PASSWORD, server.port);
                Self { family, name, url }
            }
            _ => {
                let name = format!("personal_{}", unique());
                let verifier = scram_verifier(&PASSWORD.to_owned().into(), &[7; 16]);
                let server = superuser("postgres").await;
                let role = format!("create role {name} login password '{verifier}'");
                server.batch_execute(&role).await.unwrap();
                let database = format!("create database {name} owner {name}");
                server.batch_execute(&database).await.unwrap();
                let run = plinth_local::testing::server().await.unwrap();
                let url: tokio_postgres::Config = run.url(&name).expose().parse().unwrap();
                let port = url.get_ports()[0];
                Self {
                    family,
                    url: format!("postgresql://{name}:{ENCODED}@127.0.0.1:{port}/{name}?sslmode=disable"),
                    name,
                }
            }
        }
    }

    /// One with the template's tables, made by the SQL that is shown for copying.
    async fn with_template(family: Family) -> Self {
        let database = Self::empty(family).await;
        database.run(template::sql(family)).await;
        database
    }

    /// Runs SQL as the login.
    async fn run(&self, sql: &str) {
        match self.family {
            Family::MySql => {
                let opts = mysql_async::Opts::from_url(&self.url).unwrap();
                let opts = mysql_async::OptsBuilder::from_opts(opts).prefer_socket(false);
                let mut own = mysql_async::Conn::new(opts).await.unwrap();
                own.query_drop(sql).await.unwrap();
            }
            _ => {
                let (client, connection) = tokio_postgres::connect(&self.url, tokio_postgres::NoTls).await.unwrap();
                tokio::spawn(connection);
                client.batch_execute(sql).await.unwrap();
            }
        }
    }

    async fn connect(&self, user: &User) {
        let done = post(user, CONNECTION, &json!({ "connectionString": self.url })).await;
        assert_eq!(done.expect(StatusCode::OK), json!({ "success": true }));
    }
}

async fn get(user: &User, path: &str) -> Reply {
    world().await.get(path).bearer(&user.token).send().await
}

async fn post(user: &User, path: &str, body: &Value) -> Reply {
    world().await.post(path).bearer(&user.token).json(body).send().await
}

async fn delete(user: &User, path: &str) -> Reply {
    world().await.delete(path).bearer(&user.token).send().await
}

/// Whether a database is connected, as the API says it.
async fn connected(user: &User) -> bool {
    let state = get(user, CONNECTION).await.expect(StatusCode::OK);
    assert_eq!(state.as_object().unwrap().len(), 1);
    state["connected"].as_bool().unwrap()
}
