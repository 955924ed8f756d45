//! Projects: through the router, against real Postgres.

use std::sync::Arc;

use http::{Method, StatusCode};
use plinth::app::App;
use plinth::control::dial::{Trust, dial};
use plinth::control::page::Page;
use plinth::ident::UserId;
use plinth::projects::NewProject;
use plinth::tenancy::{Caller, MemberRole, PlatformRole, PlatformUser, RequestInfo};
use plinth::testing::FixedClock;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::world::{Reply, User, World, platform, run, text, unique, world};

/// The control database, as the login that owns it.
pub async fn master() -> tokio_postgres::Client {
    let trust = Trust::new(None).unwrap();
    dial(&platform().await.master, &trust).await.unwrap()
}

/// A project without a backend.
pub struct Bare {
    pub id: String,
    pub owner: User,
}

impl Bare {
    pub async fn new() -> Self {
        Self::of(world().await.user().await).await
    }

    pub async fn of(owner: User) -> Self {
        let made = create(&owner, &json!({ "name": unique() })).await;
        let id = text(&made.expect(StatusCode::CREATED)["project"], "id");
        Self { id, owner }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/api/projects/{}{rest}", self.id)
    }

    pub fn uuid(&self) -> Uuid {
        self.id.parse().unwrap()
    }

    /// A new user with that role in it.
    pub async fn member(&self, role: &str) -> User {
        let user = world().await.user().await;
        self.add(&user, role).await;
        user
    }

    pub async fn add(&self, user: &User, role: &str) {
        let body = json!({ "userId": user.id, "role": role });
        let added = send(Method::POST, &self.path("/members"), &self.owner, Some(&body)).await;
        added.expect(StatusCode::CREATED);
    }

    pub async fn version(&self) -> i64 {
        let row = master()
            .await
            .query_one("select version from plinth.projects where id = $1", &[&self.uuid()])
            .await;
        row.unwrap().get(0)
    }

