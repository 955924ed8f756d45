//! A running job is held by one worker: its lease, what it says of itself, and what becomes of a worker that loses it.

use std::sync::Mutex;
use std::time::Duration;

use plinth::app::App;
use plinth::clock::Clock;
use plinth::error::Error;
use plinth::ident::ProjectId;
use plinth::jobs::{self, Done, Job, Pace};
use plinth::tenancy::PlatformRole;
use serde_json::json;
use tokio::sync::Notify;
use uuid::Uuid;

use super::{Bench, KINDS};
use crate::projects::{Bare, caller, master};

static STARTED: Notify = Notify::const_new();
static GO_ON: Notify = Notify::const_new();

/// Reports, waits to be let go, reports again.
pub fn patient<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(async move {
        job.progress(app, 40, "half way").await?;
        STARTED.notify_one();
        GO_ON.notified().await;
        job.progress(app, 80, "nearly there").await?;
        Ok(json!("done"))
    })
}

/// Whoever may decide about the project's jobs does so.
async fn decide(bench: &Bench, project: &Bare, job: Uuid, retry: bool) -> jobs::JobView {
    let caller = caller(&project.owner, PlatformRole::User);
    let access = jobs::require(&bench.app, caller, job).await.unwrap();
    let decided = if retry {
        jobs::retry(&bench.app, &access).await
    } else {
        jobs::cancel(&bench.app, &access).await
    };
    decided.unwrap()
}

pub async fn whoever_runs_a_job_hears_that_it_was_cancelled(bench: &Bench) {
    let project = Bare::new().await;
    let client = bench.app.control.get().await.unwrap();
    let of = Some(ProjectId(project.uuid()));
    let job = jobs::enqueue(&bench.app, &*client, "test.patient", of, &json!({}), None)
        .await
        .unwrap();
    drop(client);
    let meanwhile = async {
        STARTED.notified().await;
        let seen = bench.see(job).await.job;
        assert_eq!((seen.state.as_str(), seen.progress), ("running", 40));
        assert_eq!(seen.message.as_deref(), Some("half way"));
        for _ in 0..2 {
            let told = decide(bench, &project, job, false).await.job;
            assert_eq!((told.state.as_str(), told.cancelling), ("running", true));
        }
        GO_ON.notify_one();
    };
    tokio::join!(bench.run_due(), meanwhile);
    let seen = bench.see(job).await.job;
    assert_eq!(
        (seen.state.as_str(), seen.cancelling, seen.progress),
        ("cancelled", false, 80)
    );
    assert_eq!(bench.run_due().await, 0);

    // Started anew it has all its tries, and a number that no earlier one had.
    let again = decide(bench, &project, job, true).await.job;
    assert_eq!((again.state.as_str(), again.progress), ("queued", 0));
    GO_ON.notify_one();
    assert_eq!(bench.run_due().await, 1);
    STARTED.notified().await;
    let seen = bench.see(job).await;
    assert_eq!((seen.job.state.as_str(), seen.job.attempts), ("succeeded", 2));
    assert_eq!((seen.job.error, seen.result), (None, Some(json!("done"))));
    let decisions = ["jobs.cancel", "jobs.retry"];
    assert!(
        project.audited().await.ends_with(&decisions.map(str::to_owned)),
        "each once"
    );
}

/// What the first worker heard when it came back.
static HEARD: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The first try waits while it is overtaken, and then goes on as if nothing had happened.
pub fn overtaken<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(async move {
        if job.attempt == 1 {
            STARTED.notify_one();
            GO_ON.notified().await;
        }
        let mut client = app.control.get().await?;
        let transaction = client.transaction().await.map_err(Error::internal)?;
        let noted = job.done(app, &transaction, "the thing", &json!(job.attempt)).await;
        if let Err(error) = &noted {
            HEARD.lock().unwrap().push(error.code().to_owned());
        }
        noted?;
        transaction.commit().await.map_err(Error::internal)?;
        Ok(json!(job.attempt))
    })
}

