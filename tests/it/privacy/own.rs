//! End users ask for their own data, and for its end, where their project lets them.

use http::{Method, StatusCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::bench::{Bench, bench, fresh};
use super::export::{HERE, send, unzipped};
use crate::world::{Call, Project, Reply, User, run, text};

const PASSWORD: &str = "correct horse battery";

struct App {
    bench: &'static Bench,
    project: Project,
}

impl App {
    async fn of(level: &str, privacy: Value) -> Self {
        let bench = bench().await;
        let project = bench.world.project(level).await;
        let app = Self { bench, project };
        app.set(privacy).await.expect(StatusCode::OK);
        app
    }

    async fn set(&self, privacy: Value) -> Reply {
        let path = format!("/api/projects/{}", self.project.id);
        let call = self.bench.world.patch(&path).bearer(&self.project.owner.token);
        call.json(&json!({ "settings": { "privacy": privacy } })).send().await
    }

    fn call(&self, method: Method, path: &str, user: &User) -> Call {
        let path = format!("/p/{}/auth/v1/{path}", self.project.reference);
        let call = self.bench.world.call(method, &path);
        call.key(&self.project.publishable).bearer(&user.token)
    }

    async fn user(&self) -> User {
        self.bench.world.end_user(&self.project).await
    }

    /// As if that user had signed in a while ago.
    async fn long_signed_in(&self, user: &User) {
        let cell = self.cell().await;
        let sql = format!(
            "update auth_{}.sessions set created_at = created_at - interval '301 s' where user_id = $1::text::uuid",
            self.project.reference
        );
        cell.execute(&sql, &[&user.id]).await.unwrap();
    }

    async fn cell(&self) -> tokio_postgres::Client {
        let url = self.bench.server.url("plinth_cell");
        let (client, connection) = tokio_postgres::connect(url.expose(), tokio_postgres::NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        client
    }

    /// The job of a request.
    async fn job_of(&self, request: &str) -> Uuid {
        let sql = "select job_id from plinth.privacy_requests where id = $1::text::uuid";
        self.bench.control.query_one(sql, &[&request]).await.unwrap().get(0)
    }

    /// Entries of the project's log that keep an address which no erasure would remove.
    async fn addresses_of_nobody(&self) -> i64 {
        let sql = "select count(*) from plinth.audit_subjects s join plinth.audit_log l on l.id = s.audit_id
                   where l.project_id = $1::text::uuid and s.address is not null and s.actor !~ '^(user|end-user):'";
        self.bench
            .control
            .query_one(sql, &[&self.project.id])
            .await
            .unwrap()
            .get(0)
    }

    async fn confirm_map(&self) {
        let (world, token) = (&self.bench.world, &self.project.owner.token);
        super::erase::map(world, token, &self.project.id, &[]).await;
    }

    /// What the project's log says of what that person did, newest first.
    async fn log(&self) -> Vec<(String, Value)> {
        let path = format!("/api/projects/{}/audit?action=privacy.*", self.project.id);
        let call = self.bench.world.get(&path).bearer(&self.project.owner.token);
        let log = call.send().await.expect(StatusCode::OK);
        let entries = log["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| (text(entry, "action"), entry["actor"].clone()))
            .collect()
    }
}

fn name(reply: &Reply, status: StatusCode) -> String {
    text(&reply.expect(status), "error_code")
}

#[test]
fn nothing_is_offered_where_the_project_has_not_said_so() {
    run(async {
        let app = App::of("schema", json!(null)).await;
        let user = app.user().await;
        let asks = [
            (Method::POST, "user/export"),
            (Method::GET, "user/export"),
            (Method::DELETE, "user"),
        ];
        for (method, path) in asks.clone() {
            let reply = app.call(method, path, &user).send().await;
            assert_eq!(name(&reply, StatusCode::FORBIDDEN), "privacy_not_allowed", "{path}");
            assert!(reply.json()["hint"].as_str().unwrap().contains("selfErase"));
        }
        for (allowed, refused) in [("selfExport", 2), ("selfErase", 0)] {
            app.set(json!({ allowed: true })).await.expect(StatusCode::OK);
            let (method, path) = asks[refused].clone();
            let reply = app.call(method, path, &user).send().await;
            assert_eq!(name(&reply, StatusCode::FORBIDDEN), "privacy_not_allowed", "{path}");
        }
        for wrong in [json!(true), json!({ "selfErase": 1 }), json!({ "selfDestruct": true })] {
            let refused = app.set(wrong.clone()).await;
            assert_eq!(refused.code(StatusCode::BAD_REQUEST), "projects/settings", "{wrong}");
        }
    });
}

#[test]
fn who_asks_has_just_signed_in_or_sends_the_password() {
    run(async {
        let app = App::of("schema", json!({ "selfExport": true, "selfErase": true })).await;
        let user = app.user().await;
        app.long_signed_in(&user).await;
        for (method, path) in [(Method::POST, "user/export"), (Method::DELETE, "user")] {
            let ask = || app.call(method.clone(), path, &user);
            for (call, status, expected) in [
                (ask(), StatusCode::FORBIDDEN, "reauthentication_needed"),
                (ask().json(&json!({})), StatusCode::FORBIDDEN, "reauthentication_needed"),
                (
                    ask().json(&json!({ "password": "wrong horse" })),
                    StatusCode::BAD_REQUEST,
                    "invalid_credentials",
                ),
                (
                    ask().json(&json!({ "password": "x".repeat(5000) })),
                    StatusCode::BAD_REQUEST,
                    "invalid_credentials",
                ),
                (
                    ask().json(&json!({ "password": 5 })),
                    StatusCode::BAD_REQUEST,
                    "bad_json",
                ),
                (ask().untyped_body("nonsense"), StatusCode::BAD_REQUEST, "bad_json"),
            ] {
                assert_eq!(name(&call.send().await, status), expected, "{method} {path}");
            }
        }
        let stranger = App::of("schema", json!({ "selfErase": true })).await;
        let stranger = stranger.user().await;
        let reply = app.call(Method::DELETE, "user", &stranger).send().await;
        assert_eq!(name(&reply, StatusCode::FORBIDDEN), "bad_jwt");
        let path = format!("/p/{}/auth/v1/user", app.project.reference);
        let reply = app.bench.world.delete(&path).key(&app.project.publishable).send().await;
        assert_eq!(name(&reply, StatusCode::UNAUTHORIZED), "no_authorization");

        let proof = json!({ "password": PASSWORD });
        let asked = app.call(Method::POST, "user/export", &user).json(&proof).send().await;
        let asked = asked.expect(StatusCode::ACCEPTED);
        assert_eq!(asked["status"], "preparing");
        let again = app.call(Method::POST, "user/export", &user).json(&proof).send().await;
        assert_eq!(
            again.expect(StatusCode::ACCEPTED)["id"],
            asked["id"],
            "the one that is being made"
        );

        // Signed out, nothing is asked any more.
        app.call(Method::POST, "logout", &user)
            .send()
            .await
            .expect(StatusCode::NO_CONTENT);
        let reply = app.call(Method::DELETE, "user", &user).json(&proof).send().await;
        assert_eq!(name(&reply, StatusCode::FORBIDDEN), "session_not_found");
    });
}

#[test]
fn an_end_user_takes_a_copy_along_and_is_erased_at_level_schema() {
    run(taken_along_and_erased("schema"));
}

#[test]
fn an_end_user_takes_a_copy_along_and_is_erased_at_level_database() {
    run(taken_along_and_erased("database"));
}

async fn taken_along_and_erased(level: &str) {
    let app = App::of(level, json!({ "selfExport": true, "selfErase": true })).await;
    let (user, other) = (app.user().await, app.user().await);
    let none = app.call(Method::GET, "user/export", &user).send().await;
    assert_eq!(name(&none, StatusCode::NOT_FOUND), "privacy_export_not_found");
    let asked = app.call(Method::POST, "user/export", &user).send().await;
    let asked = asked.expect(StatusCode::ACCEPTED);
    let job = app.bench.ended(app.job_of(&text(&asked, "id")).await).await;
    assert_eq!(job.job.state, "succeeded", "{:?}", job.job.error);

    let shown = from_here(&app, Method::GET, &user, StatusCode::OK).await;
    assert_eq!((&shown["status"], &shown["id"]), (&json!("ready"), &asked["id"]));
    let base = &app.bench.worker().config.web.base_url;
    let url = text(&shown["link"], "url");
    let link = url.strip_prefix(base.as_str()).unwrap();
    let world = &app.bench.world;
    assert_eq!(
        send(world, Method::GET, link, "198.51.100.7", None).await.status,
        StatusCode::FORBIDDEN
    );
    let got = send(world, Method::GET, link, HERE, None).await;
    assert_eq!(got.status, StatusCode::OK, "{}", got.told());
    assert_eq!(shown["bytes"], got.body.len());
    assert_eq!(
        send(world, Method::GET, link, HERE, None).await.status,
        StatusCode::GONE
    );
    let by = json!(format!("end-user:{}", user.id));
    assert_eq!(app.log().await[0], ("privacy.export-fetch".to_owned(), by));
    let files = unzipped(&got.body);
    assert!(files.values().any(|content| content.contains(&user.email)));
    assert!(!files.values().any(|content| content.contains(&other.email)));
    let nothing = app.call(Method::GET, "user/export", &other).send().await;
    assert_eq!(
        name(&nothing, StatusCode::NOT_FOUND),
        "privacy_export_not_found",
        "it is another's"
    );
    // Theirs alone: not even the project's owner fetches it.
    let path = format!("/api/gdpr/exports/{}", text(&asked, "id"));
    let owner = world.get(&path).bearer(&app.project.owner.token).send().await;
    assert_eq!(owner.status, StatusCode::NOT_FOUND);

    let early = app.call(Method::DELETE, "user", &user).send().await;
    assert_eq!(name(&early, StatusCode::CONFLICT), "privacy_map_unconfirmed");
    app.confirm_map().await;
    let begun = app
        .call(Method::DELETE, "user", &user)
        .json(&json!({ "password": PASSWORD }))
        .send()
        .await;
    let begun = begun.expect(StatusCode::ACCEPTED);
    let (receipt, token) = (text(&begun, "receiptId"), text(&begun, "receiptToken"));
    let by = json!(format!("end-user:{}", user.id));
    assert_eq!(app.log().await[0], ("privacy.erase".to_owned(), by));
    let job = app.bench.ended(app.job_of(&receipt).await).await;
    assert_eq!(job.job.state, "succeeded", "{:?}", job.job.error);

    let path = format!("/api/gdpr/receipts/{receipt}?token={token}");
    let read = send(world, Method::GET, &path, HERE, None).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.told());
    assert_eq!(app.addresses_of_nobody().await, 0);
    let left = app.bench.holding(&user.email).await;
    assert_eq!(left, [].into());
    let left = app.bench.holding(&user.id).await;
    assert_eq!(left, [].into());
    assert!(
        app.log()
            .await
            .iter()
            .all(|(_, actor)| *actor != json!(format!("end-user:{}", user.id)))
    );
    let again = json!({ "email": user.email, "password": PASSWORD });
    let path = format!("/p/{}/auth/v1/token?grant_type=password", app.project.reference);
    let call = world.post(&path).key(&app.project.publishable).json(&again);
    assert_eq!(name(&call.send().await, StatusCode::BAD_REQUEST), "invalid_credentials");
    let present = app.call(Method::GET, "user", &other).send().await;
    assert_eq!(present.expect(StatusCode::OK)["email"], other.email.as_str());
    let path = format!("/api/projects/{}/audit/verify", app.project.id);
    let verified = world.get(&path).bearer(&app.project.owner.token).send().await;
    assert_eq!(verified.expect(StatusCode::OK)["valid"], true);
}

/// A call about the copy from the address that links are to work from.
async fn from_here(app: &App, method: Method, user: &User, status: StatusCode) -> Value {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    let body = match method {
        Method::POST => json!({ "password": PASSWORD }).to_string(),
        _ => String::new(),
    };
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("/p/{}/auth/v1/user/export", app.project.reference))
        .header("apikey", &app.project.publishable)
        .header("authorization", format!("Bearer {}", user.token))
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    request
        .extensions_mut()
        .insert(plinth::web::Peer(HERE.parse().unwrap()));
    let response = app.bench.world.router().oneshot(request).await.unwrap();
    assert_eq!(response.status(), status);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_copy_is_made_once_a_day_and_a_link_is_for_who_has_just_proved_who_they_are() {
    run(async {
        let app = App::of("schema", json!({ "selfExport": true })).await;
        let user = app.user().await;
        let all = (0..16).map(|_| app.call(Method::POST, "user/export", &user).send());
        let mut all: Vec<_> = futures_util::future::join_all(all)
            .await
            .iter()
            .map(|asked| text(&asked.expect(StatusCode::ACCEPTED), "id"))
            .collect();
        all.dedup();
        assert_eq!(all.len(), 1, "sixteen at once ask for one copy");
        let job = app.bench.ended(app.job_of(&all[0]).await).await;
        assert_eq!(job.job.state, "succeeded", "{:?}", job.job.error);

        // A token alone that has been lying about tells how it stands.
        app.long_signed_in(&user).await;
        let shown = from_here(&app, Method::GET, &user, StatusCode::OK).await;
        assert_eq!((&shown["status"], &shown["link"]), (&json!("ready"), &Value::Null));
        let fetch = async |shown: &Value| {
            let base = &app.bench.worker().config.web.base_url;
            let url = text(&shown["link"], "url");
            let link = url.strip_prefix(base.as_str()).unwrap().to_owned();
            let got = send(&app.bench.world, Method::GET, &link, HERE, None).await;
            assert_eq!(got.status, StatusCode::OK, "{}", got.told());
        };
        for _ in 0..2 {
            let shown = from_here(&app, Method::POST, &user, StatusCode::ACCEPTED).await;
            assert_eq!(shown["id"], all[0], "the one that was fetched is today's");
            fetch(&shown).await;
        }
        let sql =
            "update plinth.privacy_requests set created_at = created_at - interval '1 day' where id = $1::text::uuid";
        app.bench.control.execute(sql, &[&all[0]]).await.unwrap();
        let next = from_here(&app, Method::POST, &user, StatusCode::ACCEPTED).await;
        assert_ne!(next["id"], all[0]);
        assert_eq!(next["status"], "preparing");
    });
}

#[test]
fn the_login_of_accounts_sees_only_what_people_asked_for_themselves() {
    run(async {
        let app = App::of("schema", json!({ "selfExport": true })).await;
        let user = app.user().await;
        let project: Uuid = app.project.id.parse().unwrap();
        let (others, job) = (fresh(), fresh());
        for sql in [
            "insert into plinth.jobs (id, kind, project_id, state, run_at, created_at, updated_at)
             values ($3, 'docs.generate', $2, 'succeeded', now(), now(), now() + 0 * length($1::uuid::text) * interval '1 s')",
            "insert into plinth.privacy_requests (id, kind, scope, project_id, subject, job_id, created_at)
             values ($1, 'export', 'end-user', $2, '{\"id\": \"x\"}', $3, now())",
            "insert into plinth.exports (id, object, created_at, expires_at)
             values ($1, $2::uuid::text || $3::uuid::text, now(), now() + interval '1 day')",
        ] {
            app.bench.control.execute(sql, &[&others, &project, &job]).await.unwrap();
        }
        app.call(Method::POST, "user/export", &user)
            .send()
            .await
            .expect(StatusCode::ACCEPTED);
        let auth = app.bench.world.app(plinth_local::platform::Function::Auth);
        let client = auth.control.get().await.unwrap();
        let seen = |table: &str| format!("select count(*), bool_or(id = $1 or id = $2) from plinth.{table}");
        for table in ["privacy_requests", "exports", "jobs"] {
            let row = client.query_one(&seen(table), &[&others, &job]).await.unwrap();
            assert!(row.get::<_, i64>(0) > 0 && !row.get::<_, bool>(1), "{table}");
        }
        for forbidden in [
            "insert into plinth.privacy_requests (id, kind, scope, self, created_at)
             values (gen_random_uuid(), 'export', 'platform-user', true, now())",
            "insert into plinth.privacy_requests (id, kind, scope, self, created_at)
             values (gen_random_uuid(), 'erasure', 'end-user', false, now())",
            "insert into plinth.jobs (id, kind, run_at, created_at, updated_at)
             values (gen_random_uuid(), 'docs.generate', now(), now(), now())",
            "select result from plinth.jobs",
            "select map from plinth.subject_maps",
            "delete from plinth.exports",
            "update plinth.privacy_requests set subject = null",
        ] {
            let refused = client.batch_execute(forbidden).await.unwrap_err();
            assert_eq!(refused.code().unwrap().code(), "42501", "{forbidden}");
        }
    });
}
