//! Runs a plan: one transaction, one network round trip.

use bytes::Bytes;
use futures_util::future::{OptionFuture, join, join3, join5};
use tokio::time::Instant;
use tokio_postgres::{Client, Error as PgError, Row};

use super::connect::{Held, Pool};
use super::error;
use super::settings::{self, Settings};
use super::statements::{Answer, How, Statements, Which, ask};
use super::text::Raw;
use crate::backend::{Routine, Scope};
use crate::error::{Error, Result};
use crate::query::postgres::{Rendered, estimate, in_clients_words, render};
use crate::query::{self, Counts, Plan};

const CHECK: &str = "select plinth.check_version($1, $2, $3)";
/// The reply's body is the first column, see [`crate::query::postgres::COLUMNS`].
const BODY: usize = 0;

/// A statement with its parameters.
pub(super) struct Query<'a> {
    pub(super) sql: &'a str,
    pub(super) params: &'a [Option<String>],
    /// What runs right behind it; its rows follow.
    pub(super) estimate: Option<&'a Rendered>,
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

impl Transaction<'_> {
    fn estimate(&self) -> Option<&Rendered> {
        self.query.as_ref()?.estimate
    }

    /// Whether a stale plan must undo what the query did: the check then runs before the end.
    fn checks_before_end(&self) -> bool {
        self.check.is_some() && !(self.read_only && self.query.is_some())
    }

    /// Whether the check runs behind the end, where it is answered even if the query failed: what was refused on an old
    /// plan is no answer. A read has nothing to undo, so this one check is enough for it.
    fn checks_after_end(&self) -> bool {
        self.check.is_some() && self.query.is_some()
    }
}

/// How far a transaction came before it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Step {
    Begin,
    Settings,
    Query,
    End,
}

/// What became of a transaction.
struct Outcome {
    /// The query's rows, or what failed first.
    rows: Result<Vec<Row>, (Step, PgError)>,
    /// What the check behind the end said.
    check: Option<Result<(), PgError>>,
}

/// Runs a plan.
pub(super) async fn run(pool: &Pool, scope: &Scope, plan: &Plan) -> Result<Counts> {
    let rendered = render(plan, &scope.marker);
    let query = Query {
        sql: &rendered.sql,
        params: &rendered.params,
        estimate: rendered.explain.as_deref(),
    };
    let rows = rows(pool, scope, &query).await;
    let rows = rows.map_err(|error| in_clients_words(plan, error))?;
    match plan.accept.explain {
        Some(_) => explained(&rows),
        None => {
            let estimated = rows.get(1).map(told).transpose()?;
            let counts = counts(rows)?;
            Ok(match estimated {
                Some(estimated) => query::with_estimate(plan, counts, estimated),
                None => counts,
            })
        }
    }
}

/// The number of rows that the answer to [`Rendered::explain`] tells.
fn told(row: &Row) -> Result<u64> {
    let plan = row.try_get::<_, Raw<'_>>(0).map_err(Error::internal)?.0;
    estimate(&String::from_utf8_lossy(plan)).ok_or_else(|| Error::internal("a plan tells no number of rows"))
}

