//! Who may ask about whom, and what is in the way.

use std::time::Duration;

use jiff::Timestamp;
use plinth::clock::{Clock as _, SystemClock};
use plinth::error::Error;
use plinth::ident::UserId;
use plinth::privacy::people::{self, BlockerKind};
use plinth::privacy::requests::{AskedSubject, NamedSubject};
use plinth::tenancy::{Caller, PlatformRole};
use plinth_local::platform::Function;

use crate::privacy::bench::{bench, fresh};
use crate::projects::caller;
use crate::world::{User, run};

#[test]
fn the_last_who_runs_the_platform_is_in_the_way_of_their_own_erasure() {
    run(async {
        let bench = bench().await;
        let (one, other) = (bench.world.operator().await, bench.world.operator().await);
        let id = |user: &User| UserId(user.id.parse().unwrap());
        let worker = bench.worker();
        let client = worker.control.get().await.unwrap();
        let plan = people::plan_of_user(&*client, id(&one), &[]).await.unwrap();
        assert_eq!(plan.blockers, []);
        drop(client);
        // As it would be if all others were gone; nobody else sees it so.
        let sql = "update plinth.users set deleted_at = now() where raw_app_meta_data ->> 'role' = 'Admin' and id <> $1::text::uuid";
        let mut master = plinth::control::dial::dial(
            &bench.world.platform.master,
            &plinth::control::dial::Trust::new(None).unwrap(),
        )
        .await
        .unwrap();
        let alone = master.transaction().await.unwrap();
        alone.execute(sql, &[&one.id]).await.unwrap();
        let plan = people::plan_of_user(&alone, id(&one), &[]).await.unwrap();
        assert_eq!(plan.blockers.len(), 1);
        assert_eq!(plan.blockers[0].kind, BlockerKind::Operator);
        assert!(plan.blockers[0].remedy.contains("PLINTH_FIRST_ADMIN"));
        let plan = people::plan_of_user(&alone, id(&other), &[]).await.unwrap();
        assert_eq!(plan.blockers, []);
        alone.rollback().await.unwrap();
    });
}

#[test]
fn people_ask_about_themselves_right_after_they_signed_in_and_those_who_run_the_platform_about_anybody() {
    run(async {
        let bench = bench().await;
        let app = bench.world.app(Function::GdprExport);
        let (me, other) = (bench.world.user().await, bench.world.user().await);
        let now = SystemClock.now();
        let long_ago = now.checked_sub(Duration::from_secs(301)).unwrap();
        let signed_in = |user: &User, role, at: Option<Timestamp>| {
            let mut caller: Caller = caller(user, role);
            caller.user.signed_in_at = at;
            caller
        };
        let lately = signed_in(&me, PlatformRole::User, Some(now));
        let stale = signed_in(&me, PlatformRole::User, Some(long_ago));
        let silent = signed_in(&me, PlatformRole::User, None);
        let operator = signed_in(&other, PlatformRole::Admin, Some(long_ago));
        let nobody = fresh().to_string();
        for (name, by, asked, expected) in [
            ("their id", &lately, me.id.clone(), Ok(&me.id)),
            ("their address", &lately, me.email.to_uppercase(), Ok(&me.id)),
            ("too late", &stale, me.id.clone(), Err("privacy/reauthentication")),
            (
                "who knows when",
                &silent,
                me.email.clone(),
                Err("privacy/reauthentication"),
            ),
            ("another", &lately, other.id.clone(), Err("privacy/not-yours")),
            (
                "another's address",
                &lately,
                other.email.clone(),
                Err("privacy/not-yours"),
            ),
            ("nobody", &lately, nobody.clone(), Err("privacy/not-yours")),
            ("an operator", &operator, me.email.clone(), Ok(&me.id)),
            (
                "an operator, themselves",
                &operator,
                other.id.clone(),
                Err("privacy/reauthentication"),
            ),
            (
                "an operator, nobody",
                &operator,
                nobody,
                Err("privacy/subject-not-found"),
            ),
        ] {
            let found = people::named_user(&app, by, &AskedSubject::Text(asked)).await;
            let found = found.map(|user| user.to_string());
            assert_eq!(
                found.as_ref().map_err(Error::code),
                expected.as_ref().map(|id| *id).map_err(|code| *code),
                "{name}"
            );
        }
        let key = [("name".to_owned(), "x".to_owned())].into();
        let asked = AskedSubject::Named(NamedSubject::Key(key));
        let found = people::named_user(&app, &operator, &asked).await.unwrap_err();
        assert_eq!(found.code(), "privacy/subject-not-found");
    });
}
