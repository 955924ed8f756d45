//! One state of the control database, read to its end however much there is: two reads of it find the same.

use std::pin::pin;

use futures_util::TryStreamExt as _;
use tokio_postgres::{IsolationLevel, Row, Transaction};

use crate::backend::{Intake, Sink, Taker};
use crate::control::{Client, Param, failure};
use crate::error::Result;

/// What the control database holds from now on, to whoever reads it by this.
pub struct Snapshot<'a>(Transaction<'a>);

impl<'a> Snapshot<'a> {
    /// Of now. Holds the connection until it is dropped.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(client: &'a mut Client) -> Result<Self> {
        let begun = client.build_transaction();
        let begun = begun.isolation_level(IsolationLevel::RepeatableRead).read_only(true);
        begun.start().await.map(Self).map_err(failure)
    }

    /// Hands all rows of an answer on as they come, as `text` writes them; how many there were. The server computes and sorts
    /// them once, and few are here at a time.
    pub(super) async fn read(
        &self,
        sql: &str,
        params: &[Param<'_>],
        text: impl Fn(&Row) -> Result<String> + Send + Sync,
        sink: &mut dyn Sink,
    ) -> Result<u64> {
        let mut intake = Intake::of(Taker::Pass(sink));
        let params = params.iter().map(|(value, kind)| (*value, kind.clone()));
        let mut rows = pin!(self.0.query_typed_raw(sql, params).await.map_err(failure)?);
        while let Some(row) = rows.try_next().await.map_err(failure)? {
            intake.row(|| Ok(vec![Some(text(&row)?)])).await?;
        }
        intake.end().await
    }
}
