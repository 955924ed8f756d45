//! TLS: a server whose certificate is good, another host's, expired, soon to expire, or of an unknown authority.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;
use std::time::Duration;

use jiff::Span;
use jiff::tz::TimeZone;
use plinth::clock::{Clock as _, SystemClock};
use plinth_local::postgres::{Options, Server};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use super::{PASSWORD, failed, step, test_of, warnings};
use crate::world::run;

/// An authority of this test's own.
pub struct Authority(pub CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A certificate for that host from 2020 until then.
    pub fn sign(&self, host: &str, until: (i32, u8, u8)) -> (Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(until.0, until.1, until.2);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.0).unwrap(), key)
    }
}

/// A day within a month from now.
pub fn soon() -> (i32, u8, u8) {
    let soon = SystemClock.now().to_zoned(TimeZone::UTC).date() + Span::new().days(20);
    (
        i32::from(soon.year()),
        soon.month().unsigned_abs(),
        soon.day().unsigned_abs(),
    )
}

/// A server with TLS.
pub struct Encrypted {
    pub server: Server,
    swaps: usize,
}

impl Encrypted {
    pub async fn start() -> Self {
        let config = plinth_local::config::LocalConfig::from_env().unwrap();
        let mut options = Options::new("");
        options.binaries = config.postgres_bin;
        options.download_to = Some(config.data_dir.join("download"));
        let server = Server::temporary(options).await.unwrap();
        let made = Self { server, swaps: 0 };
        let sql =
            format!("create role app login password '{PASSWORD}'; create database tls_only; create database shut;");
        for sql in sql.split_inclusive(';') {
            made.sql(sql).await;
        }
        let rules = made.data().join("pg_hba.conf");
        let known = std::fs::read_to_string(&rules).unwrap();
        let first = "hostnossl tls_only all 127.0.0.1/32 reject\nhost shut all 127.0.0.1/32 reject\n";
        std::fs::write(&rules, format!("{first}{known}")).unwrap();
        made
    }

    pub fn data(&self) -> PathBuf {
        self.server.folder().join("data")
    }

    async fn client(&self) -> tokio_postgres::Client {
        let url = self.server.url("postgres");
        let (client, connection) = tokio_postgres::connect(url.expose(), NoTls).await.unwrap();
        tokio::spawn(connection);
        client
    }

    pub async fn sql(&self, sql: &str) {
        self.client().await.batch_execute(sql).await.unwrap();
    }

    /// Shows another certificate from now on.
    pub async fn show(&mut self, (certificate, key): &(Certificate, KeyPair)) {
        self.swaps += 1;
        let owner = std::fs::metadata(self.data()).unwrap();
        for (kind, pem) in [("crt", certificate.pem()), ("key", key.serialize_pem())] {
            let path = self.data().join(format!("{}.{kind}", self.swaps));
            std::fs::write(&path, pem).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(&path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        for (name, value) in [
            ("ssl_cert_file", format!("{}.crt", self.swaps)),
            ("ssl_key_file", format!("{}.key", self.swaps)),
            ("ssl", "on".to_owned()),
        ] {
            self.sql(&format!("alter system set {name} to '{value}'")).await;
        }
        self.sql("select pg_reload_conf()").await;
        // A connection made after the server has read it has it.
        let wanted = format!("{}.crt", self.swaps);
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        loop {
            tick.tick().await;
            let row = self.client().await.query_one("show ssl_cert_file", &[]).await.unwrap();
            if row.get::<_, &str>(0) == wanted {
                return;
            }
        }
    }

    async fn test(&self, changes: Value) -> Value {
        let credentials = json!({ "host": "127.0.0.1", "port": self.server.port(), "database": "postgres",
            "username": "app", "password": PASSWORD, "sslMode": "verify-full" });
        test_of(&json!({ "provider": "postgresql", "credentials": super::with(credentials, changes) })).await
    }
}

#[test]
fn certificates_are_judged_and_told_by_their_class() {
    run(async {
        let (ours, others) = (Authority::new("ours"), Authority::new("others"));
        let trusted = json!({ "caCertificate": ours.pem() });
        let mut server = Encrypted::start().await;

        server.show(&ours.sign("127.0.0.1", (2090, 1, 1))).await;
        let report = server.test(trusted.clone()).await;
        assert_eq!(
            (&report["ok"], &step(&report, "tls")["outcome"]),
            (&json!(true), &json!("ok")),
            "{report}"
        );
        assert_eq!(report["server"]["tlsVersion"], "TLSv1.3");
        assert_eq!(report["server"]["certificateExpiresAt"], "2090-01-01T00:00:00Z");
        assert_eq!(
            (&report["server"]["pooler"], warnings(&report).len()),
            (&json!(false), 0),
            "{report}"
        );
        let report = server
            .test(super::with(trusted.clone(), json!({ "password": "planted-wrong" })))
            .await;
        assert_eq!(failed(&report), ("authenticate".into(), "auth".into()));
        let report = server.test(json!({})).await;
        assert_eq!(
            failed(&report),
            ("tls".into(), "tls_untrusted".into()),
            "our authority is not a public one"
        );

        let until = soon();
        server.show(&ours.sign("127.0.0.1", until)).await;
        let report = server.test(trusted.clone()).await;
        assert_eq!(warnings(&report), ["certificate_expires"], "{report}");

        let plain = json!({ "sslMode": "disable", "database": "tls_only" });
        assert_eq!(
            failed(&server.test(plain).await),
            ("authenticate".into(), "tls_required".into())
        );
        let shut = super::with(trusted.clone(), json!({ "database": "shut" }));
        assert_eq!(
            failed(&server.test(shut).await),
            ("authenticate".into(), "network_blocked".into())
        );

        for (certificate, class) in [
            (ours.sign("db.example.com", (2090, 1, 1)), "tls_hostname"),
            (ours.sign("127.0.0.1", (2021, 1, 1)), "tls_expired"),
            (others.sign("127.0.0.1", (2090, 1, 1)), "tls_untrusted"),
        ] {
            server.show(&certificate).await;
            let report = server.test(trusted.clone()).await;
            assert_eq!(failed(&report), ("tls".into(), class.into()), "{report}");
        }
    });
}
