//! One run: as of when, for how long, and what came of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use crate::app::App;
use crate::error::Error;

/// How much a run may do. It ends between two things, never within one.
#[derive(Debug, Clone)]
pub enum Budget {
    /// As long as it takes.
    Unlimited,
    /// Until then; `share` ends the present kind of things, so that no kind keeps the others waiting day after day.
    Until {
        /// The end of all.
        end: Instant,
        /// The end of the present kind.
        share: Instant,
    },
    /// So many steps: what tests cut runs off with.
    Steps(usize),
}

impl Budget {
    /// A budget of time, from now.
    pub fn lasting(time: Duration) -> Self {
        let end = Instant::now() + time;
        Self::Until { end, share: end }
    }

    /// Divides what is left among the kinds that are left.
    fn divide(&mut self, kinds: u32) {
        if let Self::Until { end, share } = self {
            let now = Instant::now();
            *share = now + end.saturating_duration_since(now) / kinds.max(1);
        }
    }

    fn take(&mut self) -> bool {
        match self {
            Self::Unlimited => true,
            Self::Until { share, .. } => Instant::now() < *share,
            Self::Steps(left) => {
                let some = *left > 0;
                *left = left.saturating_sub(1);
                some
            }
        }
    }
}

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What was deleted before this moment is gone.
    pub before: Timestamp,
    /// Backends and projects, one by one, and whatever else could not be removed.
    pub items: Vec<Item>,
    /// How many of the other kinds are gone.
    pub rows: BTreeMap<&'static str, u64>,
    /// Kinds that were given up, and why.
    pub failed: BTreeMap<&'static str, String>,
    /// Kinds of which something is left for the next run, and at least how much: time was over, or somebody else was at
    /// work on it.
    pub left: BTreeMap<&'static str, u64>,
    /// Whether everything that was due is gone.
    pub complete: bool,
}

/// One thing that was to be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// `backend`, `project`, …
    pub kind: &'static str,
    /// Its id.
    pub id: Uuid,
    /// Why it is still there; none when it is gone. The next run tries again.
    pub error: Option<String>,
}

impl Report {
    /// Whether everything that was due is gone.
    pub fn complete(&self) -> bool {
        self.failed.is_empty() && self.left.is_empty() && self.items.iter().all(|item| item.error.is_none())
    }
}

/// A run under way, as the services see it that remove their own things. They ask [`Run::may_go_on`] before each, remove
/// it by itself, under a lock that passes over what others hold and only if it was deleted before [`Run::before`], and
/// say what came of it.
pub struct Run<'a> {
    app: &'a App,
    before: Timestamp,
    budget: Budget,
    report: Report,
}

impl<'a> Run<'a> {
    pub(super) fn new(app: &'a App, before: Timestamp, budget: Budget) -> Self {
        Self {
            app,
            before,
            budget,
            report: Report {
                before,
                items: Vec::new(),
                rows: BTreeMap::new(),
                failed: BTreeMap::new(),
                left: BTreeMap::new(),
                complete: false,
            },
        }
    }

    /// The parts.
    pub fn app(&self) -> &'a App {
        self.app
    }

    /// What was deleted before this moment goes; nothing younger is touched.
    pub fn before(&self) -> Timestamp {
        self.before
    }

    /// Whether there is time for one more thing of that kind. If not, something of it is left.
    pub fn may_go_on(&mut self, kind: &'static str) -> bool {
        let may = self.budget.take();
        if !may {
            self.passed_over(kind);
        }
        may
    }

    /// One thing is gone, and worth an entry of its own.
    pub fn removed(&mut self, kind: &'static str, id: Uuid) {
        self.report.items.push(Item { kind, id, error: None });
    }

    /// So many things are gone.
    pub fn counted(&mut self, kind: &'static str, how_many: u64) {
        *self.report.rows.entry(kind).or_default() += how_many;
    }

    /// One thing is left to the next run.
    pub fn passed_over(&mut self, kind: &'static str) {
        *self.report.left.entry(kind).or_default() += 1;
    }

    /// One thing could not be removed.
    pub fn kept(&mut self, kind: &'static str, id: Uuid, error: &Error) {
        tracing::error!(kind, %id, %error, source = source(error), "could not be purged");
        let error = Some(error.to_string());
        self.report.items.push(Item { kind, id, error });
    }

    /// A kind had to be given up.
    pub(super) fn failed(&mut self, kind: &'static str, error: &Error) {
        tracing::error!(kind, %error, source = source(error), "could not be purged");
        self.report.failed.insert(kind, error.to_string());
    }

    /// The next kind begins, one of so many that are left.
    pub(super) fn next_kind(&mut self, left: usize) {
        self.budget.divide(u32::try_from(left).unwrap_or(u32::MAX));
    }

    pub(super) fn end(mut self) -> Report {
        self.report.complete = self.report.complete();
        self.report
    }
}

fn source(error: &Error) -> Option<String> {
    std::error::Error::source(error).map(ToString::to_string)
}
