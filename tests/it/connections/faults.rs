//! Every class, from a real fault.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::ways::{Way, nothing, refusal, way};
use super::{at, failed, server, step, test, user, with, world};
use crate::world::{NOWHERE, run, text};

fn class(step: &str, class: &str) -> (String, String) {
    (step.to_owned(), class.to_owned())
}

#[test]
fn what_a_server_refuses_is_told_by_its_class() {
    run(async {
        let port = server().await;
        let modest = at(port, "conn_modest");
        for (credentials, step, expected) in [
            (
                with(modest.clone(), json!({ "password": "planted-wrong" })),
                "authenticate",
                "auth",
            ),
            (at(port, "conn_nobody"), "authenticate", "auth"),
            (at(port, "conn_locked"), "authenticate", "account_locked"),
            (
                with(modest.clone(), json!({ "database": "connections_none" })),
                "database",
                "db_missing",
            ),
            (
                with(modest.clone(), json!({ "database": "connections_closed" })),
                "database",
                "permission",
            ),
            (
                with(modest.clone(), json!({ "database": "connections_away" })),
                "database",
                "unavailable",
            ),
            (at(port, "conn_limited"), "database", "too_many_connections"),
            (
                with(modest.clone(), json!({ "sslMode": "verify-full" })),
                "tls",
                "tls_unsupported",
            ),
            (with(modest.clone(), json!({ "host": NOWHERE })), "resolve", "dns"),
            (
                with(modest.clone(), json!({ "host": "10.0.0.1" })),
                "resolve",
                "network_blocked",
            ),
            (
                with(modest.clone(), json!({ "host": "169.254.169.254" })),
                "resolve",
                "network_blocked",
            ),
            (at(nothing().await, "conn_modest"), "tcp", "refused"),
        ] {
            let report = test("postgresql", &credentials).await;
            assert_eq!(failed(&report), class(step, expected), "{credentials}: {report}");
            if (step, expected) == ("resolve", "network_blocked") {
                let fix = super::step(&report, "resolve")["fix"].to_string();
                assert!(fix.contains("PLINTH_OUTBOUND_ALLOW"), "{fix}");
            }
        }
    });
}

#[test]
fn what_a_schema_or_a_role_lacks_is_told() {
    run(async {
        let port = server().await;
        let body =
            json!({ "provider": "postgresql", "credentials": at(port, "conn_modest"), "schemas": ["api", "gone"] });
        let report = super::test_of(&body).await;
        assert_eq!(failed(&report), class("privileges", "misconfigured"));
        assert_eq!(step(&report, "privileges")["cause"], "There is no schema \"gone\"");

        let report = test("postgresql", &at(port, "conn_reader")).await;
        let privileges = step(&report, "privileges");
        assert_eq!(
            (&report["ok"], &privileges["outcome"]),
            (&json!(true), &json!("warning"))
        );
        assert_eq!(privileges["class"], "permission");
        assert_eq!(
            privileges["cause"],
            "Of 2 tables in \"api\" the login may read 1, insert into 0, update 0 and delete from 0"
        );

        let read_only = with(at(port, "conn_super"), json!({ "database": "connections_ro" }));
        let body = json!({ "provider": "postgresql", "credentials": read_only });
        let report = super::test_of(&body).await;
        assert_eq!(step(&report, "privileges")["class"], "read_only");
        assert_eq!(report["server"]["readOnly"], true);
    });
}

#[test]
fn what_breaks_on_the_way_is_told_in_time() {
    run(async {
        let port = server().await;
        let mysql = b"J\0\0\0\x0a8.4.0\0".to_vec();
        for (fault, tls, step, expected) in [
            (Way::Silence, false, "authenticate", "timeout"),
            (Way::Silence, true, "tls", "timeout"),
            (Way::Drip(Duration::from_millis(100)), false, "authenticate", "timeout"),
            (Way::Reset, false, "authenticate", "unavailable"),
            (Way::Reset, true, "tls", "unavailable"),
            (Way::Cut(1), false, "authenticate", "unavailable"),
            (Way::Cut(24), false, "authenticate", "unavailable"),
            (Way::Cut(200), false, "database", "unavailable"),
            (
                Way::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
                false,
                "authenticate",
                "protocol",
            ),
            (
                Way::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
                true,
                "tls",
                "protocol",
            ),
            (Way::Says(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), true, "tls", "protocol"),
            (Way::Says(b"N".to_vec()), true, "tls", "tls_unsupported"),
            (Way::Greets(mysql.clone()), false, "authenticate", "protocol"),
            (Way::Greets(mysql), true, "tls", "protocol"),
        ] {
            let mut credentials = at(way(fault.clone(), port).await, "conn_modest");
            if tls {
                credentials["sslMode"] = "verify-full".into();
            }
            let report = test("postgresql", &credentials).await;
            assert_eq!(failed(&report), class(step, expected), "{fault:?} {tls}: {report}");
        }
    });
}

