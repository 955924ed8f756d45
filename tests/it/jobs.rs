//! Work that is not a request, against real Postgres.

mod asked;
mod held;
mod people;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use plinth::app::App;
use plinth::clock::Clock;
use plinth::error::Error;
use plinth::ident::{ProjectId, UserId};
use plinth::jobs::{self, ATTEMPTS, Done, Handler, Job, JobView};
use plinth::testing::FixedClock;
use plinth_local::platform::Function;
use serde_json::json;
use uuid::Uuid;

use crate::projects::{Bare, master};
use crate::world::{User, platform, run, world};

static TRIES: AtomicUsize = AtomicUsize::new(0);

fn fine<'a>(_: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(async move { Ok(json!({ "got": job.payload, "attempt": job.attempt })) })
}

fn hopeless<'a>(_: &'a App, _: &'a Job) -> Done<'a> {
    TRIES.fetch_add(1, Ordering::Relaxed);
    Box::pin(async { Err(Error::internal("planted cause")) })
}

fn refused<'a>(_: &'a App, _: &'a Job) -> Done<'a> {
    Box::pin(async { Err(Error::invalid("test/refused", "It asks for what is not there").with_details("x")) })
}

fn panics<'a>(_: &'a App, _: &'a Job) -> Done<'a> {
    Box::pin(async { panic!("as planted") })
}

fn large<'a>(_: &'a App, _: &'a Job) -> Done<'a> {
    Box::pin(async { Ok(json!("x".repeat(100_000))) })
}

const KINDS: &[(&str, Handler)] = &[
    ("test.fine", fine),
    ("test.hopeless", hopeless),
    ("test.refused", refused),
    ("test.panics", panics),
    ("test.large", large),
    ("test.patient", held::patient),
    ("test.overtaken", held::overtaken),
    ("test.slow", held::slow),
    ("test.silent", held::silent),
];

struct Bench {
    app: App,
    clock: Arc<FixedClock>,
}

impl Bench {
    async fn enqueue(&self, kind: &str) -> Uuid {
        let client = self.app.control.get().await.unwrap();
        jobs::enqueue(&self.app, &*client, kind, None, &json!({ "n": 1 }), None)
            .await
            .unwrap()
    }

    async fn run_due(&self) -> usize {
        Box::pin(jobs::run_due(&self.app, KINDS, None)).await.unwrap()
    }

    async fn see(&self, job: Uuid) -> JobView {
        jobs::find(&self.app, job).await.unwrap().view
    }

    async fn state(&self, job: Uuid) -> String {
        self.see(job).await.job.state
    }

    /// How long a job waits for its next try.
    async fn pause(&self, job: Uuid) -> f64 {
        let sql = "select extract(epoch from run_at - updated_at)::float8 from plinth.jobs where id = $1";
        master().await.query_one(sql, &[&job]).await.unwrap().get(0)
    }
}

/// One test after the other, on one bench: a worker takes whatever is due.
#[test]
fn jobs_are_done_tried_again_and_given_up() {
    run(async {
        // Before every other job, so that these are first in line.
        let clock = Arc::new(FixedClock::at(Timestamp::from_second(1_000_000_000).unwrap()));
        let app = platform().await.app_at(Function::Worker, clock.clone()).unwrap();
        let bench = Bench { app, clock };
        Box::pin(two_workers_do_each_job_once(&bench)).await;
        Box::pin(what_fails_waits_longer_each_time_and_is_given_up(&bench)).await;
        Box::pin(a_dead_workers_job_is_done_when_its_lease_is_over(&bench)).await;
        Box::pin(a_job_that_kills_its_workers_is_given_up(&bench)).await;
        Box::pin(what_is_refused_fails_at_once_and_what_panics_fails_alone(&bench)).await;
        Box::pin(nothing_is_begun_shortly_before_the_end(&bench)).await;
        Box::pin(held::whoever_runs_a_job_hears_that_it_was_cancelled(&bench)).await;
        Box::pin(held::a_worker_that_was_overtaken_writes_nothing(&bench)).await;
        Box::pin(held::a_lease_is_renewed_while_the_work_is_silent(&bench)).await;
        Box::pin(held::a_job_of_items_may_take_longer_than_a_try(&bench)).await;
        Box::pin(messages_that_were_worked_off_are_not_named(&bench)).await;
    });
}

