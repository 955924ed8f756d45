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

/// All requests that are about one person.
#[derive(Clone, Copy)]
pub(crate) struct About<'a> {
    /// Whose data.
    pub(crate) scope: Scope,
    /// Where they are an end user.
    pub(crate) project: Option<ProjectId>,
    /// Who they are.
    pub(crate) who: &'a Who,
}

impl About<'_> {
    /// Which requests `r` these are.
    const THESE: &'static str = "r.scope = $1 and r.project_id is not distinct from $2 and r.subject = $3";

    async fn rows(&self, executor: &impl GenericClient, sql: &str) -> Result<Vec<Row>> {
        let (scope, project) = (self.scope.as_str(), self.project.map(|project| project.0));
        let subject = serde_json::to_value(self.who).map_err(Error::internal)?;
        let params = [text(&scope), uuid(&project), json(&subject)];
        executor.query_typed(sql, &params).await.map_err(failure)
    }

    /// How many there are.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn count(&self, executor: &impl GenericClient) -> Result<u64> {
        let sql = format!("select count(*) from plinth.privacy_requests r where {}", Self::THESE);
        let rows = self.rows(executor, &sql).await?;
        Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
    }

    /// Copies of their data that are made or wait to be fetched.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn exports(&self, executor: &impl GenericClient) -> Result<Vec<Uuid>> {
        let sql = format!(
            "select e.id from plinth.exports e join plinth.privacy_requests r on r.id = e.id where {} order by e.id",
            Self::THESE
        );
        let rows = self.rows(executor, &sql).await?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }

    /// Whether there are any such copies, with all requests locked until the transaction ends: a copy that is made from now on
    /// finds nobody whom it is about.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn lock(&self, executor: &impl GenericClient) -> Result<bool> {
        let sql = format!(
            "select 1 from plinth.privacy_requests r where {} order by r.id for no key update",
            Self::THESE
        );
        self.rows(executor, &sql).await?;
        Ok(!self.exports(executor).await?.is_empty())
    }

    /// Empties who they are about; how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub(crate) async fn forget(&self, executor: &impl GenericClient) -> Result<u64> {
        let sql = format!(
            "update plinth.privacy_requests r set subject = null where {} returning 1",
            Self::THESE
        );
        Ok(self.rows(executor, &sql).await?.len() as u64)
    }
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
