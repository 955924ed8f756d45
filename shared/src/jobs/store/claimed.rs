//! What a worker writes: to jobs that it has claimed, and to those that another has left.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use crate::app::App;
use crate::control::{failure, int4, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, UserId};
use crate::jobs::Job;
use crate::jobs::outcome::{Shown, Standing};

/// Ends what workers have left that shall not be tried again: it was the last try, or it was cancelled.
pub(in crate::jobs) async fn settle_abandoned(app: &App) -> Result<()> {
    let sql = "
        with left_behind as (
          select id from plinth.jobs
          where state = 'running' and lease_until < $1 and (attempts >= last_attempt or cancel_requested_at is not null)
          order by run_at limit 100 for update skip locked
        )
        update plinth.jobs j
        set state = case when cancel_requested_at is null then 'failed' else 'cancelled' end,
          error = case when cancel_requested_at is null then 'The worker was lost while it did this job' end,
          error_code = case when cancel_requested_at is null then 'jobs/worker-lost' end,
          lease_until = null, updated_at = $1
        from left_behind l where j.id = l.id";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    client.execute_typed(sql, &[time(&now)]).await.map_err(failure)?;
    Ok(())
}

/// The job that has been due longest: queued, or left by a worker that died.
pub(in crate::jobs) async fn claim(app: &App, until: Timestamp) -> Result<Option<Job>> {
    let sql = "
        with due as (
          select id from plinth.jobs
          where state = 'queued' and run_at <= $1
            or state = 'running' and lease_until < $1 and attempts < last_attempt and cancel_requested_at is null
          order by run_at limit 1 for update skip locked
        )
        update plinth.jobs j
        set state = 'running', attempts = attempts + 1, lease_until = $2, updated_at = $1
        from due where j.id = due.id
        returning j.id, j.kind, j.project_id, j.payload, j.created_by, j.attempts, j.last_attempt";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    let params = [time(&now), time(&until)];
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(|row| Job {
        id: row.get(0),
        kind: row.get(1),
        project: row.get::<_, Option<Uuid>>(2).map(ProjectId),
        payload: row.get(3),
        by: row.get::<_, Option<Uuid>>(4).map(UserId),
        attempt: row.get(5),
        last_attempt: row.get(6),
    }))
}

pub(in crate::jobs) async fn progress(
    app: &App,
    job: &Job,
    percent: u8,
    message: &str,
    until: Timestamp,
) -> Result<Standing> {
    let sql = "
        update plinth.jobs set progress = $4, message = $5, lease_until = $6, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'
        returning cancel_requested_at is not null";
    let (now, percent, client) = (app.clock.now(), i32::from(percent), app.control.get().await?);
    let params = [
        uuid(&job.id),
        int4(&job.attempt),
        time(&now),
        int4(&percent),
        text(&message),
        time(&until),
    ];
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(standing(&rows))
}

/// Renews the lease. In a transaction that locks the row until its end.
pub(in crate::jobs) async fn renew(executor: &impl GenericClient, job: &Job, until: Timestamp) -> Result<Standing> {
    let sql = "
        update plinth.jobs set lease_until = $3
        where id = $1 and attempts = $2 and state = 'running'
        returning cancel_requested_at is not null";
    let params = [uuid(&job.id), int4(&job.attempt), time(&until)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(standing(&rows))
}

/// [`renew`] on a connection of its own.
pub(in crate::jobs) async fn beat(app: &App, job: &Job, until: Timestamp) -> Result<Standing> {
    let client = app.control.get().await?;
    renew(&*client, job, until).await
}

fn standing(rows: &[Row]) -> Standing {
    match rows.first().map(|row| row.get(0)) {
        None => Standing::Lost,
        Some(true) => Standing::Cancelled,
        Some(false) => Standing::Ours,
    }
}

pub(in crate::jobs) async fn succeed(app: &App, job: &Job, result: &Value) -> Result<()> {
    let sql = "
        update plinth.jobs
        set state = 'succeeded', progress = 100, message = null, result = $4, error = null, error_code = null,
          lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    let params = [uuid(&job.id), int4(&job.attempt), time(&now), json(result)];
    client.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Gives the job up; one that somebody has cancelled meanwhile is that.
pub(in crate::jobs) async fn fail(app: &App, job: &Job, error: &Shown) -> Result<()> {
    let sql = "
        update plinth.jobs
        set state = case when cancel_requested_at is null then 'failed' else 'cancelled' end,
          error = $4, error_code = $5, lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    let params = [
        uuid(&job.id),
        int4(&job.attempt),
        time(&now),
        text(&error.text),
        text(&error.code),
    ];
    client.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Queues the job for another try; one that somebody has cancelled meanwhile is at its end.
pub(in crate::jobs) async fn try_again(app: &App, job: &Job, error: &Shown, after: Duration) -> Result<()> {
    let sql = "
        update plinth.jobs
        set state = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
          error = $4, error_code = $5, run_at = $6, lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'";
    let now = app.clock.now();
    let at = now.checked_add(after).map_err(Error::internal)?;
    let client = app.control.get().await?;
    let params = [
        uuid(&job.id),
        int4(&job.attempt),
        time(&now),
        text(&error.text),
        text(&error.code),
        time(&at),
    ];
    client.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Ends a job that was stopped because it was cancelled. One that is not ours any more stays as it is.
pub(in crate::jobs) async fn cancelled(app: &App, job: &Job) -> Result<()> {
    let sql = "
        update plinth.jobs set state = 'cancelled', lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running' and cancel_requested_at is not null";
    let (now, client) = (app.clock.now(), app.control.get().await?);
    let params = [uuid(&job.id), int4(&job.attempt), time(&now)];
    client.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Queues the job at once, for a try that was cut short or that has finished items: it counts as none. Whether it was
/// so.
pub(in crate::jobs) async fn hand_back(app: &App, job: &Job, cut_short: bool) -> Result<bool> {
    let sql = "
        update plinth.jobs j
        set state = case when cancel_requested_at is null then 'queued' else 'cancelled' end,
          last_attempt = last_attempt + 1, run_at = $3, lease_until = null, updated_at = $3
        where id = $1 and attempts = $2 and state = 'running'
          and ($4 > 0 or exists (select from plinth.job_items i where i.job_id = j.id and i.attempt = j.attempts))";
    let (now, cut_short) = (app.clock.now(), i32::from(cut_short));
    let client = app.control.get().await?;
    let params = [uuid(&job.id), int4(&job.attempt), time(&now), int4(&cut_short)];
    let changed = client.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(changed == 1)
}
