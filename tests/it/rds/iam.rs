//! Tokens in a password's place.

use http::StatusCode;
use plinth::ident::literal;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use super::{LOGIN, REGION, ROLE, body, token, world};
use crate::connections::encrypted::{Authority, Encrypted};
use crate::connections::{failed, step, with};
use crate::external::{Own, bare};
use crate::world::run;

/// A PostgreSQL that takes tokens as RDS does: in clear text, over TLS only.
struct Rds {
    server: Encrypted,
    authority: String,
}

impl Rds {
    async fn start() -> Self {
        let authority = Authority::new("rds");
        let mut server = Encrypted::start().await;
        server.show(&authority.sign("127.0.0.1", (2090, 1, 1))).await;
        let rules = server.data().join("pg_hba.conf");
        let known = std::fs::read_to_string(&rules).unwrap();
        let first = "hostssl all iam_app,iam_other 127.0.0.1/32 password\nhost all iam_app,iam_other all reject\n";
        std::fs::write(&rules, format!("{first}{known}")).unwrap();
        server
            .sql(
                "select pg_reload_conf(); create role rds_iam; create role rds_superuser;
                 create table notes (id int primary key); insert into notes values (1)",
            )
            .await;
        let port = server.server.port();
        for login in [LOGIN, "iam_other"] {
            let password = literal(&token(port, login, None).await);
            let sql =
                format!("create role {login} login in role rds_iam password {password}; grant all on notes to {login}");
            server.sql(&sql).await;
        }
        Self {
            server,
            authority: authority.0.pem(),
        }
    }

    fn credentials(&self, changes: Value) -> Value {
        let usual = json!({ "engine": "postgres", "auth": "iam", "region": REGION, "host": "127.0.0.1",
            "port": self.server.server.port(), "database": "postgres", "username": LOGIN, "caCertificate": self.authority });
        with(usual, changes)
    }
}

async fn rds() -> &'static Rds {
    static RDS: OnceCell<Rds> = OnceCell::const_new();
    RDS.get_or_init(Rds::start).await
}

#[test]
fn a_token_signs_in_and_is_shown_nowhere() {
    run(async {
        let (world, rds) = (world().await, rds().await);
        let own = Own::of(world, &body(&rds.credentials(json!({})))).await;
        let notes = world.get(&own.rest("notes")).key(&own.secret).send().await;
        assert_eq!(notes.expect(StatusCode::OK), json!([{ "id": 1 }]));
        let shown = world.get(&own.provision()).bearer(&own.owner.token).send().await;
        let info = &shown.expect(StatusCode::OK)["connectionInfo"];
        assert_eq!(
            (
                &info["provider"],
                &info["engine"],
                &info["auth"],
                &info["region"],
                &info["sslMode"]
            ),
            (
                &json!("aws-rds"),
                &json!("postgres"),
                &json!("iam"),
                &json!(REGION),
                &json!("verify-full")
            )
        );
        let tested = world
            .post(&format!("/api/projects/{}/backend/test", own.id))
            .bearer(&own.owner.token);
        let tested = tested.send().await.expect(StatusCode::OK);
        assert_eq!(
            (&tested["ok"], &step(&tested, "tls")["outcome"]),
            (&json!(true), &json!("ok")),
            "{tested}"
        );
        assert!(!crate::logs::logged().contains("X-Amz-Signature"), "a token was logged");
    });
}

