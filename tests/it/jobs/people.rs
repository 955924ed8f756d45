//! What people see of jobs, and may decide about them.

use http::{Method, StatusCode};
use plinth::ident::UserId;
use plinth::jobs;
use plinth_local::platform::Function;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{asked_for, queued};
use crate::projects::{Bare, master, send};
use crate::world::{User, run, text, world};

/// A user who runs the platform, with a token that says so.
async fn operator() -> User {
    let mut user = world().await.user().await;
    let id: Uuid = user.id.parse().unwrap();
    let sql = r#"
        update plinth.users set raw_app_meta_data = raw_app_meta_data || '{"role": "Admin"}' where id = $1"#;
    master().await.execute(sql, &[&id]).await.unwrap();
    let body = json!({ "email": user.email, "password": "correct horse battery" });
    let call = world().await.post("/auth/v1/token?grant_type=password").json(&body);
    user.token = text(&call.send().await.expect(StatusCode::OK), "access_token");
    user
}

async fn set_state(job: Uuid, state: &str) {
    let sql = "update plinth.jobs set state = $2, attempts = 8 where id = $1";
    master().await.execute(sql, &[&job, &state]).await.unwrap();
}

#[test]
fn a_job_is_shown_with_all_that_was_promised() {
    run(async {
        let project = Bare::new().await;
        let job = queued(&project).await;
        let shown = send(Method::GET, &format!("/api/jobs/{job}"), &project.owner, None).await;
        let shown = shown.expect(StatusCode::OK);
        let mut shown = shown.as_object().unwrap().clone();
        for time in ["createdAt", "updatedAt"] {
            assert!(shown.remove(time).unwrap().is_string());
        }
        assert_eq!(
            Value::from(shown),
            json!({
                "id": job, "kind": "test", "state": "queued", "progress": 0, "message": null, "result": null, "error": null,
                "errorCode": null, "attempts": 0, "cancelling": false, "projectId": project.id,
            })
        );
    });
}

#[test]
fn a_job_is_seen_and_decided_about_by_those_whose_it_is_and_strangers_find_nothing() {
    run(async {
        let world = world().await;
        let project = Bare::new().await;
        let (viewer, developer) = (project.member("viewer").await, project.member("developer").await);
        let (left, stranger, operator) = (project.member("developer").await, world.user().await, operator().await);
        let app = world.app(Function::Projects);
        let by = Some(UserId(stranger.id.parse().unwrap()));
        let client = app.control.get().await.unwrap();
        let own = jobs::enqueue(&app, &*client, "test", None, &json!({}), by)
            .await
            .unwrap();
        drop(client);
        let shared = queued(&project).await;
        let of_viewer = asked_for(&project, &viewer).await;
        let of_left = asked_for(&project, &left).await;
        let path = project.path(&format!("/members/{}", left.id));
        send(Method::DELETE, &path, &project.owner, None)
            .await
            .expect(StatusCode::NO_CONTENT);
        for (job, user, sees, decides) in [
            (shared, &project.owner, 200, 200),
            (shared, &developer, 200, 200),
            (shared, &viewer, 200, 403),
            (shared, &stranger, 404, 404),
            (shared, &operator, 200, 200),
            (of_viewer, &viewer, 200, 200),
            (of_left, &left, 404, 404),
            (own, &stranger, 200, 200),
            (own, &viewer, 404, 404),
            (own, &operator, 200, 200),
            (Uuid::nil(), &viewer, 404, 404),
        ] {
            let shown = send(Method::GET, &format!("/api/jobs/{job}"), user, None).await;
            assert_eq!(shown.status.as_u16(), sees, "{}", shown.text);
            for decision in ["cancel", "retry", "cancel"] {
                let path = format!("/api/jobs/{job}/{decision}");
                let reply = send(Method::POST, &path, user, None).await;
                assert_eq!(reply.status.as_u16(), decides, "{decision}: {}", reply.text);
                if decides == 404 {
                    assert_eq!(text(&reply.json(), "code"), "jobs/not-found");
                }
            }
        }
        let reply = send(Method::GET, "/api/jobs/nonsense", &viewer, None).await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "jobs/not-found");
    });
}

