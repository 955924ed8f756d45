//! What is kept of how a user's own database fares.

use http::StatusCode;
use serde_json::{Value, json};

use super::{Own, world};
use crate::handmade::superuser;
use crate::world::{platform, run, unique};

/// A database with a login of its own, and what it is a project of.
async fn own() -> (Own, String, String) {
    platform().await;
    let (name, password) = (format!("own_{}", unique()), unique());
    let admin = superuser("postgres").await;
    for sql in [
        format!("create role {name} login password '{password}'"),
        format!("create database {name} owner {name}"),
    ] {
        admin.batch_execute(&sql).await.unwrap();
    }
    let sql = format!("create table public.notes (id int primary key); alter table public.notes owner to {name}");
    superuser(&name).await.batch_execute(&sql).await.unwrap();
    let port = plinth_local::testing::server().await.unwrap().port();
    let body = json!({ "backendType": "external", "config": { "externalProvider": "postgresql",
        "credentials": { "connectionString": format!("postgresql://{name}:{password}@127.0.0.1:{port}/{name}") } } });
    (Own::of(world().await, &body).await, name, password)
}

async fn health(own: &Own) -> Value {
    let path = own.provision();
    let found = world().await.get(&path).bearer(&own.owner.token).send().await;
    found.expect(StatusCode::OK)["connectionInfo"]["health"].clone()
}

/// Does that to the login, and ends the connections it has.
async fn alter(login: &str, what: &str) {
    let admin = superuser("postgres").await;
    let sql = format!(
        "alter role {login} {what}; select pg_terminate_backend(pid) from pg_stat_activity where usename = '{login}'"
    );
    admin.batch_execute(&sql).await.unwrap();
}

async fn read(own: &Own) -> StatusCode {
    let reply = world().await.get(&own.rest("notes")).key(&own.secret).send().await;
    reply.status
}

#[test]
fn a_database_that_fails_and_comes_back_is_shown_as_such() {
    run(async {
        let (own, login, password) = own().await;
        let fresh = health(&own).await;
        assert_eq!(fresh["status"], "ok", "it was tried: {fresh}");
        assert!(fresh["lastErrorAt"].is_null() && fresh["fix"].is_null(), "{fresh}");
        assert_eq!(read(&own).await, StatusCode::OK);

        for (harm, class, mend) in [
            ("password 'another'", "auth", format!("password '{password}'")),
            ("nologin", "account_locked", "login".to_owned()),
            (
                "connection limit 0",
                "too_many_connections",
                "connection limit -1".to_owned(),
            ),
        ] {
            alter(&login, harm).await;
            assert_eq!(read(&own).await, StatusCode::SERVICE_UNAVAILABLE, "{harm}");
            let failing = health(&own).await;
            assert_eq!(
                (&failing["status"], &failing["lastErrorClass"]),
                (&json!("failing"), &json!(class))
            );
            assert!(failing["cause"].is_string() && failing["fix"].is_string(), "{failing}");
            assert!(!failing.to_string().contains(&password));

            alter(&login, &mend).await;
            assert_eq!(read(&own).await, StatusCode::OK, "{mend}");
            let well = health(&own).await;
            assert_eq!(well["status"], "ok", "{well}");
            assert_eq!(well["lastErrorClass"], class, "what it was is remembered");
            assert!(well["fix"].is_null());
        }
    });
}

#[test]
fn what_is_wrong_with_a_request_says_nothing_of_the_database() {
    run(async {
        let (own, ..) = own().await;
        let bad = world()
            .await
            .get(&own.rest("notes?id=eq.x"))
            .key(&own.secret)
            .send()
            .await;
        assert_eq!(bad.code(StatusCode::BAD_REQUEST), "22P02");
        let after = health(&own).await;
        assert_eq!((&after["status"], &after["lastErrorAt"]), (&json!("ok"), &json!(null)));
    });
}
