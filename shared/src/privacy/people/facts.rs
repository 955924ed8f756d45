//! Everything the platform keeps about a platform user, for a copy of it, section by section.

use super::store;
use crate::backend::Sink;
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::Snapshot;

/// A kind of what is kept; becomes a file of the copy.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name, as a file's: `account`, `sessions`, …
    pub name: &'static str,
    /// What it holds, for the index.
    pub about: &'static str,
    pub(super) sql: &'static str,
}

/// All sections but the audit log, which is [`super::super::identity::entries_of`].
pub fn sections() -> &'static [Section] {
    store::SECTIONS
}

/// Hands a section to its end to `sink`: each row an object's JSON with the same keys all through
/// the section, without secrets and without what is derived from one. How many there were.
///
/// # Errors
/// When the database fails; the sink's.
pub async fn facts_of_user(
    snapshot: &Snapshot<'_>,
    user: UserId,
    section: &Section,
    sink: &mut dyn Sink,
) -> Result<u64> {
    store::read(snapshot, user, section, sink).await
}
