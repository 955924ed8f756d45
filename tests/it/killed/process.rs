//! The worker's process: this very executable, started again and told to be a worker.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::Arc;

use jiff::Timestamp;
use plinth::app::App;
use plinth::clock::SystemRandom;
use plinth::config::{Config, Env};
use plinth::testing::FixedClock;
use tokio::process::{Child, Command};

use super::cases;

/// Set in a worker's process: its environment, as JSON.
const ENVIRONMENT: &str = "PLINTH_TEST_WORKER";
/// And what its clock says.
const NOW: &str = "PLINTH_TEST_WORKER_NOW";

/// Starts a worker that does what is due and ends.
pub fn start(environment: &BTreeMap<String, String>, now: Timestamp) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::process::the_worker",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(ENVIRONMENT, serde_json::to_string(environment).unwrap())
        .env(NOW, now.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap()
}

/// Not a test of its own: what [`start`] starts.
#[test]
fn the_worker() {
    let Ok(environment) = std::env::var(ENVIRONMENT) else {
        return;
    };
    let environment: BTreeMap<String, String> = serde_json::from_str(&environment).unwrap();
    let now: Timestamp = std::env::var(NOW).unwrap().parse().unwrap();
    let config = Config::from_env(&Env::of(environment)).unwrap();
    let drivers = vec![
        plinth::drivers::postgres::driver(),
        plinth::drivers::postgres::cockroach(),
        plinth::drivers::mysql::driver(),
        plinth::drivers::rest::driver(),
    ];
    let app = App::new(config, Arc::new(FixedClock::at(now)), Arc::new(SystemRandom), drivers).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let kinds = cases::kinds();
    let work = Box::pin(worker::run_due(&app, &kinds, None));
    runtime.unwrap().block_on(work).unwrap();
}
