//! The message that wakes the worker.

use crate::app::App;
use crate::error::Result;

/// Wakes the worker, if there is a queue; without one the worker looks by itself. A message that is lost costs time, not
/// work: the worker's schedule finds the job.
///
/// # Errors
/// `jobs/queue` (503) when the queue does not take the message; the job is kept all the same.
pub async fn wake(app: &App) -> Result<()> {
    match &app.config.web.queue_url {
        Some(url) => send(url).await,
        None => Ok(()),
    }
}

#[cfg(feature = "aws")]
async fn send(url: &str) -> Result<()> {
    use crate::error::{Error, ErrorKind};

    let client = aws_sdk_sqs::Client::new(crate::control::aws::sdk().await?);
    let sent = client.send_message().queue_url(url).message_body("{}").send().await;
    sent.map(|_| ()).map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            "jobs/queue",
            "The queue cannot be reached right now",
        )
        .with_retry_after(1)
        .with_source(error)
    })
}

#[cfg(not(feature = "aws"))]
async fn send(_: &str) -> Result<()> {
    Err(crate::error::Error::internal(
        "PLINTH_QUEUE_URL needs a function built with the aws feature",
    ))
}
