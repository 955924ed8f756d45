//! All SQL of receipts and their keys.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::ChainHead;
use crate::control::{bytes, failure, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::ProjectId;

/// A receipt.
pub(super) struct Kept {
    pub project: Option<ProjectId>,
    pub statement: Value,
    pub jws: String,
    pub token_hash: Option<Vec<u8>>,
}

pub(super) async fn insert(
    executor: &impl GenericClient,
    id: Uuid,
    project: Option<ProjectId>,
    statement: &Value,
    jws: &str,
    token_hash: Option<&[u8]>,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.receipts (id, project_id, statement, jws, token_hash, issued_at)
        values ($1, $2, $3, $4, $5, $6)";
    let project = project.map(|project| project.0);
    let params = [
        uuid(&id),
        uuid(&project),
        json(statement),
        text(&jws),
        bytes(&token_hash),
        time(&now),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn find(executor: &impl GenericClient, id: Uuid) -> Result<Option<Kept>> {
    let sql = "select project_id, statement, jws, token_hash from plinth.receipts where id = $1";
    let rows = executor.query_typed(sql, &[uuid(&id)]).await.map_err(failure)?;
    Ok(rows.first().map(|row| Kept {
        project: row.get::<_, Option<Uuid>>(0).map(ProjectId),
        statement: row.get(1),
        jws: row.get(2),
        token_hash: row.get(3),
    }))
}

/// The end of a project's chain, or with none the platform's.
pub(super) async fn chain_head(executor: &impl GenericClient, project: Option<ProjectId>) -> Result<ChainHead> {
    let sql = "
        select sequence, encode(hash, 'hex') from plinth.audit_log where chain = $1 order by sequence desc limit 1";
    let chain = project.map_or(Uuid::nil(), |project| project.0);
    let rows = executor.query_typed(sql, &[uuid(&chain)]).await.map_err(failure)?;
    let row = rows.first().ok_or_else(|| Error::internal("an audit chain is empty"))?;
    Ok(ChainHead {
        sequence: row.get(0),
        hash: row.get(1),
    })
}

/// The public halves of all keys, the one in use first.
pub(super) async fn public_keys(executor: &impl GenericClient) -> Result<Vec<Value>> {
    let sql = "select public_jwk from plinth.receipt_keys order by retired_at desc nulls first, created_at desc";
    let rows = executor.query_typed(sql, &[]).await.map_err(failure)?;
    Ok(rows.iter().map(|row| row.get(0)).collect())
}

/// The key in use: its id and sealed private half.
pub(super) async fn current_key(executor: &impl GenericClient) -> Result<Option<(String, Value)>> {
    let sql = "
        select k.kid, s.envelope from plinth.receipt_keys k
        join plinth.secrets s on s.project_id is null and s.purpose = 'receipt:' || k.kid
        where k.retired_at is null";
    let rows = executor.query_typed(sql, &[]).await.map_err(failure)?;
    Ok(rows.first().map(|row| (row.get(0), row.get(1))))
}

/// Adds a key's public half, unless there is a key by now. Waits for whoever is making one.
pub(super) async fn add_key(executor: &impl GenericClient, kid: &str, public: &Value, now: Timestamp) -> Result<bool> {
    let sql = "
        insert into plinth.receipt_keys (kid, public_jwk, created_at) values ($1, $2, $3)
        on conflict do nothing returning 1";
    let params = [text(&kid), json(public), time(&now)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(!rows.is_empty())
}

/// Adds its private half.
pub(super) async fn add_secret(
    executor: &impl GenericClient,
    id: Uuid,
    kid: &str,
    envelope: &Value,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.secrets (id, project_id, purpose, envelope, created_at, updated_at)
        values ($1, null, 'receipt:' || $2, $3, $4, $4)";
    let params = [uuid(&id), text(&kid), json(envelope), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
