//! What an error of the server, or of the way to it, means.

use tokio_postgres::Error as PgError;
use tokio_postgres::error::{DbError, Severity, SqlState};

use crate::backend::dial::DialError;
use crate::backend::failure::{self, busy, login_refused};
pub(super) use crate::backend::failure::{outcome_unknown, too_late, unreachable};
use crate::backend::{NoClient, STALE};
use crate::error::{Error, ErrorKind};
use crate::query::pg_error;
use crate::query::postgres::failed_assertion;

/// Why there is no connection: `PGRST003` when all stayed busy, [`crate::backend::REFUSED`] when the server does not let the login in,
/// `PGRST001` for the rest. All of them are 503 and worth another try.
pub(super) fn no_connection(error: NoClient) -> Error {
    match error {
        NoClient::Busy => busy(),
        NoClient::Dial(DialError::Postgres(error)) if refused(&error) => login_refused(error),
        NoClient::Dial(error) => unreachable(error),
        NoClient::Closed => unreachable(error),
    }
}

/// Bad password, no such login, no such database.
fn refused(error: &PgError) -> bool {
    let states = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
        SqlState::INVALID_CATALOG_NAME,
    ];
    error.code().is_some_and(|state| states.contains(state))
}

/// Whether the connection broke, rather than the server refusing a statement on it.
pub(super) fn broke(error: &PgError) -> bool {
    match error.code() {
        Some(_) => ended_by_server(error),
        None => error.is_closed() || is_io(error),
    }
}

/// Whether the server itself ended the connection before a commit: then nothing was written. A mere error with such a code
/// was raised by somebody's function.
pub(super) fn ended_by_server(error: &PgError) -> bool {
    let raised = |told: &DbError| told.parsed_severity() == Some(Severity::Error);
    error.code().is_some_and(gone) && !error.as_db_error().is_some_and(raised)
}

fn gone(state: &SqlState) -> bool {
    [
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
    ]
    .contains(state)
        || state.code().starts_with("08")
}

fn is_io(error: &PgError) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<std::io::Error>())
}

/// Whether a statement's name was not there (any more), or its old plan cannot be used.
pub(super) fn lost_name(error: &PgError) -> bool {
    let Some(told) = error.as_db_error() else { return false };
    *told.code() == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*told.code() == SqlState::FEATURE_NOT_SUPPORTED && told.message().starts_with("cached plan must not"))
}

/// Whether the statement was stopped: by a timeout, or from outside.
pub(super) fn cancelled(error: &PgError) -> bool {
    error.code() == Some(&SqlState::QUERY_CANCELED)
}

/// What to say when the transaction gave way to another one: nothing of it stays, and it may be run anew.
pub(super) fn gave_way(error: &PgError) -> Option<&'static str> {
    let code = error.code()?;
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED]
        .iter()
        .find(|known| *known == code)
        .map(|known| match known.code() {
            "40P01" => "40P01",
            _ => "40001",
        })
}

/// That it did so once too often.
pub(super) fn kept_giving_way(code: &'static str, error: PgError) -> Error {
    failure::gave_way(code, error)
}

/// Whether the server itself does not know what became of a commit.
pub(super) fn lost_sight(error: &PgError) -> bool {
    error.code() == Some(&SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN)
}

/// Whether the version check refused the plan.
pub(super) fn is_stale(error: &PgError) -> bool {
    error.code().is_some_and(|state| state.code() == STALE)
}

/// Whether an error may come from a plan that is older than the tables, keys or settings: everything but what has to do
/// with time, locks and resources.
pub(super) fn may_be_stale(error: &PgError) -> bool {
    error.code().is_some_and(|state| {
        !matches!(&state.code()[..2], "40" | "53" | "54" | "55" | "57" | "58" | "XX") && !gone(state)
    })
}

/// The error as the client may see it.
pub(super) fn shown(error: PgError, marker: &str, anonymous: bool) -> Error {
    let Some(told) = error.as_db_error() else {
        return Error::internal(error);
    };
    if told.code().code() == STALE {
        return stale().with_source(error);
    }
    // A constraint, a raised exception or a policy cannot know the marker.
    if let Some(assertion) = failed_assertion(marker, told.message()) {
        return assertion;
    }
    pg_error::from_database(&fields(told), anonymous)
}

/// The error of a statement over a person's rows.
pub(super) fn without_values(error: PgError) -> Error {
    let Some(told) = error.as_db_error() else {
        return Error::internal(error);
    };
    let names: Vec<&str> = [told.schema(), told.table(), told.column(), told.constraint()]
        .into_iter()
        .flatten()
        .collect();
    let refused = failure::without_values(&pg_error::from_database(&fields(told), false), &names);
    let is_kept_back =
        *told.code() == SqlState::INSUFFICIENT_PRIVILEGE && told.message().contains("row-level security");
    match is_kept_back {
        true => refused.with_hint(
            "Policies keep rows from the login that is used: give it the attribute bypassrls, or make it the tables' owner",
        ),
        false => refused,
    }
}

/// The plan is older than the backend.
pub(super) fn stale() -> Error {
    Error::new(ErrorKind::Unavailable, STALE, "The backend has just changed").with_retry_after(0)
}

fn fields(told: &DbError) -> pg_error::DbError {
    pg_error::DbError {
        sqlstate: told.code().code().to_owned(),
        message: told.message().to_owned(),
        detail: told.detail().map(str::to_owned),
        hint: told.hint().map(str::to_owned),
    }
}
