//! Jobs that somebody asked for, or that hold their words.

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::control::{failure, int8, json, text, texts, uuid};
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::people::scrub::JobsOf;

/// Removes their jobs that belong to no project, but for the one at work; takes their name and words off the others. How
/// many of each.
pub(super) async fn forget_asker(executor: &impl GenericClient, user: UserId, but: Uuid) -> Result<(u64, u64)> {
    let sql = "delete from plinth.jobs where created_by = $1 and project_id is null and id <> $2 returning 1";
    let params = [uuid(&user.0), uuid(&but)];
    let removed = executor.query_typed(sql, &params).await.map_err(failure)?.len();
    let sql = "
        update plinth.jobs set created_by = null,
          idempotency_key = case when starts_with(idempotency_key, 'user:') then null else idempotency_key end,
          payload = case when jsonb_typeof(payload) = 'object' then payload - 'instructions' else payload end
        where created_by = $1 returning 1";
    let kept = executor
        .query_typed(sql, &[uuid(&user.0)])
        .await
        .map_err(failure)?
        .len();
    Ok((removed as u64, kept as u64))
}

/// What a job says in words.
#[derive(Clone, PartialEq)]
pub(in super::super) struct JobTexts {
    pub(in super::super) id: Uuid,
    pub(in super::super) payload: Value,
    pub(in super::super) result: Option<Value>,
    pub(in super::super) message: Option<String>,
    pub(in super::super) error: Option<String>,
}

/// Jobs that hold one of the values, which are lower-case, anywhere; locked. So many behind the one that the last call ended
/// with.
pub(in super::super) async fn jobs_with(
    executor: &impl GenericClient,
    of: JobsOf,
    values: &Vec<String>,
    but: Option<Uuid>,
    (after, most): (Uuid, i64),
) -> Result<Vec<JobTexts>> {
    let sql = "
        select id, payload, result, message, error from plinth.jobs
        where (project_id = $1 or created_by = $4
            or project_id in (select m.project_id from plinth.members m where m.user_id = $4))
          and id is distinct from $3 and id > $5 and exists (
          select from unnest($2::text[]) v
          where strpos(lower(concat_ws(' ', payload::text, result::text, message, error)), v) > 0)
        order by id limit $6 for update";
    let (project, member) = of.ids();
    let params = [
        uuid(&project),
        texts(values),
        uuid(&but),
        uuid(&member),
        uuid(&after),
        int8(&most),
    ];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows
        .iter()
        .map(|row| JobTexts {
            id: row.get(0),
            payload: row.get(1),
            result: row.get(2),
            message: row.get(3),
            error: row.get(4),
        })
        .collect())
}

pub(in super::super) async fn put_texts(executor: &impl GenericClient, job: &JobTexts) -> Result<()> {
    let sql = "update plinth.jobs set payload = $2, result = $3, message = $4, error = $5 where id = $1";
    let params = [
        uuid(&job.id),
        json(&job.payload),
        json(&job.result),
        text(&job.message),
        text(&job.error),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
