//! All SQL of exports.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::ask::Asked;
use crate::control::{bytes, failure, int8, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, Ref};
use crate::privacy::requests::Who;

/// An export as it is kept.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    /// The file's name where files are kept.
    pub object: String,
    /// How long the file is; none while it is not there.
    pub bytes: Option<i64>,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub fetched_at: Option<Timestamp>,
}

/// A link: digests of its token and of the address it works from.
pub(super) struct Link {
    pub token: Vec<u8>,
    pub address: Option<String>,
}

const COLUMNS: &str = "object, bytes, created_at, expires_at, fetched_at";

fn kept(row: &Row) -> Kept {
    Kept {
        object: row.get(0),
        bytes: row.get(1),
        created_at: row.get(2),
        expires_at: row.get(3),
        fetched_at: row.get(4),
    }
}

/// Keeps the row of an export that is to be made.
pub(super) async fn insert(
    executor: &impl GenericClient,
    id: Uuid,
    object: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "insert into plinth.exports (id, object, created_at, expires_at) values ($1, $2, $3, $4)";
    let params = [uuid(&id), text(&object), time(&now), time(&expires_at)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn find(executor: &impl GenericClient, id: Uuid) -> Result<Option<Kept>> {
    let sql = format!("select {COLUMNS} from plinth.exports where id = $1");
    let rows = executor.query_typed(&sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(rows.first().map(kept))
}

/// Notes that the file is there, and until when. False where nobody wants it any more: the export is past its term, or gone, or
/// the person is erased. Until the transaction ends nobody forgets who it is about.
pub(super) async fn made(
    executor: &impl GenericClient,
    id: Uuid,
    length: i64,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<bool> {
    let sql = "
        with wanted as (select id from plinth.privacy_requests where id = $1 and subject is not null for update)
        update plinth.exports e set bytes = $2, expires_at = $3 from wanted
        where e.id = wanted.id and e.expires_at > $4 returning 1";
    let params = [uuid(&id), int8(&length), time(&expires_at), time(&now)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(!rows.is_empty())
}

/// Puts a link in the place of the one before; until when it works, or none where there is no file to link to.
pub(super) async fn set_link(
    executor: &impl GenericClient,
    id: Uuid,
    link: &Link,
    now: Timestamp,
    until: Timestamp,
) -> Result<Option<Timestamp>> {
    let sql = "
        update plinth.exports
        set link_hash = $2, link_address = $3, link_expires_at = least($5, expires_at), fetched_at = null
        where id = $1 and bytes is not null and expires_at > $4
        returning link_expires_at";
    let params = [
        uuid(&id),
        bytes(&link.token),
        text(&link.address),
        time(&now),
        time(&until),
    ];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Uses a link up: of all who try at once one gets the export.
pub(super) async fn use_link(
    executor: &impl GenericClient,
    id: Uuid,
    link: &Link,
    now: Timestamp,
) -> Result<Option<Kept>> {
    let sql = format!(
        "update plinth.exports set fetched_at = $4
         where id = $1 and link_hash = $2 and link_address is not distinct from $3
           and fetched_at is null and link_expires_at > $4 and bytes is not null
         returning {COLUMNS}"
    );
    let params = [uuid(&id), bytes(&link.token), text(&link.address), time(&now)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(kept))
}

/// How a link stands.
pub(super) struct Standing {
    pub export: Kept,
    pub from_here: bool,
    pub over: bool,
}

/// How the link with that token stands; none when there is no such link.
pub(super) async fn link(
    executor: &impl GenericClient,
    id: Uuid,
    link: &Link,
    now: Timestamp,
) -> Result<Option<Standing>> {
    let sql = format!(
        "select {COLUMNS}, link_address is not distinct from $3, link_expires_at <= $4
         from plinth.exports where id = $1 and link_hash = $2"
    );
    let params = [uuid(&id), bytes(&link.token), text(&link.address), time(&now)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(|row| Standing {
        export: kept(row),
        from_here: row.get(5),
        over: row.get(6),
    }))
}

/// Exports that are past their term, whose request is gone with its project, or whose person is erased: id and file. The first
/// is the next one from that id on, round.
pub(super) async fn past(
    executor: &impl GenericClient,
    now: Timestamp,
    from: Uuid,
    most: i64,
) -> Result<Vec<(Uuid, String)>> {
    let sql = "
        select e.id, e.object from plinth.exports e
        where e.expires_at <= $1
          or not exists (select from plinth.privacy_requests r where r.id = e.id and r.subject is not null)
        order by e.id < $2, e.id limit $3";
    let params = [time(&now), uuid(&from), int8(&most)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
}

/// Ends an export's term: no link works any more, and whoever makes the file finds that nobody wants it. The name of its file,
/// if there is such an export.
pub(super) async fn end(executor: &impl GenericClient, id: Uuid, now: Timestamp) -> Result<Option<String>> {
    let sql = "
        update plinth.exports set expires_at = least(expires_at, $2), link_hash = null where id = $1 returning object";
    let rows = executor
        .query_typed(sql, &[uuid(&id), time(&now)])
        .await
        .map_err(failure)?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Removes an export's row, with the request for it.
pub(super) async fn delete(executor: &impl GenericClient, id: Uuid) -> Result<()> {
    let sql = "
        with gone as (delete from plinth.exports where id = $1)
        delete from plinth.privacy_requests where id = $1 and kind = 'export'";
    executor.query_typed(sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(())
}

/// Lets nobody else ask in that person's name until the transaction ends.
pub(super) async fn hold_own(executor: &impl GenericClient, project: ProjectId, user: Uuid) -> Result<()> {
    let sql = "select pg_advisory_xact_lock(hashtextextended('plinth.exports:' || $1::uuid || ':' || $2::uuid, 0))";
    let params = [uuid(&project.0), uuid(&user)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// The export that an end user has asked for themself and that waits for them, or that they asked for since that moment; the
/// last one first.
pub(super) async fn own(
    executor: &impl GenericClient,
    project: ProjectId,
    subject: &Who,
    now: Timestamp,
    since: Timestamp,
) -> Result<Option<Asked>> {
    let sql = "
        select r.job_id, r.id from plinth.privacy_requests r join plinth.exports e on e.id = r.id
        join plinth.jobs j on j.id = r.job_id
        where r.project_id = $1 and r.kind = 'export' and r.self and r.subject = $2 and e.expires_at > $3
          and (e.fetched_at is null or r.created_at > $4) and j.state in ('queued', 'running', 'succeeded')
        order by r.created_at desc limit 1";
    let subject = serde_json::to_value(subject).map_err(Error::internal)?;
    let params = [uuid(&project.0), json(&subject), time(&now), time(&since)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(|row| Asked {
        job_id: row.get(0),
        request_id: row.get(1),
    }))
}

/// A project's ref and name, unless it is deleted.
pub(super) async fn project(executor: &impl GenericClient, id: ProjectId) -> Result<Option<(Ref, String)>> {
    let sql = "select ref, name from plinth.projects where id = $1 and deleted_at is null";
    let rows = executor.query_typed(sql, &[uuid(&id.0)]).await.map_err(failure)?;
    let named = |row: &Row| Ok((row.get::<_, &str>(0).parse()?, row.get(1)));
    rows.first().map(named).transpose()
}
