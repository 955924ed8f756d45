//! A worker's work, done while a test waits for a job. Workers of other tests take what is due as well.

use std::time::Duration;

use http::StatusCode;
use plinth::app::App;
use plinth::jobs::{self, Kinds};
use plinth_local::platform::Function;
use serde_json::Value;

use crate::world::{World, text};

/// Between two looks at a job that another worker has.
const PAUSE: Duration = Duration::from_millis(20);

/// Does what is due until `look` has seen what it waits for; the test's own limit ends what never comes.
pub async fn work_until<T>(app: &App, kinds: &Kinds, look: impl AsyncFn() -> Option<T>) -> T {
    loop {
        Box::pin(jobs::run_due(app, kinds, None)).await.unwrap();
        if let Some(seen) = look().await {
            return seen;
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// Works until a job has ended: how it is shown then. What failed where another test's worker may not go is tried again.
pub async fn ended(world: &World, token: &str, job: &str) -> Value {
    ended_by(&world.app(Function::Worker), world, token, job).await
}

/// [`ended`], with a worker of the test's own.
pub async fn ended_by(app: &App, world: &World, token: &str, job: &str) -> Value {
    let look = async || {
        let path = format!("/api/jobs/{job}");
        let seen = world.get(&path).bearer(token).send().await.expect(StatusCode::OK);
        if seen["errorCode"] == "external/host" {
            world.post(&format!("{path}/retry")).bearer(token).send().await;
            return None;
        }
        if !["queued", "running"].contains(&text(&seen, "state").as_str()) {
            return Some(seen);
        }
        assert!(seen["error"].is_null(), "{seen}");
        None
    };
    work_until(app, worker::KINDS, look).await
}
