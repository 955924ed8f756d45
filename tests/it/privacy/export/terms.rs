//! Copies end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use plinth::clock::{Clock as _, SystemClock};
use plinth::ident::ProjectId;
use plinth::privacy::export::expire;
use plinth::purge::{self, Outcome};
use plinth::testing::FixedClock;
use plinth_local::platform::Function;
use serde_json::json;
use uuid::Uuid;

use super::{HERE, link_from, made, of, send};
use crate::privacy::bench::fresh;
use crate::projects::master;
use crate::work::ended;
use crate::world::{files_beside, platform, run, text, world};

async fn file_of(id: impl std::fmt::Display) -> PathBuf {
    let folder = files_beside(plinth_local::testing::server().await.unwrap());
    PathBuf::from(folder).join(format!("{id}.zip"))
}

#[test]
fn a_copy_past_its_term_is_gone_with_its_file_and_its_request() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        let result = made(world, &project.owner.token, &of(&project.id, &json!(ann.id))).await;
        let id = text(&result, "exportId");
        let path = link_from(world, &project.owner.token, &id, HERE).await;
        let file = file_of(&id).await;
        assert!(file.is_file());
        // Others' exports are not to go with it.
        let control = master().await;
        let uuid: Uuid = id.parse().unwrap();
        let sql = "update plinth.exports set expires_at = now() - interval '1 second' where id = $1";
        control.execute(sql, &[&uuid]).await.unwrap();
        let now = Arc::new(FixedClock::at(SystemClock.now()));
        let app = platform().await.app_at(Function::Worker, now.clone()).unwrap();
        while file.is_file() {
            expire(&app).await.unwrap();
        }
        now.advance(Duration::from_secs(1));
        expire(&app).await.unwrap();
        let sql = "select (select count(*) from plinth.exports where id = $1) + (select count(*) from plinth.privacy_requests where id = $1)";
        let left: i64 = control.query_one(sql, &[&uuid]).await.unwrap().get(0);
        assert_eq!(left, 0);
        let gone = send(world, Method::GET, &path, HERE, None).await;
        assert_eq!(gone.status, StatusCode::NOT_FOUND);
        let state = world
            .get(&format!("/api/gdpr/exports/{id}"))
            .bearer(&project.owner.token)
            .send()
            .await;
        assert_eq!(state.code(StatusCode::NOT_FOUND), "privacy/export-not-found");
    });
}

#[test]
fn a_purged_project_leaves_no_copy_behind() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        let result = made(world, &project.owner.token, &of(&project.id, &json!(ann.id))).await;
        let id: Uuid = text(&result, "exportId").parse().unwrap();
        let file = file_of(id).await;
        assert!(file.is_file());
        let control = master().await;
        let id_of_project: Uuid = project.id.parse().unwrap();
        let sql = "update plinth.projects set deleted_at = now() - interval '31 days' where id = $1";
        control.execute(sql, &[&id_of_project]).await.unwrap();
        let app = world.app(Function::Purge);
        let before = SystemClock.now().checked_sub(Duration::from_secs(1)).unwrap();
        let gone = purge::erase_project(&app, ProjectId(id_of_project), before).await;
        // The platform's own purge may have been faster.
        assert!(matches!(gone, Ok(Outcome::Gone | Outcome::Nothing)), "{gone:?}");

        let app = world.app(Function::Worker);
        let sql = "select from plinth.exports where id = $1";
        while control.query_opt(sql, &[&id]).await.unwrap().is_some() {
            expire(&app).await.unwrap();
        }
        assert!(!file.exists(), "nobody knows of {} any more", file.display());
    });
}

