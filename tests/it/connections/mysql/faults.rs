//! Every class, from a real fault or a real setting of a server.

use std::time::Duration;

use mysql_async::prelude::Queryable as _;
use serde_json::json;

use super::super::ways::{Way, nothing, way};
use super::super::{failed, step, warnings, with};
use super::{MODEST, account, at, test};
use crate::mysql::server::{Server, server};
use crate::world::{NOWHERE, run};

fn class(step: &str, class: &str) -> (String, String) {
    (step.to_owned(), class.to_owned())
}

#[test]
fn what_a_server_refuses_is_told_by_its_class() {
    run(async {
        let server = server().await;
        let port = server.port;
        let modest = account(server, MODEST).await;
        let wide = account(server, "grant select, insert, update, delete on *.*").await;
        let (locked, expired) = (account(server, MODEST).await, account(server, MODEST).await);
        let (limited, hurried) = (account(server, MODEST).await, account(server, MODEST).await);
        for (name, change) in [
            (&locked, "account lock"),
            (&expired, "password expire"),
            (&limited, "with max_user_connections 1"),
            (&hurried, "with max_connections_per_hour 1"),
        ] {
            server.sql(&format!("alter user '{name}'@'127.0.0.1' {change}")).await;
        }
        let known = at(port, &modest);
        let _held = {
            let mut opts = mysql_async::OptsBuilder::default()
                .ip_or_hostname("127.0.0.1")
                .tcp_port(port);
            opts = opts
                .user(Some(&limited))
                .pass(Some(crate::mysql::server::PASSWORD))
                .prefer_socket(false);
            mysql_async::Conn::new(opts).await.unwrap()
        };
        assert_eq!(test(&at(port, &hurried)).await["ok"], true);
        for (credentials, step, expected) in [
            (
                with(known.clone(), json!({ "password": "planted-wrong" })),
                "authenticate",
                "auth",
            ),
            (
                with(known.clone(), json!({ "username": "nobody" })),
                "authenticate",
                "auth",
            ),
            (at(port, &locked), "authenticate", "account_locked"),
            (at(port, &expired), "read", "account_locked"),
            (
                with(at(port, &wide), json!({ "database": "connections_none" })),
                "database",
                "db_missing",
            ),
            (
                with(known.clone(), json!({ "database": "connections_none" })),
                "database",
                "permission",
            ),
            (
                with(known.clone(), json!({ "database": wide })),
                "database",
                "permission",
            ),
            (at(port, &limited), "authenticate", "too_many_connections"),
            (at(port, &hurried), "authenticate", "rate_limited"),
            (
                with(known.clone(), json!({ "sslMode": "verify-full" })),
                "tls",
                "tls_unsupported",
            ),
            (with(known.clone(), json!({ "host": NOWHERE })), "resolve", "dns"),
            (
                with(known.clone(), json!({ "host": "10.0.0.1" })),
                "resolve",
                "network_blocked",
            ),
            (at(nothing().await, &modest), "tcp", "refused"),
        ] {
            let report = test(&credentials).await;
            assert_eq!(failed(&report), class(step, expected), "{credentials}: {report}");
        }
    });
}

#[test]
fn what_a_servers_settings_forbid_is_told_by_its_class() {
    run(async {
        let server = Server::start("TERM", None).await;
        let name = account(&server, MODEST).await;
        let known = at(server.port, &name);
        let mut admin = server.admin(None).await.unwrap();

        admin
            .query_drop("set global read_only = on; set global sql_mode = ''")
            .await
            .unwrap();
        let report = test(&known).await;
        let privileges = step(&report, "privileges");
        assert_eq!(
            (&report["ok"], &privileges["class"]),
            (&json!(true), &json!("read_only")),
            "{report}"
        );
        assert_eq!(report["server"]["readOnly"], true);
        assert_eq!(warnings(&report), ["no_tls", "not_strict"]);

        let mut held = Vec::new();
        admin.query_drop("set global max_connections = 10").await.unwrap();
        // One more is let in: an administrator.
        while let Ok(conn) = server.admin(None).await {
            held.push(conn);
        }
        assert_eq!(
            failed(&test(&known).await),
            class("authenticate", "too_many_connections")
        );
        for conn in held {
            conn.disconnect().await.unwrap();
        }

        // No account may come from here any more.
        admin
            .query_drop(
                "delete from mysql.global_priv where user not in ('mariadb.sys', 'root') and host = '127.0.0.1';
                 delete from mysql.global_priv where host in ('127.0.0.1', '%'); flush privileges",
            )
            .await
            .unwrap();
        assert_eq!(failed(&test(&known).await), class("authenticate", "network_blocked"));
        server.stop();
        assert_eq!(failed(&test(&known).await), class("tcp", "refused"));
    });
}

