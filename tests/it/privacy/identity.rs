//! Who somebody is in the audit log, and what jobs say of them: forgotten in one place and not in another.

use plinth::ident::{ProjectId, UserId};
use plinth::privacy::Snapshot;
use plinth::privacy::identity::{self, Person};
use plinth::privacy::people;
use serde_json::{Value, json};
use uuid::Uuid;

use super::bench::{bench, entries, fresh};
use crate::world::{run, unique};

#[test]
fn an_end_users_identity_is_forgotten_in_their_projects_chain_alone() {
    run(async {
        let bench = bench().await;
        let (app, owner) = (bench.worker(), bench.world.user().await);
        let (here, there) = (bench.project(&owner).await, bench.project(&owner).await);
        let id = fresh();
        let person = |project: &str| Person::EndUser {
            project: ProjectId(project.parse().unwrap()),
            id,
        };
        let client = app.control.get().await.unwrap();
        for (project, actor) in [
            (&here, person(&here).actor()),
            (&here, person(&here).actor()),
            (&there, person(&there).actor()),
            (&here, format!("user:{id}")),
        ] {
            let request = plinth::tenancy::RequestInfo {
                id: unique(),
                address: Some("203.0.113.9".to_owned()),
            };
            let entry = plinth::audit::Entry {
                project: Some(ProjectId(project.parse().unwrap())),
                action: "test.done",
                target: "something".to_owned(),
                details: Value::Null,
                actor,
                request: &request,
            };
            plinth::audit::record(&app, &*client, &entry).await.unwrap();
        }
        assert_eq!(identity::count(&*client, person(&here)).await.unwrap(), 2);
        {
            let mut reader = app.control.get().await.unwrap();
            let snapshot = Snapshot::of(&mut reader).await.unwrap();
            let entries = entries(&snapshot, person(&here)).await;
            assert_eq!(entries.len(), 2);
            assert_eq!(entries[0]["address"], "203.0.113.9");
        }
        assert_eq!(identity::forget(&*client, person(&here)).await.unwrap(), 2);
        assert_eq!(identity::forget(&*client, person(&here)).await.unwrap(), 0);
        assert_eq!(identity::count(&*client, person(&here)).await.unwrap(), 0);
        assert_eq!(identity::count(&*client, person(&there)).await.unwrap(), 1);
        let platform = Person::User(UserId(id));
        assert_eq!(identity::count(&*client, platform).await.unwrap(), 1);
        drop(client);
        for (project, erased) in [(&here, 2), (&there, 0)] {
            let verified = bench.verified(project, &owner).await;
            assert_eq!(
                (&verified["valid"], &verified["erased"]),
                (&json!(true), &json!(erased))
            );
        }
    });
}

#[test]
fn two_reads_of_somebodys_entries_are_of_one_state_however_many_there_are() {
    run(async {
        let bench = bench().await;
        let app = bench.worker();
        let person = Person::User(UserId(fresh()));
        let request = plinth::tenancy::RequestInfo {
            id: unique(),
            address: None,
        };
        let entry = plinth::audit::Entry {
            project: None,
            action: "test.done",
            target: person.id().to_string(),
            details: json!({ "words": "x".repeat(1000) }),
            actor: person.actor(),
            request: &request,
        };
        let writer = app.control.get().await.unwrap();
        for _ in 0..600 {
            plinth::audit::record(&app, &*writer, &entry).await.unwrap();
        }
        let mut reader = app.control.get().await.unwrap();
        let snapshot = Snapshot::of(&mut reader).await.unwrap();
        let first = entries(&snapshot, person).await;
        assert_eq!(first.len(), 600);
        plinth::audit::record(&app, &*writer, &entry).await.unwrap();
        assert_eq!(entries(&snapshot, person).await, first);
        drop(snapshot);
        let snapshot = Snapshot::of(&mut reader).await.unwrap();
        assert_eq!(entries(&snapshot, person).await.len(), 601);
    });
}

