//! Project keys: made, listed, rotated, revoked; and how a change of them reaches the backend.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use plinth::clock::{Clock, SystemClock};
use plinth::ident::ProjectId;
use plinth::projects::versions::{self, Propagation};
use plinth::testing::FixedClock;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::projects::{Bare, app_at, master, send};
use crate::world::{Project, Reply, World, platform, run, text, world};

async fn make(project: &Project, body: Value) -> Reply {
    let path = format!("/api/projects/{}/keys", project.id);
    send(Method::POST, &path, &project.owner, Some(&body)).await
}

async fn rotate(project: &Project, key: &str, body: Value) -> Reply {
    let path = format!("/api/projects/{}/keys/{key}/rotate", project.id);
    send(Method::POST, &path, &project.owner, Some(&body)).await
}

async fn revoke(project: &Project, key: &str) -> Reply {
    let path = format!("/api/projects/{}/keys/{key}", project.id);
    send(Method::DELETE, &path, &project.owner, None).await
}

/// A data request with that key, in that world.
async fn used(world: &World, project: &Project, key: &str) -> u16 {
    let call = world.get(&project.rest("app_data?select=id")).key(key);
    call.send().await.status.as_u16()
}

#[test]
fn a_key_is_shown_once_and_stored_as_its_hash() {
    run(async {
        let project = world().await.project("schema").await;
        let made = make(&project, json!({ "class": "secret", "name": "server" }))
            .await
            .expect(StatusCode::CREATED);
        let key = text(&made, "key");
        assert!(key.starts_with(&format!("plinth_secret_{}_", project.reference)));
        assert_eq!(text(&made, "propagation"), "done");
        assert_eq!(used(world().await, &project, &key).await, 200);

        let path = format!("/api/projects/{}/keys", project.id);
        let listed = send(Method::GET, &path, &project.owner, None).await;
        let secret = &key[key.len() - 43..];
        assert!(!listed.text.contains(secret) && !listed.text.contains("hash"));
        let shown = &listed.expect(StatusCode::OK)["keys"][0];
        assert_eq!((&shown["id"], &shown["name"]), (&made["id"], &json!("server")));
        assert_eq!(text(shown, "hint"), format!("…{}", &key[key.len() - 4..]));

        let stored = "select k::text || a.details::text from plinth.keys k, plinth.audit_log a
            where k.project_id = $1 and a.project_id = $1";
        let rows = master()
            .await
            .query(stored, &[&project.id.parse::<Uuid>().unwrap()])
            .await
            .unwrap();
        assert!(!rows.is_empty());
        assert!(rows.iter().all(|row| !row.get::<_, &str>(0).contains(secret)));
    });
}

#[test]
fn a_revoked_key_is_refused_by_the_next_request_of_a_warm_process() {
    run(async {
        for isolation in ["schema", "database"] {
            let world = world().await;
            let project = world.project(isolation).await;
            let made = make(&project, json!({ "class": "secret", "name": "k" })).await.json();
            let (id, key) = (text(&made, "id"), text(&made, "key"));
            for _ in 0..3 {
                assert_eq!(used(world, &project, &key).await, 200);
            }
            let first = revoke(&project, &id).await.expect(StatusCode::OK);
            assert_eq!(text(&first, "propagation"), "done");
            assert_eq!(used(world, &project, &key).await, 401);
            assert_eq!(used(world, &project, &project.secret).await, 200);
            let again = revoke(&project, &id).await.expect(StatusCode::OK);
            assert_eq!(first["revokedAt"], again["revokedAt"]);
            assert_eq!(
                rotate(&project, &id, json!({})).await.code(StatusCode::CONFLICT),
                "keys/over"
            );
        }
    });
}

#[test]
fn a_deleted_project_refuses_data_requests_at_once_and_serves_them_again_when_restored() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        assert_eq!(used(world, &project, &project.secret).await, 200);
        let path = format!("/api/projects/{}", project.id);
        send(Method::DELETE, &path, &project.owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(used(world, &project, &project.secret).await, 404);
        send(Method::POST, &format!("{path}/restore"), &project.owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(used(world, &project, &project.secret).await, 200);
    });
}

