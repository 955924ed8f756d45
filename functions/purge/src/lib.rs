//! The `purge` function: on a schedule, removes what was deleted more than 30 days ago.

use plinth::app::App;
use plinth::error::Result;
use plinth::purge::{self, Report};

/// Purges as of now. The event of the schedule says nothing that matters: the clock decides.
///
/// # Errors
/// As [`purge::run`]; what could not be removed is in the report.
pub async fn handle(app: &App) -> Result<Report> {
    let report = purge::run(app, app.clock.now()).await?;
    let (items, rows) = (report.items.len(), report.rows.values().sum::<u64>());
    let (failed, left) = (report.failed.len(), report.left.values().sum::<u64>());
    tracing::info!(items, rows, failed, left, complete = report.complete, "purged");
    Ok(report)
}
