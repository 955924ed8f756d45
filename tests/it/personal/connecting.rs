//! Connect, replace, forget.

use std::time::{Duration, Instant};

use http::StatusCode;
use plinth::error::ErrorKind;
use plinth::personal;
use plinth::tenancy::{Family, PlatformRole};
use plinth_local::platform::Function;
use serde_json::json;

use super::{CONNECTION, Database, ENCODED, PASSWORD, connected, delete, get, post, world};
use crate::connections::ways::{Way, nothing, way};
use crate::logs::logged;
use crate::projects::{caller, master};
use crate::world::{NOWHERE, run, text};

/// How many of these things of the control database belong to a user's personal project.
async fn kept(user: &str, table: &str) -> i64 {
    let sql = format!(
        "select count(*) from plinth.{table} t where t.project_id in
           (select p.id from plinth.projects p where p.personal_of = $1::text::uuid)"
    );
    master().await.query_one(&sql, &[&user]).await.unwrap().get(0)
}

#[test]
fn a_database_is_connected_replaced_and_forgotten() {
    run(async {
        for family in [Family::Postgres, Family::MySql] {
            let user = world().await.user().await;
            assert!(!connected(&user).await);
            let first = Database::empty(family).await;
            first.connect(&user).await;
            assert!(connected(&user).await);
            // Of another kind, in place of the first.
            let other = if family == Family::MySql {
                Family::Postgres
            } else {
                Family::MySql
            };
            let second = Database::with_template(other).await;
            second.connect(&user).await;
            assert!(connected(&user).await);
            for (table, count) in [("connections", 1), ("backends", 1)] {
                assert_eq!(kept(&user.id, table).await, count, "{table}");
            }
            get(&user, "/api/tasks").await.expect(StatusCode::OK);

            let projects = get(&user, "/api/projects").await.expect(StatusCode::OK);
            let projects = projects["projects"].as_array().unwrap();
            assert_eq!(projects.len(), 1);
            assert_eq!(projects[0]["personal"], true);
            assert_eq!(projects[0]["backend"]["backendType"], "external");

            let done = delete(&user, CONNECTION).await.expect(StatusCode::OK);
            assert_eq!(done, json!({ "success": true }));
            assert!(!connected(&user).await);
            for table in ["connections", "backends"] {
                assert_eq!(kept(&user.id, table).await, 0, "{table}");
            }
            let secrets = "select count(*) from plinth.secrets s join plinth.projects p on p.id = s.project_id
                           where p.personal_of = $1::text::uuid and s.purpose in ('connection', 'rest')";
            let left: i64 = master().await.query_one(secrets, &[&user.id]).await.unwrap().get(0);
            assert_eq!(left, 0, "credentials are forgotten");
            for path in ["/api/tasks", "/api/team", "/api/projects?scope=database"] {
                let refused = get(&user, path).await.expect(StatusCode::NOT_FOUND);
                assert_eq!(refused["message"], "Database not configured", "{path}");
                assert_eq!(refused["code"], "connections/not-configured", "{path}");
            }
            let again = delete(&user, CONNECTION).await.expect(StatusCode::NOT_FOUND);
            assert_eq!(again["message"], "Database not configured");
            second.connect(&user).await;
            assert!(connected(&user).await);
        }
    });
}

