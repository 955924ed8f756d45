//! Tokens at doors that are not theirs, and forged ones.

use http::StatusCode;
use plinth::clock::{Clock, SystemClock};
use plinth::ident::ProjectId;
use plinth::token::SigningKey;
use plinth_local::platform::Function;
use serde_json::{Value, json};

use super::{Door, doors};
use crate::world::{Project, World, run, text, world};

fn id_of(project: &Project) -> ProjectId {
    ProjectId(project.id.parse().unwrap())
}

async fn signer(world: &World, project: Option<ProjectId>) -> SigningKey {
    let app = world.app(Function::Auth);
    let control = app.control.get().await.unwrap();
    let sql = "select kid, envelope from plinth.signing_keys where project_id is not distinct from $1";
    let row = control.query_one(sql, &[&project.map(|id| id.0)]).await.unwrap();
    let envelope = serde_json::from_value(row.get::<_, Value>(1)).unwrap();
    SigningKey::from_der(row.get(0), app.vault.open(project, &envelope).await.unwrap())
}

#[test]
fn a_token_opens_only_the_door_it_is_from() {
    run(async {
        let world = world().await;
        let [platform, one] = doors().await;
        let two = Door::project(world).await;
        let doors = [&platform, &one, &two];
        for (from, issuer) in doors.iter().enumerate() {
            let session = issuer.sign_up().await;
            let (access, refresh) = (text(&session, "access_token"), text(&session, "refresh_token"));
            for (at, door) in doors.iter().enumerate().filter(|(at, _)| *at != from) {
                let shown = door.get("/user").bearer(&access).send().await;
                assert_eq!(shown.code(StatusCode::FORBIDDEN), "bad_jwt", "{from} at {at}");
                let ended = door.post("/logout").bearer(&access).send().await;
                assert_eq!(ended.code(StatusCode::FORBIDDEN), "bad_jwt");
                let renewed = door.refresh(&refresh).await;
                assert_eq!(renewed.code(StatusCode::BAD_REQUEST), "refresh_token_not_found");
            }
            issuer.user(&session).await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_token_that_does_not_hold_is_refused() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let door = Door::of(world, &project);
        let session = door.sign_up().await;
        let good = text(&session, "access_token");
        let [head, payload, signature] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let own = signer(world, Some(id_of(&project))).await;
        let platforms = signer(world, None).await;
        let now = SystemClock.now().as_second();
        let issuer = format!("{}/p/{}/auth/v1", crate::world::BASE_URL, project.reference);
        let base = json!({ "iss": issuer, "aud": "authenticated", "sub": session["user"]["id"],
            "session_id": uuid::Uuid::nil(), "exp": now + 60, "iat": now });
        let signed = |key: &SigningKey, name: &str, value: Value| {
            let mut claims = base.as_object().unwrap().clone();
            claims.insert(name.to_owned(), value);
            key.sign(&claims).unwrap()
        };
        let rows = [
            ("not a jwt", "rubbish".to_owned()),
            ("alg none", format!("eyJhbGciOiJub25lIn0.{payload}.")),
            ("alg HS256", format!("eyJhbGciOiJIUzI1NiJ9.{payload}.{signature}")),
            ("no signature", format!("{head}.{payload}.")),
            (
                "another's signature",
                format!(
                    "{head}.{payload}.{}",
                    signed(&platforms, "x", json!(1)).rsplit('.').next().unwrap()
                ),
            ),
            ("the platform's key", signed(&platforms, "x", json!(1))),
            (
                "another issuer",
                signed(&own, "iss", json!(format!("{}/auth/v1", crate::world::BASE_URL))),
            ),
            ("another audience", signed(&own, "aud", json!("admin"))),
            ("expired", signed(&own, "exp", json!(now - 60))),
            ("no expiry", signed(&own, "exp", Value::Null)),
            ("from the future", signed(&own, "iat", json!(now + 3600))),
            ("no subject", signed(&own, "sub", Value::Null)),
            ("no session", signed(&own, "session_id", json!("x"))),
        ];
        for (what, token) in &rows {
            let reply = door.get("/user").bearer(token).send().await;
            assert_eq!(reply.code(StatusCode::FORBIDDEN), "bad_jwt", "{what}");
        }
        let sessionless = signed(&own, "x", json!(1));
        let reply = door.get("/user").bearer(&sessionless).send().await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "session_not_found");
        let stranger = signed(&own, "sub", json!(uuid::Uuid::nil()));
        let reply = door.get("/user").bearer(&stranger).send().await;
        assert_eq!(reply.code(StatusCode::FORBIDDEN), "user_not_found");
        for key in [&project.publishable, &project.secret] {
            let reply = door.get("/user").bearer(key).send().await;
            assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "no_authorization");
        }
        let reply = door.get("/user").send().await;
        assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "no_authorization");
        door.user(&session).await.expect(StatusCode::OK);
    });
}

#[test]
fn a_rotated_key_signs_at_once_and_the_old_one_still_verifies() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let door = Door::of(world, &project);
        let before = door.sign_up().await;
        let trust = plinth::control::dial::Trust::new(None).unwrap();
        let master = plinth::control::dial::dial(&world.platform.master, &trust)
            .await
            .unwrap();
        let retire = "update plinth.signing_keys set retired_at = now() where project_id = $1";
        master.execute(retire, &[&id_of(&project).0]).await.unwrap();
        let app = world.app(Function::Projects);
        plinth::accounts::signing::ensure(&app, &master, Some(id_of(&project)))
            .await
            .unwrap();
        let after = door.sign_up().await;
        let head = |session: &Value| text(session, "access_token").split('.').next().unwrap().to_owned();
        assert_ne!(head(&before), head(&after));
        door.user(&before).await.expect(StatusCode::OK);
        door.user(&after).await.expect(StatusCode::OK);
    });
}
