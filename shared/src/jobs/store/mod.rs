//! All SQL of jobs. Whoever writes to a claimed job proves by its attempt number that it is still theirs.

mod claimed;
mod items;
mod people;

pub(super) use claimed::{
    beat, cancelled, claim, fail, hand_back, progress, renew, settle_abandoned, succeed, try_again,
};
pub(super) use items::{insert_item, items};
pub(super) use people::{cancel, find, list, retry};

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::NewJob;
use crate::control::{failure, json, text, time, uuid};
use crate::error::{Error, Result};

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
