//! Work that is not a request, against real Postgres.

use http::{Method, StatusCode};
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

use crate::projects::{Bare, master, send};
use crate::world::{User, platform, run, text, world};

static TRIES: AtomicUsize = AtomicUsize::new(0);

fn fine<'a>(_: &'a App, job: &'a Job) -> Done<'a> {
    Box::pin(async move { Ok(json!({ "got": job.payload, "attempt": job.attempt })) })
}

fn hopeless<'a>(_: &'a App, _: &'a Job) -> Done<'a> {
    TRIES.fetch_add(1, Ordering::Relaxed);
    Box::pin(async { Err(Error::internal("planted cause")) })
}

const KINDS: &[(&str, Handler)] = &[("test.fine", fine), ("test.hopeless", hopeless)];

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
        Box::pin(messages_that_were_worked_off_are_not_named(&bench)).await;
    });
}

async fn two_workers_do_each_job_once(bench: &Bench) {
    let (done, unknown) = (bench.enqueue("test.fine").await, bench.enqueue("test.unheard-of").await);
    let (one, two) = tokio::join!(bench.run_due(), bench.run_due());
    assert_eq!(one + two, 2);
    let done = bench.see(done).await;
    assert_eq!(done.state, "succeeded");
    assert_eq!(done.result, Some(json!({ "got": { "n": 1 }, "attempt": 1 })));
    let unknown = bench.see(unknown).await;
    assert_eq!(unknown.state, "failed");
    assert_eq!(unknown.error.as_deref(), Some("This kind of job is not known"));
}

async fn what_fails_waits_longer_each_time_and_is_given_up(bench: &Bench) {
    let lost = bench.enqueue("test.hopeless").await;
    for attempt in 1..ATTEMPTS {
        assert_eq!(bench.run_due().await, 1);
        assert_eq!(bench.run_due().await, 0, "it waits after attempt {attempt}");
        let seen = bench.see(lost).await;
        assert_eq!(seen.state, "queued");
        assert!(!seen.error.unwrap().contains("planted"), "members read the error");
        bench.clock.advance(Duration::from_secs(5 << (attempt - 1)));
    }
    assert_eq!(bench.run_due().await, 1);
    assert_eq!(bench.see(lost).await.state, "failed");
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

async fn messages_that_were_worked_off_are_not_named(bench: &Bench) {
    let push = bench.enqueue("versions.push").await;
    let event = r#"{"Records":[{"messageId":"a","body":"{}"},{"messageId":"b","body":"not json"}]}"#;
    let event = serde_json::from_str(event).unwrap();
    let failures = Box::pin(worker::handle(&bench.app, &event, None)).await.unwrap();
    assert_eq!(
        serde_json::to_value(failures).unwrap(),
        json!({ "batchItemFailures": [] })
    );
    assert_eq!(bench.see(push).await.state, "succeeded");
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

#[test]
fn a_job_is_seen_by_its_projects_members_and_its_creator_only() {
    run(async {
        let world = world().await;
        let app = world.app(Function::Worker);
        let project = Bare::new().await;
        let (viewer, stranger) = (project.member("viewer").await, world.user().await);
        let by = |user: &User| Some(UserId(user.id.parse().unwrap()));
        let client = app.control.get().await.unwrap();
        let of = Some(ProjectId(project.uuid()));
        let payload = json!({});
        let shared = jobs::enqueue(&app, &*client, "test", of, &payload, by(&project.owner))
            .await
            .unwrap();
        let own = jobs::enqueue(&app, &*client, "test", None, &payload, by(&stranger))
            .await
            .unwrap();
        for (job, user, status) in [
            (shared, &project.owner, 200),
            (shared, &viewer, 200),
            (shared, &stranger, 404),
            (own, &stranger, 200),
            (own, &viewer, 404),
            (Uuid::nil(), &viewer, 404),
        ] {
            let reply = send(Method::GET, &format!("/api/jobs/{job}"), user, None).await;
            assert_eq!(reply.status.as_u16(), status, "{}", reply.text);
            if status == 404 {
                assert_eq!(text(&reply.json(), "code"), "jobs/not-found");
            }
        }
        let reply = send(Method::GET, "/api/jobs/nonsense", &viewer, None).await;
        assert_eq!(reply.code(StatusCode::NOT_FOUND), "jobs/not-found");
    });
}
