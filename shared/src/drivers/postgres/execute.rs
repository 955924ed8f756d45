//! Runs a plan: one transaction, one network round trip. What may be tried again is, and what failed is put in words.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use tokio_postgres::{Error as PgError, Row};

use super::connect::{Held, Pool};
use super::error;
use super::pipeline::{Outcome, Query, Step, Transaction, converse, exchange};
use super::text::Raw;
use super::{Kin, settings};
use crate::backend::{Routine, Scope, is_denied};
use crate::error::{Error, Result};
use crate::query::postgres::{estimate, hinted, in_clients_words, refuse_on_cockroach, render};
use crate::query::{self, Counts, Plan};

/// The reply's body is the first column, see [`crate::query::postgres::COLUMNS`].
const BODY: usize = 0;
/// How often a transaction that gave way is run anew. It is as safe as the first time: it has left nothing, and nothing
/// of its reply was handed out.
const MOST_REPEATS: u32 = 5;
/// The longest wait before the first of them; it doubles with each.
const FIRST_WAIT: Duration = Duration::from_millis(10);
/// Soiled connections that one request leaves behind before it gives up.
const MOST_SOILED: u32 = 5;

/// Runs a plan.
pub(super) async fn run(pool: &Pool, scope: &Scope, plan: &Plan) -> Result<Counts> {
    if pool.kin == Kin::Cockroach {
        refuse_on_cockroach(plan)?;
    }
    let rendered = render(plan, &scope.marker);
    let query = Query {
        sql: &rendered.sql,
        params: &rendered.params,
        estimate: rendered.explain.as_deref(),
        before: rendered.before.as_deref(),
    };
    let rows = rows(pool, scope, &query).await;
    let rows = rows.map_err(|error| hinted(plan, in_clients_words(plan, error)))?;
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
    let (mut repeated, mut soiled, mut gave_way) = (false, 0, 0);
    loop {
        match once().await {
            Err(Failure::Broken) if scope.read_only && !repeated => repeated = true,
            // Each time round one such connection is gone. A server where it goes on has another trouble.
            Err(Failure::Soiled(_)) if soiled < MOST_SOILED && Instant::now() < end => soiled += 1,
            Err(Failure::GaveWay(_)) if gave_way < MOST_REPEATS && wait(&scope.marker, gave_way, end).await => {
                gave_way += 1
            }
            outcome => return outcome.map_err(|failure| failure.told(scope)),
        }
    }
}

/// Lets a moment pass, so that those who were in each other's way are not again; how long, the request's own random text
/// decides. False without the time for it.
async fn wait(marker: &str, repeats: u32, end: Instant) -> bool {
    let most = FIRST_WAIT * 2_u32.saturating_pow(repeats);
    let drawn = marker.as_bytes().get(repeats as usize).copied().unwrap_or_default();
    // Letters and digits: a prime beyond the distance of the first and the last spreads them.
    let moment = most * u32::from(drawn % 79) / 79;
    let fits = Instant::now() + moment < end;
    if fits {
        tokio::time::sleep(moment).await;
    }
    fits
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
            Box::pin(held.cut_off()).await;
            Err(error::too_late(true))
        }
    }
}

/// Why an attempt failed.
enum Failure {
    /// The connection broke. Nothing is known of what became of it.
    Broken,
    /// Its session stopped it before it began: with a timeout that was left there, or with roles of its login that it
    /// remembers from before the project's were granted. Nothing has happened, and the connection is not used again.
    Soiled(Error),
    /// It gave way to another transaction, where that is everyday: nothing of it stays.
    GaveWay(Error),
    /// For good.
    Final(Error),
}

impl Failure {
    fn told(self, scope: &Scope) -> Error {
        match self {
            Self::Broken if scope.read_only => error::unreachable("the connection broke twice"),
            Self::Broken => error::outcome_unknown(),
            Self::Soiled(error) | Self::GaveWay(error) | Self::Final(error) => error,
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
    let running = Box::pin(transact(&mut held, pool, scope, &query, end));
    let done = tokio::time::timeout_at(end, running).await;
    match done {
        Ok(outcome) => {
            held.give_back();
            outcome
        }
        Err(_) => {
            Box::pin(held.cut_off()).await;
            Err(error::too_late(scope.read_only).into())
        }
    }
}

async fn transact(
    held: &mut Held,
    pool: &Pool,
    scope: &Scope,
    query: &Query<'_>,
    end: Instant,
) -> Result<Vec<Row>, Failure> {
    let named = pool.named;
    let transaction = Transaction {
        read_only: scope.read_only,
        rollback: scope.rollback,
        settings: settings::values(pool.kin, scope, scope.role_setting(), left(end)),
        before: match query.before {
            // Tables that need it are in databases of ours, where no function of a user's runs before requests.
            Some(before) => Some(before.to_owned()),
            None => scope.own.as_ref().and_then(|own| own.pre_request.as_ref()).map(call),
        },
        query: Some(Query { ..*query }),
        check: scope.place.versioned.then(|| check_params(scope)),
    };
    let Outcome {
        rows,
        check,
        wrote_nothing,
    } = converse(held, named, &transaction).await;
    let (step, failed) = match rows {
        Ok(rows) => {
            // What was written on a plan that was current is written, whatever has happened since.
            if scope.read_only
                && let Some(Err(failed)) = check
            {
                Box::pin(still_current(held, named, scope, failed, end)).await?;
            }
            return Ok(rows);
        }
        Err(failed) => failed,
    };
    if pool.kin == Kin::Cockroach {
        if let Some(code) = error::gave_way(&failed) {
            return Err(Failure::GaveWay(error::kept_giving_way(code, failed)));
        }
        if error::lost_sight(&failed) {
            return Err(Failure::Broken);
        }
    }
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
        return Err(if scope.read_only || wrote_nothing {
            Failure::Soiled(error::unreachable(failed))
        } else {
            error::outcome_unknown().with_source(failed).into()
        });
    }
    if step == Step::Settings && error::cancelled(&failed) {
        held.spoil();
        return Err(Failure::Soiled(error::unreachable(failed)));
    }
    // In a database of ours the project's roles are granted as long as they are there.
    if step == Step::Settings && scope.own.is_none() && is_denied(&failed) {
        held.spoil();
        return Err(Failure::Soiled(error::shown(failed, &scope.marker, scope.anonymous)));
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
            _ => Box::pin(verify(held, named, scope, role, end)).await,
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
        // Versions are in databases of ours only.
        settings: settings::values(Kin::Postgres, scope, role, left(end)),
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

fn left(end: Instant) -> Duration {
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