/// A packet of a server that refuses before anybody has said a word.
fn refusal(code: u16, text: &str) -> Vec<u8> {
    packet(0, &[&[0xff], &code.to_le_bytes()[..], text.as_bytes()].concat())
}

fn packet(number: u8, words: &[u8]) -> Vec<u8> {
    let length = u32::try_from(words.len()).unwrap().to_le_bytes();
    [&length[..3], &[number], words].concat()
}

/// What a MySQL 8 says first, without TLS.
fn greeting() -> Vec<u8> {
    let mut words = b"\x0a8.0.36\0\x01\0\0\0abcdefgh\0".to_vec();
    words.extend([0xff, 0xf7, 45, 2, 0, 0xff, 0xc1, 21]);
    words.extend([0; 10]);
    words.extend(b"ijklmnopqrst\0caching_sha2_password\0");
    packet(0, &words)
}

#[test]
fn what_breaks_on_the_way_is_told_in_time() {
    run(async {
        let server = server().await;
        let name = account(server, MODEST).await;
        for (fault, tls, step, expected) in [
            (Way::Silence, false, "authenticate", "timeout"),
            (Way::Silence, true, "tls", "timeout"),
            (Way::Drip(Duration::from_millis(50)), false, "authenticate", "timeout"),
            (Way::Cut(0), false, "authenticate", "unavailable"),
            (Way::Cut(1), true, "tls", "unavailable"),
            (Way::Cut(40), false, "authenticate", "unavailable"),
            (Way::Stall(40), true, "tls", "timeout"),
            (Way::Stall(40), false, "authenticate", "timeout"),
            (
                Way::Greets(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()),
                true,
                "tls",
                "protocol",
            ),
            (
                Way::Greets(b"220 mail.example.com ESMTP\r\n".to_vec()),
                false,
                "authenticate",
                "protocol",
            ),
            (
                Way::Greets(refusal(1040, "Too many connections")),
                true,
                "tls",
                "too_many_connections",
            ),
            (
                Way::Greets(refusal(1129, "Host is blocked")),
                false,
                "authenticate",
                "network_blocked",
            ),
            (
                Way::Greets(refusal(1053, "planted text")),
                false,
                "authenticate",
                "unavailable",
            ),
            (
                Way::Greets(refusal(9001, "planted hostgroup")),
                false,
                "authenticate",
                "unavailable",
            ),
            (
                Way::Greets(refusal(4999, "planted text")),
                false,
                "authenticate",
                "unknown",
            ),
            (
                Way::Talks(vec![greeting(), packet(2, b"\xfemysql_clear_password\0\0")]),
                false,
                "authenticate",
                "misconfigured",
            ),
            (
                Way::Talks(vec![greeting(), packet(2, b"\xff\x57\x0c#HY000planted")]),
                false,
                "authenticate",
                "tls_required",
            ),
            (
                Way::Talks(vec![greeting(), packet(2, b"\x01\x04"), packet(4, b"\x01no key")]),
                false,
                "authenticate",
                "tls_required",
            ),
            (
                Way::Talks(vec![
                    greeting(),
                    packet(2, b"\x01\x04"),
                    packet(4, b"\x01-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
                ]),
                false,
                "authenticate",
                "tls_required",
            ),
            (
                Way::Talks(vec![
                    greeting(),
                    packet(2, b"\0\0\0\x02\0\0\0"),
                    packet(1, b"\xfb/etc/passwd"),
                ]),
                false,
                "read",
                "protocol",
            ),
        ] {
            let mut credentials = at(way(fault.clone(), server.port).await, &name);
            if tls {
                credentials["sslMode"] = "verify-full".into();
            }
            let report = test(&credentials).await;
            assert_eq!(failed(&report), class(step, expected), "{fault:?} {tls}: {report}");
        }
        let report = test(&at(way(Way::Reset, server.port).await, &name)).await;
        // It waits to be spoken to, and is not.
        assert_eq!(failed(&report), class("authenticate", "timeout"));
    });
}

#[test]
fn a_connection_cut_or_stalled_anywhere_is_reported_in_time() {
    run(async {
        let server = server().await;
        let name = account(server, MODEST).await;
        // The greeting has about 110 bytes, the sign-in's last word 11, the answers some 1,500.
        for most in [60, 115, 125, 200, 400, 700] {
            let report = test(&at(way(Way::Cut(most), server.port).await, &name)).await;
            assert_eq!(failed(&report).1, "unavailable", "{most}: {report}");
            let report = test(&at(way(Way::Stall(most), server.port).await, &name)).await;
            let (at, class) = failed(&report);
            assert!(["authenticate", "read"].contains(&at.as_str()), "{most}: {report}");
            assert_eq!(class, "timeout", "{most}: {report}");
        }
    });
}
