//! Managed backends: made, found, restored, given up, removed; whatever fails on the way.

pub mod deploy;
mod http;
pub mod site;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use plinth::clock::SystemClock;
use plinth::ident::Ref;
use plinth::provisioning::{self, Disturbance, Outcome, Request, State, Step};
use plinth::tenancy::Isolation;
use tokio_postgres::Client;

pub use site::{Site, connect, superuser};

use crate::world::{platform, run};

const LEVELS: [Isolation; 2] = [Isolation::Schema, Isolation::Database];

#[test]
fn a_backend_is_made_once_and_found_after_that() {
    run(async {
        for level in LEVELS {
            let site = Site::new().await;
            let made = site.provision(level).await.unwrap();
            assert_eq!((made.outcome, made.backend.state), (Outcome::Made, State::Ready));
            assert!(made.keys.is_some());
            site.assert_whole(level).await;
            let found = site.provision(level).await.unwrap();
            assert_eq!((found.outcome, found.backend.id), (Outcome::Found, made.backend.id));
            assert!(found.keys.is_none());
            site.assert_whole(level).await;
        }
    });
}

#[test]
fn after_a_failure_at_any_step_nothing_is_left_and_a_repeat_succeeds() {
    run(async {
        for (level, steps) in [
            (Isolation::Schema, &Step::SCHEMA[..]),
            (Isolation::Database, &Step::DATABASE[..]),
        ] {
            for step in steps {
                let site = Site::new().await;
                let error = site.disturbed(level, *step, Disturbance::Fail).await.unwrap_err();
                assert_eq!(error.code(), "provisioning/failed", "{step:?}");
                assert_eq!(site.remains().await, BTreeSet::new(), "{level:?} {step:?}");
                let made = site.provision(level).await.unwrap();
                assert_eq!(made.outcome, Outcome::Made, "{step:?}");
                site.assert_whole(level).await;
            }
        }
    });
}

#[test]
fn after_a_death_at_any_step_a_repeat_completes() {
    run(async {
        for (level, steps) in [
            (Isolation::Schema, &Step::SCHEMA[..]),
            (Isolation::Database, &Step::DATABASE[..]),
        ] {
            for step in steps {
                let site = Site::new().await;
                let hung = site.disturbed(level, *step, Disturbance::Hang);
                // The step is reached within the time; then the future is dropped, as with a process that dies.
                tokio::time::timeout(Duration::from_secs(3), hung).await.unwrap_err();
                let made = site.provision(level).await.unwrap();
                assert_eq!(made.outcome, Outcome::Made, "{step:?}");
                assert!(made.keys.is_some());
                site.assert_whole(level).await;
            }
        }
    });
}

#[test]
fn a_race_ends_with_one_backend() {
    run(async {
        for level in LEVELS {
            let site = &Site::new().await;
            let (a, b, c) = tokio::join!(site.provision(level), site.provision(level), site.provision(level));
            let done = [a.unwrap(), b.unwrap(), c.unwrap()];
            assert!(done.iter().all(|one| one.backend.id == done[0].backend.id));
            assert!(done.iter().all(|one| one.backend.state == State::Ready));
            let made = done.iter().filter(|one| one.outcome == Outcome::Made);
            assert_eq!(made.count(), 1);
            assert_eq!(done.iter().filter(|one| one.keys.is_some()).count(), 1);
            site.assert_whole(level).await;
        }
    });
}

#[test]
fn another_isolation_is_refused() {
    run(async {
        let site = Site::new().await;
        site.provision(Isolation::Schema).await.unwrap();
        let error = site.provision(Isolation::Database).await.unwrap_err();
        assert_eq!(error.code(), "provisioning/exists");
        site.assert_whole(Isolation::Schema).await;
        let found = provisioning::provision(&site.app, &site.access, Request::default()).await;
        assert_eq!(found.unwrap().outcome, Outcome::Found);
    });
}

#[test]
fn a_backend_given_up_stops_at_once_and_comes_back_with_its_data() {
    run(async {
        for level in LEVELS {
            let site = Site::new().await;
            let made = site.provision(level).await.unwrap();
            let seen = site.app.tenancy.refresh(site.reference()).await.unwrap();
            let database = match level {
                Isolation::Schema => "plinth_cell".to_owned(),
                Isolation::Database => format!("p_{}", site.reference()),
            };
            let inside = superuser(&database).await;
            let schema = seen.names().schema(level);
            let table = format!("{}.app_data", schema.quoted());
            inside
                .batch_execute(&format!("insert into {table} (data_type) values ('kept')"))
                .await
                .unwrap();

            provisioning::deprovision(&site.app, &site.access).await.unwrap();
            // A plan made before is refused, and the one made anew finds no backend.
            assert_eq!(
                check(&inside, site.reference(), seen.version).await,
                Some("PL001".to_owned())
            );
            let now = site.app.tenancy.refresh(site.reference()).await.unwrap();
            assert_eq!(now.ready_backend().unwrap_err().code(), "backend/not-provisioned");
            assert!(provisioning::find(&site.app, &site.access).await.unwrap().is_none());
            let again = provisioning::deprovision(&site.app, &site.access).await;
            assert_eq!(again.unwrap_err().code(), "backend/not-provisioned");

            let back = site.provision(level).await.unwrap();
            assert_eq!((back.outcome, back.backend.id), (Outcome::Restored, made.backend.id));
            let now = site.app.tenancy.refresh(site.reference()).await.unwrap();
            assert!(now.ready_backend().is_ok());
            assert_eq!(check(&inside, site.reference(), now.version).await, None);
            let rows = inside.query(&format!("select from {table}"), &[]).await.unwrap();
            assert_eq!(rows.len(), 1);
            let actions: Vec<String> = site
                .remains()
                .await
                .into_iter()
                .filter(|what| what.starts_with("audit"))
                .collect();
            assert_eq!(
                actions,
                [
                    "audit backend.deprovision",
                    "audit backend.provision",
                    "audit backend.restore"
                ]
            );
        }
    });
}

