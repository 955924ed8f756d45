//! What the log forgets.

use jiff::Timestamp;

use super::store;
use crate::app::App;
use crate::error::{Error, Result};

/// Forgets the addresses of entries that are older, at `now`, than the operator's term; at most `most` of them. Tells how
/// many there were: fewer than `most` means that nothing is left to do.
///
/// # Errors
/// When the database fails.
pub async fn forget_addresses(app: &App, now: Timestamp, most: i64) -> Result<u64> {
    let term = app.config.audit.address_term;
    let before = now.checked_sub(term).map_err(Error::internal)?;
    store::forget_addresses(app, before, most).await
}
