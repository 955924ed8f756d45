//! Its engines: what the endpoint speaks, the credentials say.

use http::StatusCode;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use super::{LOGIN, REGION, body, token, world};
use crate::connections::{failed, with};
use crate::external::{self, Own, bare};
use crate::mysql::server::{PASSWORD, Server, server};
use crate::mysql::tls::Certificate;
use crate::world::run;

#[test]
fn postgres_is_served_with_a_password() {
    run(async {
        let world = world().await;
        let credentials = json!({ "connectionString": external::url().await });
        let mut asked = body(&credentials);
        asked["config"]["rest"] = json!({ "schemas": ["api"], "anonRole": "web_anon" });
        let own = Own::of(world, &asked).await;
        let todos = world
            .get(&own.rest("todos?select=id&id=eq.1"))
            .key(&own.publishable)
            .send()
            .await;
        assert_eq!(todos.expect(StatusCode::OK), json!([{ "id": 1 }]));
        let shown = world.get(&own.provision()).bearer(&own.owner.token).send().await;
        let info = &shown.expect(StatusCode::OK)["connectionInfo"];
        assert_eq!(
            (&info["engine"], &info["auth"]),
            (&json!("postgres"), &json!("password"))
        );
    });
}

#[test]
fn mysql_is_served_by_its_own_driver() {
    run(async {
        let (world, server) = (world().await, server().await);
        let database = server.database().await;
        let credentials = json!({ "engine": "mysql", "host": "127.0.0.1", "port": server.port, "database": database,
            "username": database, "password": PASSWORD });
        let own = Own::of(world, &body(&credentials)).await;
        let tags = world
            .get(&own.rest("tags?select=id&id=eq.1"))
            .key(&own.secret)
            .send()
            .await;
        assert_eq!(tags.expect(StatusCode::OK), json!([{ "id": 1 }]));
        let shown = world.get(&own.provision()).bearer(&own.owner.token).send().await;
        assert_eq!(shown.expect(StatusCode::OK)["connectionInfo"]["engine"], "mysql");
        // What is known of it counts where a request does not say it again.
        let mut change = body(&Value::Null);
        for (rest, status) in [
            (json!({ "maxRows": 1 }), StatusCode::OK),
            (json!({ "anonRole": "web_anon" }), StatusCode::BAD_REQUEST),
        ] {
            change["config"]["rest"] = rest.clone();
            let reply = world
                .post(&own.provision())
                .bearer(&own.owner.token)
                .json(&change)
                .send()
                .await;
            assert_eq!(reply.status, status, "{rest} {}", reply.text);
        }
        let shown = world.get(&own.provision()).bearer(&own.owner.token).send().await;
        let info = &shown.expect(StatusCode::OK)["connectionInfo"];
        assert_eq!(
            (&info["rest"]["maxRows"], &info["engine"]),
            (&json!(1), &json!("mysql"))
        );
    });
}

#[test]
fn mysql_takes_a_token_over_tls() {
    run(async {
        let world = world().await;
        let certificate = Certificate::make();
        let server = Server::start("TERM", Some((&certificate.pem, &certificate.key))).await;
        let database = server.database().await;
        let token = token(server.port, LOGIN, None).await;
        let sql = format!(
            "create user '{LOGIN}'@'127.0.0.1' identified by '{token}' require ssl;
             grant all on {database}.* to '{LOGIN}'@'127.0.0.1'"
        );
        server.admin(None).await.unwrap().query_drop(sql).await.unwrap();
        let credentials = json!({ "engine": "mariadb", "auth": "iam", "region": REGION, "host": "127.0.0.1",
            "port": server.port, "database": database, "username": LOGIN, "caCertificate": certificate.authority });
        let own = Own::of(world, &body(&credentials)).await;
        let tags = world
            .get(&own.rest("tags?select=id&id=eq.1"))
            .key(&own.secret)
            .send()
            .await;
        assert_eq!(tags.expect(StatusCode::OK), json!([{ "id": 1 }]));
        for (changes, outcome) in [
            (json!({}), None),
            (json!({ "region": "us-west-2" }), Some(("authenticate", "auth"))),
            (json!({ "username": "other" }), Some(("authenticate", "misconfigured"))),
        ] {
            let asked = json!({ "provider": "aws-rds", "credentials": with(credentials.clone(), changes) });
            let tested = world
                .post("/api/connections/test")
                .bearer(&own.owner.token)
                .json(&asked);
            let tested = tested.send().await.expect(StatusCode::OK);
            match outcome {
                None => assert_eq!(
                    (&tested["ok"], &tested["server"]["product"]),
                    (&json!(true), &json!("MariaDB")),
                    "{tested}"
                ),
                Some((step, class)) => assert_eq!(failed(&tested), (step.into(), class.into())),
            }
        }
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let other = body(&with(credentials, json!({ "region": "us-west-2" })));
        let refused = world.post(&path).bearer(&owner.token).json(&other).send().await;
        assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "external/credentials");
        server.stop();
    });
}
