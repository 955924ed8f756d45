//! Which statements of a connection have a name.

use std::num::NonZeroUsize;

use futures_util::TryStreamExt;
use futures_util::future::join;
use lru::LruCache;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, Error, Row, Statement};

use super::text::Text;

/// Shapes remembered per connection. A prepared one costs about 40 kB in the server's process.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// The statements of one connection.
pub(super) struct Statements {
    /// By their text: a look into the catalog may set others than a request.
    settings: Vec<(&'static str, How)>,
    /// Before the end and behind it: on another search path Postgres would analyse one anew each time.
    checks: [Option<How>; 2],
    /// Of requests, least recently used forgotten first.
    shapes: LruCache<String, How>,
}

/// One of the statements that a connection runs.
#[derive(Clone, Copy)]
pub(super) enum Which<'a> {
    /// The settings, by their text: every request runs them, so they are prepared at once.
    Settings(&'static str),
    /// The version check before the end, likewise.
    Check,
    /// The one behind it.
    CheckBehind,
    /// A request's query, by its text.
    Shape(&'a str),
}

/// How a statement is run.
#[derive(Clone)]
pub(super) enum How {
    /// Without a name.
    Unnamed,
    /// Without a name, and prepared for the next time in the same round trip.
    Prepare,
    /// By its name.
    Named(Statement),
}

impl Default for Statements {
    fn default() -> Self {
        Self {
            settings: Vec::new(),
            checks: [None, None],
            shapes: LruCache::new(REMEMBERED),
        }
    }
}

impl Statements {
    /// How to run a statement now. The first use of a shape goes without a name (it may never come back), the second one
    /// prepares it.
    pub(super) fn how(&mut self, which: Which<'_>) -> How {
        let known = match which {
            Which::Settings(sql) => {
                let mut known = self.settings.iter();
                known.find(|(text, _)| std::ptr::eq(*text, sql)).map(|(_, how)| how)
            }
            Which::Check => self.checks[0].as_ref(),
            Which::CheckBehind => self.checks[1].as_ref(),
            Which::Shape(sql) => {
                let known = self.shapes.get(sql).cloned();
                return known.unwrap_or_else(|| {
                    self.shapes.put(sql.to_owned(), How::Prepare);
                    How::Unnamed
                });
            }
        };
        known.cloned().unwrap_or(How::Prepare)
    }

    /// Remembers what came of naming a statement that has run.
    pub(super) fn keep(&mut self, which: Which<'_>, named: Naming) {
        let how = match named {
            Naming::Untried => return,
            Naming::Done(statement) => How::Named(statement),
            Naming::Failed => How::Unnamed,
        };
        match which {
            Which::Settings(sql) => self.settings.push((sql, how)),
            Which::Check => self.checks[0] = Some(how),
            Which::CheckBehind => self.checks[1] = Some(how),
            Which::Shape(sql) => drop(self.shapes.put(sql.to_owned(), how)),
        }
    }

    /// Forgets all names: tenant code may have thrown them away (`deallocate all`).
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// What a statement answered.
pub(super) struct Answer {
    pub(super) rows: Result<Vec<Row>, Error>,
    pub(super) named: Naming,
}

/// What came of naming a statement.
pub(super) enum Naming {
    /// It was not tried.
    Untried,
    /// This is its name. It outlives a transaction that failed.
    Done(Statement),
    /// It ran, but has no name.
    Failed,
}

/// Runs one statement. Everything is sent when the future is first polled, so futures polled together share a round
/// trip.
pub(super) async fn ask(client: &Client, how: How, sql: &str, params: &[Option<String>]) -> Answer {
    let values = params.iter().map(|param| Text(param.as_deref()));
    match how {
        How::Named(statement) => Answer {
            rows: named(client, &statement, values).await,
            named: Naming::Untried,
        },
        How::Unnamed => Answer {
            rows: unnamed(client, sql, values).await,
            named: Naming::Untried,
        },
        // Boxed: it is seldom needed, and would be a large part of every statement's future.
        How::Prepare => Box::pin(prepare(client, sql, values)).await,
    }
}

async fn prepare<'a>(client: &Client, sql: &str, values: impl Iterator<Item = Text<'a>>) -> Answer {
    match join(client.prepare(sql), unnamed(client, sql, values)).await {
        (Ok(statement), rows) => Answer {
            rows,
            named: Naming::Done(statement),
        },
        // It ran, so it may be committed by now: a name that failed afterwards (looking up a parameter's type is a
        // statement of its own) must not look like a failure.
        (Err(_), Ok(rows)) => Answer {
            rows: Ok(rows),
            named: Naming::Failed,
        },
        (Err(first), Err(second)) => Answer {
            // What is wrong with the statement was told to the first who asked.
            rows: Err(match second.code() {
                Some(code) if *code == SqlState::IN_FAILED_SQL_TRANSACTION => first,
                _ => second,
            }),
            named: Naming::Untried,
        },
    }
}

async fn named<'a>(
    client: &Client,
    statement: &Statement,
    values: impl ExactSizeIterator<Item = Text<'a>>,
) -> Result<Vec<Row>, Error> {
    client.query_raw(statement, values).await?.try_collect().await
}

async fn unnamed<'a>(client: &Client, sql: &str, values: impl Iterator<Item = Text<'a>>) -> Result<Vec<Row>, Error> {
    let typed = values.map(|value| (value, Type::UNKNOWN));
    client.query_typed_raw(sql, typed).await?.try_collect().await
}
