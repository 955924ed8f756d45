//! What the platform has of its own users.

use http::StatusCode;
use serde_json::{Value, json};

use super::{ask, copy, rows};
use crate::world::{run, text, unique, world};

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
