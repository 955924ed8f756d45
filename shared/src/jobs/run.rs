//! The worker's loop: claim, do, write down how it went.

use std::panic::AssertUnwindSafe;
use std::task::Poll;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::outcome::{Shown, Standing, given_up, kept, passes, pause};
use super::{Done, Handler, Job, Kinds, store};
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};

/// How long a claimed job belongs to a worker that gives no sign of life.
const LEASE: Duration = Duration::from_secs(60);
/// How long one sign of life may take.
const LONGEST_BEAT: Duration = Duration::from_secs(15);
/// Time that is kept back at a process's end, to write down how its last job went.
const MARGIN: Duration = Duration::from_secs(10);
/// With less time than this left nothing is begun.
const LEAST: Duration = Duration::from_secs(20);
/// Jobs that one call of [`run_due`] takes at most, so that it ends.
const BATCH: usize = 100;

/// How long things take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// How often a worker gives a sign of life: well within its lease.
    pub beat: Duration,
    /// How long one try may take. Work that needs longer is made of items ([`Job::done`]): a try that was cut short after
    /// it has finished some counts as none, and the next one goes on behind them.
    pub longest: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(15),
            // Within one invocation of the worker.
            longest: Duration::from_secs(240),
        }
    }
}

/// Until when a job belongs to a worker that claims it, or gives a sign of life, now.
pub(super) fn lease(app: &App) -> Result<Timestamp> {
    app.clock.now().checked_add(LEASE).map_err(Error::internal)
}

/// Does what is due, job after job; returns how many were tried. Several may run at a time. With `until`, the moment at
/// which the process ends, nothing is begun shortly before it, and what does not finish by then is handed back: that
/// try does not count.
///
/// # Errors
/// When the control database fails. A job's own failure is written in its row.
pub async fn run_due(app: &App, kinds: &Kinds, until: Option<Timestamp>) -> Result<usize> {
    run_all(app, kinds, until, Pace::default()).await
}

/// [`run_due`] in another pace.
///
/// # Errors
/// As [`run_due`].
#[cfg(feature = "testing")]
pub async fn run_due_at(app: &App, kinds: &Kinds, pace: Pace) -> Result<usize> {
    run_all(app, kinds, None, pace).await
}

async fn run_all(app: &App, kinds: &Kinds, until: Option<Timestamp>, pace: Pace) -> Result<usize> {
    store::settle_abandoned(app).await?;
    for tried in 0..BATCH {
        let Some(longest) = time_for_a_try(app, until, pace.longest) else {
            return Ok(tried);
        };
        let Some(job) = store::claim(app, lease(app)?).await? else {
            return Ok(tried);
        };
        let cut_short = longest < pace.longest;
        run(app, kinds, &job, Pace { longest, ..pace }, cut_short).await?;
    }
    Ok(BATCH)
}

/// How long a try that begins now may take; none when there is too little time left.
fn time_for_a_try(app: &App, until: Option<Timestamp>, longest: Duration) -> Option<Duration> {
    let Some(until) = until else {
        return Some(longest);
    };
    let left = Duration::try_from(until.duration_since(app.clock.now())).ok()?;
    let time = left.checked_sub(MARGIN)?;
    (time >= LEAST).then_some(time.min(longest))
}

async fn run(app: &App, kinds: &Kinds, job: &Job, pace: Pace, cut_short: bool) -> Result<()> {
    let Some((_, handler)) = kinds.iter().find(|(kind, _)| *kind == job.kind) else {
        let error = Error::new(
            ErrorKind::Unsupported,
            "jobs/unknown-kind",
            "This kind of job is not known",
        );
        return store::fail(app, job, &Shown::of(&error)).await;
    };
    match attempt(app, job, *handler, pace).await {
        Ended::Returned(Ok(result)) => store::succeed(app, job, &kept(job, result)).await,
        Ended::Returned(Err(error)) => failed(app, job, &error).await,
        Ended::Stopped => store::cancelled(app, job).await,
        Ended::OutOfTime => out_of_time(app, job, cut_short).await,
    }
}

/// How a handler came to its end.
enum Ended {
    Returned(Result<Value>),
    /// The job was cancelled, or is not ours any more.
    Stopped,
    OutOfTime,
}

/// Runs the handler beside the heartbeat. Whichever ends first stops the other: a handler is stopped where it waits, as
/// if its process had died there.
async fn attempt(app: &App, job: &Job, handler: Handler, pace: Pace) -> Ended {
    tokio::select! {
        biased;
        result = guarded(handler(app, job)) => Ended::Returned(result),
        standing = beat(app, job, pace.beat) => {
            tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, ?standing, "a job was stopped");
            Ended::Stopped
        }
        () = tokio::time::sleep(pace.longest) => Ended::OutOfTime,
    }
}

/// A handler that panics has failed, and takes no other work with it.
async fn guarded(mut done: Done<'_>) -> Result<Value> {
    std::future::poll_fn(|context| {
        let polled = std::panic::catch_unwind(AssertUnwindSafe(|| done.as_mut().poll(context)));
        polled.unwrap_or_else(|_| Poll::Ready(Err(Error::internal("the handler panicked"))))
    })
    .await
}

/// Renews the lease for as long as the job is ours and wanted. A database that cannot be reached is no reason to stop
/// before the lease is over.
async fn beat(app: &App, job: &Job, every: Duration) -> Standing {
    let Ok(mut until) = lease(app) else {
        return Standing::Lost;
    };
    loop {
        tokio::time::sleep(every).await;
        let Ok(next) = lease(app) else {
            return Standing::Lost;
        };
        match tokio::time::timeout(LONGEST_BEAT, store::beat(app, job, next)).await {
            Ok(Ok(Standing::Ours)) => until = next,
            Ok(Ok(standing)) => return standing,
            _ if app.clock.now() >= until => return Standing::Lost,
            Ok(Err(error)) => tracing::warn!(job = %job.id, %error, "a lease could not be renewed"),
            Err(_) => tracing::warn!(job = %job.id, "a lease could not be renewed in time"),
        }
    }
}

async fn out_of_time(app: &App, job: &Job, cut_short: bool) -> Result<()> {
    if store::hand_back(app, job, cut_short).await? {
        return Ok(());
    }
    let late = Error::new(ErrorKind::Timeout, "jobs/timeout", "The job took too long");
    failed(app, job, &late).await
}

async fn failed(app: &App, job: &Job, error: &Error) -> Result<()> {
    let source = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(job = %job.id, kind = job.kind, attempt = job.attempt, %error, source, "a job failed");
    let shown = Shown::of(error);
    if given_up(job) || !passes(error) {
        return store::fail(app, job, &shown).await;
    }
    store::try_again(app, job, &shown, pause(app, job, error)).await
}
