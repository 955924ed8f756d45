//! What people read of jobs, and decide about them.

use jiff::Timestamp;
use tokio_postgres::types::Type;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use crate::app::App;
use crate::control::page::Page;
use crate::control::{failure, int4, int8, text, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};
use crate::jobs::list::{Filter, Of};
use crate::jobs::{ATTEMPTS, Found, JobSummary, JobView};

const SUMMARY: &str = "
    id, kind, project_id, state, progress, message, error, error_code, attempts,
    cancel_requested_at is not null and state in ('queued', 'running'), created_at, updated_at";

pub(in crate::jobs) async fn find(app: &App, id: Uuid) -> Result<Option<Found>> {
    let sql = format!("select {SUMMARY}, created_by, result from plinth.jobs where id = $1");
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(rows.first().map(found))
}

/// Newest first. What a job brought is for whoever looks at that one: a page of results could have any size.
pub(in crate::jobs) async fn list(app: &App, whose: Of, filter: &Filter, page: &Page) -> Result<Vec<JobSummary>> {
    let sql = format!(
        "select {SUMMARY} from plinth.jobs j
         where ($1::uuid is null or project_id = $1)
           and ($2::uuid is null or created_by = $2 and (project_id is null or exists (
             select from plinth.members m join plinth.projects p on p.id = m.project_id and p.deleted_at is null
             where m.project_id = j.project_id and m.user_id = $2 and m.deleted_at is null)))
           and ($3::text is null or state = $3) and ($4::text is null or kind = $4)
           and ($5::timestamptz is null or (created_at, id) < ($5, $6))
         order by created_at desc, id desc limit $7"
    );
    let (project, creator) = match whose {
        Of::Project(project) => (Some(project.0), None),
        Of::Creator(user) => (None, Some(user.0)),
        Of::Everybody => (None, None),
    };
    let (at, after) = (page.after.map(|after| after.0), page.after.map(|after| after.1));
    let limit = page.fetched();
    let params = [
        uuid(&project),
        uuid(&creator),
        text(&filter.state),
        text(&filter.kind),
        time(&at),
        uuid(&after),
        int8(&limit),
    ];
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.iter().map(summary).collect())
}

/// Ends a job that waits, tells one that runs; nothing for any other, nor, unless it may be left half done, for one that has
/// noted an item.
pub(in crate::jobs) async fn cancel(
    executor: &impl GenericClient,
    id: Uuid,
    halves: bool,
    now: Timestamp,
) -> Result<Option<Found>> {
    // Whoever notes an item locks the row: from here on there are no others.
    let lock = "select 1 from plinth.jobs where id = $1 for no key update";
    executor.query_typed(lock, &[uuid(&id)]).await.map_err(failure)?;
    let sql = format!(
        "update plinth.jobs
         set state = case state when 'queued' then 'cancelled' else state end, cancel_requested_at = $2, updated_at = $2
         where id = $1 and state in ('queued', 'running') and cancel_requested_at is null
           and ($3 or not exists (select from plinth.job_items i where i.job_id = jobs.id))
         returning {SUMMARY}, created_by, result"
    );
    let params = [uuid(&id), time(&now), (&halves as _, Type::BOOL)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(found))
}

/// Queues a job that is over without success; nothing for any other.
pub(in crate::jobs) async fn retry(executor: &impl GenericClient, id: Uuid, now: Timestamp) -> Result<Option<Found>> {
    let sql = format!(
        "update plinth.jobs
         set state = 'queued', last_attempt = attempts + $3, run_at = $2, cancel_requested_at = null,
           progress = 0, message = null, updated_at = $2
         where id = $1 and state in ('failed', 'cancelled')
         returning {SUMMARY}, created_by, result"
    );
    let params = [uuid(&id), time(&now), int4(&ATTEMPTS)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(found))
}

fn found(row: &Row) -> Found {
    let job = summary(row);
    Found {
        project: job.project_id,
        created_by: row.get::<_, Option<Uuid>>(12).map(UserId),
        view: JobView {
            job,
            result: row.get(13),
        },
    }
}

fn summary(row: &Row) -> JobSummary {
    JobSummary {
        id: row.get(0),
        kind: row.get(1),
        project_id: row.get::<_, Option<Uuid>>(2).map(ProjectId),
        state: row.get(3),
        progress: row.get(4),
        message: row.get(5),
        error: row.get(6),
        error_code: row.get(7),
        attempts: row.get(8),
        cancelling: row.get(9),
        created_at: row.get(10),
        updated_at: row.get(11),
    }
}