#[test]
fn a_string_that_is_none_is_refused_and_never_quoted() {
    run(async {
        let user = world().await.user().await;
        for body in [
            json!({}),
            json!("postgresql://planted:planted-word@127.0.0.1/d"),
            json!({ "connectionString": 5 }),
            json!({ "connectionString": ["planted-word"] }),
            json!({ "connectionString": "planted-word" }),
            json!({ "connectionString": "oracle://u:planted-word@127.0.0.1/d" }),
            json!({ "connectionString": "postgresql://u:planted-word@127.0.0.1" }),
            json!({ "connectionString": "postgresql://u:planted-word@/d" }),
            json!({ "connectionString": "mysql://u:planted-word@127.0.0.1/d?color=planted-word" }),
            json!({ "connectionString": "postgresql://u:planted%ffword@127.0.0.1/d" }),
            json!({ "connectionString": "postgresql://u:planted-word@127.0.0.1/d", "more": "planted-word" }),
            json!({ "provider": "postgresql", "credentials": { "host": "h", "password": "planted-word" } }),
        ] {
            let reply = post(&user, CONNECTION, &body).await;
            assert!(!reply.text.contains("planted"), "{}", reply.text);
            let refused = reply.expect(StatusCode::BAD_REQUEST);
            assert_eq!(refused["message"], "Invalid connection string", "{body}");
            assert_eq!(refused["code"], "connections/invalid-string", "{body}");
            assert!(refused["details"].is_string() && refused["hint"].is_string(), "{body}");
        }
        assert!(!connected(&user).await);
        assert!(!logged().contains("planted-word"));
    });
}

#[test]
fn a_connection_that_fails_is_told_by_its_class_in_time_and_nothing_is_kept() {
    run(async {
        let user = world().await.user().await;
        for family in [Family::Postgres, Family::MySql] {
            let database = Database::empty(family).await;
            let name = &database.name;
            let scheme = database.url.split("://").next().unwrap();
            let port: u16 = database
                .url
                .split("127.0.0.1:")
                .nth(1)
                .unwrap()
                .split('/')
                .next()
                .unwrap()
                .parse()
                .unwrap();
            let silent = way(Way::Silence, port).await;
            let word = if family == Family::MySql {
                crate::mysql::server::PASSWORD
            } else {
                ENCODED
            };
            let at = |host: &str, port: u16, word: &str, database: &str| {
                format!("{scheme}://{name}:{word}@{host}:{port}/{database}")
            };
            for (url, status, class) in [
                (at("127.0.0.1", nothing().await, word, name), 502, "refused"),
                (at("127.0.0.1", silent, word, name), 502, "timeout"),
                (at("127.0.0.1", port, "planted-wrong-word", name), 422, "auth"),
                (at("10.0.0.1", port, word, name), 422, "network_blocked"),
                (at("169.254.169.254", 80, word, name), 422, "network_blocked"),
                (at(NOWHERE, port, word, name), 422, "dns"),
            ] {
                let began = Instant::now();
                let reply = post(&user, CONNECTION, &json!({ "connectionString": url })).await;
                assert!(
                    began.elapsed() < Duration::from_secs(8),
                    "{class}: {:?}",
                    began.elapsed()
                );
                assert!(
                    !reply.text.contains(name.as_str()) && !reply.text.contains("word@"),
                    "{}",
                    reply.text
                );
                let refused = reply.expect(StatusCode::from_u16(status).unwrap());
                assert_eq!(refused["message"], "Connection failed");
                assert_eq!(refused["code"], "connections/failed");
                let details = text(&refused, "details");
                assert!(details.starts_with(class), "{class} of {scheme}: {details}");
                assert!(!text(&refused, "hint").is_empty());
            }
        }
        assert!(!connected(&user).await);
        let projects = get(&user, "/api/projects").await.expect(StatusCode::OK);
        assert_eq!(projects["projects"], json!([]), "nothing was made");
    });
}

#[test]
fn what_fails_leaves_the_connection_that_was_there() {
    run(async {
        let user = world().await.user().await;
        Database::with_template(Family::Postgres).await.connect(&user).await;
        let url = format!("postgresql://u:p@127.0.0.1:{}/d", nothing().await);
        let failed = post(&user, CONNECTION, &json!({ "connectionString": url })).await;
        failed.expect(StatusCode::BAD_GATEWAY);
        get(&user, "/api/tasks").await.expect(StatusCode::OK);
    });
}

#[test]
fn two_at_once_do_not_make_two() {
    run(async {
        let user = world().await.user().await;
        let database = Database::with_template(Family::Postgres).await;
        let all = (0..4).map(|_| database.connect(&user));
        futures_util::future::join_all(all).await;
        for (table, count) in [("connections", 1), ("backends", 1), ("members", 1)] {
            assert_eq!(kept(&user.id, table).await, count, "{table}");
        }
        get(&user, "/api/team").await.expect(StatusCode::OK);
    });
}

