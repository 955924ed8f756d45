//! What a test of a good connection tells.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::ways::{Ear, LongWay};
use super::super::{step, warnings};
use super::{MODEST, account, at, test};
use crate::mysql::server::server;
use crate::world::run;

#[test]
fn a_good_connection_shows_server_rights_and_script() {
    run(async {
        let server = server().await;
        let name = account(server, MODEST).await;
        let report = test(&at(server.port, &name)).await;
        assert_eq!(report["ok"], true, "{report}");
        for step in report["steps"].as_array().unwrap() {
            let expected = if step["name"] == "tls" { "warning" } else { "ok" };
            assert_eq!(step["outcome"], expected, "{report}");
            assert!(step["milliseconds"].is_f64());
        }
        assert!(report["latencyMs"].as_f64() < report["durationMs"].as_f64());
        let server = &report["server"];
        assert_eq!(
            (&server["product"], &server["currentUser"], &server["currentDatabase"]),
            (&json!("MariaDB"), &json!(format!("{name}@127.0.0.1")), &json!(name)),
            "{report}"
        );
        assert!(
            server["version"]
                .as_str()
                .unwrap()
                .starts_with(|c: char| c.is_ascii_digit())
        );
        assert_eq!(
            (
                &server["readOnly"],
                &server["pooler"],
                &server["tlsVersion"],
                &server["tlsCipher"]
            ),
            (&json!(false), &json!(false), &Value::Null, &Value::Null)
        );
        assert_eq!(server["settings"]["lowerCaseTableNames"], 0);
        let rights = &report["privileges"];
        assert_eq!(rights["database"], json!(["SELECT", "INSERT", "UPDATE", "DELETE"]));
        assert_eq!(
            (&rights["everywhere"], &rights["tables"], &rights["visibleTables"]),
            (&json!([]), &json!([]), &json!(2))
        );
        assert_eq!(warnings(&report), ["no_tls"]);
        let pattern = name.replace('_', "\\_");
        let script = format!("grant select, insert, update, delete on `{pattern}`.* to `{name}`@`127.0.0.1`;\n");
        assert_eq!(report["script"], script);
    });
}

#[test]
fn accounts_with_too_much_might_are_warned_of() {
    run(async {
        let server = server().await;
        for (rights, expected) in [
            ("grant all on *.*", vec!["all_privileges", "no_tls"]),
            ("grant super on *.*; grant all on $db.*", vec!["no_tls", "superuser"]),
        ] {
            let name = account(server, rights).await;
            let report = test(&at(server.port, &name)).await;
            let mut warnings = warnings(&report);
            warnings.sort_unstable();
            assert_eq!(warnings, expected, "{report}");
            assert!(
                report["script"]
                    .as_str()
                    .unwrap()
                    .contains("create user `plinth_login`@`%` require ssl account lock;")
            );
        }
    });
}

#[test]
fn a_script_makes_of_any_account_what_is_needed() {
    run(async {
        let server = server().await;
        for (rights, class) in [
            (
                "grant select on $db.notes; grant insert (id) on $db.tags; grant process on *.*",
                json!("permission"),
            ),
            (
                "grant all on $db.*; grant drop, select (id) on $db.notes; grant select on *.*",
                Value::Null,
            ),
        ] {
            let name = account(server, rights).await;
            server
                .sql(&format!(
                    "grant create on {name}.* to '{name}'@'127.0.0.1' with grant option"
                ))
                .await;
            let before = test(&at(server.port, &name)).await;
            assert_eq!(
                (&before["ok"], &step(&before, "privileges")["class"]),
                (&json!(true), &class),
                "{before}"
            );
            assert!(warnings(&before).contains(&"grant_option"), "{before}");
            server.sql(before["script"].as_str().unwrap()).await;
            let after = test(&at(server.port, &name)).await;
            assert_eq!(step(&after, "privileges")["outcome"], "ok", "{after}");
            assert_eq!(warnings(&after), ["no_tls"], "{after}");
            let rights = &after["privileges"];
            let mut database: Vec<&str> = rights["database"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect();
            database.sort_unstable();
            assert_eq!(database, ["DELETE", "INSERT", "SELECT", "UPDATE"], "{after}");
            assert_eq!(rights["everywhere"], json!([]), "{after}");
        }
        let mighty = account(server, "grant all on *.*").await;
        let script = test(&at(server.port, &mighty)).await["script"]
            .as_str()
            .unwrap()
            .to_owned();
        server.sql(&script).await;
        let sql = "alter user plinth_login@`%` identified by 'planted-mysql-password' require none account unlock";
        server.sql(sql).await;
        let fresh = json!({ "username": "plinth_login" });
        let report = test(&super::super::with(at(server.port, &mighty), fresh)).await;
        assert_eq!(
            (&report["ok"], step(&report, "privileges")["outcome"].as_str()),
            (&json!(true), Some("ok")),
            "{report}"
        );
        server.sql("drop user plinth_login@`%`").await;
    });
}

#[test]
fn partial_rights_and_roles_are_told() {
    run(async {
        let server = server().await;
        let name = account(server, "grant select on $db.notes").await;
        let report = test(&at(server.port, &name)).await;
        let privileges = step(&report, "privileges");
        assert_eq!(
            (&privileges["outcome"], &privileges["class"]),
            (&json!("warning"), &json!("permission"))
        );
        let cause = format!(
            "Of 1 tables that the account sees in \"{name}\" it may read 1, insert into 0, update 0 and delete from 0"
        );
        assert_eq!(privileges["cause"], cause);

        let name = account(server, "").await;
        let role = format!("role_{name}");
        server
            .sql(&format!(
                "create role {role}; grant select, insert, update, delete on {name}.* to {role};
                 grant {role} to '{name}'@'127.0.0.1'; set default role {role} for '{name}'@'127.0.0.1'"
            ))
            .await;
        let report = test(&at(server.port, &name)).await;
        assert_eq!(report["privileges"]["roles"], json!([role]), "{report}");
        assert_eq!(step(&report, "privileges")["outcome"], "ok", "{report}");
    });
}

#[test]
fn a_test_takes_four_round_trips_after_the_sign_in() {
    run(async {
        let server = server().await;
        let name = account(server, MODEST).await;
        let delay = Duration::from_millis(20);
        // The sign-in ends with the first packet that says that all is well.
        let ear = Ear {
            signed_in: |came| matches!(came, [_, 0, 0, 2..=6, 0, ..]),
            goodbye: |went| went == [1, 0, 0, 0, 1],
        };
        let way = LongWay::heard(server.port, delay, ear).await;
        let report = test(&at(way.port, &name)).await;
        assert_eq!(report["ok"], true, "{report}");
        // All questions together, then three trivial ones.
        assert_eq!(way.trips(), 4);
        assert!(
            report["latencyMs"].as_f64().unwrap() >= delay.as_secs_f64() * 1e3,
            "{report}"
        );
    });
}
