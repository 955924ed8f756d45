//! The setup's steps, left and come back to.

use http::StatusCode;
use plinth::personal::template;
use plinth::tenancy::Family;
use serde_json::{Value, json};

use super::{CONNECTION, Database, SETUP, connected, delete, get, post, world};
use crate::world::{User, run, text};

async fn step(user: &User) -> String {
    text(&get(user, SETUP).await.expect(StatusCode::OK), "step")
}

async fn advance(user: &User, step: &str) -> Value {
    post(user, SETUP, &json!({ "step": step })).await.expect(StatusCode::OK)
}

/// What a schema step says is missing.
async fn missing(user: &User) -> Vec<String> {
    let refused = post(user, SETUP, &json!({ "step": "schema" })).await;
    let refused = refused.expect(StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused["code"], "connections/schema-incomplete");
    let missing = refused["details"].as_array().unwrap();
    missing.iter().map(|missing| text(missing, "message")).collect()
}

#[test]
fn the_steps_lead_to_a_database_that_works() {
    run(async {
        for (family, name) in [(Family::Postgres, "postgresql"), (Family::MySql, "mysql")] {
            let user = world().await.user().await;
            let begun = get(&user, SETUP).await.expect(StatusCode::OK);
            assert_eq!((&begun["step"], &begun["connected"]), (&json!("info"), &json!(false)));
            assert_eq!(
                begun["sql"].as_object().unwrap().len(),
                2,
                "both kinds, before one is chosen"
            );
            assert_eq!(step(&user).await, "info");

            let refused = post(&user, SETUP, &json!({ "step": "schema" })).await;
            let refused = refused.expect(StatusCode::NOT_FOUND);
            assert_eq!(refused["message"], "Database not configured");

            assert_eq!(advance(&user, "info").await["step"], "connection");
            let bad = json!({ "step": "connection", "connectionString": "nonsense" });
            let refused = post(&user, SETUP, &bad).await.expect(StatusCode::BAD_REQUEST);
            assert_eq!(refused["message"], "Invalid connection string");
            assert_eq!(step(&user).await, "connection");

            let database = Database::empty(family).await;
            let good = json!({ "step": "connection", "connectionString": database.url });
            let now = post(&user, SETUP, &good).await.expect(StatusCode::OK);
            assert_eq!((&now["step"], &now["provider"]), (&json!("schema"), &json!(name)));
            assert_eq!(now["sql"], json!({ name: template::sql(family) }));
            assert!(!now.to_string().contains(&database.url));

            let all = missing(&user).await;
            assert_eq!(all.len(), 4, "{all:?}");
            assert_eq!(all[0], "There is no table profiles");
            let refused = get(&user, "/api/tasks").await;
            assert_eq!(refused.code(StatusCode::CONFLICT), "connections/schema-incomplete");
            assert_eq!(step(&user).await, "schema", "a click alone moves nothing");

            database.run(template::sql(family)).await;
            // Twice does no harm.
            database.run(template::sql(family)).await;
            let done = advance(&user, "schema").await;
            assert_eq!(done["step"], "success");
            assert!(
                done["steps"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .all(|step| step["done"] == true)
            );
            assert_eq!(advance(&user, "schema").await["step"], "success");
            assert_eq!(advance(&user, "info").await["step"], "success");
            get(&user, "/api/tasks").await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn what_the_database_lacks_is_told_precisely() {
    run(async {
        for family in [Family::Postgres, Family::MySql] {
            let user = world().await.user().await;
            let database = Database::with_template(family).await;
            database.connect(&user).await;
            assert_eq!(advance(&user, "schema").await["step"], "success");
            let (number, index) = match family {
                Family::MySql => (
                    "alter table team_members modify workload varchar(40)",
                    "alter table team_members drop index team_members_user_id_idx",
                ),
                _ => (
                    "alter table team_members alter workload drop default, alter workload type text",
                    "drop index team_members_user_id_idx",
                ),
            };
            for sql in [
                number,
                index,
                "alter table tasks drop column due_date",
                "drop table profiles",
            ] {
                database.run(sql).await;
            }
            let told = missing(&user).await.join("\n");
            let found = if family == Family::MySql { "varchar(40)" } else { "text" };
            let expected = format!(
                "There is no table profiles\nThere is no column tasks.due_date: date is expected\n\
                 The column team_members.workload is {found}: integer is expected\n\
                 There is no index on team_members (user_id)"
            );
            assert_eq!(told, expected);
        }
    });
}

#[test]
fn another_connection_is_verified_anew_and_a_reset_begins_again() {
    run(async {
        let user = world().await.user().await;
        let (first, second) = (
            Database::with_template(Family::Postgres).await,
            Database::with_template(Family::MySql).await,
        );
        // Not by the steps at all: who connects knows what it is about.
        first.connect(&user).await;
        assert_eq!(step(&user).await, "schema");
        assert_eq!(advance(&user, "schema").await["step"], "success");
        second.connect(&user).await;
        assert_eq!(step(&user).await, "schema");
        assert_eq!(advance(&user, "schema").await["step"], "success");

        let reset = delete(&user, SETUP).await.expect(StatusCode::OK);
        assert_eq!(reset["step"], "info");
        assert!(connected(&user).await, "the connection stays");
        assert_eq!(advance(&user, "info").await["step"], "schema");

        delete(&user, CONNECTION).await.expect(StatusCode::OK);
        assert_eq!(step(&user).await, "connection");
    });
}

#[test]
fn a_step_that_is_none_is_refused() {
    run(async {
        let user = world().await.user().await;
        for body in [
            json!({}),
            json!([]),
            json!({ "step": "success" }),
            json!({ "step": 1 }),
            json!({ "step": "info", "connectionString": "planted" }),
        ] {
            let reply = post(&user, SETUP, &body).await;
            assert!(!reply.text.contains("planted"));
            assert_eq!(reply.code(StatusCode::BAD_REQUEST), "connections/setup-step", "{body}");
        }
        let refused = world().await.get(SETUP).send().await;
        refused.expect(StatusCode::UNAUTHORIZED);
    });
}

#[test]
fn steps_are_audited_with_what_they_change() {
    run(async {
        let user = world().await.user().await;
        Database::with_template(Family::Postgres).await.connect(&user).await;
        advance(&user, "info").await;
        advance(&user, "schema").await;
        delete(&user, SETUP).await.expect(StatusCode::OK);
        let projects = get(&user, "/api/projects").await.expect(StatusCode::OK);
        let path = format!("/api/projects/{}/audit", text(&projects["projects"][0], "id"));
        delete(&user, CONNECTION).await.expect(StatusCode::OK);
        let audit = get(&user, &path).await.expect(StatusCode::OK);
        let entries = audit["entries"].as_array().unwrap_or_else(|| panic!("{audit}"));
        let mut actions: Vec<_> = entries.iter().map(|entry| text(entry, "action")).collect();
        actions.reverse();
        assert_eq!(
            actions,
            [
                "projects.create",
                "backend.provision",
                "setup.info",
                "setup.schema",
                "setup.reset",
                "backend.deprovision"
            ]
            .map(str::to_owned)
            .to_vec()
        );
    });
}
