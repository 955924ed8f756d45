//! Everything the platform keeps about a platform user, for a copy of it: section by section, page by page.

use serde_json::Value;

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::ident::UserId;

/// A kind of what is kept; becomes a file of the copy.
#[derive(Debug, Clone, Copy)]
pub struct Section {
    /// Its name, as a file's: `account`, `sessions`, …
    pub name: &'static str,
    /// What it holds, for the index.
    pub about: &'static str,
    pub(super) sql: &'static str,
}

/// Some of a section's rows.
#[derive(Debug, Clone, PartialEq)]
pub struct FactsPage {
    /// Objects with the same keys all through the section, oldest first.
    pub rows: Vec<Value>,
    /// What the next call names as `after`; none behind the last page.
    pub next: Option<String>,
}

/// All sections but the audit log, which is [`super::super::identity::entries_of`].
pub fn sections() -> &'static [Section] {
    store::SECTIONS
}

/// A page of a section, without secrets and without what is derived from one.
///
/// # Errors
/// When the database fails.
pub async fn facts_of_user(
    app: &App,
    user: UserId,
    section: &Section,
    after: Option<&str>,
    most: i64,
) -> Result<FactsPage> {
    let client = app.control.get().await?;
    let found = store::page(&*client, user, section, after, most).await?;
    let full = i64::try_from(found.len()).is_ok_and(|found| found >= most);
    let next = found.last().filter(|_| full).map(|(place, _)| place.clone());
    Ok(FactsPage {
        rows: found.into_iter().map(|(_, row)| row).collect(),
        next,
    })
}
