//! An encrypted way to a MariaDB: its certificate is verified, and for the name that was given.

use std::path::Path;
use std::process::{Command, Stdio};

use http::StatusCode;
use serde_json::{Value, json};

use super::read;
use super::server::{PASSWORD, Server};
use crate::external::{Own, bare, world};
use crate::world::{run, unique};

/// A certificate for 127.0.0.1 with its key and its authority, all PEM.
pub struct Certificate {
    pub pem: String,
    pub key: String,
    pub authority: String,
}

impl Certificate {
    pub fn make() -> Self {
        let folder = std::env::temp_dir().join(format!("plinth-mysql-tls-{}", unique()));
        std::fs::create_dir(&folder).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        openssl(
            &folder,
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority
             -keyout ca.key -out ca.pem",
        );
        openssl(
            &folder,
            "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout key.pem -out request.pem",
        );
        std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        openssl(
            &folder,
            "x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem",
        );
        let made = Self {
            pem: read("cert.pem"),
            key: read("key.pem"),
            authority: read("ca.pem"),
        };
        std::fs::remove_dir_all(&folder).unwrap();
        made
    }
}

fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    command.args(arguments.split_whitespace()).current_dir(folder);
    let ran = command.stdin(Stdio::null()).output();
    let ran = ran.expect("openssl is not installed: `apt-get install openssl`");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn the_certificate_is_verified_for_the_name_that_was_given() {
    run(async {
        let world = world().await;
        let certificate = Certificate::make();
        let server = Server::start("TERM", Some((&certificate.pem, &certificate.key))).await;
        let database = server.database().await;
        let body = |host: &str, authority: Option<&str>| -> Value {
            json!({ "backendType": "external", "config": { "externalProvider": "mysql", "credentials": {
                "host": host, "port": server.port, "database": database, "username": database, "password": PASSWORD,
                "sslMode": "verify-full", "caCertificate": authority } } })
        };
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let authority = Some(&*certificate.authority);
        for body in [body("127.0.0.1", None), body("localhost", authority)] {
            let reply = world.post(&path).bearer(&owner.token).json(&body).send().await;
            assert_eq!(reply.code(StatusCode::BAD_GATEWAY), "external/tls", "{body}");
        }
        let own = Own::of(world, &body("127.0.0.1", authority)).await;
        assert_eq!(read(world, &own, "tags?select=id&id=eq.1").await, json!([{ "id": 1 }]));
        server.stop();
    });
}