#[test]
fn a_rotated_key_works_for_its_overlap_and_not_a_second_longer() {
    run(async {
        let project = world().await.project("schema").await;
        let old = make(&project, json!({ "class": "secret", "name": "server" }))
            .await
            .json();
        let new = rotate(&project, &text(&old, "id"), json!({ "overlapSeconds": 3600 })).await;
        let new = new.expect(StatusCode::CREATED);
        assert_eq!((&new["name"], &new["class"]), (&json!("server"), &json!("secret")));
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let later = World::of(platform().await, clock.clone());
        let (old_key, new_key) = (text(&old, "key"), text(&new, "key"));
        assert_eq!(used(&later, &project, &old_key).await, 200);
        clock.advance(Duration::from_secs(3590));
        assert_eq!(used(&later, &project, &old_key).await, 200);
        clock.advance(Duration::from_secs(11));
        assert_eq!(used(&later, &project, &old_key).await, 401);
        assert_eq!(used(&later, &project, &new_key).await, 200);

        let again = rotate(&project, &text(&old, "id"), json!({})).await;
        assert_eq!(again.code(StatusCode::CONFLICT), "keys/rotated");
        let third = rotate(&project, &text(&new, "id"), json!({ "overlapSeconds": 0 })).await;
        third.expect(StatusCode::CREATED);
        assert_eq!(used(world().await, &project, &new_key).await, 401);
    });
}

#[test]
fn what_a_key_may_be_is_checked() {
    run(async {
        let world = world().await;
        let (project, other) = (world.project("schema").await, world.project("schema").await);
        for (body, code) in [
            (json!({ "class": "root", "name": "k" }), "http/body"),
            (json!({ "class": "secret" }), "http/body"),
            (json!({ "class": "secret", "name": "" }), "keys/name"),
            (
                json!({ "class": "secret", "name": "k", "expiresAt": "2001-01-01T00:00:00Z" }),
                "keys/expiry",
            ),
            (
                json!({ "class": "secret", "name": "k", "expiresAt": "soon" }),
                "http/body",
            ),
        ] {
            assert_eq!(
                make(&project, body.clone()).await.code(StatusCode::BAD_REQUEST),
                code,
                "{body}"
            );
        }
        let made = make(&project, json!({ "class": "secret", "name": "k" })).await.json();
        let id = text(&made, "id");
        for body in [
            json!({ "overlapSeconds": 2_592_001 }),
            json!({ "overlapSeconds": -1 }),
            json!({ "overlap": 1 }),
        ] {
            rotate(&project, &id, body).await.expect(StatusCode::BAD_REQUEST);
        }
        for key in [id.as_str(), "nonsense", &Uuid::nil().to_string()] {
            assert_eq!(revoke(&other, key).await.code(StatusCode::NOT_FOUND), "keys/not-found");
            assert_eq!(
                rotate(&other, key, json!({})).await.code(StatusCode::NOT_FOUND),
                "keys/not-found"
            );
        }
        assert_eq!(used(world, &project, &text(&made, "key")).await, 200);
        assert_eq!(used(world, &other, &text(&made, "key")).await, 401);
    });
}

#[test]
fn a_project_has_a_bounded_number_of_working_keys() {
    run(async {
        let project = Bare::new().await;
        let make = async || {
            let body = json!({ "class": "publishable", "name": "k" });
            send(Method::POST, &project.path("/keys"), &project.owner, Some(&body)).await
        };
        for _ in 0..plinth::projects::keys::MAX_KEYS {
            make().await.expect(StatusCode::CREATED);
        }
        let refused = make().await;
        assert_eq!(refused.code(StatusCode::FORBIDDEN), "keys/quota");
        let sql = "update plinth.keys set expires_at = now() - interval '1 s' where project_id = $1";
        master().await.execute(sql, &[&project.uuid()]).await.unwrap();
        make().await.expect(StatusCode::CREATED);
    });
}

#[test]
fn a_repeated_creation_makes_one_key_and_shows_it_once() {
    run(async {
        let project = Bare::new().await;
        let make = async || {
            let call = world().await.post(&project.path("/keys")).bearer(&project.owner.token);
            let body = json!({ "class": "secret", "name": "k" });
            call.header("idempotency-key", "once").json(&body).send().await
        };
        let first = make().await.expect(StatusCode::CREATED);
        let second = make().await.expect(StatusCode::CREATED);
        assert_eq!((&first["id"], &second["key"]), (&second["id"], &Value::Null));
        let listed = send(Method::GET, &project.path("/keys"), &project.owner, None)
            .await
            .json();
        assert_eq!(listed["keys"].as_array().unwrap().len(), 1);
    });
}

