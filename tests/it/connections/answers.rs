//! What a test of a good connection tells.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::ways::LongWay;
use super::{DATABASE, at, server, step, test, warnings, world};
use crate::pgbouncer::pgbouncer;
use crate::world::run;

#[test]
fn a_good_connection_shows_server_rights_and_script() {
    run(async {
        let port = server().await;
        let report = test("postgresql", &at(port, "conn_modest")).await;
        assert_eq!(report["ok"], true, "{report}");
        for step in report["steps"].as_array().unwrap() {
            let expected = if step["name"] == "tls" { "warning" } else { "ok" };
            assert_eq!(step["outcome"], expected, "{report}");
            assert!(step["milliseconds"].is_f64());
        }
        let (latency, whole) = (
            report["latencyMs"].as_f64().unwrap(),
            report["durationMs"].as_f64().unwrap(),
        );
        assert!(0.0 < latency && latency < whole, "{report}");
        let server = &report["server"];
        assert_eq!(
            (&server["product"], &server["currentUser"]),
            (&json!("PostgreSQL"), &json!("conn_modest"))
        );
        assert_eq!(
            (&server["currentDatabase"], &server["pooler"]),
            (&json!(DATABASE), &json!(false))
        );
        assert_eq!(
            (&server["readOnly"], &server["tlsVersion"]),
            (&json!(false), &Value::Null)
        );
        let rights = &report["privileges"]["schemas"][0];
        assert_eq!(
            (&rights["tables"], &rights["delete"], &rights["more"]),
            (&json!(2), &json!(2), &json!(0))
        );
        assert_eq!(report["privileges"]["superuser"], false);
        assert_eq!(warnings(&report), ["no_tls"]);
        assert!(
            report["script"]
                .as_str()
                .unwrap()
                .contains("grant usage on schema \"api\" to \"conn_modest\";")
        );
    });
}

#[test]
fn logins_with_too_much_might_are_warned_of() {
    run(async {
        let port = server().await;
        for (login, expected) in [
            ("conn_super", vec!["no_tls", "superuser"]),
            ("conn_bypass", vec!["no_tls", "bypassrls"]),
        ] {
            let report = test("postgresql", &at(port, login)).await;
            assert_eq!(warnings(&report), expected, "{report}");
            assert!(
                report["script"]
                    .as_str()
                    .unwrap()
                    .contains("create role \"plinth_login\" login noinherit")
            );
        }
    });
}

#[test]
fn a_script_makes_of_a_reader_what_is_needed() {
    run(async {
        let port = server().await;
        let owner = crate::handmade::superuser(DATABASE).await;
        let sql = "create role conn_poor login password 'planted-connection-password' createrole; create schema poor;
                   create table poor.a (id serial); create table poor.b (id int);
                   grant create on schema poor to conn_poor; grant truncate on poor.a to conn_poor";
        owner.batch_execute(sql).await.unwrap();
        let body = json!({ "provider": "postgresql", "credentials": at(port, "conn_poor"), "schemas": ["poor"] });
        let before = super::test_of(&body).await;
        assert_eq!(step(&before, "privileges")["class"], "permission", "{before}");
        owner.batch_execute(before["script"].as_str().unwrap()).await.unwrap();
        let after = super::test_of(&body).await;
        assert_eq!(step(&after, "privileges")["outcome"], "ok", "{after}");
        let (login, rights) = (&after["privileges"], &after["privileges"]["schemas"][0]);
        assert_eq!((&rights["create"], &rights["more"]), (&json!(false), &json!(0)));
        assert_eq!(login["createRole"], false);
    });
}

#[test]
fn siblings_of_postgres_are_tested_as_it_is() {
    run(async {
        let port = server().await;
        let report = test("cockroachdb", &at(port, "conn_cockroach")).await;
        let server = &report["server"];
        assert_eq!(
            (&server["product"], &server["version"]),
            (&json!("CockroachDB"), &json!("24.1.0")),
            "{report}"
        );
        let report = test("postgresql", &at(port, "conn_cockroach")).await;
        assert!(warnings(&report).contains(&"cockroachdb"), "{report}");
        let report = test("cockroachdb", &at(port, "conn_modest")).await;
        assert_eq!(super::failed(&report), ("read".into(), "misconfigured".into()));
        let report = test("aws-rds", &at(port, "conn_modest")).await;
        assert_eq!((&report["ok"], &report["provider"]), (&json!(true), &json!("aws-rds")));
        let report = test("aws-rds", &at(port, "conn_rds_master")).await;
        assert!(warnings(&report).contains(&"rds_superuser"), "{report}");
        let report = test("supabase", &at(port, "conn_modest")).await;
        assert!(warnings(&report).contains(&"no_rls"), "{report}");
    });
}

#[test]
fn a_pooler_in_between_is_noticed() {
    run(async {
        server().await;
        let report = test("postgresql", &at(pgbouncer().await.port, "conn_modest")).await;
        assert_eq!(
            (&report["ok"], &report["server"]["pooler"]),
            (&json!(true), &json!(true)),
            "{report}"
        );
    });
}

#[test]
fn a_test_takes_four_round_trips_after_the_sign_in() {
    run(async {
        let delay = Duration::from_millis(20);
        let way = LongWay::to(server().await, delay).await;
        let report = test("postgresql", &at(way.port, "conn_modest")).await;
        assert_eq!(report["ok"], true, "{report}");
        // All questions together, then three trivial ones.
        assert_eq!(way.trips(), 4);
        let latency = report["latencyMs"].as_f64().unwrap();
        assert!(latency >= delay.as_secs_f64() * 1e3, "the way is part of it: {latency}");
    });
}

#[test]
fn the_catalogue_names_what_a_test_takes() {
    run(async {
        let shown = world().await.get("/api/providers").send().await.expect(StatusCode::OK);
        let providers = shown["providers"].as_array().unwrap();
        assert_eq!((providers.len(), shown["groups"].as_array().unwrap().len()), (10, 2));
        let postgresql = providers
            .iter()
            .find(|provider| provider["id"] == "postgresql")
            .unwrap();
        assert_eq!(postgresql["presets"].as_array().unwrap().len(), 4);
        let port = server().await;
        let known = at(port, "conn_modest");
        let fields = postgresql["fields"].as_array().unwrap();
        for (name, _) in known.as_object().unwrap() {
            assert!(fields.iter().any(|field| field["name"] == name.as_str()), "{name}");
        }
        let port = fields.iter().find(|field| field["name"] == "port").unwrap();
        assert_eq!(
            (&port["type"], &port["default"], &port["validation"]["maximum"]),
            (&json!("number"), &json!(5432), &json!(65535))
        );
        let password = fields.iter().find(|field| field["name"] == "password").unwrap();
        assert_eq!(
            (&password["secret"], &password["required"]),
            (&json!(true), &json!(true))
        );
    });
}
