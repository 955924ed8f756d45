//! The routes of provisioning: shapes, statuses, refusals.

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{BASE_URL, run, text, unique, world};

#[test]
fn the_api_shows_keys_once_and_secrets_never() {
    run(async {
        let world = world().await;
        for isolation in ["schema", "database"] {
            let owner = world.user().await;
            let body = json!({ "name": unique() });
            let made = world
                .post("/api/projects")
                .bearer(&owner.token)
                .json(&body)
                .send()
                .await;
            let project = made.expect(StatusCode::CREATED)["project"].clone();
            let path = format!("/api/projects/{}/backend/provision", text(&project, "id"));
            let nothing = json!({ "enabled": false, "backendType": null, "connectionInfo": null });
            let show = || world.get(&path).bearer(&owner.token);
            assert_eq!(show().send().await.expect(StatusCode::OK), nothing);

            let body = json!({ "backendType": "jcal-managed", "config": { "isolation": isolation } });
            let provision = || world.post(&path).bearer(&owner.token).json(&body);
            let first = provision().send().await.expect(StatusCode::CREATED);
            let url = format!("{BASE_URL}/p/{}", text(&project, "ref"));
            assert_eq!(
                (text(&first, "status"), text(&first, "apiUrl")),
                ("ready".into(), url.clone())
            );
            assert!(text(&first, "apiKey").starts_with("plinth_publishable_"));
            assert!(text(&first, "secretKey").starts_with("plinth_secret_"));
            let again = provision().send().await.expect(StatusCode::OK);
            for same in ["status", "apiUrl", "database", "backendType"] {
                assert_eq!(again[same], first[same], "{same}");
            }
            assert_eq!((&again["apiKey"], &again["secretKey"]), (&Value::Null, &Value::Null));
            assert!(!text(&again, "hint").is_empty());

            let shown = show().send().await.expect(StatusCode::OK);
            let info = &shown["connectionInfo"];
            assert_eq!(
                (&shown["enabled"], &info["databaseId"]),
                (&json!(true), &first["database"]["id"])
            );
            let keys: Vec<&String> = info.as_object().unwrap().keys().collect();
            assert_eq!(
                keys,
                [
                    "apiUrl",
                    "cell",
                    "createdAt",
                    "databaseId",
                    "isolation",
                    "schema",
                    "state"
                ]
            );

            let create = world.post("/api/database/create").bearer(&owner.token);
            let found = create
                .json(&json!({ "projectId": project["id"] }))
                .send()
                .await
                .expect(StatusCode::OK);
            assert_eq!(text(&found, "message"), "Database created with users table");
            assert_eq!(found["database"], first["database"]);

            let reload = format!("/api/projects/{}/backend/reload", text(&project, "id"));
            world
                .post(&reload)
                .bearer(&owner.token)
                .send()
                .await
                .expect(StatusCode::OK);

            let gone = world
                .delete(&path)
                .bearer(&owner.token)
                .send()
                .await
                .expect(StatusCode::OK);
            assert_eq!(
                (text(&gone, "status"), text(&gone, "propagation")),
                ("deleted".into(), "done".into())
            );
            assert_eq!(show().send().await.expect(StatusCode::OK), nothing);
            let back = provision().send().await.expect(StatusCode::OK);
            assert_eq!(back["database"]["id"], first["database"]["id"]);
        }
    });
}

#[test]
fn wrong_requests_are_refused_with_a_hint() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let stranger = world.user().await;
        let path = format!("/api/projects/{}/backend/provision", project.id);
        for (body, status, code) in [
            (json!({"backendType": "dedicated"}), 501, "provisioning/unsupported"),
            (
                json!({"backendType": "external", "config": {"externalProvider": "postgresql", "credentials": {"password": "planted"}}}),
                400,
                "provisioning/config",
            ),
            (
                json!({"backendType": "external", "config": {"externalProvider": "mongodb"}}),
                501,
                "provisioning/provider-unsupported",
            ),
            (json!({"backendType": "other"}), 400, "provisioning/backend-type"),
            (json!({"backendType": 1}), 400, "http/body"),
            (json!([]), 400, "http/body"),
            (
                json!({"config": {"isolation": "x'; drop role y"}}),
                400,
                "provisioning/isolation",
            ),
            (json!({"config": {"isolation": "database"}}), 409, "provisioning/exists"),
        ] {
            let reply = world.post(&path).bearer(&project.owner.token).json(&body).send().await;
            assert_eq!(reply.status, status, "{body}");
            assert_eq!(reply.json()["code"], code, "{body}");
            assert!(!reply.text.contains("planted"));
        }
        for reply in [
            world.get(&path).bearer(&stranger.token).send().await,
            world.post(&path).bearer(&stranger.token).json(&json!({})).send().await,
            world.delete(&path).bearer(&stranger.token).send().await,
            world
                .post("/api/database/create")
                .bearer(&stranger.token)
                .json(&json!({"projectId": project.id}))
                .send()
                .await,
            world
                .post("/api/database/create")
                .bearer(&stranger.token)
                .json(&json!({"projectId": "x"}))
                .send()
                .await,
        ] {
            assert_eq!(reply.code(StatusCode::NOT_FOUND), "projects/not-found");
        }
        assert_eq!(world.get(&path).send().await.status, StatusCode::UNAUTHORIZED);
    });
}
