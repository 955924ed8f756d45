//! Runs a plan: one transaction, one network round trip.

use futures_util::future::{OptionFuture, join, join5};
use tokio::time::Instant;
use tokio_postgres::{Client, Error as PgError, Row};

use super::connect::{Held, Pool};
use super::error;
use super::settings::{self, Settings};
use super::statements::{Answer, How, Statements, ask};
use crate::backend::{Routine, STALE, Scope};
use crate::error::{Error, Result};
use crate::query::postgres::render;
use crate::query::{Counts, Plan};

const CHECK: &str = "select plinth.check_version($1, $2, $3)";

/// A statement with its parameters.
pub(super) struct Query<'a> {
    pub(super) sql: &'a str,
    pub(super) params: &'a [Option<String>],
}

/// One transaction, as it is sent.
pub(super) struct Transaction<'a> {
    pub(super) read_only: bool,
    pub(super) rollback: bool,
    /// The settings, all local to it.
    pub(super) settings: Settings,
    /// What runs as the role before the query.
    pub(super) before: Option<String>,
    pub(super) query: Option<Query<'a>>,
    /// Parameters of the version check.
    pub(super) check: Option<Vec<Option<String>>>,
}

/// How far a transaction came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Begin,
    Settings,
    Query,
    End,
}

/// Runs a plan.
pub(super) async fn run(pool: &Pool, scope: &Scope, plan: &Plan) -> Result<Counts> {
    let end = Instant::now() + scope.deadline;
    let rendered = render(plan, &scope.marker);
    let query = || Query {
        sql: &rendered.sql,
        params: &rendered.params,
    };
    let once = || attempt(pool, scope, query(), end);
    let rows = match once().await {
        Err(Failure::Broken) if scope.read_only => once().await,
        outcome => outcome,
    };
    counts(&rows.map_err(|failure| failure.told(scope))?)
}

/// Whether the scope's versions are the present ones.
pub(super) async fn check(pool: &Pool, scope: &Scope) -> Result<()> {
    if !scope.place.versioned {
        return Ok(());
    }
    let end = Instant::now() + scope.deadline;
    let mut held = pool.connect(end).await?;
    let checked = tokio::time::timeout_at(end, verify(&mut held, pool.named, scope, scope.role_setting(), end)).await;
    match checked {
        Ok(current) => {
            held.give_back();
            if current { Ok(()) } else { Err(error::stale()) }
        }
        Err(_) => {
            held.cut_off().await;
            Err(error::too_late(true))
        }
    }
}

/// Why an attempt failed.
enum Failure {
    /// The connection broke. Nothing is known of what became of it.
    Broken,
    /// For good.
    Final(Error),
}

