//! Projects, tasks and team in a database of somebody's own: theirs, whatever is asked.

use http::StatusCode;
use plinth::personal;
use plinth::query::request::{Method, Resolution};
use plinth::query::{Request, parse_request};
use plinth::tenancy::{Family, PlatformRole};
use plinth_local::platform::Function;
use serde_json::{Value, json};

use super::{Database, get, post, world};
use crate::projects::caller;
use crate::world::{User, run, text, unique};

const PROJECTS: &str = "/api/projects?scope=database";
const FAMILIES: [Family; 2] = [Family::Postgres, Family::MySql];

async fn make(user: &User, path: &str, body: &Value) -> Value {
    post(user, path, body).await.expect(StatusCode::CREATED)
}

async fn titles(user: &User, path: &str) -> Vec<String> {
    let list = get(user, path).await.expect(StatusCode::OK);
    let tasks = list["tasks"].as_array().unwrap_or_else(|| panic!("{list}"));
    tasks.iter().map(|task| text(task, "title")).collect()
}

#[test]
fn rows_are_made_with_their_defaults_and_listed_newest_first() {
    run(async {
        for family in FAMILIES {
            let user = world().await.user().await;
            Database::with_template(family).await.connect(&user).await;
            let project = make(&user, PROJECTS, &json!({ "name": "Kraków", "budget": 1200.5 })).await;
            let project = &project["project"];
            assert_eq!(
                (&project["name"], &project["status"]),
                (&json!("Kraków"), &json!("planning"))
            );
            assert_eq!(
                (&project["priority"], &project["user_id"]),
                (&json!("medium"), &json!(user.id))
            );
            assert_eq!(project["budget"].as_f64(), Some(1200.5));
            assert_eq!(project["spent"].as_f64(), Some(0.0));
            let body = json!({ "title": "first", "projectId": project["id"], "dueDate": "2026-12-31" });
            let task = make(&user, "/api/tasks", &body).await;
            assert_eq!(task["task"]["project_id"], project["id"]);
            assert_eq!(task["task"]["due_date"], "2026-12-31");
            make(&user, "/api/tasks", &json!({ "title": "second", "status": "done" })).await;
            make(
                &user,
                "/api/tasks",
                &json!({ "title": "third", "project_id": project["id"] }),
            )
            .await;
            let member = json!({ "name": "Ann", "email": "ann@example.com", "workload": 40 });
            let member = make(&user, "/api/team", &member).await;
            assert_eq!(member["member"]["role"], "Developer");
            assert_eq!(member["member"]["status"], "available");

            assert_eq!(titles(&user, "/api/tasks").await, ["third", "second", "first"]);
            assert_eq!(titles(&user, "/api/tasks?status=done").await, ["second"]);
            let of_project = format!("/api/tasks?projectId={}", text(project, "id"));
            assert_eq!(titles(&user, &of_project).await, ["third", "first"]);
            assert_eq!(titles(&user, "/api/tasks?limit=1&offset=1").await, ["second"]);
            let list = get(&user, PROJECTS).await.expect(StatusCode::OK);
            assert_eq!(list["projects"][0], *project);
            assert_eq!(list["nextCursor"], Value::Null);
            let team = get(&user, "/api/team").await.expect(StatusCode::OK);
            assert_eq!(team["team"], json!([member["member"]]));
            // The platform's own projects are another thing.
            let platform = get(&user, "/api/projects").await.expect(StatusCode::OK);
            assert_eq!(platform["projects"][0]["personal"], true);

            let mut walked = Vec::new();
            let mut path = "/api/tasks?limit=2".to_owned();
            loop {
                let page = get(&user, &path).await.expect(StatusCode::OK);
                walked.extend(page["tasks"].as_array().unwrap().iter().map(|task| text(task, "title")));
                let Some(cursor) = page["nextCursor"].as_str() else {
                    break;
                };
                path = format!("/api/tasks?limit=2&cursor={cursor}");
            }
            assert_eq!(walked, ["third", "second", "first"], "{family:?}");
        }
    });
}

