//! All SQL of project keys.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row};

use super::KeyView;
use crate::app::App;
use crate::control::page::Page;
use crate::control::{bytes, failure, int8, text, time, uuid};
use crate::error::Result;
use crate::ident::{KeyId, ProjectId, UserId};

const COLUMNS: &str = "id, class, name, hint, created_at, last_used_at, expires_at, revoked_at, replaced_by";

fn view(row: &Row) -> Result<KeyView> {
    Ok(KeyView {
        id: KeyId(row.get(0)),
        class: row.get::<_, &str>(1).parse()?,
        name: row.get(2),
        hint: row.get(3),
        created_at: row.get(4),
        last_used_at: row.get(5),
        expires_at: row.get(6),
        revoked_at: row.get(7),
        replaced_by: row.get::<_, Option<uuid::Uuid>>(8).map(KeyId),
    })
}

pub(super) async fn list(app: &App, project: ProjectId, page: &Page) -> Result<Vec<KeyView>> {
    let sql = format!(
        "select {COLUMNS} from plinth.keys
         where project_id = $1 and ($2::timestamptz is null or (created_at, id) < ($2, $3))
         order by created_at desc, id desc limit $4"
    );
    let (at, id) = page.after.map(|place| (place.0, place.1)).unzip();
    let limit = page.fetched();
    let params = [uuid(&project.0), time(&at), uuid(&id), int8(&limit)];
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    rows.iter().map(view).collect()
}

pub(super) async fn find(executor: &impl GenericClient, project: ProjectId, key: KeyId) -> Result<Option<KeyView>> {
    let sql = format!("select {COLUMNS} from plinth.keys where project_id = $1 and id = $2");
    let params = [uuid(&project.0), uuid(&key.0)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(view).transpose()
}

pub(super) async fn revoke(executor: &impl GenericClient, key: KeyId, now: Timestamp) -> Result<()> {
    let sql = "update plinth.keys set revoked_at = $2 where id = $1 and revoked_at is null";
    let params = [uuid(&key.0), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Whether there was a revoked key to bring back.
pub(super) async fn restore(executor: &impl GenericClient, key: KeyId) -> Result<bool> {
    let sql = "update plinth.keys set revoked_at = null where id = $1 and revoked_at is not null returning true";
    let rows = executor.query_typed(sql, &[uuid(&key.0)]).await.map_err(failure)?;
    Ok(!rows.is_empty())
}

pub(super) async fn replace(
    executor: &impl GenericClient,
    old: KeyId,
    new: KeyId,
    expires_at: Timestamp,
) -> Result<()> {
    let sql = "
        update plinth.keys set replaced_by = $2, expires_at = least(expires_at, $3) where id = $1";
    let params = [uuid(&old.0), uuid(&new.0), time(&expires_at)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn count_live(executor: &impl GenericClient, project: ProjectId, now: Timestamp) -> Result<i64> {
    let sql = "
        select count(*) from plinth.keys
        where project_id = $1 and revoked_at is null and (expires_at is null or expires_at > $2)";
    let params = [uuid(&project.0), time(&now)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

pub(super) async fn insert(
    executor: &impl GenericClient,
    project: ProjectId,
    key: &KeyView,
    hash: &Vec<u8>,
    created_by: Option<UserId>,
) -> Result<()> {
    let sql = "
        insert into plinth.keys (id, project_id, class, name, hash, hint, created_by, created_at, expires_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let (class, created_by) = (key.class.as_str(), created_by.map(|user| user.0));
    let params = [
        uuid(&key.id.0),
        uuid(&project.0),
        text(&class),
        text(&key.name),
        bytes(hash),
        text(&key.hint),
        uuid(&created_by),
        time(&key.created_at),
        time(&key.expires_at),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
