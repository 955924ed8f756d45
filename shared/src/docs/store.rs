//! All SQL of documents.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::{Version, VersionView};
use crate::app::App;
use crate::control::page::Page;
use crate::control::{failure, int4, int8, text, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};
use crate::tenancy::not_found;

const COLUMNS: &str = "id, project_id, number, origin, based_on, change_summary, author, created_at";

fn view(row: &Row) -> Result<VersionView> {
    Ok(VersionView {
        version_id: row.get(0),
        project_id: ProjectId(row.get(1)),
        number: row.get(2),
        origin: row.get::<_, &str>(3).parse()?,
        based_on: row.get(4),
        change_summary: row.get(5),
        author: row.get::<_, Option<Uuid>>(6).map(UserId),
        created_at: row.get(7),
    })
}

fn version(row: &Row) -> Result<Version> {
    Ok(Version {
        view: view(row)?,
        content: row.get(8),
    })
}

pub(super) async fn versions(app: &App, project: ProjectId, page: &Page) -> Result<Vec<VersionView>> {
    let sql = format!(
        "select {COLUMNS} from plinth.document_versions
         where project_id = $1 and deleted_at is null and ($2::uuid is null or number <
           (select last.number from plinth.document_versions last where last.project_id = $1 and last.id = $2))
         order by number desc limit $3"
    );
    // The cursor's time is not asked for: numbers tell the order even where clocks do not.
    let (after, fetched) = (page.after.map(|after| after.1), page.fetched());
    let params = [uuid(&project.0), uuid(&after), int8(&fetched)];
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    rows.iter().map(view).collect()
}

/// Locks a project that is not deleted until the transaction ends.
pub(super) async fn lock(executor: &impl GenericClient, project: ProjectId) -> Result<()> {
    let sql = "select 1 from plinth.projects where id = $1 and deleted_at is null for no key update";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(|_| ()).ok_or_else(not_found)
}

pub(super) async fn next_number(executor: &impl GenericClient, project: ProjectId) -> Result<i32> {
    let sql = "
        update plinth.projects set document_number = document_number + 1 where id = $1 returning document_number";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(|row| row.get(0)).ok_or_else(not_found)
}

pub(super) async fn count(executor: &impl GenericClient, project: ProjectId) -> Result<i64> {
    let sql = "select count(*) from plinth.document_versions where project_id = $1 and deleted_at is null";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

/// What that job has made, deleted or not.
pub(super) async fn of_job(executor: &impl GenericClient, project: ProjectId, job: Uuid) -> Result<Option<Version>> {
    let sql = format!("select {COLUMNS}, content from plinth.document_versions where project_id = $1 and job_id = $2");
    let params = [uuid(&project.0), uuid(&job)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(version).transpose()
}

pub(super) async fn latest(executor: &impl GenericClient, project: ProjectId) -> Result<Option<Version>> {
    let sql = format!(
        "select {COLUMNS}, content from plinth.document_versions
         where project_id = $1 and deleted_at is null order by number desc limit 1"
    );
    let rows = executor.query_typed(&sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(version).transpose()
}

/// The latest without its text.
pub(super) async fn latest_view(executor: &impl GenericClient, project: ProjectId) -> Result<Option<VersionView>> {
    let sql = format!(
        "select {COLUMNS} from plinth.document_versions
         where project_id = $1 and deleted_at is null order by number desc limit 1"
    );
    let rows = executor.query_typed(&sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(view).transpose()
}

/// The version that was the latest before that one.
pub(super) async fn before(executor: &impl GenericClient, project: ProjectId, number: i32) -> Result<Option<Version>> {
    let sql = format!(
        "select {COLUMNS}, content from plinth.document_versions
         where project_id = $1 and deleted_at is null and number < $2 order by number desc limit 1"
    );
    let params = [uuid(&project.0), int4(&number)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(version).transpose()
}

pub(super) async fn find(executor: &impl GenericClient, project: ProjectId, id: Uuid) -> Result<Option<Version>> {
    let sql = format!(
        "select {COLUMNS}, content from plinth.document_versions
         where project_id = $1 and id = $2 and deleted_at is null"
    );
    let params = [uuid(&project.0), uuid(&id)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(version).transpose()
}

pub(super) async fn insert(
    executor: &impl GenericClient,
    new: &VersionView,
    content: &str,
    job: Option<Uuid>,
) -> Result<()> {
    let sql = "
        insert into plinth.document_versions
          (id, project_id, number, origin, based_on, change_summary, author, created_at, content, job_id)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let (origin, author) = (new.origin.as_str(), new.author.map(|author| author.0));
    let params = [
        uuid(&new.version_id),
        uuid(&new.project_id.0),
        int4(&new.number),
        text(&origin),
        uuid(&new.based_on),
        text(&new.change_summary),
        uuid(&author),
        time(&new.created_at),
        text(&content),
        uuid(&job),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// A version with the time of its deletion.
pub(super) async fn find_even_deleted(
    executor: &impl GenericClient,
    project: ProjectId,
    id: Uuid,
) -> Result<Option<(Version, Option<Timestamp>)>> {
    let sql = format!(
        "select {COLUMNS}, content, deleted_at from plinth.document_versions where project_id = $1 and id = $2"
    );
    let params = [uuid(&project.0), uuid(&id)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(|row| Ok((version(row)?, row.get(9)))).transpose()
}

/// Deletes or restores; false where it is so already.
pub(super) async fn set_deleted(
    executor: &impl GenericClient,
    project: ProjectId,
    id: Uuid,
    at: Option<Timestamp>,
) -> Result<bool> {
    let sql = "
        update plinth.document_versions set deleted_at = $3
        where project_id = $1 and id = $2 and (deleted_at is null) = ($3 is not null) returning true";
    let params = [uuid(&project.0), uuid(&id), time(&at)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(!rows.is_empty())
}
