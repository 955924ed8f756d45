//! What the platform has of its own users.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use plinth::clock::{Clock as _, SystemClock};
use plinth::testing::FixedClock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ask, copy, made, rows};
use crate::projects::master;
use crate::world::{User, World, platform, run, text, unique, world};

#[test]
fn a_platform_user_gets_what_the_platform_has_of_them_and_nobody_else_does() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let me = &project.owner;
        let mark = unique();
        let written = json!({ "content": format!("# {mark}\n") });
        let call = world
            .post(&format!("/api/projects/{}/docs", project.id))
            .bearer(&me.token)
            .json(&written);
        call.send().await.expect(StatusCode::CREATED);
        let mine = json!({ "scope": "platform-user", "subject": me.email });
        let files = copy(world, &me.token, &mine).await;
        let account = rows(&files, "tables/account.json");
        assert_eq!(
            (account.len(), account[0]["email"].as_str()),
            (1, Some(me.email.as_str()))
        );
        let projects = rows(&files, "tables/projects.json");
        assert_eq!(
            projects.iter().map(|row| text(row, "ref")).collect::<Vec<_>>(),
            [project.reference.as_str()]
        );
        assert_eq!(files[&format!("documents/{}-1.md", project.id)], format!("# {mark}\n"));
        let entries = rows(&files, "audit.json");
        for action in ["projects.create", "documents.edit", "privacy.export"] {
            assert!(
                entries.iter().any(|entry| entry["action"] == action),
                "{action} is not in {entries:?}"
            );
        }
        assert!(
            files["audit.csv"].starts_with("at,project,action,"),
            "{}",
            files["audit.csv"]
        );
        for secret in [&project.secret, &project.publishable, &me.token] {
            assert!(files.values().all(|content| !content.contains(secret.as_str())));
        }
        assert!(files.values().all(|content| !content.contains("$argon2")));
        let index: Value = serde_json::from_str(&files["index.json"]).unwrap();
        assert_eq!(index["scope"], "platform-user");

        // By whom.
        let other = world.user().await;
        for subject in [json!(me.email), json!(me.id), json!({ "email": "nobody@example.com" })] {
            let wanted = json!({ "scope": "platform-user", "subject": subject });
            assert_eq!(
                ask(world, &other.token, &wanted).await.code(StatusCode::FORBIDDEN),
                "privacy/not-yours"
            );
        }
        let operator = world.operator().await;
        let theirs = copy(
            world,
            &operator.token,
            &json!({ "scope": "platform-user", "subject": me.id }),
        )
        .await;
        assert_eq!(rows(&theirs, "tables/account.json"), account);
        let nobody = json!({ "scope": "platform-user", "subject": "nobody@example.com" });
        assert_eq!(
            ask(world, &operator.token, &nobody).await.code(StatusCode::NOT_FOUND),
            "privacy/subject-not-found"
        );
    });
}

async fn linked(world: &World, user: &User, id: &str) -> (StatusCode, String) {
    let path = format!("/api/gdpr/exports/{id}/link");
    let reply = world.post(&path).bearer(&user.token).send().await;
    let code = reply.json()["code"].as_str().unwrap_or_default().to_owned();
    (reply.status, code)
}

#[test]
fn ones_own_copy_is_fetched_right_after_a_sign_in_and_others_only_by_those_who_run_the_platform() {
    run(async {
        let world = world().await;
        let (me, other) = (world.user().await, world.user().await);
        let mine = json!({ "scope": "platform-user", "subject": me.id });
        let id = text(&made(world, &me.token, &mine).await, "exportId");
        let later = SystemClock.now().checked_add(Duration::from_secs(301)).unwrap();
        let later = World::of(platform().await, Arc::new(FixedClock::at(later)));
        // A token that was left lying about: it tells how the copy stands, and takes nothing along.
        let stale = (StatusCode::FORBIDDEN, "privacy/reauthentication".to_owned());
        assert_eq!(linked(&later, &me, &id).await, stale);
        let state = later.get(&format!("/api/gdpr/exports/{id}")).bearer(&me.token).send();
        assert_eq!(state.await.expect(StatusCode::OK)["ready"], true);
        assert_eq!(linked(world, &me, &id).await.0, StatusCode::CREATED);
        let operator = world.operator().await;
        assert_eq!(linked(&later, &operator, &id).await.0, StatusCode::CREATED);

        // Somebody who ran the platform when they asked for it, and does no longer.
        let sql = "update plinth.privacy_requests set requested_by = $2 where id = $1";
        let (request, asker): (Uuid, Uuid) = (id.parse().unwrap(), other.id.parse().unwrap());
        master().await.execute(sql, &[&request, &asker]).await.unwrap();
        let not_theirs = (StatusCode::NOT_FOUND, "privacy/export-not-found".to_owned());
        assert_eq!(linked(world, &other, &id).await, not_theirs);
        let state = world
            .get(&format!("/api/gdpr/exports/{id}"))
            .bearer(&other.token)
            .send();
        assert_eq!(state.await.status, StatusCode::NOT_FOUND);
    });
}
