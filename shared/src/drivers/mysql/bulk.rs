//! Transactions over all that belongs to somebody: as long as they need, rows handed on as they come.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Error as MyError, Params, Row, Value};
use tokio::time::Instant;

use super::connect::{Held, Pool};
use super::error;
use super::execute::{Failure, warned};
use crate::backend::{Bound, BulkScope, BulkTransaction, Fut, Intake, Taker, TextRow};
use crate::error::{Error, Result};
use crate::query::mysql::Flavour;

/// Begins a transaction. There are no roles to take: the login is the user's own.
pub(super) async fn begin(pool: &Pool, scope: &BulkScope) -> Result<Box<dyn BulkTransaction>> {
    let end = Instant::now() + scope.deadline;
    let mut held = pool.connect(end).await?;
    let mut begun = prepare(&mut held, scope, end).await?;
    if matches!(&begun, Err(failed) if error::broke(failed)) {
        // It died unheard while it lay idle; another one may live.
        held = pool.connect(end).await?;
        begun = prepare(&mut held, scope, end).await?;
    }
    begun.map_err(refused)?;
    Ok(Box::new(Transaction {
        held: Some(held),
        read_only: scope.read_only,
        end,
    }))
}

async fn prepare(held: &mut Held, scope: &BulkScope, end: Instant) -> Result<Result<(), MyError>> {
    let Some((conn, flavour)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    let left = end
        .saturating_duration_since(Instant::now())
        .max(std::time::Duration::from_millis(1));
    let limit = match flavour {
        Flavour::MariaDb => format!("max_statement_time = {}", left.as_secs_f64()),
        // Of selects only; a write is cut off by our own deadline.
        Flavour::MySql => format!("max_execution_time = {}", left.as_millis()),
    };
    let seconds = left.as_secs().max(1);
    // Where something is changed, what was counted before is held: nobody adds rows that would go along unseen. A slow taker
    // of rows is waited for.
    let (level, begin) = match scope.read_only {
        true => (
            "repeatable read",
            "start transaction with consistent snapshot, read only",
        ),
        false => ("serializable", "start transaction read write"),
    };
    let sql = format!(
        "set session time_zone = '+00:00', {limit}, innodb_lock_wait_timeout = {seconds}, net_write_timeout = {seconds}; \
         set transaction isolation level {level}; {begin}"
    );
    match tokio::time::timeout_at(end, conn.query_drop(sql)).await {
        Ok(begun) => Ok(begun),
        Err(_) => Err(error::too_late(true)),
    }
}

/// An open transaction. After a failure its connection is gone, and with it all that was done.
struct Transaction {
    held: Option<Held>,
    read_only: bool,
    end: Instant,
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
        Ok(Err(Failure::Told(told) | Failure::Abandoned(told))) => Err(told),
        Ok(Err(Failure::Server(failed))) => Err(refused(failed)),
        // Closed; the server stops by its own limit.
        Err(_) => Err(error::too_late(true)),
    }
}

async fn answer(held: &mut Held, statement: &Bound, taker: Taker<'_>) -> Result<u64, Failure> {
    let Some((conn, _)) = held.parts() else {
        return Err(Error::internal("no connection").into());
    };
    let mut answer = conn.exec_iter(statement.sql.as_str(), params(statement)).await?;
    let mut intake = Intake::of(taker);
    let mut has_rows = false;
    while let Some(row) = answer.next().await? {
        has_rows = true;
        intake.row(|| texts(row)).await?;
    }
    let changed = answer.affected_rows();
    has_rows |= !answer.columns_ref().is_empty();
    drop(answer);
    // What would not fit into a packet is null, with a warning and no more.
    warned(conn).await?;
    let count = intake.end().await?;
    Ok(if has_rows { count } else { changed })
}

fn params(statement: &Bound) -> Params {
    if statement.params.is_empty() {
        return Params::Empty;
    }
    let value = |text: &Option<String>| match text {
        Some(text) => Value::Bytes(text.clone().into_bytes()),
        None => Value::NULL,
    };
    Params::Positional(statement.params.iter().map(value).collect())
}

fn texts(row: Row) -> Result<TextRow> {
    let text = |value| match value {
        Some(Value::NULL) => Ok(None),
        Some(Value::Bytes(bytes)) => String::from_utf8(bytes).map(Some).map_err(Error::internal),
        Some(Value::Int(number)) => Ok(Some(number.to_string())),
        Some(Value::UInt(number)) => Ok(Some(number.to_string())),
        _ => Err(Error::internal("a column is no text")),
    };
    row.unwrap_raw().into_iter().map(text).collect()
}

async fn commit(mut transaction: Transaction) -> Result<()> {
    let read_only = transaction.read_only;
    let Some(mut held) = transaction.held.take() else {
        return Err(Error::internal("the transaction has failed before"));
    };
    let Some((conn, _)) = held.parts() else {
        return Err(Error::internal("no connection"));
    };
    match tokio::time::timeout_at(transaction.end, conn.query_drop("commit")).await {
        // The connection is closed: its session has settings of this transaction.
        Ok(Ok(())) => Ok(()),
        Ok(Err(failed)) if error::broke(&failed) && !read_only => Err(error::outcome_unknown().with_source(failed)),
        Ok(Err(failed)) => Err(refused(failed)),
        Err(_) => Err(error::too_late(read_only)),
    }
}

/// What failed before a commit: nothing of it stays.
fn refused(failed: MyError) -> Error {
    if error::broke(&failed) {
        return error::unreachable(failed);
    }
    if error::stopped(&failed) {
        return error::too_late(true);
    }
    error::without_values(failed)
}
