//! What the records API costs: each request through the router in process, beside bare tokio-postgres that sends the very
//! same statements, (a) in the same pipeline and (b) one after the other, over the same number of connections to the same
//! database in the same run. Prints one Markdown table.
//!
//! `cargo run --release -p plinth-tests --bin bench-records -- [seconds per figure, 2] [connections, 20] [request …]`
#![recursion_limit = "256"]
#![allow(
    missing_docs,
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench that panics has failed, and prints what it found"
)]

mod bare;
mod capture;
#[path = "../../it/handmade.rs"]
mod handmade;
mod measure;
mod memory;
mod routed;
mod shapes;
#[path = "../../it/world.rs"]
mod world;

/// The world of the tests captures its log; here nobody reads it.
mod logs {
    pub fn capture() {}
    pub fn of_request(_: &str) -> &str {
        "nothing is kept of the log here"
    }
}

use std::time::Duration;

use plinth::tenancy::Isolation;

use bare::{Bare, Order};
use handmade::project;
use measure::{Found, measure};
use routed::Routed;
use shapes::{SHAPES, Shape, TABLES};
use world::RUNTIME;

/// Callers at a time.
const CLIENTS: [usize; 4] = [1, 10, 50, 200];
/// The three are measured in turns, so that a busy neighbour disturbs all of them.
const TURNS: u32 = 3;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let seconds = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(2.0);
    let connections: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(20);
    let wanted: Vec<String> = arguments.collect();
    let span = Duration::from_secs_f64(seconds) / TURNS;
    RUNTIME.block_on(async {
        let shared = project(Isolation::Schema, TABLES).await;
        let own = project(Isolation::Database, TABLES).await;
        let gate = capture::Gate::new().await;
        println!(
            "| request | clients | req/s | p50 ms | p99 ms | (a) req/s | p50 ms | p99 ms | (b) req/s | p50 ms | p99 ms \
             | of (a) | times (b) |"
        );
        println!("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|");
        for shape in SHAPES {
            if !wanted.is_empty() && !wanted.iter().any(|name| name == shape.name) {
                continue;
            }
            let (project, login) = if shape.own {
                (&own, own.names().own().to_string())
            } else {
                (&shared, "plinth_api".to_owned())
            };
            let steps = match gate.statements(project, shape).await {
                Ok(steps) => steps,
                Err(refused) => {
                    eprintln!("{}: {refused}", shape.name);
                    continue;
                }
            };
            for clients in CLIENTS {
                let size = clients.min(connections);
                let ours = Routed::new(project, shape, size).await;
                let bare = Bare::new(project, &login, &steps, size).await;
                let mut found = [Found::default(), Found::default(), Found::default()];
                for _ in 0..TURNS {
                    found[0] += measure(clients, span, ours.caller()).await;
                    found[1] += measure(clients, span, bare.caller(Order::Together)).await;
                    found[2] += measure(clients, span, bare.caller(Order::OneByOne)).await;
                }
                show(shape, clients, &found);
            }
        }
        if wanted.is_empty() {
            memory::show(&shared, connections).await;
        }
    });
}

fn show(shape: &Shape, clients: usize, found: &[Found; 3]) {
    let [ours, together, one_by_one] = found;
    let figures: Vec<String> = found
        .iter()
        .map(|found| {
            format!(
                "{:.0} | {:.2} | {:.2}",
                found.rate(),
                found.at(0.5).as_secs_f64() * 1_000.0,
                found.at(0.99).as_secs_f64() * 1_000.0
            )
        })
        .collect();
    println!(
        "| {} | {clients} | {} | {:.0} % | {:.2} |",
        shape.name,
        figures.join(" | "),
        ours.rate() / together.rate() * 100.0,
        ours.rate() / one_by_one.rate()
    );
}
