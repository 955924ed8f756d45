//! Deleted rows, table by table and batch by batch.

use jiff::Timestamp;
use tokio_postgres::error::SqlState;

use super::super::site::{Connection, Site};
use super::super::store;
use super::{Keeper, open, refusal};
use crate::control::{int8, text, time};
use crate::error::Result;
use crate::purge::Run;
use crate::schema::ddl;

/// Batches of one table in one run. What is left then is for the next one.
const ROUNDS: usize = 100;

/// What a run's report calls them.
const KIND: &str = "row";

/// Goes through all tables that keep deleted rows. In which order, the moment decides: a run that is cut off by its time
/// does not leave the same ones out each time.
pub(super) async fn purge(run: &mut Run<'_>, limit: i64) -> Result<()> {
    let (app, before) = (run.app(), run.before());
    let mut here: Option<(Site, Connection)> = None;
    for keeper in store::keepers(&*app.control.get().await?, before).await? {
        if !run.may_go_on(KIND) {
            return Ok(());
        }
        if here.as_ref().is_none_or(|(site, _)| site.id != keeper.backend) {
            here = None;
            match open(app, &keeper.reference, keeper.backend).await {
                Ok(opened) => here = Some(opened),
                Err(error) => run.kept(KIND, keeper.table, &error),
            }
        }
        let Some((site, connection)) = &mut here else { continue };
        let mut gone = 0;
        let outcome = table(site, connection, &keeper, (before, limit), &mut gone).await;
        if gone > 0 {
            run.counted(KIND, gone);
        }
        if let Err(error) = outcome {
            run.kept(KIND, keeper.table, &error);
        }
    }
    Ok(())
}

async fn table(
    site: &Site,
    connection: &mut Connection,
    keeper: &Keeper,
    (before, limit): (Timestamp, i64),
    gone: &mut u64,
) -> Result<()> {
    let mut held = None;
    let mut passed = 0;
    for _ in 0..ROUNDS {
        let batch = batch(site, connection, keeper, (before, limit, passed)).await?;
        *gone += batch.gone.unsigned_abs();
        passed += batch.held;
        held = batch.why.or(held);
        if batch.gone + batch.held < limit {
            break;
        }
    }
    held.map_or(Ok(()), Err)
}

/// What became of a batch.
#[derive(Default)]
struct Batch {
    gone: i64,
    /// Rows that others still refer to.
    held: i64,
    why: Option<crate::error::Error>,
}

async fn batch(
    site: &Site,
    connection: &mut Connection,
    keeper: &Keeper,
    (before, limit, passed): (Timestamp, i64, i64),
) -> Result<Batch> {
    let moved = site.moved(keeper.table)?;
    let place = match keeper.trashed {
        true => (&site.trash, &moved),
        false => (site.schema(), &keeper.name),
    };
    let transaction = connection.transaction().await.map_err(refusal::trouble)?;
    let settings = format!(
        "set local search_path = pg_catalog; set local statement_timeout = '30s'; set local lock_timeout = '3s';
         set local role {}; savepoint batch",
        site.owner().quoted()
    );
    transaction.batch_execute(&settings).await.map_err(refusal::trouble)?;
    let params = [time(&before), int8(&limit), int8(&passed)];
    let done = transaction.query_typed(&ddl::purge_rows(place), &params).await;
    let batch = match done {
        Ok(rows) => Batch {
            gone: rows.first().map_or(0, |row| row.get(0)),
            ..Batch::default()
        },
        Err(error) => match error.code() {
            // The table has gone aside, come back, or keeps its deleted rows no more: the next run knows.
            Some(&SqlState::UNDEFINED_TABLE | &SqlState::UNDEFINED_COLUMN) => return Ok(Batch::default()),
            Some(&SqlState::FOREIGN_KEY_VIOLATION) => {
                let [places, single] = ddl::purge_rows_singly(place);
                let back = transaction.batch_execute("rollback to savepoint batch").await;
                back.map_err(refusal::trouble)?;
                let rows = transaction
                    .query_typed(&places, &params)
                    .await
                    .map_err(refusal::trouble)?;
                let mut batch = Batch::default();
                for row in rows {
                    let at: String = row.get(0);
                    let saved = transaction.batch_execute("savepoint row").await;
                    saved.map_err(refusal::trouble)?;
                    match transaction.execute_typed(&single, &[text(&at)]).await {
                        Ok(_) => batch.gone += 1,
                        Err(error) => {
                            let back = transaction.batch_execute("rollback to savepoint row").await;
                            back.map_err(refusal::trouble)?;
                            batch.held += 1;
                            batch.why = Some(refusal::of(error));
                        }
                    }
                }
                batch
            }
            _ => return Err(refusal::of(error)),
        },
    };
    transaction.commit().await.map_err(refusal::trouble)?;
    Ok(batch)
}
