//! All SQL of purging. `$1` is always the moment before which things must have ended.

use jiff::Timestamp;
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::control::{failure, int8, time, uuid};
use crate::error::Result;
use crate::ident::{BackendId, ProjectId};

/// What hangs on nothing outside of the control database: `$2` rows at a time.
pub(super) const ROWS_BY_KIND: &[(&str, &str)] = &[
    (
        "members",
        "delete from plinth.members where (project_id, user_id) in (
           select project_id, user_id from plinth.members where deleted_at < $1 limit $2 for update skip locked)",
    ),
    (
        "keys",
        "delete from plinth.keys where id in (
           select id from plinth.keys where least(revoked_at, expires_at) < $1 limit $2 for update skip locked)",
    ),
    (
        "jobs",
        "delete from plinth.jobs where id in (
           select id from plinth.jobs where state in ('succeeded', 'failed', 'cancelled') and updated_at < $1
           limit $2 for update skip locked)",
    ),
    (
        "outbox",
        "delete from plinth.outbox where id in (
           select id from plinth.outbox where done_at < $1 limit $2 for update skip locked)",
    ),
    (
        "idempotency",
        "delete from plinth.idempotency where (caller, key) in (
           select caller, key from plinth.idempotency where created_at < $1 limit $2 for update skip locked)",
    ),
];

pub(super) async fn delete_rows(app: &App, sql: &str, before: Timestamp, limit: i64) -> Result<u64> {
    let client = app.control.get().await?;
    client
        .execute_typed(sql, &[time(&before), int8(&limit)])
        .await
        .map_err(failure)
}

/// Deprovisioned backends of projects that live on.
pub(super) async fn due_backends(app: &App, before: Timestamp, limit: i64) -> Result<Vec<(ProjectId, BackendId)>> {
    let sql = "
        select b.project_id, b.id from plinth.backends b where b.deleted_at < $1 order by b.deleted_at limit $2";
    let client = app.control.get().await?;
    let rows = client
        .query_typed(sql, &[time(&before), int8(&limit)])
        .await
        .map_err(failure)?;
    Ok(rows
        .iter()
        .map(|row| (ProjectId(row.get(0)), BackendId(row.get(1))))
        .collect())
}

pub(super) async fn due_projects(app: &App, before: Timestamp, limit: i64) -> Result<Vec<ProjectId>> {
    let sql = "select id from plinth.projects where deleted_at < $1 order by deleted_at limit $2";
    let client = app.control.get().await?;
    let rows = client
        .query_typed(sql, &[time(&before), int8(&limit)])
        .await
        .map_err(failure)?;
    Ok(rows.iter().map(|row| ProjectId(row.get(0))).collect())
}

pub(super) async fn backends_of(app: &App, project: ProjectId) -> Result<Vec<BackendId>> {
    let sql = "select id from plinth.backends where project_id = $1 order by created_at";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    Ok(rows.iter().map(|row| BackendId(row.get(0))).collect())
}

/// Members, keys, jobs, secrets and the rest of its rows go with it.
pub(super) async fn delete_project(
    executor: &impl GenericClient,
    project: ProjectId,
    before: Timestamp,
) -> Result<bool> {
    let sql = "delete from plinth.projects where id = $1 and deleted_at < $2";
    let params = [uuid(&project.0), time(&before)];
    let removed = executor.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(removed > 0)
}
