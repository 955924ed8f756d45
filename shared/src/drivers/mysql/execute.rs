//! Runs a plan in one transaction. What may be tried again is, and what failed is put in words.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error as MyError, Row, Value};
use tokio::time::Instant;

use super::connect::{Held, Pool};
use super::text::params;
use super::{error, write};
use crate::backend::{Fut, Scope};
use crate::error::{Error, Result};
use crate::query::answer::Answer;
use crate::query::mysql::{self, Flavour, Statement, Total};
use crate::query::plan::Action;
use crate::query::{Counts, Plan};

/// How often a transaction that gave way to another one is tried.
const TRIES: usize = 3;

/// Why an attempt failed.
pub(super) enum Failure {
    /// As the client may see it; the transaction can be ended.
    Told(Error),
    /// The server refused a statement, or the connection broke.
    Server(MyError),
    /// There is more of an answer than anybody wants to read: the connection is closed.
    Abandoned(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Told(error)
    }
}

impl From<MyError> for Failure {
    fn from(error: MyError) -> Self {
        Self::Server(error)
    }
}

/// Runs a plan.
pub(super) async fn run(pool: &Pool, scope: &Scope, plan: &Plan) -> Result<Counts> {
    // The most capable of the engines; what the one at hand cannot do is refused when it is known.
    mysql::refuse(plan, Flavour::MariaDb)?;
    within(pool, scope, &Planned(plan))
        .await
        .map_err(|failed| match failed {
            MyFailure::Error(error) => error,
            MyFailure::Server(failed) if scope.read_only && error::stopped(&failed) => {
                error::too_late(true).with_source(failed)
            }
            MyFailure::Server(failed) => error::shown(failed, upserts(plan)),
        })
}

fn upserts(plan: &Plan) -> bool {
    matches!(plan.action, Action::Insert { conflict: Some(_), .. })
}

/// What is done in a transaction; several times, if need be.
pub(super) trait Work: Sync {
    /// What comes of it.
    type Outcome: Send;

    fn work<'a>(&'a self, conn: &'a mut Conn, flavour: Flavour) -> Fut<'a, Result<Self::Outcome, Failure>>;
}

struct Planned<'p>(&'p Plan);

impl Work for Planned<'_> {
    type Outcome = Counts;

    fn work<'a>(&'a self, conn: &'a mut Conn, flavour: Flavour) -> Fut<'a, Result<Counts, Failure>> {
        Box::pin(perform(conn, flavour, self.0))
    }
}

/// What is left of a [`Failure`] once the transaction is over.
pub(super) enum MyFailure {
    Error(Error),
    Server(MyError),
}

impl From<Error> for MyFailure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Does something in a transaction of the scope, within its deadline. A read whose connection broke is done once more on
/// another one; what gave way to another transaction is done anew.
pub(super) async fn within<W: Work>(pool: &Pool, scope: &Scope, work: &W) -> Result<W::Outcome, MyFailure> {
    let end = Instant::now() + scope.deadline;
    let (mut broken, mut tries) = (false, 0);
    loop {
        let mut held = pool.connect(end).await?;
        tries += 1;
        let mut committing = false;
        let done = tokio::time::timeout_at(end, transact(&mut held, scope, end, work, &mut committing)).await;
        let Ok(done) = done else {
            // Closed; the server stops by its own limit. Before the commit nothing can have been written.
            return Err(error::too_late(scope.read_only || !committing).into());
        };
        match done {
            Ok(value) => {
                held.give_back();
                return Ok(value);
            }
            Err(Failure::Told(error)) => {
                held.give_back();
                return Err(error.into());
            }
            Err(Failure::Abandoned(error)) => return Err(error.into()),
            Err(Failure::Server(failed)) if error::broke(&failed) => {
                drop(held);
                if scope.read_only && !broken {
                    broken = true;
                    continue;
                }
                return Err(if committing && !scope.read_only {
                    error::outcome_unknown().with_source(failed).into()
                } else {
                    error::unreachable(failed).into()
                });
            }
            Err(Failure::Server(failed)) => {
                held.give_back();
                if error::gave_way(&failed) && tries < TRIES && Instant::now() < end {
                    continue;
                }
                return Err(MyFailure::Server(failed));
            }
        }
    }
}

async fn transact<W: Work>(
    held: &mut Held,
    scope: &Scope,
    end: Instant,
    work: &W,
    committing: &mut bool,
) -> Result<W::Outcome, Failure> {
    let Some((conn, flavour)) = held.parts() else {
        return Err(Error::internal("no connection").into());
    };
    conn.query_drop(begin(scope, flavour, end)).await?;
    let done = async {
        if let Some(zone) = &scope.timezone {
            conn.exec_drop("set time_zone = ?", (zone.as_str(),)).await?;
        }
        work.work(&mut *conn, flavour).await
    }
    .await;
    match done {
        Ok(value) => {
            *committing = !scope.rollback;
            conn.query_drop(if scope.rollback { "rollback" } else { "commit" })
                .await?;
            Ok(value)
        }
        Err(Failure::Abandoned(error)) => Err(Failure::Abandoned(error)),
        Err(Failure::Server(failed)) if error::broke(&failed) => Err(Failure::Server(failed)),
        Err(failure) => {
            conn.query_drop("rollback").await?;
            Err(failure)
        }
    }
}