    pub async fn audited(&self) -> Vec<String> {
        let sql = "select action from plinth.audit_log where project_id = $1 order by sequence";
        let rows = master().await.query(sql, &[&self.uuid()]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }
}

pub async fn send(method: Method, path: &str, by: &User, body: Option<&Value>) -> Reply {
    let call = world().await.call(method, path).bearer(&by.token);
    match body {
        Some(body) => call.json(body).send().await,
        None => call.send().await,
    }
}

async fn create(by: &User, body: &Value) -> Reply {
    send(Method::POST, "/api/projects", by, Some(body)).await
}

/// A caller as the services take it.
pub fn caller(user: &User, role: PlatformRole) -> Caller {
    Caller {
        user: PlatformUser {
            id: UserId(user.id.parse().unwrap()),
            email: Some(user.email.clone()),
            role,
            outside: None,
            signed_in_at: None,
        },
        request: RequestInfo::default(),
    }
}

pub async fn app_at(clock: &Arc<FixedClock>) -> App {
    platform().await.app_at(Function::Projects, clock.clone()).unwrap()
}

#[test]
fn a_new_project_is_its_creators_and_can_be_read_back() {
    run(async {
        let owner = world().await.user().await;
        let name = unique();
        let body = json!({ "name": name, "description": "Mine", "settings": { "a": 1 } });
        let made = create(&owner, &body).await;
        assert_eq!(made.header("etag"), "\"1\"");
        let made = made.expect(StatusCode::CREATED);
        let project = &made["project"];
        assert_eq!(text(project, "ref").len(), 20);
        for (field, expected) in [
            ("name", json!(name)),
            ("description", json!("Mine")),
            ("status", json!("active")),
            ("settings", json!({ "a": 1 })),
            ("role", json!("owner")),
            ("version", json!(1)),
            ("backend", Value::Null),
            (
                "apiUrl",
                json!(format!("http://127.0.0.1:8787/p/{}", text(project, "ref"))),
            ),
        ] {
            assert_eq!(project[field], expected, "{field}");
        }
        let path = format!("/api/projects/{}", text(project, "id"));
        let read = send(Method::GET, &path, &owner, None).await.expect(StatusCode::OK);
        assert_eq!(read, made);
        let listed = send(Method::GET, "/api/projects", &owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(listed, json!({ "projects": [project], "nextCursor": null }));
    });
}

#[test]
fn what_a_project_may_be_called_and_set_to_is_checked() {
    run(async {
        let owner = world().await.user().await;
        let long = "n".repeat(101);
        let cases = [
            (json!({}), "http/body"),
            (json!({ "name": 1 }), "http/body"),
            (json!({ "name": "" }), "projects/name"),
            (json!({ "name": "  " }), "projects/name"),
            (json!({ "name": "a\u{0}b" }), "projects/name"),
            (json!({ "name": "a\nb" }), "projects/name"),
            (json!({ "name": long }), "projects/name"),
            (json!({ "name": "a", "description": "x\u{0}" }), "projects/description"),
            (
                json!({ "name": "a", "description": "x".repeat(2001) }),
                "projects/description",
            ),
            (json!({ "name": "a", "status": "Very Active" }), "projects/status"),
            (json!({ "name": "a", "status": "" }), "projects/status"),
            (json!({ "name": "a", "settings": [] }), "http/body"),
            (
                json!({ "name": "a", "settings": { "x": "\u{0}" } }),
                "projects/settings",
            ),
            (
                json!({ "name": "a", "settings": { "x": "y".repeat(20_000) } }),
                "projects/settings",
            ),
        ];
        for (body, code) in cases {
            assert_eq!(
                create(&owner, &body).await.code(StatusCode::BAD_REQUEST),
                code,
                "{body}"
            );
        }
        let project = Bare::new().await;
        for (body, code) in [
            (json!({}), "projects/no-change"),
            (json!({ "nmae": "a" }), "http/body"),
            (json!({ "name": "" }), "projects/name"),
            (json!({ "status": "!" }), "projects/status"),
            (json!({ "settings": { "x": "y".repeat(20_000) } }), "projects/settings"),
        ] {
            let reply = send(Method::PATCH, &project.path(""), &project.owner, Some(&body)).await;
            assert_eq!(reply.code(StatusCode::BAD_REQUEST), code, "{body}");
        }
        assert_eq!(project.version().await, 1);
        for name in ["'; drop table plinth.projects; --", "\"", "名前", &"ü".repeat(100)] {
            create(&owner, &json!({ "name": name }))
                .await
                .expect(StatusCode::CREATED);
        }
    });
}

pub fn missing() -> Value {
    json!({ "code": "projects/not-found", "message": "Project not found", "details": null,
        "hint": "Check the id, and that you are a member of the project" })
}

#[test]
fn a_malformed_or_unknown_id_looks_like_a_strangers() {
    run(async {
        let user = world().await.user().await;
        for id in ["1", "x'--", "%00", &Uuid::nil().to_string(), "%F0%9F%A6%80"] {
            for (method, rest) in [(Method::GET, ""), (Method::DELETE, ""), (Method::POST, "/restore")] {
                let reply = send(method.clone(), &format!("/api/projects/{id}{rest}"), &user, None).await;
                assert_eq!(reply.expect(StatusCode::NOT_FOUND), missing(), "{method} {id}{rest}");
            }
        }
    });
}

#[test]
fn a_guest_may_not_create() {
    run(async {
        let app = world().await.app(Function::Projects);
        let guest = caller(&world().await.user().await, PlatformRole::Guest);
        let refused = plinth::projects::create(&app, &guest, &named(&unique()), None).await;
        assert_eq!(refused.unwrap_err().code(), "projects/guest");
    });
}

#[test]
fn an_outside_issuers_user_is_known_once_they_have_a_project() {
    run(async {
        let app = world().await.app(Function::Projects);
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, unique().as_bytes());
        let user = PlatformUser {
            id: UserId(id),
            email: Some("outside@example.com".into()),
            role: PlatformRole::User,
            outside: Some(("https://issuer.example".into(), unique())),
            signed_in_at: None,
        };
        let by = Caller {
            user,
            request: RequestInfo::default(),
        };
        for _ in 0..2 {
            plinth::projects::create(&app, &by, &named(&unique()), None)
                .await
                .unwrap();
        }
        let owner = Bare::new().await;
        let body = json!({ "userId": id, "role": "viewer" });
        let added = send(Method::POST, &owner.path("/members"), &owner.owner, Some(&body)).await;
        added.expect(StatusCode::CREATED);
    });
}

pub fn named(name: &str) -> NewProject {
    serde_json::from_value(json!({ "name": name })).unwrap()
}

#[test]
fn the_quota_holds_even_when_two_take_the_last_place() {
    run(async {
        let platform = platform().await.with("PLINTH_MAX_PROJECTS", "2");
        let app = platform.app(Function::Projects).unwrap();
        let user = world().await.user().await;
        let by = caller(&user, PlatformRole::User);
        let make = async || plinth::projects::create(&app, &by, &named(&unique()), None).await;
        let first = make().await.unwrap();
        let (a, b) = tokio::join!(make(), make());
        let refused = a.err().or(b.err()).expect("one of the two is refused");
        assert_eq!(refused.code(), "projects/quota");
        assert_eq!(
            plinth::projects::list(&app, &by, &Page::parse(None, None).unwrap())
                .await
                .unwrap()
                .items
                .len(),
            2
        );

        // Deleting makes room; the deleted one then finds none.
        let access = app
            .tenancy
            .require(by.clone(), first.id, MemberRole::Owner)
            .await
            .unwrap();
        plinth::projects::delete(&app, &access).await.unwrap();
        make().await.unwrap();
        assert_eq!(
            plinth::projects::restore(&app, &access).await.unwrap_err().code(),
            "projects/quota"
        );
    });
}

#[test]
fn a_name_is_one_projects_until_that_is_deleted() {
    run(async {
        let project = Bare::new().await;
        let read = send(Method::GET, &project.path(""), &project.owner, None).await;
        let name = text(&read.json()["project"], "name");
        let again = json!({ "name": name.to_uppercase() });
        let refused = create(&project.owner, &again).await;
        assert_eq!(refused.code(StatusCode::CONFLICT), "projects/name-taken");
        create(&world().await.user().await, &again)
            .await
            .expect(StatusCode::CREATED);

        send(Method::DELETE, &project.path(""), &project.owner, None)
            .await
            .expect(StatusCode::OK);
        let second = create(&project.owner, &again).await.expect(StatusCode::CREATED);
        let restore = async || send(Method::POST, &project.path("/restore"), &project.owner, None).await;
        assert_eq!(restore().await.code(StatusCode::CONFLICT), "projects/name-taken");

        let path = format!("/api/projects/{}", text(&second["project"], "id"));
        let renamed = send(Method::PATCH, &path, &project.owner, Some(&json!({ "name": unique() }))).await;
        renamed.expect(StatusCode::OK);
        restore().await.expect(StatusCode::OK);
        let back = send(Method::PATCH, &path, &project.owner, Some(&again)).await;
        assert_eq!(back.code(StatusCode::CONFLICT), "projects/name-taken");
    });
}

#[test]
fn a_repeated_request_gets_the_first_reply() {
    run(async {
        let owner = world().await.user().await;
        let body = json!({ "name": unique() });
        let call = |by: &User, key: &str, body: &Value| {
            let (token, key, body) = (by.token.clone(), key.to_owned(), body.clone());
            async move {
                let call = world().await.post("/api/projects").bearer(&token);
                call.header("idempotency-key", &key).json(&body).send().await
            }
        };
        let (first, second) = tokio::join!(call(&owner, "k1", &body), call(&owner, "k1", &body));
        let first = first.expect(StatusCode::CREATED);
        assert_eq!(first, second.expect(StatusCode::CREATED));
        assert_eq!(first, call(&owner, "k1", &body).await.expect(StatusCode::CREATED));

        let other = json!({ "name": unique() });
        let mistaken = call(&owner, "k1", &other).await;
        assert_eq!(mistaken.code(StatusCode::UNPROCESSABLE_ENTITY), "http/idempotency-key");
        let somebody = world().await.user().await;
        assert_ne!(first, call(&somebody, "k1", &body).await.expect(StatusCode::CREATED));
        assert_eq!(
            call(&owner, "", &other).await.code(StatusCode::BAD_REQUEST),
            "http/idempotency-key"
        );

        // A refused request is not remembered: it may be sent again when the reason is gone.
        let taken = call(&owner, "k2", &body).await;
        assert_eq!(taken.code(StatusCode::CONFLICT), "projects/name-taken");
        let path = format!("/api/projects/{}", text(&first["project"], "id"));
        send(Method::DELETE, &path, &owner, None).await.expect(StatusCode::OK);
        call(&owner, "k2", &body).await.expect(StatusCode::CREATED);
    });
}

#[test]
fn a_change_on_an_old_version_is_refused_with_the_current_one() {
    run(async {
        let project = Bare::new().await;
        let change = |tag: &'static str, body: Value| {
            let (path, token) = (project.path(""), project.owner.token.clone());
            async move {
                let call = world().await.patch(&path).bearer(&token).header("if-match", tag);
                call.json(&body).send().await
            }
        };
        let changed = change("\"1\"", json!({ "settings": { "a": 1, "b": 2 } })).await;
        assert_eq!(changed.header("etag"), "\"2\"");
        assert_eq!(changed.expect(StatusCode::OK)["propagation"], "done");
        let stale = change("\"1\"", json!({ "status": "paused" }))
            .await
            .expect(StatusCode::CONFLICT);
        assert_eq!(
            (&stale["code"], &stale["details"]),
            (&json!("projects/version"), &json!("The current version is 2"))
        );
        let merged = change("W/\"2\"", json!({ "settings": { "a": null, "c": 3 } }))
            .await
            .expect(StatusCode::OK);
        assert_eq!(merged["project"]["settings"], json!({ "b": 2, "c": 3 }));
        assert_eq!(
            change("x", json!({ "status": "a" }))
                .await
                .code(StatusCode::BAD_REQUEST),
            "http/if-match"
        );
        let any = change("*", json!({ "description": "d", "status": "paused" }))
            .await
            .expect(StatusCode::OK);
        assert_eq!(any["project"]["version"], 4);
        let removed = change("\"4\"", json!({ "description": null }))
            .await
            .expect(StatusCode::OK);
        assert_eq!(
            (&removed["project"]["description"], &removed["project"]["status"]),
            (&Value::Null, &json!("paused"))
        );

        let put = send(
            Method::PUT,
            &project.path(""),
            &project.owner,
            Some(&json!({ "name": unique() })),
        )
        .await;
        let put = put.expect(StatusCode::OK);
        assert_eq!(
            (&put["project"]["status"], &put["project"]["settings"]),
            (&json!("active"), &json!({}))
        );
    });
}

