//! The test of a saved connection, and how little the function that runs it may do.

use http::StatusCode;
use plinth_local::platform::Function;
use serde_json::{Value, json};

use crate::external::{self, Own, PASSWORD};
use crate::world::run;

#[test]
fn a_saved_connection_is_tested_with_the_credentials_that_are_kept() {
    run(async {
        let world = external::world().await;
        let own = Own::with(json!({})).await;
        let path = format!("/api/projects/{}/backend/test", own.id);
        let reply = world.post(&path).bearer(&own.owner.token).send().await;
        let report = reply.expect(StatusCode::OK);
        assert_eq!(report["ok"], true, "{report}");
        assert_eq!(report["server"]["currentUser"], "users_login");
        assert_eq!(
            report["privileges"]["roles"],
            json!([{ "name": "web_anon", "exists": true, "granted": true }])
        );
        assert!(
            report["script"]
                .as_str()
                .unwrap()
                .contains("grant \"web_anon\" to \"users_login\";")
        );
        assert!(!reply.text.contains("planted"), "{}", reply.text);
        assert!(!crate::logs::logged().contains(PASSWORD));

        let stranger = world.user().await;
        let reply = world.post(&path).bearer(&stranger.token).send().await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "projects/not-found");
    });
}

#[test]
fn a_project_without_a_backend_has_nothing_to_test() {
    run(async {
        let world = external::world().await;
        let (owner, id, _) = external::bare(world).await;
        let path = format!("/api/projects/{id}/backend/test");
        let reply = world.post(&path).bearer(&owner.token).send().await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "backend/not-provisioned");
    });
}

#[test]
fn the_tests_login_reads_nothing_but_where_a_connection_is() {
    run(async {
        Own::with(json!({})).await;
        let app = external::world().await.app(Function::ConnectionTest);
        let client = app.control.get().await.unwrap();
        for sql in [
            "select * from plinth.secrets",
            "select * from plinth.connections",
            "select * from plinth.projects",
            "select * from plinth.keys",
            "select * from plinth.users",
            "select plinth.resolve('x')",
            "select plinth.bump(gen_random_uuid())",
        ] {
            let refused = client.batch_execute(sql).await.unwrap_err();
            assert_eq!(refused.code().map(|state| state.code()), Some("42501"), "{sql}");
        }
        let rows = client
            .query_typed("select * from plinth.connection(gen_random_uuid())", &[])
            .await;
        assert!(rows.unwrap().is_empty());
    });
}

#[test]
fn a_recorded_event_is_what_the_function_takes() {
    run(async {
        let world = external::world().await;
        let user = world.user().await;
        let url = external::url().await;
        let event = crate::lambda::recorded("connection-test", &[("token", &user.token), ("url", &url)]);
        let event: Value = serde_json::from_str(&event).unwrap();
        let call = world.post(event["rawPath"].as_str().unwrap());
        let call = call.header("authorization", event["headers"]["authorization"].as_str().unwrap());
        let reply = call
            .body(event["body"].as_str().unwrap(), "application/json")
            .send()
            .await;
        assert_eq!(reply.expect(StatusCode::OK)["ok"], true, "{}", reply.text);
    });
}
