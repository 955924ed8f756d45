//! How a try ends, and what is kept of it.

use std::time::Duration;

use serde_json::{Value, json};

use super::ATTEMPTS;
use super::job::Job;
use crate::app::App;
use crate::error::{Error, ErrorKind};

/// The pause after the first failure; it doubles with each further one, up to an hour.
const PAUSE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// Characters of an error that are kept.
const LONGEST_ERROR: usize = 2000;
/// Bytes of a result, as JSON.
const LARGEST_RESULT: usize = 64 * 1024;

/// What a worker is to the job that it has claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// The job is this worker's.
    Ours,
    /// It is, and somebody wants it stopped.
    Cancelled,
    /// It is another's, or at its end.
    Lost,
}

/// What is kept of an error: the code and the texts that clients see, never the cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    pub code: String,
    pub text: String,
}

impl Shown {
    pub fn of(error: &Error) -> Self {
        let text = match error.details() {
            Some(details) => format!("{}: {details}", error.public()),
            None => error.public().to_owned(),
        };
        Self {
            code: error.code().to_owned(),
            text: bounded(&text, LONGEST_ERROR),
        }
    }
}

/// Text cut to that many characters.
pub(super) fn bounded(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The result, if it is not too large to be kept. What it tells of has been done all the same.
pub(super) fn kept(job: &Job, result: Value) -> Value {
    let bytes = result.to_string().len();
    if bytes <= LARGEST_RESULT {
        return result;
    }
    tracing::error!(job = %job.id, kind = job.kind, bytes, "a job's result is too large to be kept");
    json!({ "omitted": format!("The result has {bytes} bytes; up to {LARGEST_RESULT} are kept") })
}

/// Whether another try can go better: not where the job asks for what is refused or not there.
pub(super) fn passes(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Conflict
            | ErrorKind::RateLimited
            | ErrorKind::Internal
            | ErrorKind::Upstream
            | ErrorKind::Unavailable
            | ErrorKind::Timeout
    )
}

/// How long to wait before the next try: half of the pause is certain, the other half is drawn, so that what failed
/// together does not come back together. Whoever failed may ask for longer.
pub(super) fn pause(app: &App, job: &Job, error: &Error) -> Duration {
    let drawn = f64::from(u32::from_be_bytes(app.random.bytes())) / f64::from(u32::MAX);
    let asked = Duration::from_secs(error.retry_after().unwrap_or(0).into()).min(LONGEST_PAUSE);
    pause_after(job.tries()).mul_f64(0.5 + drawn / 2.0).max(asked)
}

fn pause_after(tries: i32) -> Duration {
    let doublings = u32::try_from(tries - 1).unwrap_or(0).min(16);
    PAUSE.saturating_mul(1 << doublings).min(LONGEST_PAUSE)
}

/// Whether it was the last try.
pub(super) fn given_up(job: &Job) -> bool {
    job.tries() >= ATTEMPTS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<_> = (1..=12).map(|tries| pause_after(tries).as_secs()).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    }

    #[test]
    fn an_error_keeps_what_clients_may_see_and_no_more_of_it_than_is_bounded() {
        let error = Error::internal("planted cause").with_details("it");
        let shown = Shown::of(&error);
        assert_eq!(
            (shown.code.as_str(), shown.text.as_str()),
            ("internal", "Something went wrong on our side: it")
        );
        let long = Error::invalid("a/b", "é".repeat(5000));
        assert_eq!(Shown::of(&long).text.chars().count(), LONGEST_ERROR + 1);
    }

    #[test]
    fn what_is_refused_is_not_tried_again() {
        for (kind, again) in [
            (ErrorKind::Invalid, false),
            (ErrorKind::NotFound, false),
            (ErrorKind::Forbidden, false),
            (ErrorKind::Unsupported, false),
            (ErrorKind::Unavailable, true),
            (ErrorKind::Upstream, true),
            (ErrorKind::Internal, true),
        ] {
            assert_eq!(passes(&Error::new(kind, "a/b", "c")), again, "{kind:?}");
        }
    }
}
