//! End users: listed, deleted and brought back by the project's secret key, at both levels.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::world::{Project, Reply, User, run, text, world};

const PASSWORD: &str = "correct horse battery";

async fn admin(method: Method, project: &Project, rest: &str) -> Reply {
    let path = format!("/p/{}/auth/v1/admin/users{rest}", project.reference);
    let call = world()
        .await
        .call(method, &path)
        .key(&project.secret)
        .bearer(&project.secret);
    call.send().await
}

async fn delete(project: &Project, user: &User) {
    let gone = admin(Method::DELETE, project, &format!("/{}", user.id)).await;
    assert_eq!(gone.expect(StatusCode::OK), json!({}));
}

async fn sign(project: &Project, rest: &str, body: &Value) -> Reply {
    let path = format!("/p/{}/auth/v1/{rest}", project.reference);
    world()
        .await
        .post(&path)
        .key(&project.publishable)
        .json(body)
        .send()
        .await
}

async fn signs_in(project: &Project, user: &User) -> Reply {
    let body = json!({ "email": user.email, "password": PASSWORD });
    sign(project, "token?grant_type=password", &body).await
}

async fn rows(project: &Project, query: &str) -> Value {
    let call = world().await.get(&project.rest(query)).key(&project.secret);
    call.send().await.expect(StatusCode::OK)
}

#[test]
fn a_deleted_user_is_shut_out_at_once_and_comes_back_as_they_were() {
    run(async {
        for isolation in ["schema", "database"] {
            let project = world().await.project(isolation).await;
            let user = world().await.end_user(&project).await;
            let session = signs_in(&project, &user).await.expect(StatusCode::OK);
            let note = json!({ "user_id": user.id, "data_type": "note" });
            let call = world().await.post(&project.rest("app_data")).key(&project.secret);
            call.json(&note).send().await.expect(StatusCode::CREATED);
            delete(&project, &user).await;

            let refused = signs_in(&project, &user).await;
            let unknown = json!({ "email": "nobody@example.com", "password": PASSWORD });
            let unknown = sign(&project, "token?grant_type=password", &unknown).await;
            assert_eq!(refused.text, unknown.text);
            let refresh = json!({ "refresh_token": session["refresh_token"] });
            let refreshed = sign(&project, "token?grant_type=refresh_token", &refresh).await;
            assert_eq!(text(&refreshed.json(), "error_code"), "refresh_token_not_found");
            let path = format!("/p/{}/auth/v1/user", project.reference);
            let call = world().await.get(&path).key(&project.publishable);
            let shown = call.bearer(&text(&session, "access_token")).send().await;
            assert_eq!(shown.status, StatusCode::FORBIDDEN);
            assert_eq!(
                admin(Method::GET, &project, &format!("/{}", user.id)).await.status,
                StatusCode::NOT_FOUND
            );
            // The app's own rows still stand, and so does what they refer to, without the address.
            assert_eq!(
                rows(&project, "app_data?select=user_id").await,
                json!([{ "user_id": user.id }])
            );
            let placeholder = format!("{}@deleted.invalid", user.id);
            assert_eq!(
                rows(&project, "app_users?select=email").await,
                json!([{ "email": placeholder }])
            );

            let back = admin(Method::POST, &project, &format!("/{}/restore", user.id)).await;
            assert_eq!(text(&back.expect(StatusCode::OK), "email"), user.email);
            signs_in(&project, &user).await.expect(StatusCode::OK);
            assert_eq!(
                rows(&project, "app_users?select=email").await,
                json!([{ "email": user.email }])
            );
            let refreshed = sign(&project, "token?grant_type=refresh_token", &refresh).await;
            assert_eq!(refreshed.status, StatusCode::BAD_REQUEST, "sessions stay ended");
        }
    });
}

#[test]
fn a_deleted_users_address_is_free_and_then_in_the_way_of_their_return() {
    run(async {
        for isolation in ["schema", "database"] {
            let project = world().await.project(isolation).await;
            let user = world().await.end_user(&project).await;
            delete(&project, &user).await;
            let body = json!({ "email": user.email, "password": PASSWORD });
            let second = sign(&project, "signup", &body).await.expect(StatusCode::OK);
            assert_ne!(second["user"]["id"], json!(user.id));
            let path = format!("/{}/restore", user.id);
            let refused = admin(Method::POST, &project, &path).await;
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert_eq!(text(&refused.json(), "error_code"), "email_exists");
            let second = format!("/{}", text(&second["user"], "id"));
            admin(Method::DELETE, &project, &second).await.expect(StatusCode::OK);
            admin(Method::POST, &project, &path).await.expect(StatusCode::OK);
        }
    });
}

#[test]
fn users_are_listed_in_pages_as_gotrue_does() {
    run(async {
        let project = world().await.project("schema").await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.insert(0, world().await.end_user(&project).await.id);
        }
        let list = |reply: &Reply| -> Vec<String> {
            let users = reply.expect(StatusCode::OK)["users"].as_array().unwrap().clone();
            users.iter().map(|user| text(user, "id")).collect()
        };
        let first = admin(Method::GET, &project, "?page=1&per_page=2").await;
        assert_eq!(list(&first), ids[..2]);
        assert_eq!(first.json()["aud"], "authenticated");
        assert_eq!(first.header("x-total-count"), "3");
        assert_eq!(
            first.header("link"),
            "</admin/users?page=2&per_page=2>; rel=\"next\", </admin/users?page=2&per_page=2>; rel=\"last\""
        );
        assert_eq!(
            list(&admin(Method::GET, &project, "?page=2&per_page=2").await),
            ids[2..]
        );
        assert_eq!(list(&admin(Method::GET, &project, "?page=&per_page=").await), ids);
        assert_eq!(
            list(&admin(Method::GET, &project, "?page=9").await),
            Vec::<String>::new()
        );
        let bad = admin(Method::GET, &project, "?page=0").await;
        assert_eq!(bad.status, StatusCode::BAD_REQUEST);
        let one = admin(Method::GET, &project, &format!("/{}", ids[0]))
            .await
            .expect(StatusCode::OK);
        assert_eq!(one["id"], json!(ids[0]));
        assert_eq!(
            admin(Method::GET, &project, "/nobody").await.status,
            StatusCode::NOT_FOUND
        );
    });
}

#[test]
fn a_deletion_and_its_return_are_in_the_projects_audit_log_by_the_key() {
    run(async {
        let project = world().await.project("schema").await;
        let user = world().await.end_user(&project).await;
        delete(&project, &user).await;
        let path = format!("/{}/restore", user.id);
        for _ in 0..2 {
            admin(Method::POST, &project, &path).await.expect(StatusCode::OK);
        }
        let audit = format!("/api/projects/{}/audit?limit=2", project.id);
        let call = world().await.get(&audit).bearer(&project.owner.token);
        let log = call.send().await.expect(StatusCode::OK);
        let entries = log["entries"].as_array().unwrap();
        for (entry, action) in entries.iter().zip(["users.restore", "users.delete"]) {
            assert_eq!(
                (text(entry, "action"), text(entry, "target")),
                (action.to_owned(), user.id.clone())
            );
            assert!(text(entry, "actor").starts_with("key:"), "{entry}");
        }
        assert!(!log.to_string().contains(&user.email), "no personal data in the log");
    });
}