/// What the end of a data request says about a plan made at that version.
async fn check(inside: &Client, reference: &Ref, version: i64) -> Option<String> {
    let sql = format!("select plinth.check_version('{reference}', {version}, 1)");
    let error = inside.batch_execute(&sql).await.err()?;
    Some(error.code()?.code().to_owned())
}

#[test]
fn after_thirty_days_a_new_backend_takes_the_old_ones_place() {
    run(async {
        let clock = Arc::new(plinth::testing::FixedClock::at(plinth::clock::Clock::now(&SystemClock)));
        for level in LEVELS {
            let site = Site::on(platform().await, clock.clone()).await;
            let made = site.provision(level).await.unwrap();
            provisioning::deprovision(&site.app, &site.access).await.unwrap();
            clock.advance(plinth::clock::RESTORE_WINDOW + Duration::from_secs(1));
            let fresh = site.provision(level).await.unwrap();
            assert_eq!(fresh.outcome, Outcome::Made);
            assert_ne!(fresh.backend.id, made.backend.id);
            assert!(fresh.keys.is_none(), "the project's keys are still there");
            site.assert_whole(level).await;
        }
    });
}

#[test]
fn removal_takes_everything_and_can_be_repeated() {
    run(async {
        for level in LEVELS {
            let site = Site::new().await;
            let made = site.provision(level).await.unwrap();
            let (project, id) = (site.access.project(), made.backend.id);
            let live = provisioning::drop_backend(&site.app, project, id, false).await;
            assert_eq!(live.unwrap_err().code(), "provisioning/not-deleted");
            provisioning::deprovision(&site.app, &site.access).await.unwrap();
            // Somebody is still connected.
            let _lingering = superuser("plinth_cell").await;
            assert!(provisioning::drop_backend(&site.app, project, id, false).await.unwrap());
            assert!(!provisioning::drop_backend(&site.app, project, id, false).await.unwrap());
            let mut left = site.remains().await;
            left.retain(|what| !what.starts_with("audit") && !what.starts_with("key") && !what.starts_with("signing"));
            assert_eq!(left, BTreeSet::new());
        }
    });
}

#[test]
fn roles_can_become_what_they_must_and_nobody_else() {
    run(async {
        let (site, other) = (Site::new().await, Site::new().await);
        site.provision(Isolation::Schema).await.unwrap();
        other.provision(Isolation::Database).await.unwrap();
        let cell = superuser("plinth_cell").await;
        let sql = "
            select m.rolname || ' in ' || r.rolname from pg_auth_members a
            join pg_roles r on r.oid = a.roleid join pg_roles m on m.oid = a.member
            where r.rolname like $1 or m.rolname like $1 order by 1";
        for (one, expected) in [
            (
                &site,
                "p_x_anon in anon, p_x_authenticated in authenticated, p_x_owner in project_owner, \
                 p_x_service in service_role, plinth_api in p_x_anon, plinth_api in p_x_authenticated, \
                 plinth_api in p_x_service, plinth_privacy in p_x_owner, plinth_provision in p_x_owner",
            ),
            (
                &other,
                "p_x in p_x_anon, p_x in p_x_authenticated, p_x in p_x_owner, p_x in p_x_service, p_x_anon in anon, \
                 p_x_authenticated in authenticated, p_x_owner in project_owner, p_x_service in service_role, \
                 plinth_provision in p_x_owner",
            ),
        ] {
            let like = format!("p_{}%", one.reference());
            let rows = cell.query(sql, &[&like]).await.unwrap();
            let found: Vec<String> = rows
                .iter()
                .map(|row| row.get::<_, String>(0).replace(one.reference().as_str(), "x"))
                .collect();
            assert_eq!(found.join(", "), expected);
        }
        let sql = "
            select rolname::text from pg_roles where rolname like $1
              and (rolsuper or rolcreaterole or rolcreatedb or rolreplication or rolbypassrls
                or rolinherit = (length(rolname) = 22) or (rolcanlogin and length(rolname) > 22))";
        for one in [&site, &other] {
            let rows = cell.query(sql, &[&format!("p_{}%", one.reference())]).await.unwrap();
            assert!(rows.is_empty());
        }
        // Nothing of the project's is reachable by everybody, and credentials by the auth login alone,
        // but for what is done about a person's data.
        let sql = "
            select n.nspname || '.' || c.relname || ' ' || coalesce(a.grantee::regrole::text, 'public') || ' ' || a.privilege_type
            from pg_class c join pg_namespace n on n.oid = c.relnamespace, aclexplode(c.relacl) a
            where n.nspname = $1 and c.relkind = 'r' and a.grantee not in (c.relowner, 'plinth_auth'::regrole)
              and not (a.grantee = 'plinth_privacy'::regrole and a.privilege_type in ('SELECT', 'DELETE'))";
        let auth = format!("auth_{}", site.reference());
        assert!(cell.query(sql, &[&auth]).await.unwrap().is_empty());
        let sql = "
            select r.rolname::text from pg_roles r where r.rolname like 'p\\_%' and has_schema_privilege(r.oid, $1, 'usage')";
        assert!(cell.query(sql, &[&auth]).await.unwrap().is_empty());
        let rows = cell
            .query(sql, &[&format!("project_{}", site.reference())])
            .await
            .unwrap();
        assert_eq!(rows.len(), 4, "its own roles and no other project's");
    });
}