/// What a transaction begins with. Everything that an earlier one may have set is set anew.
fn begin(scope: &Scope, flavour: Flavour, end: Instant) -> String {
    let left = end
        .saturating_duration_since(Instant::now())
        .max(std::time::Duration::from_millis(1));
    let limit = match flavour {
        Flavour::MariaDb => format!("max_statement_time = {}", left.as_secs_f64()),
        // Of selects only; a write is cut off by our own deadline.
        Flavour::MySql => format!("max_execution_time = {}", left.as_millis()),
    };
    let locks = left.as_secs().max(1);
    let access = if scope.read_only { "read only" } else { "read write" };
    format!(
        "set session time_zone = '+00:00', {limit}, innodb_lock_wait_timeout = {locks}, {} = 0, {} = 0; \
         start transaction {access}",
        mysql::FOUND,
        mysql::DENIED
    )
}

async fn perform(conn: &mut Conn, flavour: Flavour, plan: &Plan) -> Result<Counts, Failure> {
    mysql::refuse(plan, flavour)?;
    match &plan.action {
        Action::Read => read(conn, flavour, plan).await,
        Action::Insert { .. } => write::insert(conn, flavour, plan).await,
        Action::Update { .. } => write::update(conn, plan).await,
        Action::Delete { .. } => write::delete(conn, plan).await,
        Action::Call(_) | Action::Mark { .. } => Err(Error::internal("a plan was not refused").into()),
    }
}

async fn read(conn: &mut Conn, flavour: Flavour, plan: &Plan) -> Result<Counts, Failure> {
    let read = mysql::read(plan)?;
    let (body, page_rows) = if plan.shows_rows() {
        let answer = rows(conn, plan, &read.rows).await?;
        (answer.body(plan)?, answer.count())
    } else {
        (None, number(conn, &read.rows).await?)
    };
    let total_rows = match &read.total {
        Some(Total::Counted(total)) => Some(number(conn, total).await?),
        Some(Total::Planned(matching)) => Some(planned(conn, flavour, matching).await?),
        None => None,
    };
    Ok(Counts {
        body,
        page_rows,
        total_rows,
        ..Counts::default()
    })
}

/// The rows of a statement, each one JSON text; read one by one, so that too many are noticed in time.
pub(super) async fn rows(conn: &mut Conn, plan: &Plan, statement: &Statement) -> Result<Answer, Failure> {
    let mut answer = Answer::of(plan);
    let mut result = conn
        .exec_iter(statement.sql.as_str(), params(&statement.params))
        .await?;
    while let Some(row) = result.next().await? {
        answer.add(first_text(row)).map_err(Failure::Abandoned)?;
    }
    drop(result);
    warned(conn).await?;
    Ok(answer)
}

fn first_text(mut row: Row) -> Option<Vec<u8>> {
    match row.take::<Value, _>(0) {
        Some(Value::Bytes(bytes)) => Some(bytes),
        _ => None,
    }
}

/// What would not fit is cut by the server, with a warning and no more.
pub(super) async fn warned(conn: &mut Conn) -> Result<(), Failure> {
    const CUT: [u16; 2] = [1260, 1301];
    const NO_JSON: std::ops::RangeInclusive<u16> = 4035..=4045;
    if conn.get_warnings() == 0 {
        return Ok(());
    }
    let warnings: Vec<(String, u16, String)> = conn.query("show warnings").await?;
    if warnings.iter().any(|(_, code, _)| CUT.contains(code)) {
        return Err(mysql::too_large(0).into());
    }
    if let Some((_, _, text)) = warnings.iter().find(|(_, code, _)| NO_JSON.contains(code)) {
        let message = "A JSON value of these rows is broken or too deep for the server";
        return Err(Error::invalid("22032", message).with_details(text.clone()).into());
    }
    Ok(())
}

/// How many rows the server expects.
async fn planned(conn: &mut Conn, flavour: Flavour, matching: &Statement) -> Result<u64, Failure> {
    let sql = format!("{}{}", mysql::explain(flavour), matching.sql);
    let rows: Vec<Row> = conn.exec(sql, params(&matching.params)).await?;
    // The first select; others ask whether there are rows of an embed.
    let of_rows = rows.iter().filter(|row| number_of(row, "id") == Some(1.0));
    let relations: Vec<_> = of_rows
        .map(|row| (number_of(row, "rows"), number_of(row, "filtered")))
        .collect();
    Ok(mysql::expected(&relations))
}

/// A cell as a number, whatever kind of number the server makes it.
fn number_of(row: &Row, name: &str) -> Option<f64> {
    match row.get::<Value, _>(name)? {
        // Neither is beyond what is exact by much, and both are guesses.
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        Value::Int(number) => Some(number as f64),
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        Value::UInt(number) => Some(number as f64),
        Value::Float(number) => Some(f64::from(number)),
        Value::Double(number) => Some(number),
        Value::Bytes(text) => std::str::from_utf8(&text).ok()?.parse().ok(),
        _ => None,
    }
}

async fn number(conn: &mut Conn, statement: &Statement) -> Result<u64, Failure> {
    let found: Option<u64> = conn
        .exec_first(statement.sql.as_str(), params(&statement.params))
        .await?;
    found.ok_or_else(|| Error::internal("nothing was counted").into())
}