impl Failure {
    fn told(self, scope: &Scope) -> Error {
        match self {
            Self::Broken if scope.read_only => error::unreachable("the connection broke twice"),
            Self::Broken => error::outcome_unknown(),
            Self::Final(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

async fn attempt(pool: &Pool, scope: &Scope, query: Query<'_>, end: Instant) -> Result<Vec<Row>, Failure> {
    let mut held = pool.connect(end).await?;
    // Boxed, here and below: futures of many layers would fill a small thread's stack.
    let running = Box::pin(transact(&mut held, pool.named, scope, &query, end));
    let done = tokio::time::timeout_at(end, running).await;
    match done {
        Ok(outcome) => {
            held.give_back();
            outcome
        }
        Err(_) => {
            held.cut_off().await;
            Err(error::too_late(scope.read_only).into())
        }
    }
}

async fn transact(
    held: &mut Held,
    named: bool,
    scope: &Scope,
    query: &Query<'_>,
    end: Instant,
) -> Result<Vec<Row>, Failure> {
    let transaction = Transaction {
        read_only: scope.read_only,
        rollback: scope.rollback,
        settings: settings::values(scope, scope.role_setting(), left(end)),
        before: scope.own.as_ref().and_then(|own| own.pre_request.as_ref()).map(call),
        query: Some(Query { ..*query }),
        check: scope.place.versioned.then(|| check_params(scope)),
    };
    let (step, failed) = match exchange(held, named, &transaction).await {
        Ok(rows) => return Ok(rows),
        Err(failed) => failed,
    };
    if error::broke(&failed) {
        let written_nothing = error::ended_by_server(&failed) && step != Step::End;
        return Err(if written_nothing && !scope.read_only {
            error::unreachable(failed).into()
        } else {
            Failure::Broken
        });
    }
    if step == Step::Begin {
        // Cancelled from outside, or a timeout that somebody left in the session: what followed ran without a
        // transaction, as the bare login. Whatever that came to, it is not what was asked for.
        held.spoil();
        return Err(if scope.read_only {
            error::unreachable(failed).into()
        } else {
            error::outcome_unknown().with_source(failed).into()
        });
    }
    // What the database refused on an old plan is no answer either.
    if scope.place.versioned && error::may_be_stale(&failed) && failed.code().is_some_and(|code| code.code() != STALE) {
        let role = if step == Step::Settings {
            "none"
        } else {
            scope.role_setting()
        };
        if !verify(held, named, scope, role, end).await {
            return Err(error::stale().with_source(failed).into());
        }
    }
    Err(error::shown(failed, &scope.marker, scope.anonymous).into())
}

/// Whether the scope's versions are the present ones, as far as can be told.
async fn verify(held: &mut Held, named: bool, scope: &Scope, role: &str, end: Instant) -> bool {
    let transaction = Transaction {
        read_only: true,
        rollback: false,
        settings: settings::values(scope, role, left(end)),
        before: None,
        query: None,
        check: Some(check_params(scope)),
    };
    match exchange(held, named, &transaction).await {
        Ok(_) => true,
        Err((_, failed)) => failed.code().is_none_or(|state| state.code() != STALE),
    }
}

/// The call of a function without arguments, for its effects.
fn call(routine: &Routine) -> String {
    match &routine.schema {
        Some(schema) => format!("select {}.{}()", schema.quoted(), routine.name.quoted()),
        None => format!("select {}()", routine.name.quoted()),
    }
}

fn left(end: Instant) -> std::time::Duration {
    end.saturating_duration_since(Instant::now())
}

fn check_params(scope: &Scope) -> Vec<Option<String>> {
    let (control, schema) = scope.versions;
    [
        scope.place.reference.to_string(),
        control.to_string(),
        schema.to_string(),
    ]
    .map(Some)
    .into()
}

/// Sends a transaction and waits for all of it. Afterwards the connection is out of the transaction, whatever failed: the
/// end was sent with the rest, and ends a failed transaction as well.
pub(super) async fn exchange(
    held: &mut Held,
    named: bool,
    transaction: &Transaction<'_>,
) -> Result<Vec<Row>, (Step, PgError)> {
    let Some((client, statements)) = held.parts() else {
        return Ok(Vec::new());
    };
    match send(client, named.then_some(&mut *statements), transaction).await {
        // A name is gone: all were. Nothing has happened, so everything is sent once more without names.
        Err((_, failed)) if error::lost_name(&failed) => {
            statements.clear();
            send(client, None, transaction).await
        }
        outcome => outcome,
    }
}

async fn send(
    client: &Client,
    mut statements: Option<&mut Statements>,
    transaction: &Transaction<'_>,
) -> Result<Vec<Row>, (Step, PgError)> {
    let mut how = |sql: &str, always: bool| match (&mut statements, always) {
        (None, _) => How::Unnamed,
        (Some(statements), true) => statements.how_always(sql),
        (Some(statements), false) => statements.how(sql),
    };
    let settings = Box::pin(ask(
        client,
        how(transaction.settings.sql, true),
        transaction.settings.sql,
        &transaction.settings.params,
    ));
    let before = transaction.before.as_deref();
    let before = OptionFuture::from(before.map(|sql| Box::pin(ask(client, how(sql, false), sql, &[]))));
    let query = transaction.query.as_ref();
    let query =
        OptionFuture::from(query.map(|query| Box::pin(ask(client, how(query.sql, false), query.sql, query.params))));
    let check = transaction.check.as_ref();
    let check = OptionFuture::from(check.map(|params| Box::pin(ask(client, how(CHECK, true), CHECK, params))));
    let end = if transaction.rollback { "rollback" } else { "commit" };

    // They are polled, and so sent, in this order. An error aborts all that follows and `commit` then reports success:
    // the first error is the one that counts.
    let begun = client.batch_execute(settings::begin(transaction.read_only));
    let prepared = join(settings, before);
    let (begun, (set, called), answer, checked, ended) =
        join5(begun, prepared, query, check, client.batch_execute(end)).await;
    begun.map_err(|error| (Step::Begin, error))?;
    let set = set.map_err(|error| (Step::Settings, error))?;
    let called = called.transpose().map_err(|error| (Step::Query, error))?;
    let answer = answer.transpose().map_err(|error| (Step::Query, error))?;
    let checked = checked.transpose().map_err(|error| (Step::Query, error))?;
    ended.map_err(|error| (Step::End, error))?;

    let mut rows = Vec::new();
    let sql = transaction.query.as_ref().map_or("", |query| query.sql);
    let mut keep = |sql: &str, answer: Answer| {
        if let Some(statements) = &mut statements {
            statements.keep(sql, answer.named);
        }
        answer.rows
    };
    keep(transaction.settings.sql, set);
    if let (Some(sql), Some(called)) = (&transaction.before, called) {
        keep(sql, called);
    }
    if let Some(answer) = answer {
        rows = keep(sql, answer);
    }
    if let Some(checked) = checked {
        keep(CHECK, checked);
    }
    Ok(rows)
}

/// The one row of a rendered statement.
fn counts(rows: &[Row]) -> Result<Counts> {
    let read = |row: &Row| -> Result<Counts, PgError> {
        Ok(Counts {
            body: row.try_get("body")?,
            page_rows: row.try_get::<_, i64>("page_rows")?.unsigned_abs(),
            total_rows: row.try_get::<_, Option<i64>>("total_rows")?.map(i64::unsigned_abs),
            inserted: row.try_get("inserted")?,
            location: row.try_get("location")?,
            response_headers: row.try_get("response_headers")?,
            response_status: row.try_get("response_status")?,
        })
    };
    let row = rows
        .first()
        .ok_or_else(|| Error::internal("the statement answered no row"))?;
    read(row).map_err(Error::internal)
}
