//! The history of a backend's tables: every change with its way there and back.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::error::Result;
use crate::ident::BackendId;
use crate::tenancy::ProjectAccess;

/// One change.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Migration {
    /// Its id.
    pub id: Uuid,
    /// Its place in the history, from 1.
    pub sequence: i64,
    /// `create`, `alter`, `delete`, `restore` or `restore_column`.
    pub kind: String,
    /// The table's id.
    pub table_id: Uuid,
    /// The table's name after it.
    pub table: Option<String>,
    /// The statements that made it.
    pub up: String,
    /// The statements that take it back.
    pub down: String,
    /// SHA-256 of `up`, hex.
    pub checksum: String,
    /// `pending`, `applied` or `failed`.
    pub state: String,
    /// Why it failed.
    pub error: Option<String>,
    /// The platform user who asked for it.
    pub author: Uuid,
    /// When they did.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// When it was done.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub applied_at: Option<Timestamp>,
}

/// A page of the history.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The changes, newest first.
    pub migrations: Vec<Migration>,
    /// What to send as `cursor` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// Up to `limit` changes older than `before` (a sequence number), newest first.
///
/// # Errors
/// When the database fails.
pub async fn history(
    app: &App,
    access: &ProjectAccess,
    backend: BackendId,
    before: Option<i64>,
    limit: usize,
) -> Result<Page> {
    let client = app.control.get().await?;
    let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let mut migrations = store::history(&*client, (access.project(), backend), before, asked).await?;
    let more = migrations.len() > limit;
    migrations.truncate(limit);
    let last = migrations.last().filter(|_| more);
    Ok(Page {
        next_cursor: last.map(|migration| migration.sequence.to_string()),
        migrations,
    })
}
