//! All SQL of jobs. Whoever finishes a job proves by its attempt number that it is still theirs.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{Found, Job, JobView};
use crate::app::App;
use crate::control::{failure, int4, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, UserId};

pub(super) async fn insert(
    executor: &impl GenericClient,
    id: Uuid,
    kind: &str,
    project: Option<ProjectId>,
    payload: &Value,
    by: Option<UserId>,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.jobs (id, kind, project_id, payload, run_at, created_by, created_at, updated_at)
        values ($1, $2, $3, $4, $6, $5, $6, $6)";
    let (project, by) = (project.map(|project| project.0), by.map(|user| user.0));
    let params = [
        uuid(&id),
        text(&kind),
        uuid(&project),
        json(payload),
        uuid(&by),
        time(&now),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn find(app: &App, id: Uuid) -> Result<Option<Found>> {
    let sql = "
        select id, kind, project_id, state, progress, message, result, error, created_at, updated_at, created_by
        from plinth.jobs where id = $1";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(rows.first().map(|row| {
        let project = row.get::<_, Option<Uuid>>(2).map(ProjectId);
        Found {
            project,
            created_by: row.get::<_, Option<Uuid>>(10).map(UserId),
            view: JobView {
                id: row.get(0),
                kind: row.get(1),
                project_id: project,
                status: row.get(3),
                progress: row.get(4),
                message: row.get(5),
                result: row.get(6),
                error: row.get(7),
                created_at: row.get(8),
                updated_at: row.get(9),
            },
        }
    }))
}

/// The job that has been due longest: queued, or left by a worker that died.
pub(super) async fn claim(app: &App, lease: Duration) -> Result<Option<Job>> {
    let now = app.clock.now();
    let until = now.checked_add(lease).map_err(Error::internal)?;
    let sql = "
        with due as (
          select id from plinth.jobs
          where state = 'queued' and run_at <= $1 or state = 'running' and lease_until < $1
          order by run_at limit 1 for update skip locked
        )
        update plinth.jobs j
        set state = 'running', attempts = attempts + 1, lease_until = $2, updated_at = $1
        from due where j.id = due.id
        returning j.id, j.kind, j.project_id, j.payload, j.attempts";
    let client = app.control.get().await?;
    let rows = client
        .query_typed(sql, &[time(&now), time(&until)])
        .await
        .map_err(failure)?;
    Ok(rows.first().map(|row| Job {
        id: row.get(0),
        kind: row.get(1),
        project: row.get::<_, Option<Uuid>>(2).map(ProjectId),
        payload: row.get(3),
        attempt: row.get(4),
    }))
}

pub(super) async fn succeed(app: &App, job: &Job, result: &Value) -> Result<()> {
    let sql = "
        update plinth.jobs
        set state = 'succeeded', progress = 100, result = $4, error = null, lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    let params = [uuid(&job.id), int4(&job.attempt), time(&now), json(result)];
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn fail(app: &App, job: &Job, error: &str) -> Result<()> {
    let sql = "
        update plinth.jobs set state = 'failed', error = $4, lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    let params = [uuid(&job.id), int4(&job.attempt), time(&now), text(&error)];
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn try_again(app: &App, job: &Job, error: &str, after: Duration) -> Result<()> {
    let sql = "
        update plinth.jobs set state = 'queued', error = $4, run_at = $5, lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'";
    let now = app.clock.now();
    let at = now.checked_add(after).map_err(Error::internal)?;
    let client = app.control.get().await?;
    let params = [uuid(&job.id), int4(&job.attempt), time(&now), text(&error), time(&at)];
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