#[test]
fn two_users_of_one_database_never_meet() {
    run(async {
        for family in FAMILIES {
            let database = Database::with_template(family).await;
            let (ann, bob) = (world().await.user().await, world().await.user().await);
            database.connect(&ann).await;
            database.connect(&bob).await;
            let mark = unique();
            let project = make(&ann, PROJECTS, &json!({ "name": mark })).await;
            let project = text(&project["project"], "id");
            make(&ann, "/api/tasks", &json!({ "title": mark, "projectId": project })).await;
            make(&ann, "/api/team", &json!({ "name": mark, "email": "a@example.com" })).await;

            for path in [
                PROJECTS.to_owned(),
                "/api/tasks".to_owned(),
                "/api/team".to_owned(),
                format!("/api/tasks?projectId={project}"),
                "/api/tasks?status=todo".to_owned(),
                "/api/team?status=available".to_owned(),
                format!("{PROJECTS}&status=planning"),
            ] {
                let list = get(&bob, &path).await;
                assert!(!list.text.contains(&mark), "{path}: {}", list.text);
                let list = list.expect(StatusCode::OK);
                let rows = list.as_object().unwrap().values().find(|value| value.is_array());
                assert_eq!(rows, Some(&json!([])), "{path}");
            }
            for query in [
                format!("user_id={}", ann.id),
                format!("user_id=eq.{}", ann.id),
                "select=*".to_owned(),
                "or=(user_id.not.is.null)".to_owned(),
                "projectId=%27%20or%201=1--".to_owned(),
            ] {
                let refused = get(&bob, &format!("/api/tasks?{query}")).await;
                assert_eq!(refused.code(StatusCode::BAD_REQUEST), "http/query", "{query}");
            }
            // Nor can he write among hers.
            let crafted = json!({ "title": "x", "projectId": project });
            let refused = post(&bob, "/api/tasks", &crafted).await;
            assert!(!refused.text.contains(&mark));
            assert_eq!(refused.code(StatusCode::UNPROCESSABLE_ENTITY), "board/no-such-project");
            for (path, body) in [
                ("/api/tasks", json!({ "title": "x", "user_id": ann.id })),
                ("/api/tasks", json!({ "title": "x", "userId": ann.id })),
                (
                    "/api/team",
                    json!({ "name": "x", "email": "x@example.com", "user_id": ann.id }),
                ),
                (PROJECTS, json!({ "name": "x", "user_id": ann.id, "id": project })),
            ] {
                let refused = post(&bob, path, &body).await;
                assert_eq!(refused.code(StatusCode::BAD_REQUEST), "board/body", "{body}");
            }
            // Her cursor shows him nothing of hers either.
            make(&ann, "/api/tasks", &json!({ "title": mark })).await;
            let page = get(&ann, "/api/tasks?limit=1").await.expect(StatusCode::OK);
            let cursor = text(&page, "nextCursor");
            let list = get(&bob, &format!("/api/tasks?cursor={cursor}")).await;
            assert_eq!(list.expect(StatusCode::OK)["tasks"], json!([]));
            assert_eq!(titles(&ann, "/api/tasks").await.len(), 2);
        }
    });
}

