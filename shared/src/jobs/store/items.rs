//! What jobs of many items have done.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::control::{failure, int4, json, text, time, uuid};
use crate::error::Result;
use crate::jobs::Job;

pub(in crate::jobs) async fn items(app: &App, job: &Job) -> Result<BTreeMap<String, Value>> {
    let sql = "select item, outcome from plinth.job_items where job_id = $1";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&job.id)]).await.map_err(failure)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Whether it was added: not when it is there.
pub(in crate::jobs) async fn insert_item(
    executor: &impl GenericClient,
    job: &Job,
    item: &str,
    outcome: &Value,
    now: Timestamp,
) -> Result<bool> {
    let sql = "
        insert into plinth.job_items (job_id, item, outcome, attempt, at) values ($1, $2, $3, $4, $5)
        on conflict do nothing";
    let params = [
        uuid(&job.id),
        text(&item),
        json(outcome),
        int4(&job.attempt),
        time(&now),
    ];
    let added = executor.execute_typed(sql, &params).await.map_err(failure)?;
    Ok(added == 1)
}
