//! The connection test against real servers and real faults: each is named for what it is, in time, and without a secret.

mod answers;
pub mod encrypted;
mod faults;
mod mysql;
mod saved;
pub mod ways;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use plinth::clock::SystemClock;
use plinth::control::scram_verifier;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::handmade::superuser;
use crate::world::{User, World, platform};

pub const PASSWORD: &str = "planted-connection-password";
const DATABASE: &str = "connections_own";
const DEADLINE: Duration = Duration::from_millis(1_500);

/// Logins and databases as somebody may have them.
const SQL: &str = "
    create schema api; create schema wide; create schema shim;
    create table api.notes (id int primary key); create table api.tags (id int primary key);
    create table wide.things (id int primary key);
    create function shim.version() returns text language sql as
      $$ select 'CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/01, go1.22)' $$;
    grant usage on schema api to conn_modest, conn_limited, conn_reader;
    grant usage on schema shim to conn_cockroach;
    grant select, insert, update, delete on all tables in schema api to conn_modest;
    grant select on api.notes to conn_reader;
    alter role conn_cockroach in database connections_own set search_path to shim, pg_catalog, public;
";

/// The world where loopback databases are allowed and tests are short.
pub async fn world() -> &'static World {
    static WORLD: OnceCell<World> = OnceCell::const_new();
    WORLD
        .get_or_init(|| async {
            let deadline = DEADLINE.as_millis().to_string();
            let platform = platform().await.with("PLINTH_OUTBOUND_ALLOW", "127.0.0.1");
            World::of(
                &platform.with("PLINTH_CONNECTION_TEST_TIMEOUT_MS", &deadline),
                Arc::new(SystemClock),
            )
        })
        .await
}

/// Somebody who tests.
async fn user() -> &'static User {
    static USER: OnceCell<User> = OnceCell::const_new();
    USER.get_or_init(|| async { world().await.user().await }).await
}

/// The tests' server, with a database of somebody's on it: its port.
pub async fn server() -> u16 {
    static MADE: OnceCell<u16> = OnceCell::const_new();
    let made = MADE.get_or_init(|| async {
        platform().await;
        let server = superuser("postgres").await;
        let verifier = scram_verifier(&PASSWORD.to_owned().into(), &[7; 16]);
        for (login, attributes) in [
            ("conn_modest", "login"),
            ("conn_reader", "login"),
            ("conn_cockroach", "login"),
            ("rds_superuser", "nologin"),
            ("rds_iam", "nologin"),
            ("conn_rds_master", "login in role rds_superuser"),
            ("conn_limited", "login connection limit 0"),
            ("conn_locked", "nologin"),
            ("conn_super", "login superuser"),
            ("conn_bypass", "login bypassrls"),
        ] {
            let sql = format!("create role {login} password '{verifier}' {attributes}");
            server.batch_execute(&sql).await.unwrap();
        }
        for database in [DATABASE, "connections_closed", "connections_away", "connections_ro"] {
            server
                .batch_execute(&format!("create database {database}"))
                .await
                .unwrap();
        }
        server
            .batch_execute("revoke connect on database connections_closed from public")
            .await
            .unwrap();
        server
            .batch_execute("alter database connections_away allow_connections false")
            .await
            .unwrap();
        server
            .batch_execute("alter database connections_ro set default_transaction_read_only to on")
            .await
            .unwrap();
        superuser(DATABASE).await.batch_execute(SQL).await.unwrap();
        plinth_local::testing::server().await.unwrap().port()
    });
    *made.await
}

/// `credentials` of that login at that port.
pub fn at(port: u16, login: &str) -> Value {
    json!({ "host": "127.0.0.1", "port": port, "database": DATABASE, "username": login, "password": PASSWORD })
}

/// Changes members of an object.
pub fn with(mut value: Value, changes: Value) -> Value {
    for (name, change) in changes.as_object().unwrap() {
        value[name] = change.clone();
    }
    value
}

/// What a test of these credentials answers. However it ends, it does so in time and tells no secret.
pub async fn test(provider: &str, credentials: &Value) -> Value {
    test_of(&json!({ "provider": provider, "credentials": credentials, "schemas": ["api"] })).await
}

pub async fn test_of(body: &Value) -> Value {
    let token = &user().await.token;
    let call = world().await.post("/api/connections/test").bearer(token).json(body);
    let began = std::time::Instant::now();
    let reply = call.send().await;
    let took = began.elapsed();
    assert!(took < DEADLINE + Duration::from_millis(500), "{took:?}");
    assert!(!reply.text.contains("planted"), "{}", reply.text);
    let report = reply.expect(StatusCode::OK);
    let logs = crate::logs::logged();
    for password in [PASSWORD, crate::mysql::server::PASSWORD] {
        assert!(!logs.contains(password), "the password was logged");
    }
    report
}

/// The step that failed, and its class.
#[track_caller]
pub fn failed(report: &Value) -> (String, String) {
    assert_eq!(report["ok"], false, "{report}");
    let steps = report["steps"].as_array().unwrap();
    let at = steps.iter().position(|step| step["outcome"] == "failed").unwrap();
    let step = &steps[at];
    for name in ["cause", "fix"] {
        assert!(step[name].as_str().is_some_and(|text| text.len() > 10), "{step}");
    }
    assert!(
        step["milliseconds"].is_f64() && step["retryable"].is_boolean(),
        "{step}"
    );
    for step in &steps[at + 1..] {
        assert_eq!(step["outcome"], "skipped", "{report}");
    }
    (
        step["name"].as_str().unwrap().into(),
        step["class"].as_str().unwrap().into(),
    )
}

/// A step of a report.
pub fn step<'a>(report: &'a Value, name: &str) -> &'a Value {
    let mut steps = report["steps"].as_array().unwrap().iter();
    steps.find(|step| step["name"] == name).unwrap()
}

/// The codes of its warnings.
pub fn warnings(report: &Value) -> Vec<&str> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    warnings.map(|warning| warning["code"].as_str().unwrap()).collect()
}
