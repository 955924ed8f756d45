//! All SQL of the setup's state.

use jiff::Timestamp;
use tokio_postgres::GenericClient;

use crate::app::App;
use crate::control::{failure, time, uuid};
use crate::error::Result;
use crate::ident::UserId;
use crate::tenancy::Caller;

/// How far somebody has come.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    /// When the introduction was acknowledged.
    pub(super) acknowledged: Option<Timestamp>,
    /// Which connection the tables were found behind, by when it was last changed.
    pub(super) verified: Option<Timestamp>,
}

pub(super) async fn progress(executor: &impl GenericClient, user: UserId) -> Result<Progress> {
    let sql = "select acknowledged_at, verified_connection from plinth.database_setups where user_id = $1";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.first().map_or(Progress::default(), |row| Progress {
        acknowledged: row.get(0),
        verified: row.get(1),
    }))
}

/// Keeps the introduction's acknowledgement; the first one counts.
pub(super) async fn acknowledge(executor: &impl GenericClient, user: UserId, now: Timestamp) -> Result<()> {
    let sql = "
        insert into plinth.database_setups as s (user_id, acknowledged_at, updated_at) values ($1, $2, $2)
        on conflict (user_id) do update
          set acknowledged_at = coalesce(s.acknowledged_at, excluded.acknowledged_at), updated_at = excluded.updated_at";
    let params = [uuid(&user.0), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Who connects a database knows what it is about.
pub(super) async fn note_acknowledged(app: &App, caller: &Caller) -> Result<()> {
    let client = app.control.get().await?;
    acknowledge(&*client, caller.user.id, app.clock.now()).await
}

/// Keeps that the tables were found behind the connection that was last changed then.
pub(super) async fn verified(
    executor: &impl GenericClient,
    user: UserId,
    connection: Timestamp,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.database_setups (user_id, acknowledged_at, verified_connection, updated_at)
        values ($1, $3, $2, $3)
        on conflict (user_id) do update
          set verified_connection = excluded.verified_connection, updated_at = excluded.updated_at";
    let params = [uuid(&user.0), time(&connection), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn reset(executor: &impl GenericClient, user: UserId) -> Result<()> {
    let sql = "delete from plinth.database_setups where user_id = $1";
    executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(())
}
