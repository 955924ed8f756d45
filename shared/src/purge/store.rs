//! All SQL of purging in the control database. `$1` is always the moment before which things must have ended.

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::{Outcome, Report};
use crate::app::App;
use crate::control::{failure, int8, json, time, uuid};
use crate::error::{Error, Result};
use crate::ident::ProjectId;

/// Rows that hang on nothing outside of the control database.
pub(super) struct Rows {
    /// In reports.
    pub name: &'static str,
    /// In the audit log of their project, if they were a user's to delete.
    pub action: Option<&'static str>,
    /// Deletes `$2` of them at most and returns whose they were.
    sql: &'static str,
}

/// Every kind of them.
pub(super) const ROWS: &[Rows] = &[
    Rows {
        name: "members",
        action: Some("members.purge"),
        sql: "delete from plinth.members where (project_id, user_id) in (
                select project_id, user_id from plinth.members where deleted_at < $1 limit $2 for update skip locked)
              returning project_id",
    },
    Rows {
        name: "keys",
        action: Some("keys.purge"),
        sql: "delete from plinth.keys where id in (
                select id from plinth.keys where least(revoked_at, expires_at) < $1 limit $2 for update skip locked)
              returning project_id",
    },
    Rows {
        name: "documents",
        action: Some("documents.purge"),
        sql: "delete from plinth.document_versions where id in (
                select id from plinth.document_versions where deleted_at < $1 limit $2 for update skip locked)
              returning project_id",
    },
    Rows {
        name: "jobs",
        action: None,
        sql: "delete from plinth.jobs where id in (
                select id from plinth.jobs where state in ('succeeded', 'failed', 'cancelled') and updated_at < $1
                limit $2 for update skip locked)
              returning null::uuid as project_id",
    },
    Rows {
        name: "outbox",
        action: None,
        sql: "delete from plinth.outbox where id in (
                select id from plinth.outbox where done_at < $1 limit $2 for update skip locked)
              returning null::uuid as project_id",
    },
    Rows {
        name: "idempotency",
        action: None,
        sql: "delete from plinth.idempotency where (caller, key) in (
                select caller, key from plinth.idempotency where created_at < $1 limit $2 for update skip locked)
              returning null::uuid as project_id",
    },
    Rows {
        name: "purgeRuns",
        action: None,
        sql: "delete from plinth.purge_runs where id in (
                select id from plinth.purge_runs where started_at < $1 limit $2 for update skip locked)
              returning null::uuid as project_id",
    },
];

/// How many are gone, by project; projects in one order, as each one's audit chain is locked.
pub(super) async fn delete_rows(
    executor: &impl GenericClient,
    kind: &Rows,
    before: Timestamp,
    limit: i64,
) -> Result<Vec<(Option<ProjectId>, u64)>> {
    let sql = format!(
        "with gone as ({}) select project_id, count(*) from gone group by project_id order by project_id",
        kind.sql
    );
    let params = [time(&before), int8(&limit)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    let read = |row: &tokio_postgres::Row| {
        let project: Option<Uuid> = row.get(0);
        (project.map(ProjectId), row.get::<_, i64>(1).unsigned_abs())
    };
    Ok(rows.iter().map(read).collect())
}

/// Backends given up, the earliest first, from a place on: when, which, whose.
pub(super) async fn due_backends(
    app: &App,
    before: Timestamp,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<(Timestamp, Uuid, ProjectId)>> {
    let sql = "
        select deleted_at, id, project_id from plinth.backends
        where deleted_at < $1 and ($2::timestamptz is null or (deleted_at, id) > ($2, $3))
        order by deleted_at, id limit $4";
    let (at, id) = after.unzip();
    let params = [time(&before), time(&at), uuid(&id), int8(&limit)];
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows
        .iter()
        .map(|row| (row.get(0), row.get(1), ProjectId(row.get(2))))
        .collect())
}

pub(super) async fn due_projects(
    app: &App,
    before: Timestamp,
    after: Option<(Timestamp, Uuid)>,
    limit: i64,
) -> Result<Vec<(Timestamp, Uuid)>> {
    let sql = "
        select deleted_at, id from plinth.projects
        where deleted_at < $1 and ($2::timestamptz is null or (deleted_at, id) > ($2, $3))
        order by deleted_at, id limit $4";
    let (at, id) = after.unzip();
    let params = [time(&before), time(&at), uuid(&id), int8(&limit)];
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Holds a project that is due until the transaction ends; [`Outcome::Gone`] says that it is held by us.
pub(super) async fn hold_project(
    executor: &impl GenericClient,
    project: ProjectId,
    before: Timestamp,
) -> Result<Outcome> {
    let params = [time(&before), uuid(&project.0)];
    let lock = "select from plinth.projects where deleted_at < $1 and id = $2 for update skip locked";
    if !executor.query_typed(lock, &params).await.map_err(failure)?.is_empty() {
        return Ok(Outcome::Gone);
    }
    let look = "select from plinth.projects where deleted_at < $1 and id = $2";
    let rows = executor.query_typed(look, &params).await.map_err(failure)?;
    Ok(if rows.is_empty() {
        Outcome::Nothing
    } else {
        Outcome::Held
    })
}

/// Members, keys, jobs, secrets and the rest of its rows go with it.
pub(super) async fn delete_project(executor: &impl GenericClient, project: ProjectId) -> Result<()> {
    let sql = "delete from plinth.projects where id = $1";
    executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn begin_run(app: &App, id: Uuid) -> Result<()> {
    let sql = "insert into plinth.purge_runs (id, started_at) values ($1, $2)";
    let now = app.clock.now();
    let client = app.control.get().await?;
    client
        .query_typed(sql, &[uuid(&id), time(&now)])
        .await
        .map_err(failure)?;
    Ok(())
}

pub(super) async fn end_run(app: &App, id: Uuid, report: &Report) -> Result<()> {
    let sql = "update plinth.purge_runs set ended_at = $2, complete = $3, report = $4 where id = $1";
    let (now, kept) = (app.clock.now(), serde_json::to_value(report).map_err(Error::internal)?);
    let params = [uuid(&id), time(&now), (&report.complete as _, Type::BOOL), json(&kept)];
    let client = app.control.get().await?;
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