#[test]
fn the_backend_knows_the_version_when_the_reply_is_sent() {
    run(async {
        for isolation in ["schema", "database"] {
            let project = world().await.project(isolation).await;
            let made = make(&project, json!({ "class": "secret", "name": "k" })).await.json();
            revoke(&project, &text(&made, "id")).await.expect(StatusCode::OK);
            let id: Uuid = project.id.parse().unwrap();
            let client = master().await;
            let open = "select count(*) from plinth.outbox where project_id = $1 and done_at is null";
            assert_eq!(client.query_one(open, &[&id]).await.unwrap().get::<_, i64>(0), 0);
            let version: i64 = client
                .query_one("select version from plinth.projects where id = $1", &[&id])
                .await
                .unwrap()
                .get(0);

            let app = world().await.app(Function::Purge);
            let known = app.tenancy.project(&project.reference.parse().unwrap()).await.unwrap();
            let backend = known.backend.as_ref().unwrap();
            let (cell, level) = (backend.cell.as_ref().unwrap(), backend.isolation.unwrap());
            let there = app
                .cells
                .of_project(cell, &known.reference, level)
                .unwrap()
                .get()
                .await
                .unwrap();
            let told = there
                .query_one(
                    "select control from plinth.version where ref = $1",
                    &[&project.reference],
                )
                .await
                .unwrap();
            assert_eq!(told.get::<_, i64>(0), version, "{isolation}");
        }
    });
}

/// A backend in a cell where nobody answers.
pub async fn strand(project: &Bare, cell: i32) {
    let client = master().await;
    let port = plinth_local_free_port();
    let sql = "insert into plinth.cells (id, name, host, port, database, capacity, backends, open)
        values ($1, 'gone-' || gen_random_uuid(), '127.0.0.1', $2, 'plinth_cell', 1, 1, false)";
    client.execute(sql, &[&cell, &port]).await.unwrap();
    let sql = "insert into plinth.backends
        (id, project_id, tier, isolation, cell_id, state, created_at, updated_at)
        values ($1, $1, 'managed', 'schema', $2, 'ready', now(), now())";
    client.execute(sql, &[&project.uuid(), &cell]).await.unwrap();
}

/// The cell answers again.
pub async fn rescue(cell: i32) {
    let real = i32::from(platform().await.master.port);
    let sql = "update plinth.cells set port = $2 where id = $1";
    master().await.execute(sql, &[&cell, &real]).await.unwrap();
}

/// A port where nobody listens: it was free a moment ago.
fn plinth_local_free_port() -> i32 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    i32::from(listener.local_addr().unwrap().port())
}

#[test]
fn a_backend_that_is_away_makes_it_pending_and_the_worker_tries_again() {
    run(async {
        let project = Bare::new().await;
        strand(&project, 9001).await;
        let body = json!({ "class": "secret", "name": "k" });
        let made = send(Method::POST, &project.path("/keys"), &project.owner, Some(&body)).await;
        let made = made.expect(StatusCode::CREATED);
        assert_eq!(
            (&made["propagation"], &made["maxAgeSeconds"]),
            (&json!("pending"), &json!(30))
        );

        let client = master().await;
        let outbox = async || {
            let sql = "select attempts, done_at is not null from plinth.outbox where project_id = $1";
            let row = client.query_one(sql, &[&project.uuid()]).await.unwrap();
            (row.get::<_, i32>(0), row.get::<_, bool>(1))
        };
        assert_eq!(outbox().await, (0, false));
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let app = app_at(&clock).await;
        versions::push_open(&app).await.unwrap();
        assert_eq!(outbox().await, (1, false));
        // Not due yet.
        versions::push_open(&app).await.unwrap();
        assert_eq!(outbox().await, (1, false));

        rescue(9001).await;
        clock.advance(Duration::from_secs(2));
        versions::push_open(&app).await.unwrap();
        assert_eq!(outbox().await, (2, true));
        let id = ProjectId(project.uuid());
        assert_eq!(versions::push(&app, id).await.unwrap(), Propagation::Done);
        assert_eq!(
            versions::push(&app, ProjectId(Uuid::nil())).await.unwrap(),
            Propagation::Done
        );
    });
}
