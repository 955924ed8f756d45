//! Prose by an AI, where the operator has configured one: an overview, and what tables, columns and functions are for.
//!
//! What is sent is the schema and nothing else: names, types, keys, comments, labels of enums, and the wishes of whoever
//! asked for the document. Never rows, keys, defaults, checks, policies, or anything about an end user.
//!
//! What comes back is a stranger's text. A tenant's comments may tell the model what to say, so it is never more than text:
//! [`check`] lets through sentences all of whose names exist, without links or markup, and bounds their length;
//! `docgen` escapes what is left and marks it. Whatever goes wrong, the document is written without it and says so.

mod check;
mod client;
mod note;
mod prompt;
#[cfg(test)]
mod tests;

use std::future::Future;
use std::pin::Pin;

use futures_util::stream::{self, StreamExt as _};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::config::Ai;
use crate::docgen::{Facts, Options, Prose};
use check::{Known, Removed};
use client::{Failure, Service};
use prompt::{Part, Wishes};

/// Requests that are on their way at a time.
const AT_ONCE: usize = 4;

/// A reply to come. Boxed, as a job's future must be known to be `Send`.
type Reply<'a> = Pin<Box<dyn Future<Output = Result<Value, Failure>> + Send + 'a>>;

/// What was written, and how it went; the latter for the job's result.
#[derive(Debug, Clone, Default)]
pub struct Written {
    /// Empty but for its note where nothing could be written.
    pub prose: Prose,
    /// None where no AI is configured.
    pub report: Option<Report>,
}

/// How the writing went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// The model that was asked.
    pub model: String,
    /// Requests that were to be made.
    pub requests: usize,
    /// Tables and functions that no request was made for, as there are too many.
    pub left_out: usize,
    /// Texts that were kept: the overview, tables, columns and functions.
    pub texts: usize,
    /// Sentences that were removed, as they name what does not exist or are more than text.
    pub removed: usize,
    /// Names that do not exist, the first of them.
    pub unknown_names: Vec<String>,
    /// Why not everything was written.
    pub failure: Option<FailureReport>,
}

/// Why something was not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailureReport {
    /// Stable: `ai/timeout`, …
    pub code: &'static str,
    /// In words. Nothing of a reply is in it.
    pub message: String,
}

/// Has `service` write what `options` ask for. Never fails, and takes no longer than the service's timeout.
pub async fn write(service: Option<&Ai>, facts: &Facts, options: &Options, wishes: Option<&str>) -> Written {
    let Some(settings) = service else {
        return Written::default();
    };
    let until = Instant::now() + settings.timeout;
    let (parts, left_out) = prompt::parts(facts, options);
    if parts.is_empty() {
        return Written::default();
    }
    let mut report = Report {
        model: settings.model.clone(),
        requests: parts.len(),
        left_out,
        ..Report::default()
    };
    let mut prose = Prose::default();
    let mut removed = Removed::default();
    let wishes = Wishes {
        audience: options.audience,
        text: wishes.unwrap_or_default(),
    };
    let known = Known::of(facts);
    let outcome = ask(settings, &parts, &wishes, facts, until, |found, part| {
        check::take(&known, part, found, &mut prose, &mut removed)
    });
    let failure = outcome.await.err();
    if let Some(failure) = &failure {
        tracing::warn!(code = failure.code(), model = settings.model, "no prose by AI");
    }
    report.texts = count(&prose);
    report.removed = removed.sentences;
    report.unknown_names = removed.names;
    report.failure = failure.as_ref().map(|failure| FailureReport {
        code: failure.code(),
        message: failure.said(),
    });
    prose.note = Some(note::of(&report));
    Written {
        prose,
        report: Some(report),
    }
}

/// Asks for all parts, a few at a time, and hands on each reply in order. What came before a failure is kept, what would
/// come after it is not waited for.
async fn ask(
    settings: &Ai,
    parts: &[Part<'_>],
    wishes: &Wishes<'_>,
    facts: &Facts,
    until: Instant,
    mut take: impl FnMut(&Value, &Part<'_>) -> Result<(), Failure> + Send,
) -> Result<(), Failure> {
    let service = Service::new(settings, until).await?;
    let mut asked: Vec<Reply<'_>> = Vec::with_capacity(parts.len());
    for part in parts {
        asked.push(Box::pin(service.complete(prompt::messages(part, wishes, facts), until)));
    }
    let mut replies = stream::iter(asked).buffered(AT_ONCE);
    let mut part = parts.iter();
    while let (Some(reply), Some(part)) = (replies.next().await, part.next()) {
        take(&reply?, part)?;
    }
    Ok(())
}

fn count(prose: &Prose) -> usize {
    let columns: usize = prose.columns.values().map(std::collections::BTreeMap::len).sum();
    usize::from(prose.overview.is_some()) + prose.tables.len() + columns + prose.functions.len()
}