#[test]
fn nobody_and_guests_connect_nothing() {
    run(async {
        let database = Database::empty(Family::Postgres).await;
        let body = json!({ "connectionString": database.url });
        let refused = world().await.post(CONNECTION).json(&body).send().await;
        assert_eq!(refused.code(StatusCode::UNAUTHORIZED), "auth/unauthorized");
        let refused = world().await.get(CONNECTION).send().await;
        assert_eq!(refused.expect(StatusCode::UNAUTHORIZED)["message"], "Unauthorized");

        let app = world().await.app(Function::Connections);
        let guest = caller(&world().await.user().await, PlatformRole::Guest);
        let new = personal::NewConnection::read(&body).unwrap();
        let refused = personal::save(&app, &guest, &new).await.unwrap_err();
        assert_eq!(
            (refused.code(), refused.kind()),
            ("connections/guest", ErrorKind::Forbidden)
        );
        assert!(!personal::has(&app, &guest).await.unwrap());
        let made = personal::create(&app, &guest, personal::Board::Tasks, &json!({ "title": "x" }), None).await;
        assert_eq!(made.unwrap_err().code(), "connections/guest");
        let none = personal::list(&app, &guest, personal::Board::Tasks, "").await;
        assert_eq!(none.unwrap_err().code(), "connections/not-configured");
    });
}

#[test]
fn a_personal_project_counts_nowhere_and_has_one_member() {
    run(async {
        let user = world().await.user().await;
        let few = crate::world::World::of(
            &world().await.platform.with("PLINTH_MAX_PROJECTS", "1"),
            std::sync::Arc::new(plinth::clock::SystemClock),
        );
        let database = Database::empty(Family::Postgres).await;
        let named = json!({ "name": "Personal database" });
        let make = || few.post("/api/projects").bearer(&user.token).json(&named).send();
        database.connect(&user).await;
        make().await.expect(StatusCode::CREATED);
        assert_eq!(make().await.code(StatusCode::FORBIDDEN), "projects/quota");

        let projects = get(&user, "/api/projects").await.expect(StatusCode::OK);
        let projects = projects["projects"].as_array().unwrap();
        let personal = projects.iter().find(|project| project["personal"] == true).unwrap();
        let path = format!("/api/projects/{}", text(personal, "id"));
        let friend = world().await.user().await;
        let body = json!({ "userId": friend.id, "role": "viewer" });
        let refused = post(&user, &format!("{path}/members"), &body).await;
        assert_eq!(refused.code(StatusCode::CONFLICT), "members/personal");
        get(&friend, &path).await.expect(StatusCode::NOT_FOUND);

        // Deleted as any project is, and another is made in its place; then it cannot come back.
        delete(&user, &path).await.expect(StatusCode::OK);
        assert!(!connected(&user).await);
        database.connect(&user).await;
        let back = post(&user, &format!("{path}/restore"), &json!({})).await;
        assert_eq!(back.code(StatusCode::CONFLICT), "projects/personal-taken");
    });
}

#[test]
fn no_password_reaches_a_reply_or_a_log() {
    run(async {
        let user = world().await.user().await;
        for family in [Family::Postgres, Family::MySql] {
            let database = Database::with_template(family).await;
            database.connect(&user).await;
            let mut replies = String::new();
            for path in [
                CONNECTION,
                super::SETUP,
                "/api/tasks",
                "/api/projects",
                "/api/projects?scope=database",
            ] {
                replies += &get(&user, path).await.text;
            }
            let secret = if family == Family::MySql {
                crate::mysql::server::PASSWORD
            } else {
                PASSWORD
            };
            for text in [replies, logged()] {
                assert!(!text.contains(secret) && !text.contains(ENCODED));
            }
        }
    });
}