#[test]
fn the_functions_own_role_signs_in_as_allowed_logins_only() {
    run(async {
        let (world, rds) = (world().await, rds().await);
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        for (changes, status, code) in [
            // The server would take both.
            (
                json!({ "username": "iam_other" }),
                StatusCode::FORBIDDEN,
                "external/iam-forbidden",
            ),
            (
                json!({ "host": "localhost" }),
                StatusCode::FORBIDDEN,
                "external/iam-forbidden",
            ),
            // A token for another region is another token.
            (
                json!({ "region": "us-west-2" }),
                StatusCode::UNPROCESSABLE_ENTITY,
                "external/credentials",
            ),
            (
                json!({ "password": "x" }),
                StatusCode::BAD_REQUEST,
                "provisioning/config",
            ),
            (
                json!({ "sslMode": "disable" }),
                StatusCode::BAD_REQUEST,
                "provisioning/config",
            ),
            (
                json!({ "caCertificate": null }),
                StatusCode::BAD_GATEWAY,
                "external/tls",
            ),
        ] {
            let asked = body(&rds.credentials(changes.clone()));
            let reply = world.post(&path).bearer(&owner.token).json(&asked).send().await;
            assert_eq!(reply.code(status), code, "{changes} {}", reply.text);
            assert!(
                code != "external/credentials" || reply.text.contains("rds-db:connect"),
                "{}",
                reply.text
            );
            assert!(!reply.text.contains("X-Amz"), "{}", reply.text);
        }
    });
}

#[test]
fn a_role_is_assumed_for_its_project_and_no_other() {
    run(async {
        let (world, rds) = (world().await, rds().await);
        let (owner, id, reference) = bare(world).await;
        let port = rds.server.server.port();
        // A role's credentials are remembered, and so the token is the one that is signed below.
        let password = literal(&token(port, "iam_role", Some(&id)).await);
        let sql = format!("create role iam_role login password {password}; grant all on notes to iam_role");
        rds.server.sql(&sql).await;
        let credentials = rds.credentials(json!({ "username": "iam_role", "roleArn": ROLE }));
        let path = format!("/api/projects/{id}/backend/provision");
        let made = world
            .post(&path)
            .bearer(&owner.token)
            .json(&body(&credentials))
            .send()
            .await;
        let made = made.expect(StatusCode::CREATED);
        let secret = made["secretKey"].as_str().unwrap();
        let notes = world
            .get(&format!("/p/{reference}/rest/v1/notes"))
            .key(secret)
            .send()
            .await;
        assert_eq!(notes.expect(StatusCode::OK), json!([{ "id": 1 }]));
        // Another project has another external id, and with it other credentials.
        let (owner, id, _) = bare(world).await;
        let path = format!("/api/projects/{id}/backend/provision");
        let refused = world
            .post(&path)
            .bearer(&owner.token)
            .json(&body(&credentials))
            .send()
            .await;
        assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "external/credentials");
        // Before there is a project, there is nobody to assume it for.
        let asked = json!({ "provider": "aws-rds", "credentials": credentials });
        let refused = world
            .post("/api/connections/test")
            .bearer(&owner.token)
            .json(&asked)
            .send()
            .await;
        assert_eq!(refused.code(StatusCode::BAD_REQUEST), "connections/credentials");
        assert!(refused.text.contains("credentials.roleArn"), "{}", refused.text);
    });
}

#[test]
fn a_connection_test_tells_what_is_wrong_with_a_token() {
    run(async {
        let (world, rds) = (world().await, rds().await);
        let owner = world.user().await;
        let test = async |changes: Value| {
            let asked = json!({ "provider": "aws-rds", "credentials": rds.credentials(changes) });
            let reply = world
                .post("/api/connections/test")
                .bearer(&owner.token)
                .json(&asked)
                .send()
                .await;
            reply.expect(StatusCode::OK)
        };
        assert_eq!(test(json!({})).await["ok"], true);
        let other = test(json!({ "region": "us-west-2" })).await;
        assert_eq!(failed(&other), ("authenticate".into(), "auth".into()));
        let fix = step(&other, "authenticate")["fix"].as_str().unwrap();
        assert!(fix.contains("rds-db:connect"), "{fix}");
        let forbidden = test(json!({ "username": "iam_other" })).await;
        assert_eq!(failed(&forbidden).1, "misconfigured");
        assert!(forbidden.to_string().contains("PLINTH_IAM_LOGINS"), "{forbidden}");
    });
}
