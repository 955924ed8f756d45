//! What a project's requests cost while the database of another project in the same process is a black hole: it takes
//! connections and says nothing. Prints one Markdown table.
//!
//! `cargo run --release -p plinth-tests --bin bench-neighbours -- [seconds per figure, 5]`
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
#[path = "records/measure.rs"]
mod measure;
#[path = "../it/world.rs"]
mod world;

/// The world of the tests captures its log; here nobody reads it.
mod logs {
    pub fn capture() {}
    pub fn of_request(_: &str) -> &str {
        "nothing is kept of the log here"
    }
}

use std::time::Duration;

use plinth::clock::SystemClock;
use plinth::tenancy::Isolation;
use tokio::net::TcpListener;

use handmade::{Handmade, TODOS, project, superuser};
use measure::{Found, measure};
use world::{RUNTIME, World, platform};

const CLIENTS: usize = 10;
/// Callers of the project whose database is gone.
const LOST: usize = 100;

fn main() {
    let seconds = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(5.0);
    let span = Duration::from_secs_f64(seconds);
    RUNTIME.block_on(async {
        let world = World::of(platform().await, std::sync::Arc::new(SystemClock));
        let (healthy, lost) = (
            project(Isolation::Schema, TODOS).await,
            project(Isolation::Schema, TODOS).await,
        );
        let ask = |of: &Handmade| {
            let (world, path, key) = (world.clone(), of.rest("todos?id=eq.1"), of.secret.clone());
            move || {
                let (world, path, key) = (world.clone(), path.clone(), key.clone());
                async move { world.get(&path).key(&key).send().await.status.as_u16() }
            }
        };
        let healthily = {
            let ask = ask(&healthy);
            move || {
                let answer = ask();
                async move { assert_eq!(answer.await, 200) }
            }
        };
        measure(CLIENTS, Duration::from_secs(1), healthily.clone()).await;
        println!("| healthy project, {CLIENTS} clients | req/s | p50 ms | p99 ms |\n|---|--:|--:|--:|");
        let alone = measure(CLIENTS, span, healthily.clone()).await;
        show("alone", &alone);
        swallow(&lost).await;
        let hopeless = ask(&lost);
        let others: Vec<_> = (0..LOST)
            .map(|_| {
                let ask = hopeless.clone();
                tokio::spawn(async move {
                    loop {
                        assert!(ask().await >= 500);
                    }
                })
            })
            .collect();
        let beside = measure(CLIENTS, span, healthily).await;
        show(&format!("beside {LOST} clients of a black hole"), &beside);
        for other in others {
            other.abort();
        }
    });
}

/// Moves the project's backend to a listener that never answers.
async fn swallow(project: &Handmade) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        loop {
            held.push(listener.accept().await.unwrap());
        }
    });
    let control = superuser("plinth").await;
    let sql = format!(
        "insert into plinth.cells (id, name, host, port, database, capacity, backends, open)
           values ({port}, 'hole-{port}', '127.0.0.1', {port}, 'plinth_cell', 1, 1, false);
         update plinth.backends set cell_id = {port} where id = '{}'",
        project.backend
    );
    control.batch_execute(&sql).await.unwrap();
}

fn show(name: &str, found: &Found) {
    let ms = |part: f64| found.at(part).as_secs_f64() * 1e3;
    println!("| {name} | {:.0} | {:.2} | {:.2} |", found.rate(), ms(0.5), ms(0.99));
}
