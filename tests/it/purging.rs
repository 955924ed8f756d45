//! What is past its 30 days goes for good, and nothing younger. Each test has an era of its own, long before the other
//! tests' data: a purge sees everything on the platform.

use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;
use plinth::clock::RESTORE_WINDOW;
use plinth::purge::{self, Item};
use plinth_local::platform::Function;
use uuid::Uuid;

use crate::keys::{rescue, strand};
use crate::projects::{Bare, master, send};
use crate::world::{platform, run, world};

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A purge sees the whole platform: one at a time, so that a later era takes nothing from an earlier one's test.
pub static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn era(text: &str) -> Timestamp {
    text.parse().unwrap()
}

async fn delete_at(project: Uuid, at: Timestamp) {
    let sql = "update plinth.projects set deleted_at = $2 where id = $1";
    master().await.execute(sql, &[&project, &at]).await.unwrap();
}

async fn exists(project: Uuid) -> bool {
    let sql = "select from plinth.projects where id = $1";
    master().await.query_opt(sql, &[&project]).await.unwrap().is_some()
}

#[test]
fn thirty_days_are_kept_and_a_second_more_is_gone() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2010-01-01T00:00:00Z");
        let client = master().await;
        let (deleted, living) = (Bare::new().await, Bare::new().await);
        delete_at(deleted.uuid(), at).await;
        let member: Uuid = living.member("viewer").await.id.parse().unwrap();
        for sql in [
            "update plinth.members set deleted_at = $2 where project_id = $1 and role = 'viewer'",
            "insert into plinth.keys (id, project_id, class, name, hash, hint, created_at, revoked_at)
             values (gen_random_uuid(), $1, 'secret', 'revoked', sha256(convert_to($1 || 'r', 'UTF8')), '', now(), $2)",
            "insert into plinth.keys (id, project_id, class, name, hash, hint, created_at, expires_at)
             values (gen_random_uuid(), $1, 'secret', 'expired', sha256(convert_to($1 || 'e', 'UTF8')), '', now(), $2)",
            "insert into plinth.jobs (id, kind, project_id, state, run_at, created_at, updated_at)
             values (gen_random_uuid(), 'x', $1, 'succeeded', $2, $2, $2)",
            "insert into plinth.outbox (project_id, version, done_at) values ($1, 1, $2)",
        ] {
            let sql = sql
                .replace("$1 ||", "$1::text ||")
                .replace("$1", &format!("'{}'", living.id));
            client.execute(&sql.replace("$2", "$1"), &[&at]).await.unwrap();
        }
        let left = async || -> Vec<i64> {
            let mut counts = Vec::new();
            for table in ["members", "keys", "jobs", "outbox"] {
                let sql = format!("select count(*) from plinth.{table} where project_id = $1");
                counts.push(client.query_one(&sql, &[&living.uuid()]).await.unwrap().get(0));
            }
            counts
        };
        let before = left().await;
        for age in [29 * DAY, RESTORE_WINDOW] {
            let report = purge::run(&app, at.checked_add(age).unwrap()).await.unwrap();
            assert!(report.complete() && report.items.is_empty(), "{report:?}");
            assert!(exists(deleted.uuid()).await);
            assert_eq!(left().await, before, "{age:?}");
        }
        let past = at.checked_add(RESTORE_WINDOW + SECOND).unwrap();
        let report = purge::run(&app, past).await.unwrap();
        let item = Item {
            kind: "project",
            id: deleted.uuid(),
            error: None,
        };
        assert!(report.items.contains(&item), "{report:?}");
        assert!(!exists(deleted.uuid()).await && exists(living.uuid()).await);
        let expected: Vec<i64> = before
            .iter()
            .zip([1, 2, 1, 1])
            .map(|(count, gone)| count - gone)
            .collect();
        assert_eq!(left().await, expected);
        let sql = "select from plinth.members where user_id = $1";
        assert!(client.query_opt(sql, &[&member]).await.unwrap().is_none());

        // Its history stays, with the purge at its end.
        let sql = "select action from plinth.audit_log where project_id = $1 order by sequence desc limit 1";
        let last = client.query_one(sql, &[&deleted.uuid()]).await.unwrap();
        assert_eq!(last.get::<_, &str>(0), "projects.purge");
        let again = purge::run(&app, past).await.unwrap();
        assert!(again.items.is_empty() && again.complete(), "{again:?}");
    });
}

