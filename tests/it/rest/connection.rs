//! The connection test of an API: each step, each class, in time and without a secret.

use std::time::Duration;

use http::StatusCode;
use serde_json::{Value, json};

use super::server::{Api, Certificate, Door, SECRET};
use super::{body, credentials, map};
use crate::connections::ways::{Way, nothing, way};
use crate::connections::{failed, step, test, warnings, with};
use crate::external::{Own, world};
use crate::world::{NOWHERE, run};

fn class(step: &str, class: &str) -> (String, String) {
    (step.to_owned(), class.to_owned())
}

#[test]
fn a_good_api_passes_every_step() {
    run(async {
        let certificate = Certificate::make("127.0.0.1", 2040);
        for door in [
            Door::Open,
            Door::Bearer,
            Door::Basic,
            Door::Header,
            Door::Query,
            Door::OAuth2,
        ] {
            let api = Api::start_tls(door, &certificate).await;
            let mut given = api.credentials("https");
            given["resources"] = map();
            given["caCertificate"] = certificate.authority.clone().into();
            let report = test("rest", &given).await;
            assert_eq!(report["ok"], true, "{door:?}: {report}");
            for name in ["resolve", "tcp", "tls", "authenticate", "database", "read", "facts"] {
                assert_eq!(step(&report, name)["outcome"], "ok", "{name}: {report}");
            }
            assert_eq!(step(&report, "privileges")["outcome"], "warning");
            assert!(report["latencyMs"].as_f64().unwrap() > 0.0);
            let server = &report["server"];
            assert_eq!(
                (&server["product"], &server["version"]),
                (&json!("REST API"), &json!("somebody's/1.0"))
            );
            assert_eq!(server["tlsVersion"], "TLSv1.3");
            assert!(
                server["certificateExpiresAt"]
                    .as_str()
                    .unwrap()
                    .starts_with("2040-01-01")
            );
            // The document, the list and the three trivial questions; with the token what proves who asks.
            let calls = api.calls();
            assert!(calls.len() <= 6, "{calls:?}");
        }
        assert!(!crate::logs::logged().contains(SECRET), "a secret was logged");
    });
}

#[test]
fn what_an_api_refuses_is_told_by_its_class() {
    run(async {
        let api = Api::start(Door::Bearer).await;
        let good = credentials(&api, &map());
        let list = |path: &str| json!({ "resources": { "t": { "list": path } } });
        for (changes, step, expected) in [
            (json!({ "token": "planted-wrong" }), "authenticate", "auth"),
            (list("/odd/401"), "authenticate", "auth"),
            (list("/odd/403"), "database", "permission"),
            (list("/odd/404"), "database", "misconfigured"),
            (list("/odd/429"), "database", "rate_limited"),
            (list("/odd/500"), "database", "unavailable"),
            (list("/odd/503"), "database", "unavailable"),
            (list("/odd/html"), "database", "protocol"),
            (list("/odd/page"), "database", "protocol"),
            (list("/odd/away"), "database", "misconfigured"),
            (list("/odd/huge"), "database", "misconfigured"),
            (list("/odd/object"), "read", "protocol"),
            (list("/odd/numbers"), "read", "protocol"),
            (json!({ "healthPath": "/odd/503" }), "database", "unavailable"),
            (
                json!({ "resources": null, "openapiPath": "/odd/object" }),
                "database",
                "misconfigured",
            ),
            (
                json!({ "baseUrl": format!("http://127.0.0.1:{}/v2", api.port) }),
                "database",
                "misconfigured",
            ),
            (
                json!({ "baseUrl": format!("http://127.0.0.1:{}/v1", nothing().await) }),
                "tcp",
                "refused",
            ),
            (json!({ "baseUrl": format!("https://{NOWHERE}/v1") }), "resolve", "dns"),
            (
                json!({ "baseUrl": "https://10.0.0.1/v1" }),
                "resolve",
                "network_blocked",
            ),
            (
                json!({ "baseUrl": "https://169.254.169.254/latest" }),
                "resolve",
                "network_blocked",
            ),
        ] {
            let report = test("rest", &with(good.clone(), changes.clone())).await;
            assert_eq!(failed(&report), class(step, expected), "{changes}: {report}");
            let told = super::super::connections::step(&report, step);
            assert!(!told["fix"].as_str().unwrap().is_empty(), "{report}");
            if expected == "rate_limited" {
                assert_eq!(told["fix"], "Wait 7 seconds and try again");
            }
        }
        let oauth = Api::start(Door::OAuth2).await;
        let good = credentials(&oauth, &map());
        for (changes, expected) in [
            (json!({ "clientSecret": "planted-wrong" }), "auth"),
            (
                json!({ "tokenUrl": format!("http://127.0.0.1:{}/token", nothing().await) }),
                "refused",
            ),
            (json!({ "tokenUrl": "https://10.0.0.1/token" }), "network_blocked"),
        ] {
            let report = test("rest", &with(good.clone(), changes.clone())).await;
            assert_eq!(failed(&report), class("authenticate", expected), "{changes}: {report}");
        }
    });
}

