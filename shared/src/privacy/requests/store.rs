//! All SQL of requests.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::{NewRequest, Request, Scope, Who};
use crate::control::{bytes, failure, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, UserId};

const COLUMNS: &str = "id, kind, scope, project_id, subject, plan, token_hash, receipt_hash, job_id, self, requested_by, \
                       created_at, expires_at";

fn read(row: &Row) -> Result<Request> {
    Ok(Request {
        id: row.get(0),
        kind: named(row.get(1))?,
        scope: named(row.get(2))?,
        project: row.get::<_, Option<Uuid>>(3).map(ProjectId),
        subject: row
            .get::<_, Option<Value>>(4)
            .map(serde_json::from_value)
            .transpose()
            .map_err(Error::internal)?,
        plan: row.get(5),
        token_hash: row.get(6),
        receipt_hash: row.get(7),
        job: row.get(8),
        own: row.get(9),
        by: row.get::<_, Option<Uuid>>(10).map(UserId),
        created_at: row.get(11),
        expires_at: row.get(12),
    })
}

fn named<T: serde::de::DeserializeOwned>(name: String) -> Result<T> {
    serde_json::from_value(Value::from(name)).map_err(Error::internal)
}

/// Keeps a request.
///
/// # Errors
/// When the database fails.
pub(crate) async fn create(executor: &impl GenericClient, new: &NewRequest<'_>, now: Timestamp) -> Result<()> {
    let sql = "
        insert into plinth.privacy_requests (id, kind, scope, project_id, subject, plan, token_hash, receipt_hash, job_id,
          self, requested_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let (kind, scope) = (new.kind.as_str(), new.scope.as_str());
    let (project, by) = (new.project.map(|id| id.0), new.by.map(|id| id.0));
    let subject = serde_json::to_value(new.subject).map_err(Error::internal)?;
    let plan = new.plan.cloned();
    let params = [
        uuid(&new.id),
        text(&kind),
        text(&scope),
        uuid(&project),
        json(&subject),
        json(&plan),
        bytes(&new.token_hash),
        bytes(&new.receipt_hash),
        uuid(&new.job),
        (&new.own as _, Type::BOOL),
        uuid(&by),
        time(&now),
        time(&new.expires_at),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// A request, whatever has become of it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(executor: &impl GenericClient, id: Uuid) -> Result<Option<Request>> {
    let sql = format!("select {COLUMNS} from plinth.privacy_requests where id = $1");
    let rows = executor.query_typed(&sql, &[uuid(&id)]).await.map_err(failure)?;
    rows.first().map(read).transpose()
}

/// Notes that an erasure is confirmed: its job, and what its receipt is fetched with, beside what was noted before: whoever
/// was told a token keeps it, the last 32 of them. False where the request has gone.
///
/// # Errors
/// When the database fails.
pub(crate) async fn confirm(executor: &impl GenericClient, id: Uuid, job: Uuid, receipt_hash: &[u8]) -> Result<bool> {
    let sql = "
        update plinth.privacy_requests
        set job_id = $2, expires_at = null, receipt_hash = case
          when position($3 in coalesce(receipt_hash, '')) > 0 then receipt_hash
          else substring(coalesce(receipt_hash, '') || $3 from greatest(1, coalesce(octet_length(receipt_hash), 0) - 31 * 32 + 1))
          end
        where id = $1 returning 1";
    let params = [uuid(&id), uuid(&job), bytes(&receipt_hash)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(!rows.is_empty())
}

/// What its receipt is fetched with. The request is locked until the transaction ends: who confirms it again waits.
///
/// # Errors
/// When the database fails.
pub(crate) async fn receipt_hash(executor: &impl GenericClient, id: Uuid) -> Result<Option<Vec<u8>>> {
    let sql = "select receipt_hash from plinth.privacy_requests where id = $1 for no key update";
    let rows = executor.query_typed(sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(rows.first().and_then(|row| row.get(0)))
}

/// Empties who the requests about a person are about; how many there were. `project`: where they are an end user.
///
/// # Errors
/// When the database fails.
pub(crate) async fn forget_subject(
    executor: &impl GenericClient,
    scope: Scope,
    project: Option<ProjectId>,
    subject: &Who,
) -> Result<u64> {
    let sql = "
        update plinth.privacy_requests set subject = null
        where scope = $1 and project_id is not distinct from $2 and subject = $3 returning 1";
    let (scope, project) = (scope.as_str(), project.map(|id| id.0));
    let subject = serde_json::to_value(subject).map_err(Error::internal)?;
    let params = [text(&scope), uuid(&project), json(&subject)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.len() as u64)
}

/// Removes requests that could have been confirmed until before then, and were not.
///
/// # Errors
/// When the database fails.
pub(crate) async fn sweep(executor: &impl GenericClient, before: Timestamp) -> Result<()> {
    let sql = "delete from plinth.privacy_requests where expires_at < $1";
    executor.query_typed(sql, &[time(&before)]).await.map_err(failure)?;
    Ok(())
}
