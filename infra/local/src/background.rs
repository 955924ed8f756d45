//! What runs on AWS by queue and schedule, in process: two workers whenever something is due, the purge every hour.

use std::time::Duration;

use plinth::app::App;

/// How soon work that nobody announced is noticed.
const LOOK: Duration = Duration::from_secs(1);
const PURGE: Duration = Duration::from_secs(3600);

/// Runs until dropped. A failure is told and tried again on the next turn: the database may be away for a moment.
pub async fn run(worker: App, purge: App) {
    // As many as the template lets the queue start: a long job holds nobody else's up.
    tokio::join!(work(worker.clone()), work(worker), clean(purge));
}

async fn work(app: App) {
    let mut turns = tokio::time::interval(LOOK);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        if let Err(error) = worker::run_due(&app, worker::KINDS, None).await {
            tracing::warn!(%error, "the worker could not work");
        }
    }
}

async fn clean(app: App) {
    let mut turns = tokio::time::interval(PURGE);
    turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turns.tick().await;
        match plinth::purge::run(&app, app.clock.now()).await {
            Ok(report) => tracing::info!(?report, "purged what is past its 30 days"),
            Err(error) => tracing::warn!(%error, "the purge could not finish"),
        }
    }
}