#[test]
fn what_a_pooler_says_is_told_by_its_class() {
    run(async {
        let port = server().await;
        for (provider, state, said, expected) in [
            ("supabase", "XX000", "Tenant or user not found", "misconfigured"),
            (
                "supabase",
                "XX000",
                "Max client connections reached",
                "too_many_connections",
            ),
            (
                "supabase",
                "XX000",
                "Circuit breaker open: too many authentication errors",
                "rate_limited",
            ),
            ("aws-rds", "28000", "PAM authentication failed for user \"u\"", "auth"),
            (
                "postgresql",
                "57P03",
                "the database system is starting up",
                "unavailable",
            ),
            ("postgresql", "ZZ999", "planted text of a server", "unknown"),
        ] {
            let way = way(Way::Says(refusal(state, said)), port).await;
            let report = test(provider, &at(way, "conn_modest")).await;
            assert_eq!(failed(&report).1, expected, "{said}: {report}");
        }
    });
}

#[test]
fn a_connection_cut_anywhere_is_reported() {
    run(async {
        let port = server().await;
        for most in [0, 5, 9, 50, 120, 400, 600, 800] {
            let report = test("postgresql", &at(way(Way::Cut(most), port).await, "conn_modest")).await;
            let (_, class) = failed(&report);
            assert_eq!(class, "unavailable", "{most}: {report}");
        }
    });
}

#[test]
fn a_server_that_falls_silent_anywhere_is_reported_in_time() {
    run(async {
        let port = server().await;
        for (most, expected) in [(0, "authenticate"), (60, "authenticate"), (200, "database")] {
            let report = test("postgresql", &at(way(Way::Stall(most), port).await, "conn_modest")).await;
            assert_eq!(failed(&report), class(expected, "timeout"), "{most}: {report}");
        }
        // Signed in, with the answers to the questions under way.
        let report = test("postgresql", &at(way(Way::Stall(800), port).await, "conn_modest")).await;
        let (at, class) = failed(&report);
        assert!(["read", "facts"].contains(&at.as_str()), "{report}");
        assert_eq!((class.as_str(), &report["latencyMs"]), ("timeout", &Value::Null));
    });
}

#[test]
fn what_cannot_be_tried_is_refused_with_every_fault() {
    run(async {
        let token = &user().await.token;
        let send = async |body: Value| {
            let call = world().await.post("/api/connections/test").bearer(token).json(&body);
            call.send().await
        };
        let wrong = json!({ "host": "a b", "port": 0, "password": "planted", "sslmode": "x" });
        let reply = send(json!({ "provider": "postgresql", "credentials": wrong, "schemas": ["", "api"] })).await;
        assert_eq!(reply.code(StatusCode::BAD_REQUEST), "connections/credentials");
        let details = text(&reply.json(), "details");
        for path in [
            "credentials.host",
            "credentials.port",
            "credentials.database",
            "credentials.username",
            "credentials.sslmode",
            "schemas[0]",
        ] {
            assert!(details.contains(&format!("{path}: ")), "{path}: {details}");
        }
        assert!(!reply.text.contains("planted"));
        for (provider, credentials, status, code) in [
            (
                "mongodb",
                json!({}),
                StatusCode::NOT_IMPLEMENTED,
                "connections/provider-unsupported",
            ),
            ("mysql", json!({}), StatusCode::BAD_REQUEST, "connections/credentials"),
            (
                "oracle",
                json!({}),
                StatusCode::NOT_IMPLEMENTED,
                "connections/provider-unsupported",
            ),
            (
                "aws-rds",
                with(at(1, "u"), json!({ "auth": "iam" })),
                StatusCode::BAD_REQUEST,
                "connections/credentials",
            ),
            (
                "postgresql",
                with(at(1, "u"), json!({ "caCertificate": "planted" })),
                StatusCode::BAD_REQUEST,
                "connections/credentials",
            ),
            (
                "postgresql",
                json!({ "connectionString": "planted" }),
                StatusCode::BAD_REQUEST,
                "connections/credentials",
            ),
        ] {
            let reply = send(json!({ "provider": provider, "credentials": credentials })).await;
            assert_eq!(reply.code(status), code);
            assert!(!reply.text.contains("planted"), "{}", reply.text);
        }
    });
}
