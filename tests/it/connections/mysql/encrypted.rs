//! TLS: a server whose certificate is good, another host's, expired, soon to expire, or of an unknown authority.

use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use super::super::encrypted::{Authority, soon};
use super::super::{failed, step, warnings, with};
use super::{MODEST, account, at, test};
use crate::mysql::server::Server;
use crate::world::run;

#[test]
fn certificates_are_judged_and_told_by_their_class() {
    run(async {
        let (ours, others) = (Authority::new("ours"), Authority::new("others"));
        let good = |until| {
            let (certificate, key) = ours.sign("127.0.0.1", until);
            (certificate.pem(), key.serialize_pem())
        };
        let (certificate, key) = good((2090, 1, 1));
        let server = Server::start("TERM", Some((&certificate, &key))).await;
        let name = account(&server, MODEST).await;
        let encrypted = with(at(server.port, &name), json!({ "sslMode": "verify-full" }));
        let trusted = with(encrypted.clone(), json!({ "caCertificate": ours.pem() }));

        let report = test(&trusted).await;
        assert_eq!(
            (&report["ok"], &step(&report, "tls")["outcome"]),
            (&json!(true), &json!("ok")),
            "{report}"
        );
        let facts = &report["server"];
        assert_eq!(facts["tlsVersion"], "TLSv1.3");
        assert_eq!(facts["certificateExpiresAt"], "2090-01-01T00:00:00Z");
        assert!(
            facts["tlsCipher"]
                .as_str()
                .is_some_and(|cipher| cipher.starts_with("TLS_")),
            "{report}"
        );
        assert_eq!(
            (&facts["pooler"], warnings(&report)),
            (&json!(false), vec![]),
            "{report}"
        );
        let wrong = test(&with(trusted.clone(), json!({ "password": "planted-wrong" }))).await;
        assert_eq!(failed(&wrong), ("authenticate".into(), "auth".into()));
        let report = test(&encrypted).await;
        assert_eq!(
            failed(&report),
            ("tls".into(), "tls_untrusted".into()),
            "our authority is not a public one"
        );

        let (certificate, key) = good(soon());
        server.show(&certificate, &key).await;
        assert_eq!(warnings(&test(&trusted).await), ["certificate_expires"]);

        let mut admin = server.admin(None).await.unwrap();
        // Who must encrypt and does not is refused like who has no password.
        admin
            .query_drop(format!("alter user '{name}'@'127.0.0.1' require ssl"))
            .await
            .unwrap();
        let plain = with(
            trusted.clone(),
            json!({ "sslMode": "disable", "caCertificate": Value::Null }),
        );
        assert_eq!(failed(&test(&plain).await), ("authenticate".into(), "auth".into()));
        assert_eq!(test(&trusted).await["ok"], true);
        admin
            .query_drop(format!(
                "alter user '{name}'@'127.0.0.1' require none; set global require_secure_transport = on"
            ))
            .await
            .unwrap();
        // MariaDB has no other word for it; MySQL has.
        let refused = test(&plain).await;
        assert_eq!(failed(&refused), ("authenticate".into(), "auth".into()));
        let fix = step(&refused, "authenticate")["fix"].as_str().unwrap();
        assert!(fix.contains("leave sslMode out"), "{fix}");
        assert_eq!(test(&trusted).await["ok"], true);
        admin
            .query_drop("set global require_secure_transport = off")
            .await
            .unwrap();

        for ((certificate, key), class) in [
            (ours.sign("db.example.com", (2090, 1, 1)), "tls_hostname"),
            (ours.sign("127.0.0.1", (2021, 1, 1)), "tls_expired"),
            (others.sign("127.0.0.1", (2090, 1, 1)), "tls_untrusted"),
        ] {
            server.show(&certificate.pem(), &key.serialize_pem()).await;
            let report = test(&trusted).await;
            assert_eq!(failed(&report), ("tls".into(), class.into()), "{report}");
        }
        server.stop();
    });
}