#[test]
fn reports_of_the_purge_forget_whose_account_could_not_be_removed() {
    run(async {
        let bench = bench().await;
        let app = bench.worker();
        let (id, other, run) = (fresh(), fresh(), fresh());
        let report = json!({ "items": [
            { "kind": "end-user", "id": other, "error": "1" }, { "kind": "end-user", "id": id, "error": "2" },
            { "kind": "project", "id": other, "error": null },
        ] });
        let sql = "insert into plinth.purge_runs (id, started_at, ended_at, complete, report) values ($1, now(), now(), false, $2)";
        bench.control.execute(sql, &[&run, &report]).await.unwrap();
        let client = app.control.get().await.unwrap();
        let project = ProjectId(fresh());
        identity::forget(&*client, Person::EndUser { project, id })
            .await
            .unwrap();
        assert_eq!(bench.holding(&id.to_string()).await, [].into());
        let sql = "select report from plinth.purge_runs where id = $1";
        let left: Value = bench.control.query_one(sql, &[&run]).await.unwrap().get(0);
        assert_eq!(
            left["items"][1],
            json!({ "kind": "end-user", "id": Uuid::nil(), "error": "2" })
        );
        assert_eq!(
            (&left["items"][0], &left["items"][2]),
            (&report["items"][0], &report["items"][2])
        );
    });
}

#[test]
fn words_about_somebody_leave_jobs_of_their_project_and_no_others() {
    run(async {
        let bench = bench().await;
        let (app, owner) = (bench.worker(), bench.world.user().await);
        let (here, there) = (bench.project(&owner).await, bench.project(&owner).await);
        let email = format!("{}@example.com", unique());
        let mut ids = Vec::new();
        for project in [&here, &there] {
            let project: Uuid = project.parse().unwrap();
            let sql = "
                insert into plinth.jobs (id, kind, project_id, payload, state, run_at, result, message, error, created_at, updated_at)
                values ($1, 'test.done', $2, jsonb_build_object('to', $3::text, 'n', 1), 'failed', now(),
                  jsonb_build_array('for ' || upper($3)), 'Asking ' || $3, $3 || ' is not there', now(), now())";
            let id = fresh();
            bench.control.execute(sql, &[&id, &project, &email]).await.unwrap();
            ids.push(id);
        }
        let client = app.control.get().await.unwrap();
        let project = people::JobsOf::Project(ProjectId(here.parse().unwrap()));
        let values = [email.clone(), "n".to_owned()];
        for changed in [1, 0] {
            assert_eq!(
                people::scrub_jobs(&*client, project, &values, None).await.unwrap(),
                changed
            );
        }
        let sql = "select payload, result, message, error from plinth.jobs where id = $1";
        let row = client.query_one(sql, &[&ids[0]]).await.unwrap();
        assert_eq!(row.get::<_, Value>(0), json!({ "to": "[erased]", "n": 1 }));
        assert_eq!(row.get::<_, Value>(1), json!(["[erased]"]));
        assert_eq!(row.get::<_, Option<String>>(2), None);
        assert_eq!(row.get::<_, Option<String>>(3).as_deref(), Some("[erased]"));
        assert_eq!(bench.holding(&email).await, [("jobs".to_owned(), 1)].into());
    });
}

#[test]
fn no_other_login_forgets_anybody() {
    run(async {
        let bench = bench().await;
        let sql = "
            select r.rolname::text, p.proname::text
            from pg_roles r, pg_proc p
            where r.rolname like 'plinth\\_%' and r.rolname <> 'plinth_admin' and p.pronamespace = 'plinth'::regnamespace
              and p.proname in ('forget_identity', 'erase_account', 'end_sessions')
              and has_function_privilege(r.oid, p.oid, 'execute')
            order by 1, 2";
        let rows = bench.control.query(sql, &[]).await.unwrap();
        let may: Vec<String> = rows
            .iter()
            .map(|row| format!("{} {}", row.get::<_, &str>(0), row.get::<_, &str>(1)))
            .collect();
        assert_eq!(
            may,
            [
                "plinth_privacy end_sessions",
                "plinth_privacy erase_account",
                "plinth_privacy forget_identity"
            ]
        );
        let sql = "select has_column_privilege('plinth_privacy', 'plinth.users', 'encrypted_password', 'select')";
        let reads: bool = bench.control.query_one(sql, &[]).await.unwrap().get(0);
        assert!(!reads, "no copy holds a password's hash");
    });
}
