//! Runs that are cut off, and runs at the same time: the end is the same.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use jiff::Timestamp;
use plinth::app::App;
use plinth::clock::RESTORE_WINDOW;
use plinth::purge::{self, Budget};
use plinth_local::platform::Function;

use super::kinds::is_there;
use super::{ONE_AT_A_TIME, SECOND, era};
use crate::projects::master;
use crate::trash::kinds::Trial;
use crate::world::{run, world};

const THINGS: [(&str, &str); 5] = [
    ("key", "schema"),
    ("member", "schema"),
    ("end-user", "database"),
    ("backend", "schema"),
    ("project", "database"),
];

/// One thing of each kind that is due, and one that is a second too young.
async fn things(at: Timestamp) -> (Vec<Trial>, Vec<Trial>) {
    let (mut due, mut young) = (Vec::new(), Vec::new());
    for (kind, isolation) in THINGS {
        for (all, age) in [(&mut due, SECOND), (&mut young, 2 * SECOND)] {
            let trial = Trial::of(kind, isolation, at + age).await;
            assert!(trial.delete().await.status.is_success(), "{kind}");
            all.push(trial);
        }
    }
    (due, young)
}

/// As of when the first are due and the others not.
fn moment(at: Timestamp) -> Timestamp {
    at + RESTORE_WINDOW + 2 * SECOND
}

async fn all_and_no_more(app: &App, at: Timestamp, (due, young): &(Vec<Trial>, Vec<Trial>)) {
    let report = purge::run(app, moment(at)).await.unwrap();
    assert!(report.complete, "{report:?}");
    for trial in due {
        assert!(!is_there(trial).await, "{}", trial.kind);
    }
    for trial in young {
        assert!(is_there(trial).await, "{}", trial.kind);
        assert_eq!(trial.restore().await.status, http::StatusCode::OK, "{}", trial.kind);
    }
    // Once each, however often it was begun.
    for (trial, action) in due.iter().zip(["keys.", "members.", "users.", "backend.", "projects."]) {
        let sql = "select count(*) from plinth.audit_log where project_id = $1 and action = $2";
        let (id, action): (uuid::Uuid, _) = (trial.project.id.parse().unwrap(), format!("{action}purge"));
        let entries: i64 = master().await.query_one(sql, &[&id, &action]).await.unwrap().get(0);
        assert!(entries >= 1, "{action}");
        assert!(entries == 1 || action == "users.purge", "{action}: {entries}");
    }
}

/// Drops a future after it was polled that often, as a process that dies.
async fn killed(work: impl Future, after: usize) -> bool {
    let mut work = pin!(work);
    let mut polls = 0;
    std::future::poll_fn(|context| {
        if polls == after {
            return Poll::Ready(true);
        }
        polls += 1;
        work.as_mut().poll(context).map(|_| false)
    })
    .await
}

#[test]
fn a_run_that_is_killed_anywhere_is_finished_by_the_next() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let mut at = era("2016-01-01T00:00:00Z");
        for step in [2, 9, 17, 26, 38, 55, 70] {
            at += 60 * super::DAY;
            let app = world().await.app(Function::Purge);
            let things = things(at).await;
            // Dies again and again, each time a little further on.
            let mut deaths = 0;
            while killed(purge::run(&app, moment(at)), step + deaths).await && deaths < 6 {
                deaths += 1;
            }
            // Its connections die with a process; the server ends what they had begun.
            drop(app);
            all_and_no_more(&world().await.app(Function::Purge), at, &things).await;
        }
    });
}

#[test]
fn a_run_out_of_time_is_finished_by_the_next() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let app = world().await.app(Function::Purge);
        let at = era("2017-06-01T00:00:00Z");
        let things = things(at).await;
        for steps in 0..15 {
            purge::run_within(&app, moment(at), Budget::Steps(steps)).await.unwrap();
        }
        all_and_no_more(&app, at, &things).await;
    });
}

#[test]
fn two_runs_at_once_remove_everything_once() {
    run(async {
        let _alone = ONE_AT_A_TIME.lock().await;
        let (one, two) = (world().await.app(Function::Purge), world().await.app(Function::Purge));
        let at = era("2017-09-01T00:00:00Z");
        let things = things(at).await;
        let (first, second) = tokio::join!(purge::run(&one, moment(at)), purge::run(&two, moment(at)));
        for report in [first.unwrap(), second.unwrap()] {
            assert!(report.failed.is_empty(), "{report:?}");
            assert!(report.items.iter().all(|item| item.error.is_none()), "{report:?}");
        }
        all_and_no_more(&one, at, &things).await;
    });
}
