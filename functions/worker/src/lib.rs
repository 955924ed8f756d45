//! The `worker` function: work that is not a request. Messages of the queue and ticks of the schedule wake it; what is to
//! be done is in the control database.

mod event;
mod kinds;

pub use event::{Event, Failures};

use plinth::app::App;
use plinth::error::Result;
use plinth::jobs;
use plinth::projects::versions;

/// Does all that is due: versions that backends have still to hear of, then jobs. Returns how many things were done.
///
/// # Errors
/// When the control database fails.
pub async fn run_due(app: &App) -> Result<usize> {
    let told = versions::push_open(app).await?;
    let tried = jobs::run_due(app, kinds::KINDS).await?;
    Ok(told + tried)
}

/// Answers an event: each message that could not be worked off is named, so that the queue sends it again.
///
/// # Errors
/// When the control database fails and no message can be named instead.
pub async fn handle(app: &App, event: &Event) -> Result<Failures> {
    let mut failures = Failures::default();
    if event.messages().is_empty() {
        run_due(app).await?;
    }
    for message in event.messages() {
        if let Err(error) = run_due(app).await {
            tracing::error!(message, %error, "a message was not worked off");
            failures.add(message);
        }
    }
    Ok(failures)
}
