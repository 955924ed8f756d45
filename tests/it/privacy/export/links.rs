//! The way to a copy: once, from one place, for a while; and who may make one.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use plinth::clock::{Clock as _, SystemClock};
use plinth::testing::FixedClock;
use serde_json::json;

use super::{HERE, ask, audited, link_from, made, of, send, unzipped};
use crate::work::ended;
use crate::world::{World, platform, run, text, unique, world};

const ELSEWHERE: &str = "192.0.2.2";

#[test]
fn a_link_works_once_from_one_place_and_asking_uses_nothing_up() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        let owner = &project.owner.token;
        let result = made(world, owner, &of(&project.id, &json!(ann.id))).await;
        let id = text(&result, "exportId");
        assert_eq!(result["link"], format!("/api/gdpr/exports/{id}/link"));
        let state = world.get(&format!("/api/gdpr/exports/{id}")).bearer(owner).send().await;
        let state = state.expect(StatusCode::OK);
        assert_eq!((&state["ready"], &state["bytes"]), (&json!(true), &result["bytes"]));
        assert_eq!(state["expiresAt"], result["expiresAt"]);

        let old = link_from(world, owner, &id, HERE).await;
        let path = link_from(world, owner, &id, HERE).await;
        let replaced = send(world, Method::GET, &old, HERE, None).await;
        assert_eq!(
            (replaced.status, replaced.code().as_str()),
            (StatusCode::NOT_FOUND, "privacy/link-not-found")
        );
        let asked = send(world, Method::HEAD, &path, HERE, None).await;
        assert_eq!((asked.status, asked.body.len()), (StatusCode::OK, 0));
        assert_eq!(asked.header("content-length"), result["bytes"].to_string());
        for method in [Method::HEAD, Method::GET] {
            let moved = send(world, method, &path, ELSEWHERE, None).await;
            assert_eq!(moved.status, StatusCode::FORBIDDEN);
        }
        // Of many at once, one gets it.
        let all = futures_util::future::join_all((0..8).map(|_| send(world, Method::GET, &path, HERE, None))).await;
        let (got, others): (Vec<_>, Vec<_>) = all.into_iter().partition(|got| got.status == StatusCode::OK);
        assert_eq!(got.len(), 1);
        assert!(
            others
                .iter()
                .all(|other| other.status == StatusCode::GONE && other.code() == "privacy/link-used")
        );
        for (name, value) in [
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("content-type", "application/zip"),
            ("content-disposition", "attachment; filename=\"personal-data.zip\""),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(got[0].header(name), value);
        }
        assert!(unzipped(&got[0].body).contains_key("index.html"));
        // From elsewhere it is told no more than before.
        let moved = send(world, Method::GET, &path, ELSEWHERE, None).await;
        assert_eq!(moved.code(), "privacy/link-address");
        let used = send(world, Method::HEAD, &path, HERE, None).await;
        assert_eq!(used.status, StatusCode::GONE);
        assert_eq!(
            audited(world, &project, &id).await,
            [
                "privacy.export",
                "privacy.export-link",
                "privacy.export-link",
                "privacy.export-fetch"
            ]
        );
        let token = path.split("token=").nth(1).unwrap();
        for secret in [token, old.split("token=").nth(1).unwrap(), ann.email.as_str()] {
            assert!(!crate::logs::logged().contains(secret), "{secret} was logged");
        }
    });
}

