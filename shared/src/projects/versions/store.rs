//! All SQL of the outbox.

use std::collections::{BTreeSet, HashSet};

use tokio_postgres::GenericClient;

use super::{Move, Target};
use crate::app::App;
use crate::control::{failure, int8, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, Ref};
use crate::tenancy::Cell;

pub(super) async fn bump(executor: &impl GenericClient, project: ProjectId) -> Result<i64> {
    let rows = executor
        .query_typed("select plinth.bump($1)", &[uuid(&project.0)])
        .await
        .map_err(failure)?;
    let version: Option<i64> = rows.first().and_then(|row| row.get(0));
    version.ok_or_else(|| Error::internal("a project that does not exist was moved"))
}

/// Deleted projects and backends included: requests that still remember them must hear of it too.
pub(super) async fn find_move(app: &App, project: ProjectId) -> Result<Option<Move>> {
    let sql = "
        select p.ref, p.version, b.tier, b.isolation, c.id, c.host, c.port, c.database
        from plinth.projects p
        left join plinth.backends b on b.project_id = p.id
        left join plinth.cells c on c.id = b.cell_id
        where p.id = $1";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let Some(first) = rows.first() else {
        return Ok(None);
    };
    let mut found = Move {
        reference: first.get::<_, &str>(0).parse()?,
        version: first.get(1),
        targets: HashSet::new(),
        ages: false,
    };
    for row in &rows {
        match (row.get::<_, Option<&str>>(2), row.get::<_, Option<&str>>(3), row.get(4)) {
            (Some("managed"), Some(isolation), Some(id)) => {
                found.targets.insert(Target {
                    cell: Cell {
                        id,
                        host: row.get(5),
                        port: u16::try_from(row.get::<_, i32>(6)).map_err(Error::internal)?,
                        database: row.get(7),
                    },
                    isolation: isolation.parse()?,
                });
            }
            (None, ..) => {}
            _ => found.ages = true,
        }
    }
    Ok(Some(found))
}

pub(super) async fn push_version(client: &impl GenericClient, reference: &Ref, version: i64) -> Result<()> {
    let reference = reference.as_str();
    let params = [text(&reference), int8(&version)];
    let sql = "select plinth.push_version($1, $2)";
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn mark_done(app: &App, project: ProjectId, version: i64) -> Result<()> {
    let now = app.clock.now();
    let sql = "
        update plinth.outbox set done_at = $3
        where project_id = $1 and version <= $2 and done_at is null";
    let client = app.control.get().await?;
    let params = [uuid(&project.0), int8(&version), time(&now)];
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// Claims rows that are due and sets when each may be tried again: after 2, 4, 8 … seconds, at most 5 minutes. No lock
/// is held while backends are dialled.
pub(super) async fn claim_open(app: &App, batch: i64) -> Result<BTreeSet<ProjectId>> {
    let now = app.clock.now();
    let sql = "
        with due as (
          select id from plinth.outbox
          where done_at is null and (retry_at is null or retry_at <= $1)
          order by id limit $2 for update skip locked
        )
        update plinth.outbox o
        set attempts = attempts + 1, retry_at = $1 + least(power(2, least(attempts, 10) + 1), 300) * interval '1 second'
        from due where o.id = due.id
        returning o.project_id";
    let client = app.control.get().await?;
    let rows = client
        .query_typed(sql, &[time(&now), int8(&batch)])
        .await
        .map_err(failure)?;
    Ok(rows.iter().map(|row| ProjectId(row.get(0))).collect())
}
