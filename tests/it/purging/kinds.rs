//! Every kind of thing on the edge of its 30 days, and what goes with it.

use std::time::Duration;

use http::StatusCode;
use plinth::clock::RESTORE_WINDOW;
use plinth::purge::{self, Budget};
use plinth_local::platform::Function;
use serde_json::json;
use uuid::Uuid;

use super::{DAY, ONE_AT_A_TIME, SECOND, era};
use crate::accounts::{cell, superuser};
use crate::projects::master;
use crate::trash::kinds::Trial;
use crate::world::{Project, run, text, world};

/// Whether the thing is still there, in the trash or not.
pub async fn is_there(trial: &Trial) -> bool {
    let id: Uuid = trial.id.parse().unwrap();
    if trial.kind == "end-user" {
        return accounts_of(&trial.project, id).await != [0; 3];
    }
    let (table, column) = match trial.kind {
        "project" => ("projects", "id"),
        "backend" => ("backends", "id"),
        "key" => ("keys", "id"),
        "member" => ("members", "user_id"),
        "document" => ("document_versions", "id"),
        kind => panic!("{kind} is purged elsewhere"),
    };
    let sql = format!("select count(*) from plinth.{table} where {column} = $1");
    let count: i64 = master().await.query_one(&sql, &[&id]).await.unwrap().get(0);
    count > 0
}

/// Rows of the account, its identities and its sessions.
async fn accounts_of(project: &Project, user: Uuid) -> [i64; 3] {
    let own = format!("p_{}", project.reference);
    let isolation = "select count(*) from pg_database where datname = $1";
    let has_own: i64 = master().await.query_one(isolation, &[&own]).await.unwrap().get(0);
    let (client, schema) = if has_own > 0 {
        (superuser(&own).await, "auth".to_owned())
    } else {
        (cell().await, format!("auth_{}", project.reference))
    };
    let mut counts = [0; 3];
    for (count, (table, column)) in
        counts
            .iter_mut()
            .zip([("users", "id"), ("identities", "user_id"), ("sessions", "user_id")])
    {
        let sql = format!("select count(*) from {schema}.{table} where {column} = $1");
        *count = client.query_one(&sql, &[&user]).await.unwrap().get(0);
    }
    counts
}

#[test]
fn each_kind_is_kept_for_thirty_days_and_gone_a_second_later() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2014-01-01T00:00:00Z");
        for (kind, isolation) in [
            ("project", "schema"),
            ("project", "database"),
            ("backend", "schema"),
            ("backend", "database"),
            ("key", "schema"),
            ("member", "schema"),
            ("document", "schema"),
            ("end-user", "schema"),
            ("end-user", "database"),
        ] {
            let (gone, stays) = (
                Trial::of(kind, isolation, at).await,
                Trial::of(kind, isolation, at).await,
            );
            assert!(gone.delete().await.status.is_success(), "{kind}");
            for age in [29 * DAY, RESTORE_WINDOW] {
                let report = purge::run(&app, at + age).await.unwrap();
                assert!(report.complete, "{kind}: {report:?}");
                assert!(is_there(&gone).await, "{kind} {age:?}");
            }
            gone.clock.advance(RESTORE_WINDOW);
            assert_eq!(gone.listed().await.len(), 1, "{kind}");
            let report = purge::run(&app, at + RESTORE_WINDOW + SECOND).await.unwrap();
            assert!(report.complete, "{kind}: {report:?}");
            assert!(!is_there(&gone).await && is_there(&stays).await, "{kind}");
            // Even where a clock is behind, what is gone is gone.
            let restored = gone.restore().await;
            assert_eq!(restored.status, StatusCode::NOT_FOUND, "{kind}: {}", restored.text);
        }
    });
}

#[test]
fn a_purge_leaves_an_entry_in_the_log_of_each_project() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2014-03-01T00:00:00Z");
        for (kind, action) in [
            ("project", "projects.purge"),
            ("backend", "backend.purge"),
            ("key", "keys.purge"),
            ("member", "members.purge"),
            ("document", "documents.purge"),
            ("end-user", "users.purge"),
        ] {
            let gone = Trial::of(kind, "schema", at).await;
            gone.delete().await;
            purge::run(&app, at + RESTORE_WINDOW + SECOND).await.unwrap();
            let id: Uuid = gone.project.id.parse().unwrap();
            let sql =
                "select l.action, s.actor from plinth.audit_log l join plinth.audit_subjects s on s.audit_id = l.id
                where l.project_id = $1 order by l.sequence desc limit 1";
            let last = master().await.query_one(sql, &[&id]).await.unwrap();
            assert_eq!(
                (last.get::<_, &str>(0), last.get::<_, &str>(1)),
                (action, "system:purge")
            );
        }
    });
}

#[test]
fn a_purged_users_profile_goes_as_the_apps_keys_say() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        for (isolation, at) in [("schema", "2014-05-01T00:00:00Z"), ("database", "2014-06-01T00:00:00Z")] {
            let at = era(at);
            let (loose, bound) = (
                Trial::of("end-user", isolation, at).await,
                Trial::of("end-user", isolation, at).await,
            );
            // `app_data` lets its rows go with the person; this table does not.
            let reference = json!({ "table": "app_users", "column": "id", "on_delete": "restrict" });
            let design = json!({ "schemaJson": { "name": "orders", "columns": [
                { "name": "buyer", "type": "uuid", "references": reference },
            ] } });
            let path = bound.project.database("tables/create");
            let call = bound.world.post(&path).bearer(&bound.project.owner.token);
            call.json(&design).send().await.expect(StatusCode::CREATED);
            put(&bound, "orders", json!({ "buyer": bound.id })).await;
            put(&loose, "app_data", json!({ "user_id": loose.id, "data_type": "note" })).await;
            for trial in [&loose, &bound] {
                trial.delete().await.expect(StatusCode::OK);
            }
            let report = purge::run(&app, at + RESTORE_WINDOW + SECOND).await.unwrap();
            assert!(report.complete, "{report:?}");
            assert_eq!(read(&loose, "app_users?select=id").await, json!([]), "{isolation}");
            assert_eq!(read(&loose, "app_data?select=id").await, json!([]), "{isolation}");
            let emptied = json!([{
                "id": bound.id, "email": format!("{}@deleted.invalid", bound.id), "full_name": null, "metadata": {},
            }]);
            let shown = read(&bound, "app_users?select=id,email,full_name,metadata").await;
            assert_eq!(shown, emptied, "{isolation}");
            assert_eq!(
                read(&bound, "orders?select=buyer").await,
                json!([{ "buyer": bound.id }])
            );
        }
    });
}