#[test]
fn a_file_that_cannot_be_removed_keeps_no_other_waiting() {
    run(async {
        let world = world().await;
        let control = master().await;
        let [stuck, next] = [fresh(), fresh()];
        let (in_the_way, file) = (file_of(stuck).await, file_of(next).await);
        std::fs::create_dir_all(in_the_way.join("x")).unwrap();
        std::fs::write(&file, "a copy").unwrap();
        for (id, age) in [(stuck, 2.0), (next, 1.0)] {
            let sql = "insert into plinth.privacy_requests (id, kind, scope, created_at)
                       values ($1, 'export', 'platform-user', now())";
            control.execute(sql, &[&id]).await.unwrap();
            let sql = "insert into plinth.exports (id, object, created_at, expires_at)
                       values ($1::uuid, $1::uuid || '.zip', now(), now() - $2 * interval '1 hour')";
            control.execute(sql, &[&id, &age]).await.unwrap();
        }
        let app = world.app(Function::Worker);
        let sql = "select from plinth.exports where id = $1";
        let mut calls = 0;
        while file.is_file() {
            calls += 1;
            assert!(calls < 100, "it waits for the one that cannot go");
            let _ = expire(&app).await;
        }
        assert!(
            control.query_opt(sql, &[&stuck]).await.unwrap().is_some(),
            "it is tried again"
        );
        std::fs::remove_dir_all(&in_the_way).unwrap();
        while control.query_opt(sql, &[&stuck]).await.unwrap().is_some() {
            expire(&app).await.unwrap();
        }
    });
}

#[test]
fn a_copy_that_is_made_while_the_person_is_forgotten_comes_to_nothing() {
    run(async {
        let world = world().await;
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        let (mut forgetting, control) = (master().await, master().await);
        let (id, job, of_project) = (fresh(), fresh(), project.id.parse::<Uuid>().unwrap());
        let subject = json!({ "id": ann.id });
        let sql = "insert into plinth.jobs (id, kind, project_id, payload, run_at, created_at, updated_at)
                   values ($1, 'privacy.export', $2, $3, now() + interval '1 day', now(), now())";
        let payload = json!({ "request": id });
        control.execute(sql, &[&job, &of_project, &payload]).await.unwrap();
        let sql = "insert into plinth.privacy_requests (id, kind, scope, project_id, subject, job_id, created_at)
                   values ($1, 'export', 'end-user', $2, $3, $4, now())";
        control.execute(sql, &[&id, &of_project, &subject, &job]).await.unwrap();
        let sql = "insert into plinth.exports (id, object, created_at, expires_at)
                   values ($1::uuid, $1::uuid || '.zip', now(), now() + interval '1 day')";
        control.execute(sql, &[&id]).await.unwrap();

        // Somebody else is about to forget who it is about when the job begins, and has when it is to be kept.
        let transaction = forgetting.transaction().await.unwrap();
        let sql =
            "update plinth.privacy_requests set subject = null where id = $1 returning pg_current_xact_id()::text";
        let forgets: String = transaction.query_one(sql, &[&id]).await.unwrap().get(0);
        let sql = "update plinth.jobs set run_at = now() where id = $1";
        control.execute(sql, &[&job]).await.unwrap();
        let forgotten = async {
            let sql = "select exists (select from plinth.jobs where id = $1 and state not in ('queued', 'running'))
                         or exists (select from pg_locks where not granted and transactionid = $2::text::xid)";
            while !control
                .query_one(sql, &[&job, &forgets])
                .await
                .unwrap()
                .get::<_, bool>(0)
            {
                tokio::task::yield_now().await;
            }
            transaction.commit().await.unwrap();
        };
        let job = job.to_string();
        let (seen, ()) = tokio::join!(ended(world, &project.owner.token, &job), forgotten);
        assert_eq!(
            (&seen["state"], &seen["errorCode"]),
            (&json!("failed"), &json!("privacy/export-gone")),
            "{seen}"
        );
        assert!(!file_of(id).await.exists());
        let state = world
            .get(&format!("/api/gdpr/exports/{id}"))
            .bearer(&project.owner.token)
            .send();
        assert_eq!(state.await.code(StatusCode::NOT_FOUND), "privacy/export-not-found");
        let linked = world
            .post(&format!("/api/gdpr/exports/{id}/link"))
            .bearer(&project.owner.token);
        assert_eq!(
            linked.send().await.code(StatusCode::NOT_FOUND),
            "privacy/export-not-found"
        );
    });
}
