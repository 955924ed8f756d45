//! Runs a developer's script: one transaction, its statements one by one, on a connection that is closed afterwards.
//!
//! Each statement is prepared before it runs. So Postgres itself confirms that it is a single one (whatever the script
//! did to the scanner's settings), and tells the types of its columns; the rows then come by the simple protocol, as
//! text of any type.
//!
//! - A script that controls its transaction is refused before it comes here. Should one get away with it all the same,
//!   the transaction it ends in is not the one it began in, and that is noticed.
//! - A read-only script is never committed: Postgres 15 lets `reset transaction_read_only` pass.
//! - A script that may write is run to its end even where its rows are not wanted any more: what the rest of a statement
//!   does belongs to it. A read-only one is cut off with its last wanted row.

mod answer;
mod params;
mod refusal;

use std::borrow::Cow;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::TryStreamExt;
use futures_util::future::join3;
use tokio::time::Instant;
use tokio_postgres::{Client, Error as PgError, SimpleQueryMessage};

use self::answer::Answer;
use super::connect::{Held, Pool};
use super::settings::IsolationLevel;
use super::statements::{How, ask};
use super::{error, settings};
use crate::backend::{Ran, Script, ScriptScope};
use crate::error::{Error, Result};
use crate::ident::literal;
use crate::query::script::Statement;

/// The microsecond the transaction began in: no two transactions of one connection share it.
const BEGAN: &str = "(pg_catalog.date_part('epoch', pg_catalog.now()) * 1000000)::pg_catalog.int8";
/// Whether this connection has written to the catalog. It counts what was rolled back too, which does no harm.
const CHANGED: &str = "exists (select from pg_catalog.pg_stat_xact_sys_tables where schemaname = 'pg_catalog'
  and n_tup_ins + n_tup_upd + n_tup_del > 0)";

/// Runs a script.
pub(super) async fn run(pool: &Pool, scope: &ScriptScope, script: Script<'_>) -> Result<Ran> {
    let end = Instant::now() + scope.deadline;
    let mut held = pool.connect(end).await?;
    let running = Running {
        scope,
        script,
        end,
        committing: AtomicBool::new(false),
    };
    // Boxed: futures of many layers would fill a small thread's stack.
    match tokio::time::timeout_at(end, Box::pin(running.all(&mut held))).await {
        Ok(Ok(done)) if done.cut => {
            held.cut_off().await;
            done.answer.finish(false)
        }
        Ok(outcome) => {
            held.spoil();
            let done = outcome?;
            done.answer.finish(done.changed)
        }
        Err(_) => {
            held.cut_off().await;
            Err(if running.committing.load(Ordering::Relaxed) {
                refusal::outcome_unknown()
            } else {
                refusal::too_late(scope.read_only)
            })
        }
    }
}

struct Running<'a> {
    scope: &'a ScriptScope,
    script: Script<'a>,
    end: Instant,
    /// Whether the commit is on its way.
    committing: AtomicBool,
}

/// A script that has run.
struct Done {
    answer: Answer,
    changed: bool,
    /// Whether the last statement is still at work.
    cut: bool,
}

