//! Projects, members, audit log, jobs: through the router, against real Postgres.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use plinth::app::App;
use plinth::clock::RESTORE_WINDOW;
use plinth::control::dial::{Trust, dial};
use plinth::ident::{ProjectId, UserId};
use plinth::projects::{NewProject, Page};
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

    async fn add(&self, user: &User, role: &str) {
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

    async fn audited(&self) -> Vec<String> {
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

#[test]
fn every_role_may_do_what_its_row_says() {
    run(async {
        // Statuses for: owner, admin, developer, viewer, stranger, nobody.
        let name = || json!({ "name": "{unique}" });
        let rows: Vec<(Method, &str, Option<Value>, [u16; 6])> = vec![
            (Method::GET, "", None, [200, 200, 200, 200, 404, 401]),
            (Method::PATCH, "", Some(name()), [200, 200, 403, 403, 404, 401]),
            (Method::PUT, "", Some(name()), [200, 200, 403, 403, 404, 401]),
            (Method::DELETE, "", None, [200, 403, 403, 403, 404, 401]),
            (Method::POST, "/restore", None, [200, 403, 403, 403, 404, 401]),
            (Method::GET, "/members", None, [200, 200, 200, 200, 404, 401]),
            (
                Method::POST,
                "/members",
                Some(json!({ "userId": "{other}", "role": "admin" })),
                [201, 201, 403, 403, 404, 401],
            ),
            (
                Method::POST,
                "/members",
                Some(json!({ "userId": "{other}", "role": "owner" })),
                [201, 403, 403, 403, 404, 401],
            ),
            (
                Method::PATCH,
                "/members/{viewer}",
                Some(json!({ "role": "developer" })),
                [200, 200, 403, 403, 404, 401],
            ),
            (
                Method::PATCH,
                "/members/{viewer}",
                Some(json!({ "role": "owner" })),
                [200, 403, 403, 403, 404, 401],
            ),
            (
                Method::DELETE,
                "/members/{developer}",
                None,
                [204, 204, 204, 403, 404, 401],
            ),
            (
                Method::DELETE,
                "/members/{viewer}",
                None,
                [204, 204, 403, 204, 404, 401],
            ),
            (Method::DELETE, "/members/{owner}", None, [409, 403, 403, 403, 404, 401]),
            (Method::GET, "/keys", None, [200, 200, 403, 403, 404, 401]),
            (
                Method::POST,
                "/keys",
                Some(json!({ "class": "secret", "name": "k" })),
                [201, 201, 403, 403, 404, 401],
            ),
            (
                Method::POST,
                "/keys/{key}/rotate",
                Some(json!({})),
                [201, 201, 403, 403, 404, 401],
            ),
            (Method::DELETE, "/keys/{key}", None, [200, 200, 403, 403, 404, 401]),
            (Method::GET, "/audit", None, [200, 200, 403, 403, 404, 401]),
        ];
        let world = world().await;
        let [owner, admin, developer, viewer, stranger] = world_users().await;
        let key = json!({ "class": "publishable", "name": "k" });
        for (method, rest, body, statuses) in rows {
            for (who, status) in ["owner", "admin", "developer", "viewer", "stranger", "nobody"]
                .iter()
                .zip(statuses)
            {
                let project = Bare::of(owner.clone()).await;
                for (user, role) in [(&admin, "admin"), (&developer, "developer"), (&viewer, "viewer")] {
                    project.add(user, role).await;
                }
                let key = send(Method::POST, &project.path("/keys"), &owner, Some(&key)).await;
                let fill = |text: &str| {
                    text.replace("{owner}", &project.owner.id)
                        .replace("{developer}", &developer.id)
                        .replace("{viewer}", &viewer.id)
                        .replace("{key}", &crate::world::text(&key.json(), "id"))
                        .replace("{other}", &stranger.id)
                        .replace("{unique}", &unique())
                };
                let by = match *who {
                    "owner" => Some(&project.owner),
                    "admin" => Some(&admin),
                    "developer" => Some(&developer),
                    "viewer" => Some(&viewer),
                    "stranger" => Some(&stranger),
                    _ => None,
                };
                let before = (project.version().await, project.audited().await);
                let mut call = world.call(method.clone(), &project.path(&fill(rest)));
                if let Some(by) = by {
                    call = call.bearer(&by.token);
                }
                if let Some(body) = &body {
                    call = call.json(&serde_json::from_str(&fill(&body.to_string())).unwrap());
                }
                let reply = call.send().await;
                assert_eq!(
                    reply.status.as_u16(),
                    status,
                    "{who} {method} {rest} {body:?}: {}",
                    reply.text
                );
                if status == 404 {
                    assert_eq!(reply.text, missing().to_string(), "{who} {method} {rest}");
                }
                if status >= 400 {
                    assert_eq!(
                        before,
                        (project.version().await, project.audited().await),
                        "{who} {method} {rest}"
                    );
                }
            }
        }
    });
}

async fn world_users() -> [User; 5] {
    let world = world().await;
    [
        world.user().await,
        world.user().await,
        world.user().await,
        world.user().await,
        world.user().await,
    ]
}

fn missing() -> Value {
    json!({ "code": "projects/not-found", "message": "Project not found", "details": null, "hint": null })
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

fn named(name: &str) -> NewProject {
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
fn a_deleted_project_is_nowhere_until_its_owner_restores_it() {
    run(async {
        let project = Bare::new().await;
        let viewer = project.member("viewer").await;
        let deleted = send(Method::DELETE, &project.path(""), &project.owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(deleted["propagation"], "done");
        for (method, rest) in [
            (Method::GET, ""),
            (Method::DELETE, ""),
            (Method::GET, "/members"),
            (Method::GET, "/keys"),
            (Method::GET, "/audit"),
        ] {
            let reply = send(method, &project.path(rest), &project.owner, None).await;
            assert_eq!(reply.expect(StatusCode::NOT_FOUND), missing());
        }
        let listed = send(Method::GET, "/api/projects", &viewer, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(listed["projects"], json!([]));
        let trash = send(Method::GET, "/api/trash", &project.owner, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(trash["items"][0]["id"], json!(project.id));
        assert_eq!(trash["items"][0]["restorableUntil"], deleted["restorableUntil"]);
        let others = send(Method::GET, "/api/trash", &viewer, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(others["items"], json!([]));

        for _ in 0..2 {
            let restored = send(Method::POST, &project.path("/restore"), &project.owner, None).await;
            assert_eq!(restored.expect(StatusCode::OK)["project"]["id"], json!(project.id));
        }
        send(Method::GET, &project.path(""), &viewer, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(
            project.audited().await,
            ["projects.create", "members.add", "projects.delete", "projects.restore"]
        );
    });
}

#[test]
fn a_project_can_be_restored_for_thirty_days_and_not_a_second_longer() {
    run(async {
        let day = Duration::from_secs(24 * 60 * 60);
        let second = Duration::from_secs(1);
        for (age, restorable) in [
            (29 * day, true),
            (RESTORE_WINDOW, true),
            (RESTORE_WINDOW + second, false),
        ] {
            let clock = Arc::new(FixedClock::at(Timestamp::from_second(1_900_000_000).unwrap()));
            let app = app_at(&clock).await;
            let by = caller(&world().await.user().await, PlatformRole::User);
            let made = plinth::projects::create(&app, &by, &named(&unique()), None)
                .await
                .unwrap();
            let access = app
                .tenancy
                .require(by.clone(), made.id, MemberRole::Owner)
                .await
                .unwrap();
            plinth::projects::delete(&app, &access).await.unwrap();
            clock.advance(age);
            let trash = plinth::projects::trash(&app, &by, &Page::parse(None, None).unwrap())
                .await
                .unwrap();
            assert_eq!(trash.items.len(), usize::from(restorable), "{age:?}");
            let restored = plinth::projects::restore(&app, &access).await;
            let expected = if restorable { None } else { Some("projects/not-found") };
            assert_eq!(
                restored.err().as_ref().map(plinth::error::Error::code),
                expected,
                "{age:?}"
            );
        }
    });
}

#[test]
fn members_are_added_changed_and_removed() {
    run(async {
        let project = Bare::new().await;
        let user = world().await.user().await;
        let add = async |body: Value| send(Method::POST, &project.path("/members"), &project.owner, Some(&body)).await;
        let added = add(json!({ "email": user.email.to_uppercase(), "role": "viewer" })).await;
        let added = added.expect(StatusCode::CREATED);
        assert_eq!(
            (&added["member"]["userId"], &added["member"]["role"]),
            (&json!(user.id), &json!("viewer"))
        );
        for (body, status, code) in [
            (json!({ "userId": user.id, "role": "viewer" }), 409, "members/already"),
            (
                json!({ "userId": Uuid::nil(), "role": "viewer" }),
                404,
                "members/no-such-user",
            ),
            (
                json!({ "email": "nobody@example.com", "role": "viewer" }),
                404,
                "members/no-such-user",
            ),
            (json!({ "role": "viewer" }), 400, "members/who"),
            (
                json!({ "email": "a@b.c", "userId": user.id, "role": "viewer" }),
                400,
                "members/who",
            ),
            (json!({ "userId": user.id, "role": "king" }), 400, "http/body"),
        ] {
            assert_eq!(
                add(body.clone()).await.code(StatusCode::from_u16(status).unwrap()),
                code,
                "{body}"
            );
        }
        let path = project.path(&format!("/members/{}", user.id));
        let changed = send(Method::PATCH, &path, &project.owner, Some(&json!({ "role": "admin" }))).await;
        assert_eq!(changed.expect(StatusCode::OK)["member"]["role"], "admin");
        let listed = send(Method::GET, &project.path("/members"), &user, None)
            .await
            .expect(StatusCode::OK);
        let roles: Vec<_> = listed["members"]
            .as_array()
            .unwrap()
            .iter()
            .map(|member| &member["role"])
            .collect();
        assert_eq!(roles, ["owner", "admin"]);
        send(Method::DELETE, &path, &user, None)
            .await
            .expect(StatusCode::NO_CONTENT);
        send(Method::GET, &project.path(""), &user, None)
            .await
            .expect(StatusCode::NOT_FOUND);
        let gone = send(Method::DELETE, &path, &project.owner, None).await;
        assert_eq!(gone.code(StatusCode::NOT_FOUND), "members/not-found");
        add(json!({ "userId": user.id, "role": "developer" }))
            .await
            .expect(StatusCode::CREATED);
    });
}

#[test]
fn of_two_last_owners_who_leave_at_once_one_stays() {
    run(async {
        for _ in 0..5 {
            let project = Bare::new().await;
            let other = project.member("owner").await;
            let leave = async |user: &User| {
                let path = project.path(&format!("/members/{}", user.id));
                send(Method::DELETE, &path, user, None).await
            };
            let (one, two) = tokio::join!(leave(&project.owner), leave(&other));
            let mut statuses = [one.status.as_u16(), two.status.as_u16()];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409], "{} {}", one.text, two.text);
            let refused = if one.status == StatusCode::CONFLICT { one } else { two };
            assert_eq!(refused.code(StatusCode::CONFLICT), "members/last-owner");
        }
    });
}

/// Every mutating route with a request that succeeds, and the one audit row it writes.
#[test]
fn every_mutating_route_writes_its_audit_row() {
    run(async {
        let rows: Vec<(&str, &str, Value, &str)> = vec![
            (
                "post",
                "/api/projects",
                json!({ "name": "{unique}" }),
                "projects.create",
            ),
            (
                "patch",
                "/api/projects/{id}",
                json!({ "name": "{unique}" }),
                "projects.update",
            ),
            (
                "put",
                "/api/projects/{id}",
                json!({ "name": "{unique}" }),
                "projects.update",
            ),
            (
                "post",
                "/api/projects/{id}/members",
                json!({ "userId": "{stranger}", "role": "viewer" }),
                "members.add",
            ),
            (
                "patch",
                "/api/projects/{id}/members/{userId}",
                json!({ "role": "admin" }),
                "members.change",
            ),
            (
                "delete",
                "/api/projects/{id}/members/{userId}",
                Value::Null,
                "members.remove",
            ),
            (
                "post",
                "/api/projects/{id}/keys",
                json!({ "class": "secret", "name": "k" }),
                "keys.create",
            ),
            (
                "post",
                "/api/projects/{id}/keys/{keyId}/rotate",
                json!({}),
                "keys.rotate",
            ),
            ("delete", "/api/projects/{id}/keys/{keyId}", Value::Null, "keys.revoke"),
            ("delete", "/api/projects/{id}", Value::Null, "projects.delete"),
            ("post", "/api/projects/{id}/restore", Value::Null, "projects.restore"),
        ];
        let mut routes: Vec<(String, String)> = Vec::new();
        let declared = serde_json::to_value(projects::routes().into_openapi()).unwrap();
        for (path, methods) in declared["paths"].as_object().unwrap() {
            for method in methods.as_object().unwrap().keys() {
                if ["post", "put", "patch", "delete"].contains(&method.as_str()) {
                    routes.push((method.clone(), path.clone()));
                }
            }
        }
        for (method, path) in &routes {
            let listed = rows.iter().any(|row| row.0 == method && row.1 == path);
            assert!(listed, "{method} {path} changes something and has no row here");
        }
        assert_eq!(routes.len(), rows.len());

        for (method, path, body, action) in rows {
            let project = Bare::new().await;
            let member = project.member("viewer").await;
            let stranger = world().await.user().await;
            let key = json!({ "class": "publishable", "name": "k" });
            let key = send(Method::POST, &project.path("/keys"), &project.owner, Some(&key)).await;
            if action == "projects.restore" {
                send(Method::DELETE, &project.path(""), &project.owner, None)
                    .await
                    .expect(StatusCode::OK);
            }
            let before = project.audited().await;
            let path = path
                .replace("{id}", &project.id)
                .replace("{userId}", &member.id)
                .replace("{keyId}", &text(&key.json(), "id"));
            let body = body
                .to_string()
                .replace("{unique}", &unique())
                .replace("{stranger}", &stranger.id);
            let body: Value = serde_json::from_str(&body).unwrap();
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let reply = send(method.clone(), &path, &project.owner, Some(&body)).await;
            assert!(reply.status.is_success(), "{method} {path}: {}", reply.text);
            if action == "projects.create" {
                let made = Bare {
                    id: text(&reply.json()["project"], "id"),
                    owner: stranger,
                };
                assert_eq!(made.audited().await, [action]);
            } else {
                let after = project.audited().await;
                assert_eq!(after[before.len()..], [action], "{method} {path}");
            }
        }
    });
}

#[test]
fn the_audit_log_pages_newest_first_and_names_who_and_what() {
    run(async {
        let project = Bare::new().await;
        let admin = project.member("admin").await;
        let named = json!({ "name": unique() });
        send(Method::PATCH, &project.path(""), &admin, Some(&named))
            .await
            .expect(StatusCode::OK);
        let first = send(Method::GET, &project.path("/audit?limit=2"), &admin, None)
            .await
            .expect(StatusCode::OK);
        let entries = first["entries"].as_array().unwrap();
        assert_eq!(entries[0]["action"], "projects.update");
        assert_eq!(entries[0]["actor"], json!(format!("user:{}", admin.id)));
        assert_eq!(entries[0]["details"], json!({ "changed": ["name"] }));
        assert!(!text(&entries[0], "requestId").is_empty());
        assert_eq!(entries[1]["target"], json!(admin.id));
        let rest = format!("/audit?limit=2&cursor={}", text(&first, "nextCursor"));
        let last = send(Method::GET, &project.path(&rest), &admin, None)
            .await
            .expect(StatusCode::OK);
        assert_eq!(last["entries"][0]["action"], "projects.create");
        assert_eq!(
            (last["entries"].as_array().unwrap().len(), &last["nextCursor"]),
            (1, &Value::Null)
        );
        assert!(!first.to_string().contains(&admin.email), "no personal data in the log");
    });
}

#[test]
fn the_audit_chain_verifies_and_notices_a_change() {
    run(async {
        let project = Bare::new().await;
        for role in ["admin", "developer", "viewer"] {
            project.member(role).await;
        }
        let client = master().await;
        let broken = "
            with chain as (
              select l.*, lag(l.hash, 1, '') over (order by l.sequence) as expected_previous,
                lag(l.sequence, 1, 0::bigint) over (order by l.sequence) as expected_sequence
              from plinth.audit_log l where l.project_id = $1
            )
            select count(*) from chain c left join plinth.audit_subjects s on s.audit_id = c.id
            where c.previous <> c.expected_previous or c.sequence <> c.expected_sequence + 1
              or c.hash <> plinth.audit_hash(c.previous, c.id, c.project_id, c.sequence, c.at, c.action, c.target,
                c.details, c.request_id, c.subject_digest)
              or s.audit_id is not null and c.subject_digest <>
                sha256(s.salt || convert_to(jsonb_build_array(s.actor, s.address)::text, 'UTF8'))";
        let count = async || -> i64 { client.query_one(broken, &[&project.uuid()]).await.unwrap().get(0) };
        assert_eq!(count().await, 0);
        // Forgetting a person leaves the chain whole.
        let forget = "delete from plinth.audit_subjects where audit_id in (select id from plinth.audit_log where project_id = $1)";
        client.execute(forget, &[&project.uuid()]).await.unwrap();
        assert_eq!(count().await, 0);
        let forge = "update plinth.audit_log set action = 'members.remove' where project_id = $1 and sequence = 2";
        client.execute(forge, &[&project.uuid()]).await.unwrap();
        assert_eq!(count().await, 1);
    });
}

#[test]
fn no_login_can_change_the_audit_log() {
    run(async {
        Bare::new().await;
        let world = world().await;
        for function in [Function::Projects, Function::Records, Function::Auth, Function::Purge] {
            let app = world.app(function);
            let client = app.control.get().await.unwrap();
            for sql in [
                "update plinth.audit_log set action = 'x'",
                "delete from plinth.audit_log",
                "truncate plinth.audit_log cascade",
                "insert into plinth.audit_log select * from plinth.audit_log",
                "update plinth.audit_subjects set actor = 'x'",
                "delete from plinth.audit_subjects",
            ] {
                let refused = client.batch_execute(sql).await.unwrap_err();
                let state = refused.code().map(|state| state.code().to_owned());
                assert_eq!(state.as_deref(), Some("42501"), "{function:?} {sql}: {refused}");
            }
        }
    });
}

#[test]
fn a_job_is_seen_by_its_projects_members_and_its_creator_only() {
    run(async {
        let world = world().await;
        let app = world.app(Function::Worker);
        let project = Bare::new().await;
        let (viewer, stranger) = (project.member("viewer").await, world.user().await);
        let by = |user: &User| Some(UserId(user.id.parse().unwrap()));
        let client = app.control.get().await.unwrap();
        let of = Some(ProjectId(project.uuid()));
        let payload = json!({});
        let shared = plinth::jobs::enqueue(&app, &*client, "test", of, &payload, by(&project.owner))
            .await
            .unwrap();
        let own = plinth::jobs::enqueue(&app, &*client, "test", None, &payload, by(&stranger))
            .await
            .unwrap();
        for (job, user, status) in [
            (shared, &project.owner, 200),
            (shared, &viewer, 200),
            (shared, &stranger, 404),
            (own, &stranger, 200),
            (own, &viewer, 404),
            (Uuid::nil(), &viewer, 404),
        ] {
            let reply = send(Method::GET, &format!("/api/jobs/{job}"), user, None).await;
            assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
            if status == 404 {
                assert_eq!(text(&reply.json(), "code"), "jobs/not-found");
            }
        }
        let reply = send(Method::GET, "/api/jobs/nonsense", &viewer, None).await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "jobs/not-found");
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
