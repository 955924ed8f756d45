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

/// Opens transactions for statements of our own making.
pub trait Bulk: Send + Sync {
    /// Begins one on a connection that nobody else uses meanwhile. Names without a schema find nothing but the engine's own.
    ///
    /// Errors: `PGRST001`, `PGRST003` and [`REFUSED`](super::REFUSED) when there is no connection.
    fn begin<'a>(&'a self, scope: &'a BulkScope) -> Fut<'a, Result<Box<dyn BulkTransaction>>>;
}

/// An open transaction. Dropped, it is rolled back.
pub trait BulkTransaction: Send {
    /// Runs a statement; the rows it changed, or for a `select` those it answered.
    ///
    /// Errors: the engine's. Nothing of the transaction stays then.
    fn execute<'a>(&'a mut self, statement: &'a Bound) -> Fut<'a, Result<u64>>;

    /// All rows of a short answer.
    ///
    /// Errors: as [`BulkTransaction::execute`].
    fn rows<'a>(&'a mut self, statement: &'a Bound) -> Fut<'a, Result<Vec<TextRow>>>;

    /// Hands the rows of an answer of any length to `sink`, some at a time; how many there were. Holds few of them at once.
    ///
    /// Errors: as [`BulkTransaction::execute`], and the sink's.
    fn stream<'a>(&'a mut self, statement: &'a Bound, sink: &'a mut dyn Sink) -> Fut<'a, Result<u64>>;

    /// Keeps what was done.
    ///
    /// Errors: the engine's; `records/outcome-unknown` when nobody heard whether it was kept.
    fn commit<'a>(self: Box<Self>) -> Fut<'a, Result<()>>
    where
        Self: 'a;
}