#[test]
fn only_owners_and_admins_get_a_copy_and_strangers_hear_of_nothing() {
    run(async {
        let world = world().await;
        let (project, neighbour) = (world.project("schema").await, world.project("schema").await);
        let ann = world.end_user(&project).await;
        let wanted = of(&project.id, &json!(ann.id));
        let result = made(world, &project.owner.token, &wanted).await;
        let path = format!("/api/gdpr/exports/{}", text(&result, "exportId"));
        for (role, status) in [
            ("admin", StatusCode::ACCEPTED),
            ("developer", StatusCode::FORBIDDEN),
            ("viewer", StatusCode::FORBIDDEN),
        ] {
            let member = world.user().await;
            let body = json!({ "email": member.email, "role": role });
            let added = world
                .post(&format!("/api/projects/{}/members", project.id))
                .bearer(&project.owner.token);
            added.json(&body).send().await.expect(StatusCode::CREATED);
            assert_eq!(ask(world, &member.token, &wanted).await.status, status, "{role}");
            let seen = world.get(&path).bearer(&member.token).send().await.status;
            assert_eq!(seen.is_success(), status.is_success(), "{role}");
        }
        let stranger = &neighbour.owner.token;
        assert_eq!(
            ask(world, stranger, &wanted).await.code(StatusCode::NOT_FOUND),
            "projects/not-found"
        );
        let seen = world.get(&path).bearer(stranger).send().await;
        assert_eq!(seen.code(StatusCode::NOT_FOUND), "privacy/export-not-found");
        let made_up = world
            .get(&format!("/api/gdpr/exports/{}", project.id))
            .bearer(stranger)
            .send()
            .await;
        assert_eq!(made_up.code(StatusCode::NOT_FOUND), "privacy/export-not-found");
        let linked = world.post(&format!("{path}/link")).bearer(stranger).send().await;
        assert_eq!(linked.code(StatusCode::NOT_FOUND), "privacy/export-not-found");
    });
}

#[test]
fn a_request_that_is_sent_again_gets_the_same_job_and_what_makes_no_sense_is_said() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let (ann, bob) = (world.end_user(&project).await, world.end_user(&project).await);
        let key = unique();
        let keyed = async |subject: &str| {
            let call = world
                .post("/api/gdpr/export")
                .bearer(&project.owner.token)
                .header("idempotency-key", &key);
            call.json(&of(&project.id, &json!(subject))).send().await
        };
        let first = keyed(&ann.id).await.expect(StatusCode::ACCEPTED);
        assert_eq!(keyed(&ann.id).await.expect(StatusCode::ACCEPTED), first);
        assert_eq!(
            keyed(&bob.id).await.code(StatusCode::UNPROCESSABLE_ENTITY),
            "http/idempotency-key"
        );
        let seen = ended(world, &project.owner.token, &text(&first, "jobId")).await;
        assert_eq!(seen["state"], "succeeded");
        assert_eq!(keyed(&ann.id).await.expect(StatusCode::ACCEPTED), first);
        for wrong in [
            json!({ "scope": "end-user", "subject": ann.id }),
            json!({ "scope": "platform-user", "projectId": project.id, "subject": ann.id }),
        ] {
            assert_eq!(
                ask(world, &project.owner.token, &wrong)
                    .await
                    .code(StatusCode::BAD_REQUEST),
                "privacy/project"
            );
        }
        for wrong in [
            json!({}),
            json!({ "scope": "everybody", "subject": "x" }),
            json!({ "scope": "end-user", "subject": 7 }),
        ] {
            assert_eq!(
                ask(world, &project.owner.token, &wrong)
                    .await
                    .code(StatusCode::BAD_REQUEST),
                "http/body"
            );
        }
    });
}

#[test]
fn a_link_ends_after_fifteen_minutes_and_never_after_its_export() {
    run(async {
        let clock = Arc::new(FixedClock::at(SystemClock.now()));
        let platform = platform().await;
        let world = World::of(platform, clock.clone());
        let project = crate::world::world().await.project("schema").await;
        let ann = crate::world::world().await.end_user(&project).await;
        let owner = &project.owner.token;
        let result = made(&world, owner, &of(&project.id, &json!(ann.id))).await;
        let id = text(&result, "exportId");
        let path = link_from(&world, owner, &id, HERE).await;
        clock.advance(Duration::from_secs(15 * 60 - 1));
        assert_eq!(
            send(&world, Method::HEAD, &path, HERE, None).await.status,
            StatusCode::OK
        );
        clock.advance(Duration::from_secs(1));
        let over = send(&world, Method::GET, &path, HERE, None).await;
        assert_eq!(
            (over.status, over.code().as_str()),
            (StatusCode::GONE, "privacy/link-expired")
        );
    });
}
