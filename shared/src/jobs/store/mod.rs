//! All SQL of jobs. Whoever writes to a claimed job proves by its attempt number that it is still theirs.

mod claimed;
mod items;

pub(super) use claimed::{
    beat, cancelled, claim, fail, hand_back, progress, renew, settle_abandoned, succeed, try_again,
};
pub(super) use items::{insert_item, items};

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::{Found, JobView, NewJob};
use crate::app::App;
use crate::control::{failure, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, UserId};

/// Whether it was added: not when there is one with that key.
pub(super) async fn insert(
    executor: &impl GenericClient,
    id: Uuid,
    new: &NewJob<'_>,
    key: Option<&str>,
    now: Timestamp,
) -> Result<bool> {
    let sql = "
        insert into plinth.jobs (id, kind, project_id, payload, run_at, created_by, created_at, updated_at, idempotency_key)
        values ($1, $2, $3, $4, $6, $5, $6, $6, $7)
        on conflict (kind, project_id, idempotency_key) where idempotency_key is not null do nothing";
    let (project, by) = (new.project.map(|project| project.0), new.by.map(|user| user.0));
    let params = [
        uuid(&id),
        text(&new.kind),
        uuid(&project),
        json(new.payload),
        uuid(&by),
        time(&now),
        text(&key),
    ];
    let added = executor.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(added == 1)
}

/// The job with that key, and what it was asked to do.
pub(super) async fn keyed(executor: &impl GenericClient, new: &NewJob<'_>, key: Option<&str>) -> Result<(Uuid, Value)> {
    let sql = "
        select id, payload from plinth.jobs
        where kind = $1 and project_id is not distinct from $2 and idempotency_key = $3";
    let project = new.project.map(|project| project.0);
    let params = [text(&new.kind), uuid(&project), text(&key)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    let row = rows
        .first()
        .ok_or_else(|| Error::internal("a job went away while it was asked for again"))?;
    Ok((row.get(0), row.get(1)))
}

const VIEW: &str = "
    id, kind, project_id, state, progress, message, result, error, error_code, attempts,
    cancel_requested_at is not null and state in ('queued', 'running'), created_at, updated_at, created_by";

pub(super) async fn find(app: &App, id: Uuid) -> Result<Option<Found>> {
    let sql = format!("select {VIEW} from plinth.jobs where id = $1");
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(rows.first().map(found))
}

fn found(row: &Row) -> Found {
    let project = row.get::<_, Option<Uuid>>(2).map(ProjectId);
    Found {
        project,
        created_by: row.get::<_, Option<Uuid>>(13).map(UserId),
        view: JobView {
            id: row.get(0),
            kind: row.get(1),
            project_id: project,
            state: row.get(3),
            progress: row.get(4),
            message: row.get(5),
            result: row.get(6),
            error: row.get(7),
            error_code: row.get(8),
            attempts: row.get(9),
            cancelling: row.get(10),
            created_at: row.get(11),
            updated_at: row.get(12),
        },
    }
}