pub async fn a_worker_that_was_overtaken_writes_nothing(bench: &Bench) {
    let job = bench.enqueue("test.overtaken").await;
    let second = async {
        STARTED.notified().await;
        assert_eq!(bench.run_due().await, 0, "the job is taken");
        bench.clock.advance(Duration::from_secs(61));
        assert_eq!(bench.run_due().await, 1, "its worker gave no sign of life");
        GO_ON.notify_one();
    };
    let (first, ()) = tokio::join!(bench.run_due(), second);
    assert_eq!(first, 1);
    let seen = bench.see(job).await;
    assert_eq!((seen.job.state.as_str(), seen.result), ("succeeded", Some(json!(2))));
    assert_eq!(*HEARD.lock().unwrap(), ["jobs/lost"]);
    let sql = "select outcome from plinth.job_items where job_id = $1";
    let items = master().await.query(sql, &[&job]).await.unwrap();
    let outcomes: Vec<serde_json::Value> = items.iter().map(|row| row.get(0)).collect();
    assert_eq!(outcomes, [json!(2)]);
}

/// Never reports anything, until it is let go.
pub fn silent<'a>(_: &'a App, _: &'a Job) -> Done<'a> {
    Box::pin(async {
        STARTED.notify_one();
        GO_ON.notified().await;
        Ok(json!("done"))
    })
}

pub async fn a_lease_is_renewed_while_the_work_is_silent(bench: &Bench) {
    let pace = Pace {
        beat: Duration::from_millis(5),
        ..Pace::default()
    };
    let lease = async |job: Uuid| -> jiff::Timestamp {
        let sql = "select lease_until from plinth.jobs where id = $1";
        master().await.query_one(sql, &[&job]).await.unwrap().get(0)
    };
    let (kept, stopped) = (bench.enqueue("test.silent").await, bench.enqueue("test.silent").await);
    let meanwhile = async {
        STARTED.notified().await;
        for _ in 0..3 {
            bench.clock.advance(Duration::from_secs(50));
            let expected = bench.clock.now().checked_add(Duration::from_secs(60)).unwrap();
            while lease(kept).await != expected {}
        }
        GO_ON.notify_one();
        // The second is stopped in the midst of its silence.
        STARTED.notified().await;
        let sql = "update plinth.jobs set cancel_requested_at = now() where id = $1";
        master().await.execute(sql, &[&stopped]).await.unwrap();
    };
    let (tried, ()) = tokio::join!(jobs::run_due_at(&bench.app, KINDS, pace), meanwhile);
    assert_eq!(tried.unwrap(), 2);
    assert_eq!(bench.state(kept).await, "succeeded");
    assert_eq!(bench.state(stopped).await, "cancelled");
}

/// Does an item and then nothing more, as long as there is one to do; without items it does nothing for ever.
pub fn slow<'a>(app: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(async move {
        let done = job.items(app).await?;
        let next = format!("{}", done.len() + 1);
        if done.len() == 3 {
            return Ok(json!(done.len()));
        }
        if job.payload["items"] != json!(false) {
            let mut client = app.control.get().await?;
            let transaction = client.transaction().await.map_err(Error::internal)?;
            job.done(app, &transaction, &next, &json!({})).await?;
            transaction.commit().await.map_err(Error::internal)?;
        }
        std::future::pending().await
    })
}

pub async fn a_job_of_items_may_take_longer_than_a_try(bench: &Bench) {
    let pace = Pace {
        longest: Duration::from_millis(500),
        ..Pace::default()
    };
    let client = bench.app.control.get().await.unwrap();
    let idle = json!({ "items": false });
    let idle = jobs::enqueue(&bench.app, &*client, "test.slow", None, &idle, None)
        .await
        .unwrap();
    drop(client);
    let steady = bench.enqueue("test.slow").await;
    // On a slow machine a try may end before it has done its item, and then waits as every failed one.
    while bench.state(steady).await != "succeeded" {
        jobs::run_due_at(&bench.app, KINDS, pace).await.unwrap();
        bench.clock.advance(Duration::from_secs(3600));
    }
    let seen = bench.see(steady).await;
    assert_eq!(seen.result, Some(json!(3)));
    let idle = bench.see(idle).await.job;
    assert!(["queued", "failed"].contains(&idle.state.as_str()));
    assert_eq!(idle.error_code.as_deref(), Some("jobs/timeout"));
    let sql = "update plinth.jobs set state = 'failed' where id = $1";
    master().await.execute(sql, &[&idle.id]).await.unwrap();
}
