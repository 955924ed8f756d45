//! A server as PlanetScale's are: encrypted connections only, and no foreign keys.

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use super::read;
use super::server::{PASSWORD, Server};
use super::tls::Certificate;
use crate::external::{Own, bare, world};
use crate::world::run;

const SQL: &str = "
    create table clients (id int primary key, name varchar(20));
    create table projects (id int primary key, client_id int, name varchar(20), done tinyint(1));
    create table tags (id int primary key, word varchar(20));
    create table project_tags (project_id int, tag_id int, primary key (project_id, tag_id));
    insert into clients values (1, 'Apple'), (2, 'Pear');
    insert into projects values (1, 1, 'iPod', 1), (2, 1, 'iPhone', 0), (3, null, 'Alone', null), (4, 2, 'Odd', 7);
    insert into tags values (1, 'fun'), (2, 'hard');
    insert into project_tags values (1, 1), (1, 2), (2, 2)";

async fn made() -> (Server, Certificate) {
    let certificate = Certificate::make();
    let server = Server::start("TERM", Some((&certificate.pem, &certificate.key))).await;
    let mut admin = server.admin(None).await.unwrap();
    let user = format!(
        "create database branch; create user 'branch'@'%' identified by '{PASSWORD}';
         grant all on branch.* to 'branch'@'%'; use branch; {SQL}; set global require_secure_transport = on"
    );
    admin.query_drop(user).await.unwrap();
    (server, certificate)
}

fn credentials(server: &Server, authority: Option<&str>) -> Value {
    let url = format!(
        "mysql://branch:{PASSWORD}@127.0.0.1:{}/branch?sslaccept=strict",
        server.port
    );
    json!({ "connectionString": url, "caCertificate": authority })
}

fn key(table: &str, column: &str, references: &str) -> Value {
    json!({ "table": table, "columns": [column], "references": references, "referencedColumns": ["id"] })
}

#[test]
fn relations_are_declared_where_there_are_no_foreign_keys() {
    run(async {
        let world = world().await;
        let (server, certificate) = made().await;
        let body = |rest: Value| {
            let credentials = credentials(&server, Some(&certificate.authority));
            json!({ "backendType": "external",
                "config": { "externalProvider": "planetscale", "credentials": credentials, "rest": rest } })
        };
        let keys = json!([
            key("projects", "client_id", "clients"),
            key("project_tags", "project_id", "projects"),
            key("project_tags", "tag_id", "tags"),
        ]);
        let own = Own::of(world, &body(json!({ "relationships": keys, "tinyint1IsBool": true }))).await;
        for (path, expected) in [
            (
                "projects?select=name,clients(name)&id=eq.1",
                json!([{ "name": "iPod", "clients": { "name": "Apple" } }]),
            ),
            (
                "clients?select=name,projects(name)&projects.order=id&id=eq.1",
                json!([{ "name": "Apple", "projects": [{ "name": "iPod" }, { "name": "iPhone" }] }]),
            ),
            (
                "projects?select=name,tags(word)&tags.order=id&id=eq.1",
                json!([{ "name": "iPod", "tags": [{ "word": "fun" }, { "word": "hard" }] }]),
            ),
            (
                "projects?select=id,done&order=id",
                json!([{ "id": 1, "done": true }, { "id": 2, "done": false }, { "id": 3, "done": null }, { "id": 4, "done": true }]),
            ),
            (
                "projects?select=id&done=eq.true&order=id",
                json!([{ "id": 1 }, { "id": 4 }]),
            ),
            ("projects?select=id&done=is.false", json!([{ "id": 2 }])),
        ] {
            assert_eq!(read(world, &own, path).await, expected, "{path}");
        }
        let written = world.post(&own.rest("projects?select=done")).key(&own.secret);
        let written = written
            .header("prefer", "return=representation")
            .json(&json!({ "id": 9, "done": true }));
        assert_eq!(
            written.send().await.expect(StatusCode::CREATED),
            json!([{ "done": true }])
        );
        let wrong = world.get(&own.rest("projects?done=eq.2")).key(&own.secret).send().await;
        assert_eq!(wrong.code(StatusCode::BAD_REQUEST), "22P02");

        // Without them there is no way from one to the other.
        let bare = Own::of(world, &body(json!({}))).await;
        let call = world.get(&bare.rest("projects?select=clients(name)")).key(&bare.secret);
        assert_eq!(call.send().await.code(StatusCode::BAD_REQUEST), "PGRST200");
        let path = format!("/api/projects/{}/backend/provision", own.id);
        let send = async |rest: Value| {
            world
                .post(&path)
                .bearer(&own.owner.token)
                .json(&body(rest))
                .send()
                .await
        };
        for (keys, status, code, details) in [
            (
                json!([key("nothing", "id", "tags")]),
                422,
                "external/no-such-table",
                "relationships[0].table",
            ),
            (
                json!([key("projects", "tag", "tags")]),
                422,
                "external/no-such-column",
                "relationships[0].columns[0]",
            ),
            (
                json!([{ "table": "tags" }]),
                400,
                "provisioning/config",
                "relationships[0].references",
            ),
        ] {
            let reply = send(json!({ "relationships": keys })).await;
            assert_eq!(reply.code(StatusCode::from_u16(status).unwrap()), code, "{keys}");
            assert!(reply.text.contains(details), "{}", reply.text);
        }
        server.stop();
    });
}

#[test]
fn it_is_reached_with_encryption_only() {
    run(async {
        let world = world().await;
        let (server, certificate) = made().await;
        let good = credentials(&server, Some(&certificate.authority));
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let parts = json!({ "host": "h", "database": "d", "username": "u", "password": "p", "transport": "http" });
        let plain = json!({ "connectionString": "mysql://u:p@127.0.0.1/d?ssl-mode=DISABLED" });
        for (credentials, status, code, details) in [
            (credentials(&server, None), 502, "external/tls", ""),
            (
                parts,
                400,
                "provisioning/config",
                "transport: only mysql can be used yet",
            ),
            (plain, 400, "provisioning/config", "reached with encryption only"),
        ] {
            let body = json!({ "backendType": "external",
                "config": { "externalProvider": "planetscale", "credentials": credentials } });
            let reply = world.post(&path).bearer(&owner.token).json(&body).send().await;
            assert_eq!(
                reply.code(StatusCode::from_u16(status).unwrap()),
                code,
                "{}",
                reply.text
            );
            assert!(reply.text.contains(details), "{}", reply.text);
        }
        let body = json!({ "provider": "planetscale", "credentials": good });
        let call = world.post("/api/connections/test").bearer(&owner.token).json(&body);
        let report = call.send().await.expect(StatusCode::OK);
        assert_eq!(
            (&report["ok"], &report["provider"]),
            (&json!(true), &json!("planetscale")),
            "{report}"
        );
        assert_eq!(report["server"]["tlsVersion"], "TLSv1.3", "{report}");
        server.stop();
    });
}