#[test]
fn a_projects_backend_goes_with_it_and_its_neighbour_stays() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let world = world().await;
        let app = world.app(Function::Purge);
        let at = era("2005-01-01T00:00:00Z");
        let client = master().await;
        for isolation in ["schema", "database"] {
            let (gone, stays) = (world.project(isolation).await, world.project(isolation).await);
            delete_at(gone.id.parse().unwrap(), at).await;
            let report = purge::run(&app, at.checked_add(RESTORE_WINDOW + SECOND).unwrap())
                .await
                .unwrap();
            assert!(report.complete(), "{report:?}");
            assert!(!exists(gone.id.parse().unwrap()).await);
            let roles = "select count(*) from pg_roles where rolname like $1";
            for (project, expected) in [(&gone, false), (&stays, true)] {
                let pattern = format!("p\\_{}%", project.reference);
                let count: i64 = client.query_one(roles, &[&pattern]).await.unwrap().get(0);
                assert_eq!(count > 0, expected, "{isolation}");
            }
            let reply = world
                .get(&stays.rest("app_data?select=id"))
                .key(&stays.secret)
                .send()
                .await;
            reply.expect(StatusCode::OK);
        }
    });
}

#[test]
fn a_deprovisioned_backend_is_kept_for_thirty_days() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let world = world().await;
        let app = world.app(Function::Purge);
        let at = era("2003-01-01T00:00:00Z");
        let project = world.project("schema").await;
        let path = format!("/api/projects/{}/backend/provision", project.id);
        let reply = send(Method::DELETE, &path, &project.owner, None).await;
        assert!(reply.status.is_success(), "{}", reply.text);
        let backend: Uuid = project.backend.parse().unwrap();
        let client = master().await;
        let sql = "update plinth.backends set deleted_at = $2 where id = $1";
        client.execute(sql, &[&backend, &at]).await.unwrap();
        let kept = async || {
            client
                .query_opt("select from plinth.backends where id = $1", &[&backend])
                .await
                .unwrap()
        };
        purge::run(&app, at.checked_add(RESTORE_WINDOW).unwrap()).await.unwrap();
        assert!(kept().await.is_some());
        let report = purge::run(&app, at.checked_add(RESTORE_WINDOW + SECOND).unwrap())
            .await
            .unwrap();
        assert_eq!(
            report.items,
            [Item {
                kind: "backend",
                id: backend,
                error: None
            }]
        );
        assert!(kept().await.is_none() && exists(project.id.parse().unwrap()).await);
    });
}

#[test]
fn what_cannot_be_removed_is_reported_and_keeps_nothing_else() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2000-01-01T00:00:00Z");
        let (stranded, ordinary) = (Bare::new().await, Bare::new().await);
        strand(&stranded, 9002).await;
        delete_at(stranded.uuid(), at).await;
        delete_at(ordinary.uuid(), at.checked_add(SECOND).unwrap()).await;
        let past = at.checked_add(RESTORE_WINDOW + 2 * SECOND).unwrap();
        let report = purge::run(&app, past).await.unwrap();
        assert!(!report.complete());
        let errors: Vec<_> = report
            .items
            .iter()
            .map(|item| (item.id, item.error.is_some()))
            .collect();
        assert_eq!(errors, [(stranded.uuid(), true), (ordinary.uuid(), false)]);
        assert!(exists(stranded.uuid()).await && !exists(ordinary.uuid()).await);

        rescue(9002).await;
        let report = purge::run(&app, past).await.unwrap();
        assert!(report.complete(), "{report:?}");
        assert!(!exists(stranded.uuid()).await);
    });
}

#[test]
fn replies_to_repeated_requests_are_remembered_for_a_day() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = platform().await.app(Function::Purge).unwrap();
        let at = era("1995-01-01T00:00:00Z");
        let client = master().await;
        let caller = Uuid::from_u128(1995);
        let sql = "insert into plinth.idempotency (caller, key, fingerprint, created_at) values ($1, 'k', '', $2)";
        client.execute(sql, &[&caller, &at]).await.unwrap();
        for (age, kept) in [(DAY, true), (DAY + SECOND, false)] {
            purge::run(&app, at.checked_add(age).unwrap()).await.unwrap();
            let row = client
                .query_opt("select from plinth.idempotency where caller = $1", &[&caller])
                .await
                .unwrap();
            assert_eq!(row.is_some(), kept, "{age:?}");
        }
    });
}
