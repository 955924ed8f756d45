//! Taking a MariaDB as a backend.

use http::StatusCode;
use serde_json::{Value, json};

use super::server::{PASSWORD, server};
use super::{body, own};
use crate::external::{bare, world};
use crate::world::{run, text};

#[test]
fn a_database_is_taken_by_its_parts_or_its_url() {
    run(async {
        let (world, server) = (world().await, server().await);
        let database = server.database().await;
        let parts = json!({ "host": "127.0.0.1", "port": server.port, "database": database, "username": database,
            "password": PASSWORD });
        let body = json!({ "backendType": "external",
            "config": { "externalProvider": "mysql", "credentials": parts } });
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let made = world.post(&path).bearer(&owner.token).json(&body).send().await;
        let made = made.expect(StatusCode::CREATED).to_string();
        for found in ["projects_client", "\"open_tasks\"", "rowsEstimate"] {
            assert!(made.contains(found), "{found}: {made}");
        }
        let shown = world.get(&path).bearer(&owner.token).send().await;
        let shown = shown.expect(StatusCode::OK).to_string();
        assert!(shown.contains("mysql") && shown.contains(&database), "{shown}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    });
}

#[test]
fn what_is_wrong_with_the_connection_is_told_before_it_is_taken() {
    run(async {
        let (world, server) = (world().await, server().await);
        let database = server.database().await;
        let good = body(server, &database);
        let with = |name: &str, value: Value| {
            let mut body = good.clone();
            let credentials = json!({ "host": "127.0.0.1", "port": server.port, "database": database,
                "username": database, "password": PASSWORD });
            body["config"]["credentials"] = credentials;
            body["config"]["credentials"][name] = value;
            body
        };
        let mut roles = good.clone();
        roles["config"]["rest"] = json!({ "anonRole": "web_anon" });
        let (owner, id, _) = bare(world).await;
        for (body, status, code) in [
            (with("password", json!("wrong")), 422, "external/credentials"),
            (with("username", json!("nobody")), 422, "external/credentials"),
            (with("database", json!("nowhere")), 422, "external/no-such-database"),
            (with("port", json!(1)), 502, "external/unreachable"),
            (with("sslMode", json!("require")), 502, "external/tls"),
            (with("host", json!("10.0.0.1")), 403, "outbound/forbidden"),
            (with("port", json!("x")), 400, "provisioning/config"),
            (roles, 400, "provisioning/config"),
        ] {
            let path = format!("/api/projects/{id}/backend/provision");
            let reply = world.post(&path).bearer(&owner.token).json(&body).send().await;
            let told = reply.text.clone();
            assert_eq!(reply.code(StatusCode::from_u16(status).unwrap()), code, "{body}");
            assert!(!told.contains(PASSWORD));
        }
    });
}

#[test]
fn the_description_lists_tables_and_keys() {
    run(async {
        let world = world().await;
        let (own, _) = own(world).await;
        let told = super::read(world, &own, "").await;
        let projects = &told["definitions"]["projects"]["properties"];
        assert!(
            text(&projects["id"], "description").contains("Primary Key"),
            "{projects}"
        );
        assert!(
            text(&projects["client_id"], "description").contains("clients.id"),
            "{projects}"
        );
        assert_eq!(told["definitions"]["clients"]["description"], "Who pays");
    });
}