/// What no route offers yet, the door holds as well: changes and deletions by crafted requests.
#[test]
fn requests_of_every_kind_touch_the_callers_rows_only() {
    run(async {
        for family in FAMILIES {
            let database = Database::with_template(family).await;
            let (ann, bob) = (world().await.user().await, world().await.user().await);
            database.connect(&ann).await;
            database.connect(&bob).await;
            make(&ann, "/api/tasks", &json!({ "title": "hers" })).await;
            make(&bob, "/api/tasks", &json!({ "title": "his" })).await;
            let app = world().await.app(Function::Records);
            let by = caller(&bob, PlatformRole::User);
            let asked = |method, query: &str, body: &str| -> Request {
                parse_request(method, "tasks", query, &http::HeaderMap::new(), body.as_bytes()).unwrap()
            };
            let others = format!("or=(user_id.eq.{},user_id.not.is.null)", ann.id);
            for request in [
                asked(Method::Get, &others, ""),
                asked(Method::Patch, &others, r#"{"title":"taken"}"#),
                asked(
                    Method::Patch,
                    "title=eq.hers",
                    &format!(r#"{{"user_id":"{}"}}"#, bob.id),
                ),
                asked(Method::Get, "select=*,projects(*)", ""),
                asked(Method::Delete, &others, ""),
            ] {
                let reply = personal::query(&app, &by, &request).await.unwrap();
                let body = reply.body.unwrap_or_default();
                assert!(!String::from_utf8_lossy(&body).contains("hers"), "{request:?}");
            }
            assert_eq!(titles(&ann, "/api/tasks").await, ["hers"], "{family:?}");
            assert!(titles(&bob, "/api/tasks").await.is_empty(), "he deleted his own");
            let for_her = format!(r#"{{"title":"for her","user_id":"{}"}}"#, ann.id);
            let mut upsert = asked(Method::Post, "", r#"{"title":"hers"}"#);
            upsert.prefer.resolution = Some(Resolution::Merge);
            for (request, code) in [
                (asked(Method::Post, "", &for_her), "42501"),
                (asked(Method::Patch, "", &for_her), "42501"),
                (upsert, "PGRST127"),
            ] {
                let refused = personal::query(&app, &by, &request).await.unwrap_err();
                assert_eq!(refused.code(), code, "{request:?}");
            }
        }
    });
}

#[test]
fn a_task_goes_with_a_project_of_the_same_user_in_the_database_itself() {
    run(async {
        for family in FAMILIES {
            let database = Database::with_template(family).await;
            let (ann, bob) = (world().await.user().await, world().await.user().await);
            database.connect(&ann).await;
            database.connect(&bob).await;
            let project = make(&ann, PROJECTS, &json!({ "name": "hers" })).await;
            let app = world().await.app(Function::Records);
            let body = format!(r#"{{"title":"x","project_id":"{}"}}"#, text(&project["project"], "id"));
            let headers = http::HeaderMap::new();
            let past_the_check = parse_request(Method::Post, "tasks", "", &headers, body.as_bytes()).unwrap();
            let refused = personal::query(&app, &caller(&bob, PlatformRole::User), &past_the_check).await;
            assert_eq!(refused.unwrap_err().code(), "23503", "{family:?}");
        }
    });
}

#[test]
fn a_column_that_went_away_is_a_matter_of_the_setup() {
    run(async {
        for family in FAMILIES {
            let user = world().await.user().await;
            let database = Database::with_template(family).await;
            database.connect(&user).await;
            make(&user, "/api/team", &json!({ "name": "a", "email": "a@example.com" })).await;
            database.run("alter table team_members drop column workload").await;
            let body = json!({ "name": "b", "email": "b@example.com", "workload": 1 });
            let refused = post(&user, "/api/team", &body).await.expect(StatusCode::CONFLICT);
            assert_eq!(refused["code"], "connections/schema-incomplete", "{refused}");
        }
    });
}

#[test]
fn recorded_events_are_what_the_functions_take() {
    run(async {
        let world = world().await;
        let user = world.user().await;
        let database = Database::with_template(Family::Postgres).await;
        let values = [("token", user.token.as_str()), ("url", &database.url)];
        for (name, status, shown) in [
            ("user-database", StatusCode::OK, r#"{"success":true}"#),
            ("tasks-create", StatusCode::CREATED, "Order the stone"),
        ] {
            let event: Value = serde_json::from_str(&crate::lambda::recorded(name, &values)).unwrap();
            let path = text(&event, "rawPath");
            let call = world.post(&path).bearer(&user.token);
            let call = call.body(text(&event, "body"), "application/json");
            let reply = call.send().await;
            assert_eq!(reply.status, status, "{name}: {}", reply.text);
            assert!(reply.text.contains(shown), "{name}: {}", reply.text);
        }
    });
}

#[test]
fn a_repetition_with_its_key_makes_one_row() {
    run(async {
        for family in FAMILIES {
            let database = Database::with_template(family).await;
            let (ann, bob) = (world().await.user().await, world().await.user().await);
            database.connect(&ann).await;
            database.connect(&bob).await;
            let body = json!({ "title": "once" });
            let mut ids = Vec::new();
            for user in [&ann, &ann, &bob] {
                let call = world().await.post("/api/tasks").bearer(&user.token);
                let made = call.header("idempotency-key", "k").json(&body).send().await;
                ids.push(text(&made.expect(StatusCode::CREATED)["task"], "id"));
            }
            assert_eq!(ids[0], ids[1]);
            assert_ne!(ids[0], ids[2], "another's key is another key");
            assert_eq!(titles(&ann, "/api/tasks").await, ["once"]);
        }
    });
}