/// Runs a query as a request.
pub(super) async fn rows(pool: &Pool, scope: &Scope, query: &Query<'_>) -> Result<Vec<Row>> {
    let end = Instant::now() + scope.deadline;
    let once = || attempt(pool, scope, Query { ..*query }, end);
    let rows = match once().await {
        Err(Failure::Broken) if scope.read_only => once().await,
        outcome => outcome,
    };
    rows.map_err(|failure| failure.told(scope))
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
    let Outcome { rows, check } = converse(held, named, &transaction).await;
    let (step, failed) = match rows {
        Ok(rows) => {
            // What was written on a plan that was current is written, whatever has happened since.
            if scope.read_only
                && let Some(Err(failed)) = check
            {
                still_current(held, named, scope, failed, end).await?;
            }
            return Ok(rows);
        }
        Err(failed) => failed,
    };
    if error::broke(&failed) {
        let written_nothing = error::ended_by_server(&failed) && step < Step::End;
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
    if scope.place.versioned && error::may_be_stale(&failed) && !error::is_stale(&failed) {
        let role = if step == Step::Settings {
            "none"
        } else {
            scope.role_setting()
        };
        let current = match check {
            Some(Ok(())) => true,
            Some(Err(failed)) if error::is_stale(&failed) => false,
            _ => verify(held, named, scope, role, end).await,
        };
        if !current {
            return Err(error::stale().with_source(failed).into());
        }
    }
    Err(error::shown(failed, &scope.marker, scope.anonymous).into())
}

/// What to make of a check behind a read that `failed`: unless it says that the plan is stale, it failed for a reason of
/// its own (it runs as the login, with whatever a tenant's code left in the session), and is made as everything else is.
async fn still_current(
    held: &mut Held,
    named: bool,
    scope: &Scope,
    failed: PgError,
    end: Instant,
) -> Result<(), Failure> {
    let failed = match error::is_stale(&failed) || error::broke(&failed) {
        true => failed,
        false => match exchange(held, named, &checking(scope, scope.role_setting(), end)).await {
            Ok(_) => return Ok(()),
            Err((_, failed)) => failed,
        },
    };
    Err(if error::broke(&failed) {
        Failure::Broken
    } else {
        error::shown(failed, &scope.marker, scope.anonymous).into()
    })
}

/// Whether the scope's versions are the present ones, as far as can be told.
async fn verify(held: &mut Held, named: bool, scope: &Scope, role: &str, end: Instant) -> bool {
    match exchange(held, named, &checking(scope, role, end)).await {
        Ok(_) => true,
        Err((_, failed)) => !error::is_stale(&failed),
    }
}

/// A transaction that does nothing but check the versions.
fn checking(scope: &Scope, role: &str, end: Instant) -> Transaction<'static> {
    Transaction {
        read_only: true,
        rollback: false,
        settings: settings::values(scope, role, left(end)),
        before: None,
        query: None,
        check: Some(check_params(scope)),
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
    converse(held, named, transaction).await.rows
}

async fn converse(held: &mut Held, named: bool, transaction: &Transaction<'_>) -> Outcome {
    let Some((client, statements)) = held.parts() else {
        return Outcome {
            rows: Ok(Vec::new()),
            check: None,
        };
    };
    let outcome = send(client, named.then_some(&mut *statements), transaction).await;
    match &outcome.rows {
        // A name is gone: all were. Nothing has happened, so everything is sent once more without names.
        Err((_, failed)) if error::lost_name(failed) => {
            statements.clear();
            send(client, None, transaction).await
        }
        _ => outcome,
    }
}

/// How each statement of a transaction is run.
struct Ways {
    settings: How,
    called: How,
    query: How,
    estimate: How,
    check_before: How,
    check_after: How,
}

impl Ways {
    fn choose(statements: Option<&mut Statements>, transaction: &Transaction<'_>) -> Self {
        let Some(statements) = statements else {
            return Self {
                settings: How::Unnamed,
                called: How::Unnamed,
                query: How::Unnamed,
                estimate: How::Unnamed,
                check_before: How::Unnamed,
                check_after: How::Unnamed,
            };
        };
        Self {
            settings: statements.how(Which::Settings(transaction.settings.sql)),
            called: match &transaction.before {
                Some(sql) => statements.how(Which::Shape(sql)),
                None => How::Unnamed,
            },
            query: match &transaction.query {
                Some(query) => statements.how(Which::Shape(query.sql)),
                None => How::Unnamed,
            },
            estimate: match transaction.estimate() {
                Some(estimate) => statements.how(Which::Shape(&estimate.sql)),
                None => How::Unnamed,
            },
            check_before: statements.how(Which::Check),
            check_after: statements.how(Which::CheckBehind),
        }
    }
}

async fn send(client: &Client, mut statements: Option<&mut Statements>, transaction: &Transaction<'_>) -> Outcome {
    let ways = Ways::choose(statements.as_deref_mut(), transaction);
    let settings = &transaction.settings;
    let set = Box::pin(ask(client, ways.settings, settings.sql, &settings.params));
    let call = transaction.before.as_deref();
    let called = OptionFuture::from(call.map(|sql| Box::pin(ask(client, ways.called, sql, &[]))));
    let query = transaction.query.as_ref();
    let answer = OptionFuture::from(query.map(|query| Box::pin(ask(client, ways.query, query.sql, query.params))));
    let estimate = transaction.estimate();
    let estimated = estimate.map(|asked| Box::pin(ask(client, ways.estimate, &asked.sql, &asked.params)));
    let estimated = OptionFuture::from(estimated);
    let check = |wanted: bool, how| {
        let params = transaction.check.as_ref().filter(|_| wanted);
        OptionFuture::from(params.map(|params| Box::pin(ask(client, how, CHECK, params))))
    };
    let before = check(transaction.checks_before_end(), ways.check_before);
    let after = check(transaction.checks_after_end(), ways.check_after);
    let end = if transaction.rollback { "rollback" } else { "commit" };

    // They are polled, and so sent, in this order.
    let begun = client.batch_execute(settings::begin(transaction.read_only));
    let begin = join5(begun, set, called, answer, estimated);
    let end = join3(before, client.batch_execute(end), after);
    let ((begun, set, called, answer, estimated), (before, ended, after)) = join(begin, end).await;

    let mut keep = |which, answer: Answer| {
        if let Some(statements) = &mut statements {
            statements.keep(which, answer.named);
        }
        answer.rows
    };
    let set = keep(Which::Settings(settings.sql), set);
    let called = match (call, called) {
        (Some(sql), Some(called)) => keep(Which::Shape(sql), called),
        _ => Ok(Vec::new()),
    };
    let answer = match (query, answer) {
        (Some(query), Some(answer)) => keep(Which::Shape(query.sql), answer),
        _ => Ok(Vec::new()),
    };
    let estimated = match (estimate, estimated) {
        (Some(asked), Some(answer)) => keep(Which::Shape(&asked.sql), answer),
        _ => Ok(Vec::new()),
    };
    let before = before.map_or(Ok(Vec::new()), |answer| keep(Which::Check, answer));
    let check = after.map(|answer| keep(Which::CheckBehind, answer).map(drop));
    // An error aborts all that follows up to the end, and `commit` then reports success: the first error is the one that
    // counts.
    let rows = (|| {
        begun.map_err(|error| (Step::Begin, error))?;
        set.map_err(|error| (Step::Settings, error))?;
        called.map_err(|error| (Step::Query, error))?;
        let mut rows = answer.map_err(|error| (Step::Query, error))?;
        rows.extend(estimated.map_err(|error| (Step::Query, error))?);
        before.map_err(|error| (Step::Query, error))?;
        ended.map_err(|error| (Step::End, error))?;
        Ok(rows)
    })();
    Outcome { rows, check }
}

/// The lines of an explained statement, as its body.
fn explained(rows: &[Row]) -> Result<Counts> {
    let mut lines = Vec::new();
    for row in rows {
        lines.extend_from_slice(row.try_get::<_, Raw<'_>>(0).map_err(Error::internal)?.0);
        lines.push(b'\n');
    }
    Ok(Counts {
        body: Some(lines.into()),
        ..Counts::default()
    })
}

/// The one row of a rendered statement.
fn counts(rows: Vec<Row>) -> Result<Counts> {
    let row = rows
        .into_iter()
        .next()
        .ok_or_else(|| Error::internal("the statement answered no row"))?;
    let read = |row: &Row| -> Result<Counts, PgError> {
        Ok(Counts {
            body: None,
            page_rows: row.try_get::<_, i64>("page_rows")?.unsigned_abs(),
            total_rows: row.try_get::<_, Option<i64>>("total_rows")?.map(i64::unsigned_abs),
            inserted: row.try_get("inserted")?,
            location: row.try_get("location")?,
            response_headers: row.try_get("response_headers")?,
            response_status: row.try_get("response_status")?,
        })
    };
    let counts = read(&row).map_err(Error::internal)?;
    let body = Body::of(row).map_err(Error::internal)?;
    Ok(Counts {
        body: body.map(Bytes::from_owner),
        ..counts
    })
}

/// The body, where it lies in the buffer that the socket was read into.
struct Body(Row);

impl Body {
    fn of(row: Row) -> Result<Option<Self>, PgError> {
        let there = row.try_get::<_, Option<Raw<'_>>>(BODY)?.is_some();
        Ok(there.then_some(Self(row)))
    }
}

impl AsRef<[u8]> for Body {
    fn as_ref(&self) -> &[u8] {
        self.0.get::<_, Raw<'_>>(BODY).0
    }
}