#[test]
fn what_breaks_on_the_way_is_told_in_time() {
    run(async {
        let certificate = Certificate::make("127.0.0.1", 2040);
        let tls = Api::start_tls(Door::Open, &certificate).await;
        let plain = Api::start(Door::Open).await;
        for (fault, encrypted, step, expected) in [
            (Way::Silence, false, "authenticate", "timeout"),
            (Way::Silence, true, "tls", "timeout"),
            (Way::Drip(Duration::from_millis(100)), false, "authenticate", "timeout"),
            (Way::Drip(Duration::from_millis(100)), true, "tls", "timeout"),
            (Way::Stall(60), false, "authenticate", "timeout"),
            (Way::Reset, false, "authenticate", "unavailable"),
            (Way::Reset, true, "tls", "unavailable"),
            (Way::Cut(20), false, "authenticate", "unavailable"),
            (Way::Cut(200), true, "tls", "unavailable"),
            (
                Way::Says(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
                true,
                "tls",
                "protocol",
            ),
            (
                Way::Greets(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
                true,
                "tls",
                "protocol",
            ),
        ] {
            let api = if encrypted { &tls } else { &plain };
            let scheme = if encrypted { "https" } else { "http" };
            let port = way(fault.clone(), api.port).await;
            let mut given = json!({ "baseUrl": format!("{scheme}://127.0.0.1:{port}/v1"), "resources": map() });
            if encrypted {
                given["caCertificate"] = certificate.authority.clone().into();
            }
            let report = test("rest", &given).await;
            assert_eq!(
                failed(&report),
                class(step, expected),
                "{fault:?} {encrypted}: {report}"
            );
        }
    });
}

#[test]
fn certificates_are_judged_and_told_by_their_class() {
    run(async {
        for (host, until, trusted, expected) in [
            ("127.0.0.1", 2040, true, None),
            ("127.0.0.1", 2040, false, Some("tls_untrusted")),
            ("other.example.com", 2040, true, Some("tls_hostname")),
            ("127.0.0.1", 2021, true, Some("tls_expired")),
        ] {
            let certificate = Certificate::make(host, until);
            let api = Api::start_tls(Door::Open, &certificate).await;
            let mut given = api.credentials("https");
            given["resources"] = map();
            if trusted {
                given["caCertificate"] = certificate.authority.clone().into();
            }
            let report = test("rest", &given).await;
            match expected {
                None => assert_eq!(report["ok"], true, "{report}"),
                Some(expected) => assert_eq!(failed(&report), class("tls", expected), "{report}"),
            }
        }
        let plain = Api::start(Door::Open).await;
        let report = test("rest", &credentials(&plain, &map())).await;
        assert!(warnings(&report).contains(&"no_tls"), "{report}");
        let mut spoken = plain.credentials("https");
        spoken["resources"] = map();
        assert_eq!(failed(&test("rest", &spoken).await), class("tls", "protocol"));
    });
}

#[test]
fn what_is_kept_is_tested_alike() {
    run(async {
        let api = Api::start(Door::OAuth2).await;
        let own = Own::of(world().await, &body(&credentials(&api, &map()))).await;
        let path = format!("/api/projects/{}/backend/test", own.id);
        let tested = world().await.post(&path).bearer(&own.owner.token).send().await;
        let report: Value = tested.expect(StatusCode::OK);
        assert_eq!(report["ok"], true, "{report}");
        assert!(!report.to_string().contains("planted"), "{report}");
    });
}