#[test]
fn what_waits_is_cancelled_at_once_and_what_is_over_stays_as_it_is() {
    run(async {
        let project = Bare::new().await;
        let job = queued(&project).await;
        let decide = async |decision: &str| {
            let path = format!("/api/jobs/{job}/{decision}");
            send(Method::POST, &path, &project.owner, None).await
        };
        for _ in 0..2 {
            assert_eq!(decide("cancel").await.expect(StatusCode::OK)["state"], "cancelled");
        }
        for _ in 0..2 {
            assert_eq!(decide("retry").await.expect(StatusCode::OK)["state"], "queued");
        }
        set_state(job, "succeeded").await;
        for decision in ["cancel", "retry"] {
            assert_eq!(decide(decision).await.code(StatusCode::CONFLICT), "jobs/over");
        }
        set_state(job, "failed").await;
        assert_eq!(decide("cancel").await.code(StatusCode::CONFLICT), "jobs/over");
        assert_eq!(decide("retry").await.expect(StatusCode::OK)["state"], "queued");
        set_state(job, "cancelled").await;
        let decisions = ["jobs.cancel", "jobs.retry", "jobs.retry"];
        assert!(
            project.audited().await.ends_with(&decisions.map(str::to_owned)),
            "what changed nothing is not told"
        );
    });
}

#[test]
fn lists_have_what_their_reader_may_see_page_by_page() {
    run(async {
        let project = Bare::new().await;
        let (viewer, operator) = (project.member("viewer").await, operator().await);
        let mut made = Vec::new();
        for by in [&project.owner, &viewer, &project.owner] {
            let job = asked_for(&project, by).await;
            set_state(job, "failed").await;
            made.push(job.to_string());
        }
        made.reverse();
        let list = async |path: &str, by: &User| -> (Vec<String>, Value) {
            let found = send(Method::GET, path, by, None).await.expect(StatusCode::OK);
            let jobs = found["jobs"].as_array().unwrap();
            assert!(jobs.iter().all(|job| job.get("result").is_none()));
            (
                jobs.iter().map(|job| text(job, "id")).collect(),
                found["nextCursor"].clone(),
            )
        };
        let failed = project.path("/jobs?state=failed&kind=test");
        assert_eq!(list(&failed, &viewer).await, (made.clone(), Value::Null));
        let (first, cursor) = list(&format!("{failed}&limit=2"), &viewer).await;
        assert_eq!(first, made[..2]);
        let rest = format!("{failed}&limit=2&cursor={}", cursor.as_str().unwrap());
        assert_eq!(list(&rest, &viewer).await, (made[2..].to_vec(), Value::Null));
        for other in ["/jobs?state=running", "/jobs?kind=other"] {
            assert_eq!(list(&project.path(other), &viewer).await.0, Vec::<String>::new());
        }

        assert_eq!(list("/api/jobs", &viewer).await.0, made[1..2]);
        let (all, _) = list("/api/jobs?scope=platform&state=failed&kind=test&limit=100", &operator).await;
        assert!(made.iter().all(|job| all.contains(job)));
        let path = project.path(&format!("/members/{}", viewer.id));
        send(Method::DELETE, &path, &project.owner, None)
            .await
            .expect(StatusCode::NO_CONTENT);
        assert_eq!(
            list("/api/jobs", &viewer).await.0,
            Vec::<String>::new(),
            "they have left"
        );

        for (path, status, code) in [
            ("/api/jobs?scope=platform", 403, "platform/role"),
            ("/api/jobs?scope=everything", 400, "jobs/scope"),
            ("/api/jobs?state=lost", 400, "jobs/state"),
            ("/api/jobs?limit=0", 400, "http/limit"),
            ("/api/jobs?cursor=x", 400, "http/cursor"),
        ] {
            let reply = send(Method::GET, path, &viewer, None).await;
            assert_eq!(
                (reply.status.as_u16(), text(&reply.json(), "code").as_str()),
                (status, code)
            );
        }
    });
}