async fn two_workers_do_each_job_once(bench: &Bench) {
    let (done, unknown) = (bench.enqueue("test.fine").await, bench.enqueue("test.unheard-of").await);
    let (one, two) = tokio::join!(bench.run_due(), bench.run_due());
    assert_eq!(one + two, 2);
    let done = bench.see(done).await;
    assert_eq!(done.job.state, "succeeded");
    assert_eq!(done.result, Some(json!({ "got": { "n": 1 }, "attempt": 1 })));
    let unknown = bench.see(unknown).await;
    assert_eq!(unknown.job.state, "failed");
    assert_eq!(unknown.job.error.as_deref(), Some("This kind of job is not known"));
}

async fn what_fails_waits_longer_each_time_and_is_given_up(bench: &Bench) {
    let lost = bench.enqueue("test.hopeless").await;
    for attempt in 1..ATTEMPTS {
        assert_eq!(bench.run_due().await, 1);
        assert_eq!(bench.run_due().await, 0, "it waits after attempt {attempt}");
        let seen = bench.see(lost).await.job;
        assert_eq!(seen.state, "queued");
        assert_eq!(
            seen.error.as_deref(),
            Some("Something went wrong on our side"),
            "members read it"
        );
        assert_eq!(seen.error_code.as_deref(), Some("internal"));
        let longest = 5 << (attempt - 1);
        let pause = bench.pause(lost).await;
        assert!(
            pause >= f64::from(longest) / 2.0 && pause <= f64::from(longest),
            "{pause} of {longest}"
        );
        bench
            .clock
            .advance(Duration::from_secs(u64::try_from(longest).unwrap()));
    }
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.state(lost).await, "failed");
    assert_eq!(TRIES.load(Ordering::Relaxed), usize::try_from(ATTEMPTS).unwrap());
}

async fn a_dead_workers_job_is_done_when_its_lease_is_over(bench: &Bench) {
    let left = bench.enqueue("test.fine").await;
    let sql = "update plinth.jobs set state = 'running', attempts = 1, lease_until = $2 where id = $1";
    let until = bench.clock.now().checked_add(Duration::from_secs(60)).unwrap();
    master().await.execute(sql, &[&left, &until]).await.unwrap();
    assert_eq!(bench.run_due().await, 0);
    bench.clock.advance(Duration::from_secs(61));
    assert_eq!(bench.run_due().await, 1);
    let seen = bench.see(left).await;
    assert_eq!(seen.result, Some(json!({ "got": { "n": 1 }, "attempt": 2 })));
}

async fn a_job_that_kills_its_workers_is_given_up(bench: &Bench) {
    let deadly = bench.enqueue("test.fine").await;
    let sql = "update plinth.jobs set state = 'running', attempts = $3, lease_until = $2 where id = $1";
    let until = bench.clock.now().checked_sub(Duration::from_secs(1)).unwrap();
    master()
        .await
        .execute(sql, &[&deadly, &until, &ATTEMPTS])
        .await
        .unwrap();
    assert_eq!(bench.run_due().await, 0);
    let seen = bench.see(deadly).await.job;
    assert_eq!((seen.state.as_str(), seen.attempts), ("failed", ATTEMPTS));
    assert_eq!(seen.error_code.as_deref(), Some("jobs/worker-lost"));
}