#[test]
fn pages_join_to_the_whole_list_in_order() {
    run(async {
        let owner = world().await.user().await;
        let mut made = Vec::new();
        for _ in 0..5 {
            let reply = create(&owner, &json!({ "name": unique() }))
                .await
                .expect(StatusCode::CREATED);
            made.push(reply["project"]["id"].clone());
        }
        made.reverse();
        let (mut read, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
        loop {
            let page = send(Method::GET, &format!("/api/projects?limit=2{cursor}"), &owner, None).await;
            let page = page.expect(StatusCode::OK);
            read.extend(
                page["projects"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|project| project["id"].clone()),
            );
            pages += 1;
            match page["nextCursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!((read, pages), (made, 3));
        for (query, code) in [
            ("limit=0", "http/limit"),
            ("limit=101", "http/limit"),
            ("limit=x", "http/query"),
            ("cursor=x", "http/cursor"),
            ("scope=moon", "projects/scope"),
        ] {
            let reply = send(Method::GET, &format!("/api/projects?{query}"), &owner, None).await;
            assert_eq!(reply.code(StatusCode::BAD_REQUEST), code, "{query}");
        }
    });
}

#[test]
fn requests_without_a_session_are_refused() {
    run(async {
        let world: &World = world().await;
        for (method, path) in [
            (Method::GET, "/api/projects"),
            (Method::POST, "/api/projects"),
            (Method::GET, "/api/trash"),
            (Method::GET, "/api/jobs/00000000-0000-0000-0000-000000000000"),
        ] {
            let reply = world.call(method, path).json(&json!({})).send().await;
            assert_eq!(reply.code(StatusCode::UNAUTHORIZED), "auth/unauthorized");
        }
    });
}
