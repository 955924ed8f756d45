//! Transactions over all that belongs to somebody: as long as they need, rows handed on as they come.

use std::pin::pin;

use futures_util::TryStreamExt;
use tokio::time::Instant;
use tokio_postgres::types::{FromSql, Type};
use tokio_postgres::{Error as PgError, Row};

use super::connect::{Held, Pool};
use super::settings::{self, IsolationLevel};
use super::statements::{How, ask};
use super::text::Text;
use super::{Kin, error};
use crate::backend::{Bound, BulkScope, BulkTransaction, Fut, Intake, Taker, TextRow};
use crate::error::{Error, Result};

/// Begins a transaction. Rows that policies keep from the role are an error and not left out: nobody is told that something
/// was all there is when it was not.
pub(super) async fn begin(pool: &Pool, scope: &BulkScope) -> Result<Box<dyn BulkTransaction>> {
    let end = Instant::now() + scope.deadline;
    let mut held = pool.connect(end).await?;
    let mut begun = prepare(&mut held, pool.kin, scope, end).await;
    if let Err(Begun::Broke(_)) = begun {
        // It died unheard while it lay idle; another one may live.
        held.spoil();
        held = pool.connect(end).await?;
        begun = prepare(&mut held, pool.kin, scope, end).await;
    }
    match begun {
        Ok(()) => Ok(Box::new(Transaction::new(held, pool.kin, scope, end))),
        Err(Begun::Broke(failed)) => Err(error::unreachable(failed)),
        Err(Begun::Refused(refused)) => Err(refused),
    }
}

/// Why a transaction did not begin.
enum Begun {
    Broke(PgError),
    Refused(Error),
}

async fn prepare(held: &mut Held, kin: Kin, scope: &BulkScope, end: Instant) -> Result<(), Begun> {
    let Some((client, _)) = held.parts() else {
        return Err(Begun::Refused(Error::internal("no connection")));
    };
    let level = match kin {
        // What is erased is what was counted, and what others add meanwhile to hang on it is not taken along unseen.
        Kin::Postgres => IsolationLevel::RepeatableRead,
        Kin::Cockroach => IsolationLevel::Serializable,
    };
    let settings = settings::values_for_bulk(kin, scope, end.saturating_duration_since(Instant::now()));
    let begun = async {
        client.batch_execute(settings::begin(level, scope.read_only)).await?;
        ask(client, How::Unnamed, settings.sql, &settings.params).await.rows?;
        // CockroachDB takes it too, also where it has no such policies yet.
        client.batch_execute("set local row_security = off").await
    };
    match tokio::time::timeout_at(end, begun).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failed)) if error::broke(&failed) => Err(Begun::Broke(failed)),
        Ok(Err(failed)) => Err(Begun::Refused(refused(failed))),
        Err(_) => Err(Begun::Refused(error::too_late(true))),
    }
}

/// An open transaction. After a failure its connection is gone, and with it all that was done.
struct Transaction {
    held: Option<Held>,
    kin: Kin,
    read_only: bool,
    end: Instant,
}

impl Transaction {
    fn new(held: Held, kin: Kin, scope: &BulkScope, end: Instant) -> Self {
        Self {
            held: Some(held),
            kin,
            read_only: scope.read_only,
            end,
        }
    }
}

impl BulkTransaction for Transaction {
    fn run<'a>(&'a mut self, statement: &'a Bound, taker: Taker<'a>) -> Fut<'a, Result<u64>> {
        Box::pin(run(self, statement, taker))
    }

    fn commit<'a>(self: Box<Self>) -> Fut<'a, Result<()>>
    where
        Self: 'a,
    {
        Box::pin(commit(*self))
    }
}

async fn run(transaction: &mut Transaction, statement: &Bound, taker: Taker<'_>) -> Result<u64> {
    let Some(mut held) = transaction.held.take() else {
        return Err(Error::internal("the transaction has failed before"));
    };
    let running = Box::pin(answer(&mut held, statement, taker));
    match tokio::time::timeout_at(transaction.end, running).await {
        Ok(Ok(count)) => {
            transaction.held = Some(held);
            Ok(count)
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => {
            Box::pin(held.cut_off()).await;
            Err(error::too_late(true))
        }
    }
}

async fn answer(held: &mut Held, statement: &Bound, taker: Taker<'_>) -> Result<u64> {
    let Some((client, _)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    let values = statement
        .params
        .iter()
        .map(|value| (Text(value.as_deref()), Type::TEXT));
    let answer = client.query_typed_raw(&statement.sql, values).await.map_err(refused)?;
    let mut answer = pin!(answer);
    let mut intake = Intake::of(taker);
    while let Some(row) = answer.try_next().await.map_err(refused)? {
        intake.row(|| texts(&row)).await?;
    }
    let count = intake.end().await?;
    // Of a `select` it is the number of its rows.
    Ok(answer.rows_affected().unwrap_or(count))
}

fn texts(row: &Row) -> Result<TextRow> {
    let cells = (0..row.len()).map(|at| row.try_get::<_, Option<Cell>>(at).map(|cell| cell.map(|cell| cell.0)));
    cells.collect::<Result<_, _>>().map_err(Error::internal)
}

/// A text of whatever type of texts.
struct Cell(String);

impl<'a> FromSql<'a> for Cell {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        String::from_sql(of, raw).map(Self)
    }

    fn accepts(of: &Type) -> bool {
        <String as FromSql>::accepts(of)
    }
}

async fn commit(mut transaction: Transaction) -> Result<()> {
    let read_only = transaction.read_only;
    let Some(mut held) = transaction.held.take() else {
        return Err(Error::internal("the transaction has failed before"));
    };
    let Some((client, _)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    let unheard = |failed| match read_only {
        true => error::unreachable(failed),
        false => error::outcome_unknown().with_source(failed),
    };
    match tokio::time::timeout_at(transaction.end, client.batch_execute("commit")).await {
        Ok(Ok(())) => {
            // Triggers have run in its session: who knows what they left there.
            held.spoil();
            Ok(())
        }
        Ok(Err(failed)) if transaction.kin == Kin::Cockroach && error::lost_sight(&failed) => Err(unheard(failed)),
        Ok(Err(failed)) if error::broke(&failed) => Err(unheard(failed)),
        Ok(Err(failed)) => Err(refused(failed)),
        Err(_) => {
            Box::pin(held.cut_off()).await;
            Err(error::too_late(read_only))
        }
    }
}

/// What failed before a commit: nothing of it stays.
fn refused(failed: PgError) -> Error {
    if error::broke(&failed) {
        return error::unreachable(failed);
    }
    if let Some(code) = error::gave_way(&failed) {
        return error::kept_giving_way(code, failed);
    }
    if error::cancelled(&failed) {
        return error::too_late(true);
    }
    error::without_values(failed)
}
