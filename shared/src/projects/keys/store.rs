//! All SQL of project keys.

use tokio_postgres::GenericClient;

use super::KeyView;
use crate::control::{bytes, failure, text, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};

pub(super) async fn count_live(executor: &impl GenericClient, project: ProjectId) -> Result<i64> {
    let sql = "select count(*) from plinth.keys where project_id = $1 and revoked_at is null";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
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