async fn what_is_refused_fails_at_once_and_what_panics_fails_alone(bench: &Bench) {
    let panics = bench.enqueue("test.panics").await;
    let (refused, large) = (bench.enqueue("test.refused").await, bench.enqueue("test.large").await);
    assert_eq!(bench.run_due().await, 3);
    let seen = bench.see(panics).await.job;
    assert_eq!(
        (seen.state.as_str(), seen.error_code.as_deref()),
        ("queued", Some("internal"))
    );
    let sql = "update plinth.jobs set state = 'cancelled' where id = $1";
    master().await.execute(sql, &[&panics]).await.unwrap();
    let seen = bench.see(refused).await.job;
    assert_eq!((seen.state.as_str(), seen.attempts), ("failed", 1));
    assert_eq!(seen.error.as_deref(), Some("It asks for what is not there: x"));
    let seen = bench.see(large).await;
    assert_eq!(seen.job.state, "succeeded");
    assert!(seen.result.unwrap()["omitted"].is_string());
}

async fn nothing_is_begun_shortly_before_the_end(bench: &Bench) {
    let late = bench.enqueue("test.fine").await;
    for (seconds, tried) in [(-5, 0), (5, 0), (29, 0), (31, 1)] {
        let until = bench.clock.now() + jiff::SignedDuration::from_secs(seconds);
        let done = Box::pin(jobs::run_due(&bench.app, KINDS, Some(until))).await.unwrap();
        assert_eq!(done, tried, "{seconds} seconds before the end");
    }
    assert_eq!(bench.state(late).await, "succeeded");
}

async fn messages_that_were_worked_off_are_not_named(bench: &Bench) {
    let push = bench.enqueue("versions.push").await;
    let event = r#"{"Records":[{"messageId":"a","body":"{}"},{"messageId":"b","body":"not json"}]}"#;
    let event = serde_json::from_str(event).unwrap();
    let failures = Box::pin(worker::handle(&bench.app, &event, None)).await.unwrap();
    assert_eq!(
        serde_json::to_value(failures).unwrap(),
        json!({ "batchItemFailures": [] })
    );
    assert_eq!(bench.state(push).await, "succeeded");
    jobs::wake(&bench.app).await.unwrap();
}

#[test]
fn a_worker_without_its_database_asks_for_every_message_again() {
    run(async {
        let gone = std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let mut platform = platform().await.clone();
        platform.master.port = gone;
        let app = platform.app(Function::Worker).unwrap();
        let event = r#"{"Records":[{"messageId":"a"},{"messageId":"b"}]}"#;
        let failures = worker::handle(&app, &serde_json::from_str(event).unwrap(), None)
            .await
            .unwrap();
        let named = json!([{ "itemIdentifier": "a" }, { "itemIdentifier": "b" }]);
        assert_eq!(
            serde_json::to_value(failures).unwrap(),
            json!({ "batchItemFailures": named })
        );
        assert!(worker::handle(&app, &worker::Event::default(), None).await.is_err());
    });
}

/// A job for a project that no worker takes up: it is due in a hundred years.
pub async fn queued(project: &Bare) -> Uuid {
    asked_for(project, &project.owner).await
}

async fn asked_for(project: &Bare, by: &User) -> Uuid {
    let app = world().await.app(Function::Projects);
    let client = app.control.get().await.unwrap();
    let (of, by) = (ProjectId(project.uuid()), UserId(by.id.parse().unwrap()));
    let job = jobs::enqueue(&app, &*client, "test", Some(of), &json!({}), Some(by)).await;
    let job = job.unwrap();
    let sql = "update plinth.jobs set run_at = run_at + interval '100 years' where id = $1";
    master().await.execute(sql, &[&job]).await.unwrap();
    job
}

/// What a request names that the audit log calls so: a job that can be decided about, or the project.
pub async fn named(action: &str, project: &Bare) -> String {
    if !action.starts_with("jobs.") {
        return project.id.clone();
    }
    let job = queued(project).await;
    if action == "jobs.retry" {
        let sql = "update plinth.jobs set state = 'failed' where id = $1";
        master().await.execute(sql, &[&job]).await.unwrap();
    }
    job.to_string()
}
