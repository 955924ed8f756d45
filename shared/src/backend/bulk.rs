//! Statements of our own making, over rows that no request pages through: copies and removals of all that belongs to
//! somebody.

use std::time::Duration;

use super::{Fut, NO_ROLE};
use crate::error::Result;
use crate::ident::Ident;

pub use crate::subject::sql::Statement as Bound;

/// As whom, and how far.
#[derive(Debug, Clone)]
pub struct BulkScope {
    /// The database role to take; `None`: the login's own.
    pub role: Option<Ident>,
    /// Where triggers and functions look names up, as they do for requests. Our own statements name schemas.
    pub schemas: Vec<Ident>,
    /// Whether it only reads; all of its reads then see one state of the data.
    pub read_only: bool,
    /// Longest time for all of it.
    pub deadline: Duration,
}

impl BulkScope {
    /// The value of the setting `role`.
    pub fn role_setting(&self) -> &str {
        self.role.as_ref().map_or(NO_ROLE, Ident::as_str)
    }
}

/// A row: its columns as texts.
pub type TextRow = Vec<Option<String>>;

/// Takes rows as they come.
pub trait Sink: Send {
    /// Takes some; no more are read until it has.
    fn take(&mut self, rows: Vec<TextRow>) -> Fut<'_, Result<()>>;
}

/// Rows, and bytes of them, that a sink is handed at once; a single row may be larger.
const MOST_ROWS: usize = 500;
const MOST_BYTES: usize = 256 * 1024;

/// What becomes of a statement's rows.
pub enum Taker<'a> {
    /// They are counted.
    Count,
    /// All are kept: of short answers.
    Keep(&'a mut Vec<TextRow>),
    /// They are handed on, some at a time.
    Pass(&'a mut dyn Sink),
}

/// The rows of one answer on their way from a driver to their taker. The server sends on as rows are taken, no faster.
pub struct Intake<'a> {
    taker: Taker<'a>,
    batch: Vec<TextRow>,
    bytes: usize,
    count: u64,
}

impl<'a> Intake<'a> {
    /// Of an answer that begins.
    pub fn of(taker: Taker<'a>) -> Self {
        Self {
            taker,
            batch: Vec::new(),
            bytes: 0,
            count: 0,
        }
    }

    /// Takes the next row; `texts` tells its columns, and is not asked where rows are only counted.
    ///
    /// Errors: those of `texts`, and the sink's.
    pub async fn row(&mut self, texts: impl FnOnce() -> Result<TextRow> + Send) -> Result<()> {
        self.count += 1;
        match &mut self.taker {
            Taker::Count => {}
            Taker::Keep(rows) => rows.push(texts()?),
            Taker::Pass(sink) => {
                let row = texts()?;
                self.bytes += row.iter().flatten().map(String::len).sum::<usize>();
                self.batch.push(row);
                if self.batch.len() >= MOST_ROWS || self.bytes >= MOST_BYTES {
                    self.bytes = 0;
                    sink.take(std::mem::take(&mut self.batch)).await?;
                }
            }
        }
        Ok(())
    }

    /// Hands on what is left; how many rows there were.
    ///
    /// Errors: the sink's.
    pub async fn end(self) -> Result<u64> {
        if let Taker::Pass(sink) = self.taker
            && !self.batch.is_empty()
        {
            sink.take(self.batch).await?;
        }
        Ok(self.count)
    }
}

/// Opens transactions for statements of our own making.
pub trait Bulk: Send + Sync {
    /// Begins one on a connection that nobody else uses meanwhile. Names without a schema find nothing but the engine's own.
    ///
    /// Errors: `PGRST001`, `PGRST003` and [`REFUSED`](super::REFUSED) when there is no connection.
    fn begin<'a>(&'a self, scope: &'a BulkScope) -> Fut<'a, Result<Box<dyn BulkTransaction>>>;
}

/// An open transaction. Dropped, it is rolled back.
pub trait BulkTransaction: Send {
    /// Runs a statement to its end: the rows it changed, or for a `select` those it answered.
    ///
    /// Errors: the engine's, and the taker's. Nothing of the transaction stays then.
    fn run<'a>(&'a mut self, statement: &'a Bound, taker: Taker<'a>) -> Fut<'a, Result<u64>>;

    /// Runs a statement whose rows nobody needs.
    ///
    /// Errors: as [`BulkTransaction::run`].
    fn execute<'a>(&'a mut self, statement: &'a Bound) -> Fut<'a, Result<u64>> {
        self.run(statement, Taker::Count)
    }

    /// All rows of a short answer.
    ///
    /// Errors: as [`BulkTransaction::run`].
    fn rows<'a>(&'a mut self, statement: &'a Bound) -> Fut<'a, Result<Vec<TextRow>>> {
        Box::pin(async {
            let mut rows = Vec::new();
            self.run(statement, Taker::Keep(&mut rows)).await?;
            Ok(rows)
        })
    }

    /// Hands the rows of an answer of any length to `sink`, some at a time; how many there were. Holds few of them at once.
    ///
    /// Errors: as [`BulkTransaction::run`].
    fn stream<'a>(&'a mut self, statement: &'a Bound, sink: &'a mut dyn Sink) -> Fut<'a, Result<u64>> {
        self.run(statement, Taker::Pass(sink))
    }

    /// Keeps what was done.
    ///
    /// Errors: the engine's; `records/outcome-unknown` when nobody heard whether it was kept.
    fn commit<'a>(self: Box<Self>) -> Fut<'a, Result<()>>
    where
        Self: 'a;
}
