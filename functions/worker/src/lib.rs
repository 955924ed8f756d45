//! The `worker` function: work that is not a request. Messages of the queue and ticks of the schedule wake it; what is to
//! be done is in the control database.

mod event;
mod kinds;

pub use event::{Event, Failures};
pub use kinds::KINDS;

use jiff::Timestamp;
use plinth::app::App;
use plinth::error::Result;
use plinth::jobs::{self, Kinds};
use plinth::privacy::export;
use plinth::projects::versions;

/// Does all that is due: versions that backends have still to hear of, exports that are past their term, then jobs. Returns how
/// many things were done.
/// With `until`, the end of the process, what remains is left to the next one.
///
/// # Errors
/// When the control database fails.
pub async fn run_due(app: &App, kinds: &Kinds, until: Option<Timestamp>) -> Result<usize> {
    let told = versions::push_open(app).await?;
    // What is past its term waits for the next time; the jobs do not wait for it.
    if let Err(error) = export::expire(app).await {
        tracing::warn!(%error, "exports past their term were not removed");
    }
    let tried = jobs::run_due(app, kinds, until).await?;
    Ok(told + tried)
}

/// Answers an event: when the work could not be done, its messages are named, so that the queue sends them again. How
/// many there are does not matter: each says that there is something to do, and one look finds all of it.
///
/// # Errors
/// When the control database fails and no message can be named instead.
pub async fn handle(app: &App, event: &Event, until: Option<Timestamp>) -> Result<Failures> {
    let mut failures = Failures::default();
    let Err(error) = run_due(app, KINDS, until).await else {
        return Ok(failures);
    };
    let messages = event.messages();
    if messages.is_empty() {
        return Err(error);
    }
    tracing::error!(messages = messages.len(), %error, "messages were not worked off");
    for message in messages {
        failures.add(message);
    }
    Ok(failures)
}
