//! One transaction, sent at once and answered at once.

use futures_util::future::{OptionFuture, join, join4, join5};
use tokio_postgres::{Client, Error as PgError, Row};

use super::connect::Held;
use super::error;
use super::settings::{self, Settings};
use super::statements::{Answer, How, Statements, Which, ask};
use crate::query::postgres::Rendered;

const CHECK: &str = "select plinth.check_version($1, $2, $3)";

/// A statement with its parameters.
pub(super) struct Query<'a> {
    pub(super) sql: &'a str,
    pub(super) params: &'a [Option<String>],
    /// What runs right behind it; its rows follow.
    pub(super) estimate: Option<&'a Rendered>,
    /// What runs right before it, as the same role.
    pub(super) before: Option<&'a str>,
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
pub(super) struct Outcome {
    /// The query's rows, or what failed first.
    pub(super) rows: Result<Vec<Row>, (Step, PgError)>,
    /// What the check behind the end said.
    pub(super) check: Option<Result<(), PgError>>,
    /// Whether everything that could have written was refused. Where the transaction did not begin, each statement stood
    /// alone.
    pub(super) wrote_nothing: bool,
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

/// The same, with what the check behind the end said.
pub(super) async fn converse(held: &mut Held, named: bool, transaction: &Transaction<'_>) -> Outcome {
    let Some((client, statements)) = held.parts() else {
        return Outcome {
            rows: Ok(Vec::new()),
            check: None,
            wrote_nothing: true,
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
    // What a commit would refuse, a rollback for show refuses as well.
    let constraints = transaction
        .rollback
        .then(|| client.batch_execute("set constraints all immediate"));

    // They are polled, and so sent, in this order.
    let begun = client.batch_execute(settings::begin(settings.isolation, transaction.read_only));
    let begin = join5(begun, set, called, answer, estimated);
    let end = join4(
        before,
        OptionFuture::from(constraints),
        client.batch_execute(end),
        after,
    );
    let ((begun, set, called, answer, estimated), (before, deferred, ended, after)) = join(begin, end).await;

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
    let refused = [(call.is_some(), called.is_err()), (query.is_some(), answer.is_err())];
    let wrote_nothing = refused.iter().all(|(asked, refused)| !asked || *refused);
    // An error aborts all that follows up to the end, and `commit` then reports success: the first error is the one that
    // counts.
    let rows = (|| {
        begun.map_err(|error| (Step::Begin, error))?;
        set.map_err(|error| (Step::Settings, error))?;
        called.map_err(|error| (Step::Query, error))?;
        let mut rows = answer.map_err(|error| (Step::Query, error))?;
        rows.extend(estimated.map_err(|error| (Step::Query, error))?);
        before.map_err(|error| (Step::Query, error))?;
        deferred.unwrap_or(Ok(())).map_err(|error| (Step::Query, error))?;
        ended.map_err(|error| (Step::End, error))?;
        Ok(rows)
    })();
    Outcome {
        rows,
        check,
        wrote_nothing,
    }
}
