//! What a copy of a person's data costs who has a million rows: time, and the memory of a worker's process of its own.
//! `cargo run --release -p plinth-tests --bin bench-export`; another number of rows as the first argument.
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
    pub fn of_request(_: &str) -> &str {
        "nothing is kept of the log here"
    }
}

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use http::StatusCode;
use plinth::app::App;
use plinth::clock::{SystemClock, SystemRandom};
use plinth::config::{Config, Env};
use plinth_local::platform::Function;
use serde_json::json;

use handmade::superuser;
use world::{RUNTIME, text, world};

/// Set in the worker's process: its environment, as JSON.
const ENVIRONMENT: &str = "PLINTH_BENCH_WORKER";
/// What it may have in memory at the most.
const MOST: u64 = 100 << 20;

fn main() {
    match std::env::var(ENVIRONMENT) {
        Ok(environment) => work(&environment),
        Err(_) => measure(std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap())),
    }
}

fn measure(count: i64) {
    RUNTIME.block_on(async {
        let world = world().await;
        let project = world.project("schema").await;
        let ann = world.end_user(&project).await;
        let cell = superuser(plinth::control::CELL_DATABASE).await;
        let sql = format!(
            "insert into project_{}.app_data (user_id, data_type, data, created_at, updated_at)
             select '{}', 'kind ' || n % 100, jsonb_build_object('n', n, 'words', md5(n::text) || md5((n + 1)::text)),
               now(), now()
             from generate_series(1, {count}) n",
            project.reference, ann.id
        );
        cell.batch_execute(&sql).await.unwrap();
        let wanted = json!({ "scope": "end-user", "projectId": project.id, "subject": ann.id });
        let call = world
            .post("/api/gdpr/export")
            .bearer(&project.owner.token)
            .json(&wanted);
        let asked = call.send().await.expect(StatusCode::ACCEPTED);
        let environment = serde_json::to_string(&world.platform.env(Function::Worker)).unwrap();
        let begun = Instant::now();
        let worker = Command::new(std::env::current_exe().unwrap())
            .env(ENVIRONMENT, environment)
            .output()
            .unwrap();
        let took = begun.elapsed();
        assert!(worker.status.success(), "{}", String::from_utf8_lossy(&worker.stderr));
        let peak: u64 = String::from_utf8(worker.stdout).unwrap().trim().parse().unwrap();
        let call = world
            .get(&format!("/api/jobs/{}", text(&asked, "jobId")))
            .bearer(&project.owner.token);
        let job = call.send().await.expect(StatusCode::OK);
        assert_eq!(job["state"], "succeeded", "{job}");
        assert!(job["result"]["rows"].as_i64().unwrap() > count, "{job}");
        println!(
            "{count} rows: {took:.1?}, a zip of {} MB, at the most {} MB in the worker's memory",
            job["result"]["bytes"].as_i64().unwrap() / 1_000_000,
            peak / 1_000_000
        );
        assert!(peak < MOST, "that is more than {} MB", MOST >> 20);
    });
}

/// Does what is due as the worker on Lambda does, and tells how much memory it had at the most.
fn work(environment: &str) {
    let environment: BTreeMap<String, String> = serde_json::from_str(environment).unwrap();
    let config = Config::from_env(&Env::of(environment)).unwrap();
    let drivers = vec![
        plinth::drivers::postgres::driver(),
        plinth::drivers::postgres::cockroach(),
        plinth::drivers::mysql::driver(),
        plinth::drivers::rest::driver(),
    ];
    let app = App::new(config, Arc::new(SystemClock), Arc::new(SystemRandom), drivers).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime
        .block_on(Box::pin(worker::run_due(&app, worker::KINDS, None)))
        .unwrap();
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    println!("{}", kilobytes << 10);
}
