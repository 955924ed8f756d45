//! What a warm `GET` by primary key costs: through the records function's router in process, and the same SQL through
//! bare tokio-postgres in the same run. `cargo run --release -p plinth-tests --bin bench-records`; seconds per
//! measurement as the first argument (3).
#![recursion_limit = "256"]
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench that panics has failed, and prints what it found"
)]

#[path = "../it/handmade.rs"]
mod handmade;
#[path = "../it/world.rs"]
mod world;

/// The world of the tests captures its log; here nobody reads it.
mod logs {
    pub fn capture() {}
}

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use plinth::clock::SystemClock;
use plinth::tenancy::Isolation;
use tokio_postgres::types::Type;

use handmade::{Handmade, TODOS, project, superuser};
use world::{World, platform, run};

/// What one measurement found.
struct Found {
    rate: f64,
    p50: Duration,
    p99: Duration,
}

impl Found {
    fn of(mut took: Vec<Duration>, span: Duration) -> Self {
        took.sort();
        Self {
            rate: took.len() as f64 / span.as_secs_f64(),
            p50: took[took.len() / 2],
            p99: took[took.len() * 99 / 100],
        }
    }
}

/// `count` workers call what `worker` makes for as long as the measurement lasts.
async fn measure<W, F>(count: usize, span: Duration, worker: impl Fn(usize) -> W) -> Found
where
    W: Future<Output = F> + Send,
    F: AsyncWorker + Send + 'static,
{
    let mut ready = Vec::new();
    for number in 0..count {
        let mut worker = worker(number).await;
        for _ in 0..5 {
            worker.call().await;
        }
        ready.push(worker);
    }
    let started = Instant::now();
    let end = started + span;
    let tasks: Vec<_> = ready
        .into_iter()
        .map(|mut worker| {
            tokio::spawn(async move {
                let mut took = Vec::new();
                while Instant::now() < end {
                    let before = Instant::now();
                    worker.call().await;
                    took.push(before.elapsed());
                }
                took
            })
        })
        .collect();
    let mut took = Vec::new();
    for task in tasks {
        took.extend(task.await.unwrap());
    }
    Found::of(took, started.elapsed())
}

trait AsyncWorker {
    fn call(&mut self) -> impl Future<Output = ()> + Send;
}

struct Routed {
    world: World,
    path: String,
    key: String,
}

impl AsyncWorker for Routed {
    async fn call(&mut self) {
        let reply = self.world.get(&self.path).key(&self.key).send().await;
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    }
}

struct Bare {
    client: tokio_postgres::Client,
    statement: tokio_postgres::Statement,
}

impl AsyncWorker for Bare {
    async fn call(&mut self) {
        let row = self.client.query_one(&self.statement, &[&1i32]).await.unwrap();
        assert!(row.get::<_, &str>(0).starts_with('['));
    }
}

async fn bare(project: &Handmade) -> Bare {
    let client = superuser(&project.database()).await;
    let sql = format!(
        "select coalesce(json_agg(r.*), '[]')::text, count(*) from (
           select t.id, t.title, t.done, t.at from {}.todos t where t.id = $1) r",
        project.schema()
    );
    let statement = client.prepare_typed(&sql, &[Type::INT4]).await.unwrap();
    Bare { client, statement }
}

fn main() {
    let seconds = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(3);
    let span = Duration::from_secs(seconds);
    run(async {
        let project = project(Isolation::Schema, TODOS).await;
        println!("connections  what        req/s     p50 ms   p99 ms   of bare");
        for count in [1, 10, 50] {
            let platform = platform().await.with("PLINTH_POOL_SIZE", &count.to_string());
            let platform = platform.with("PLINTH_POOL_WAIT_MS", "10000");
            let world = World::of(&platform, Arc::new(SystemClock));
            let bare = measure(count, span, |_| bare(&project)).await;
            let routed = measure(count, span, async |_| Routed {
                world: world.clone(),
                path: project.rest("todos?id=eq.1"),
                key: project.publishable.clone(),
            })
            .await;
            for (what, found) in [("bare", &bare), ("records", &routed)] {
                println!(
                    "{count:>11}  {what:<8} {:>8.0}  {:>9.2} {:>8.2}   {:>6.0} %",
                    found.rate,
                    found.p50.as_secs_f64() * 1000.0,
                    found.p99.as_secs_f64() * 1000.0,
                    found.rate / bare.rate * 100.0
                );
            }
        }
    });
}
