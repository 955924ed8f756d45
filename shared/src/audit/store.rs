//! All SQL of the audit log. Rows are written by a definer function only: no login may insert, change or delete one.

use tokio_postgres::GenericClient;

use super::{AuditEntry, Entry};
use crate::app::App;
use crate::control::{self, bytes, int8, json, text, time, uuid};
use crate::error::Result;
use crate::tenancy::ProjectAccess;

/// Appends an entry to its chain, in the caller's transaction: no entry, no change, and the other way round.
///
/// # Errors
/// When the database fails; the change must fail with it.
pub async fn record(app: &App, executor: &impl GenericClient, entry: &Entry<'_>) -> Result<()> {
    let (id, salt) = (app.random.uuid(), app.random.bytes::<16>());
    let details = if entry.details.is_null() {
        serde_json::json!({})
    } else {
        entry.details.clone()
    };
    let (project, now, salt) = (entry.project.map(|project| project.0), app.clock.now(), salt.as_slice());
    let sql = "select plinth.audit($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let params = [
        uuid(&id),
        uuid(&project),
        time(&now),
        text(&entry.action),
        text(&entry.target),
        json(&details),
        text(&entry.request.id),
        text(&entry.actor),
        text(&entry.request.address),
        bytes(&salt),
    ];
    executor.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// A page of a project's entries, newest first, older than `before` (a sequence number).
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, access: &ProjectAccess, before: Option<i64>, limit: i64) -> Result<Vec<AuditEntry>> {
    let sql = "
        select l.id, l.sequence, l.at, l.action, l.target, l.details, l.request_id, s.actor, s.address,
          encode(l.hash, 'hex')
        from plinth.audit_log l left join plinth.audit_subjects s on s.audit_id = l.id
        where l.project_id = $1 and l.sequence < coalesce($2, 9223372036854775807)
        order by l.sequence desc limit $3";
    let client = app.control.get().await?;
    let project = access.project().0;
    let params = [uuid(&project), int8(&before), int8(&limit)];
    let rows = client.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(rows
        .iter()
        .map(|row| AuditEntry {
            id: row.get(0),
            sequence: row.get(1),
            at: row.get(2),
            action: row.get(3),
            target: row.get(4),
            details: row.get(5),
            request_id: row.get(6),
            actor: row.get(7),
            address: row.get(8),
            hash: row.get(9),
        })
        .collect())
}