async fn put(trial: &Trial, table: &str, row: serde_json::Value) {
    let call = trial.world.post(&trial.project.rest(table)).key(&trial.project.secret);
    call.json(&row).send().await.expect(StatusCode::CREATED);
}

async fn read(trial: &Trial, query: &str) -> serde_json::Value {
    let call = trial.world.get(&trial.project.rest(query)).key(&trial.project.secret);
    call.send().await.expect(StatusCode::OK)
}

#[test]
fn what_is_in_a_deleted_project_waits_for_it() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2014-08-01T00:00:00Z");
        let user = Trial::of("end-user", "schema", at).await;
        user.delete().await.expect(StatusCode::OK);
        user.clock.advance(10 * DAY);
        let api = format!("/api/projects/{}", user.project.id);
        let owner = async |method, path: &str| {
            let path = format!("{api}{path}");
            let body = json!({ "email": user.project.owner.email, "password": "correct horse battery" });
            let call = user.world.post("/auth/v1/token?grant_type=password").json(&body);
            let token = text(&call.send().await.expect(StatusCode::OK), "access_token");
            user.world
                .call(method, &path)
                .bearer(&token)
                .send()
                .await
                .expect(StatusCode::OK)
        };
        owner(http::Method::DELETE, "").await;
        let report = purge::run(&app, at + 35 * DAY).await.unwrap();
        assert!(report.complete && is_there(&user).await, "{report:?}");
        user.clock.advance(25 * DAY);
        owner(http::Method::POST, "/restore").await;
        assert_eq!(user.restore().await.status, StatusCode::NOT_FOUND);
        purge::run(&app, at + 35 * DAY).await.unwrap();
        assert!(!is_there(&user).await);

        // And goes with it.
        owner(http::Method::DELETE, "").await;
        purge::run(&app, at + 35 * DAY + RESTORE_WINDOW + SECOND).await.unwrap();
        let id: Uuid = user.project.id.parse().unwrap();
        let sql = "select count(*) from plinth.end_user_deletions where project_id = $1";
        let noted: i64 = master().await.query_one(sql, &[&id]).await.unwrap().get(0);
        assert_eq!(noted, 0);
    });
}

#[test]
fn a_restoration_and_a_purge_at_once_leave_all_or_nothing() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let mut at = era("2015-01-01T00:00:00Z");
        for kind in ["project", "backend", "key", "member", "document", "end-user"] {
            for _ in 0..4 {
                at += 60 * DAY;
                let trial = Trial::of(kind, "schema", at).await;
                assert!(trial.delete().await.status.is_success());
                // A clock that is a second behind the other: both may act.
                trial.clock.advance(RESTORE_WINDOW);
                let (restored, report) = tokio::join!(trial.restore(), purge::run(&app, at + RESTORE_WINDOW + SECOND));
                let report = report.unwrap();
                assert!(report.failed.is_empty(), "{report:?}");
                assert!(report.items.iter().all(|item| item.error.is_none()), "{report:?}");
                match restored.status {
                    StatusCode::OK => assert!(is_there(&trial).await, "{kind}"),
                    StatusCode::NOT_FOUND => {
                        purge::run(&app, at + RESTORE_WINDOW + SECOND).await.unwrap();
                        assert!(!is_there(&trial).await, "{kind}");
                        continue;
                    }
                    other => panic!("{kind}: {other} {}", restored.text),
                }
                let path = trial.project.rest("app_data?select=id");
                let whole = trial.world.get(&path).key(&trial.project.secret).send().await;
                assert_eq!(whole.status, StatusCode::OK, "{kind}: {}", whole.text);
            }
        }
    });
}

#[test]
fn what_time_does_not_allow_is_left_and_said_so() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2018-06-01T00:00:00Z");
        let (one, two) = (
            Trial::of("project", "schema", at).await,
            Trial::of("key", "schema", at).await,
        );
        one.delete().await;
        two.delete().await;
        let past = at + RESTORE_WINDOW + SECOND;
        let report = purge::run_within(&app, past, Budget::Steps(0)).await.unwrap();
        assert!(!report.complete);
        assert_eq!((report.left["keys"], report.left["project"]), (1, 1), "{report:?}");
        assert!(is_there(&one).await && is_there(&two).await);
        let report = purge::run_within(&app, past, Budget::lasting(Duration::ZERO))
            .await
            .unwrap();
        assert!(!report.complete && is_there(&one).await);
        let report = purge::run(&app, past).await.unwrap();
        assert!(report.complete && !is_there(&one).await && !is_there(&two).await);
        let kept = "select complete, report from plinth.purge_runs where ended_at is not null order by started_at desc limit 1";
        let row = master().await.query_one(kept, &[]).await.unwrap();
        assert!(row.get::<_, bool>(0));
        let kept: serde_json::Value = row.get(1);
        assert_eq!(kept, serde_json::to_value(&report).unwrap());
    });
}