impl Running<'_> {
    async fn all(&self, held: &mut Held) -> Result<Done> {
        let Some((client, _)) = held.parts() else {
            return Err(error::unreachable("no connection"));
        };
        let began = self.begin(client).await?;
        let mut answer = Answer::new(self.scope.max_rows, self.scope.max_bytes);
        for (at, statement) in self.script.statements.iter().enumerate() {
            let is_last = at + 1 == self.script.statements.len();
            let cut = self.statement(client, statement, (is_last, began), &mut answer).await;
            let cut = cut.map_err(|failed| self.refused(failed, Some(at)))?;
            if cut {
                return Ok(Done {
                    answer,
                    changed: false,
                    cut,
                });
            }
        }
        let changed = if self.scope.read_only {
            false
        } else {
            self.end(client, began).await?
        };
        Ok(Done {
            answer,
            changed,
            cut: false,
        })
    }

    /// Begins, with settings and role; tells when.
    async fn begin(&self, client: &Client) -> Result<i64> {
        let left = self.end.saturating_duration_since(Instant::now());
        let settings = settings::values_for_script(self.scope, left);
        let sql = format!("select {BEGAN}");
        let (begun, set, began) = join3(
            client.batch_execute(settings::begin(IsolationLevel::ReadCommitted, self.scope.read_only)),
            Box::pin(ask(client, How::Unnamed, settings.sql, &settings.params)),
            client.query_typed(&sql, &[]),
        )
        .await;
        let all = begun.and(set.rows.map(drop)).and(began);
        let rows = all.map_err(|failed| {
            if error::broke(&failed) {
                error::unreachable(failed)
            } else {
                Error::internal(failed)
            }
        })?;
        rows.first()
            .map(|row| row.get(0))
            .ok_or_else(|| Error::internal("no row"))
    }

    /// Runs one statement. `true` when it was left at work because no more of it is wanted.
    async fn statement(
        &self,
        client: &Client,
        statement: &Statement<'_>,
        (is_last, began): (bool, i64),
        answer: &mut Answer,
    ) -> Result<bool, Failure> {
        let prepared = client.prepare(statement.text).await?;
        let sql = match params::literals(prepared.params(), self.script.params).map_err(Failure::Ours)? {
            literals if literals.is_empty() => Cow::Borrowed(statement.text),
            // A name of its own: behind a pooler the server's session outlives the script.
            literals => Cow::Owned(format!(
                "prepare plinth_{began} as {}\n; execute plinth_{began} ({}); deallocate plinth_{began}",
                statement.text,
                literals.join(", ")
            )),
        };
        answer.next();
        let mut messages = pin!(client.simple_query_raw(&sql).await?);
        while let Some(message) = messages.try_next().await? {
            match message {
                SimpleQueryMessage::RowDescription(columns) => answer.begin(&columns, prepared.columns()),
                SimpleQueryMessage::Row(row) => {
                    answer.push(&row)?;
                    if answer.is_full() && is_last && self.scope.read_only {
                        return Ok(true);
                    }
                }
                SimpleQueryMessage::CommandComplete(rows) => answer.done(rows),
                _ => {}
            }
        }
        Ok(false)
    }

    /// Moves the version if the catalog has changed, and commits; tells whether it has.
    async fn end(&self, client: &Client, began: i64) -> Result<bool> {
        let last = Some(self.script.statements.len().saturating_sub(1));
        let home = format!(
            "select pg_catalog.set_config('search_path', 'pg_catalog', true),
               pg_catalog.set_config('role', {}, true)",
            literal(self.scope.role_setting())
        );
        let sql = format!("select {BEGAN}, {CHANGED}");
        client
            .batch_execute(&home)
            .await
            .map_err(|failed| self.refused(failed, last))?;
        let rows = client.query_typed(&sql, &[]).await;
        let rows = rows.map_err(|failed| self.refused(failed, last))?;
        let row = rows.first().ok_or_else(|| Error::internal("no row"))?;
        if row.get::<_, i64>(0) != began {
            return Err(refusal::ended_early());
        }
        let changed: bool = row.get(1);
        let moved = match &self.scope.versioned {
            Some(reference) if changed => format!("select plinth.schema_touched({});", literal(reference.as_str())),
            _ => String::new(),
        };
        client
            .batch_execute(&moved)
            .await
            .map_err(|failed| self.refused(failed, last))?;
        self.committing.store(true, Ordering::Relaxed);
        match client.batch_execute("commit").await {
            Ok(()) => Ok(changed),
            Err(failed) if failed.as_db_error().is_none() => Err(refusal::outcome_unknown().with_source(failed)),
            Err(failed) => Err(self.refused(failed, None)),
        }
    }

    /// Why the script failed, at which statement.
    fn refused(&self, failed: impl Into<Failure>, at: Option<usize>) -> Error {
        match failed.into() {
            Failure::Ours(refused) => refused,
            Failure::Engine(failed) => refusal::of(failed, self.script, at),
        }
    }
}

/// What ends a statement.
enum Failure {
    Engine(PgError),
    Ours(Error),
}

impl From<PgError> for Failure {
    fn from(error: PgError) -> Self {
        Self::Engine(error)
    }
}
