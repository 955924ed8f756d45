//! What every driver says alike when a database, or the way to it, fails.

use super::REFUSED;
use crate::error::{Error, ErrorKind};

type Source = Box<dyn std::error::Error + Send + Sync>;

/// All connections stayed busy.
pub fn busy() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "PGRST003",
        "Timed out acquiring connection from connection pool.",
    )
    .with_hint("Every connection is busy; try again in a moment")
    .with_retry_after(1)
}

/// The server does not let the login in.
pub fn login_refused(source: impl Into<Source>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        REFUSED,
        "The database does not let this project's login in",
    )
    .with_hint("If its password was changed by hand, provision the backend again")
    .with_retry_after(1)
    .with_source(source)
}

/// The server cannot be reached just now.
pub fn unreachable(source: impl Into<Source>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "PGRST001",
        "Could not connect with the database",
    )
    .with_hint("Try again in a moment")
    .with_retry_after(1)
    .with_source(source)
}

/// The deadline passed. A write may have been committed all the same.
pub fn too_late(read_only: bool) -> Error {
    if !read_only {
        return outcome_unknown();
    }
    Error::new(ErrorKind::Timeout, "records/deadline", "The request took too long")
        .with_hint("Ask for fewer rows, or add an index for what you filter and sort by")
}

/// The transaction gave way to another one, and would have to be run anew.
pub fn gave_way(code: &'static str, source: impl Into<Source>) -> Error {
    Error::new(
        ErrorKind::Conflict,
        code,
        "The request gave way to others that change the same rows",
    )
    .with_hint("Nothing was written; try again, with fewer requests at a time that change the same rows")
    .with_retry_after(1)
    .with_source(source)
}

/// Nobody heard whether a write was committed.
pub fn outcome_unknown() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "records/outcome-unknown",
        "The database did not confirm the write: it may have happened or not",
    )
    .with_hint("Read the rows before you write again")
}

/// A statement of our own making was refused, for a reason that `refused` tells. What the engine says of it may hold values of
/// rows, so that nothing but names is passed on: this is told to others than those whose rows they are.
pub fn without_values(refused: &Error, names: &[&str]) -> Error {
    let error = Error::new(
        refused.kind(),
        refused.code().to_owned(),
        "The database refused a statement over a person's rows",
    );
    match names {
        [] => error,
        names => error.with_details(names.join(", ")),
    }
}

/// A connection that is tried: the login is not let in.
pub fn bad_credentials() -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "external/credentials",
        "The database refuses the user name or the password",
    )
    .with_hint("Check config.credentials, and that the server admits this user from outside")
}

/// A connection that is tried with an IAM token: the login is not let in.
pub fn bad_token() -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "external/credentials",
        "The database refuses the user's IAM token",
    )
    .with_hint(
        "The IAM policy must allow rds-db:connect as this user at this server, the region must be the server's, and          the user must have been made for IAM (grant rds_iam, or AWSAuthenticationPlugin)",
    )
}

/// A connection that is tried: the database is not there.
pub fn no_such_database() -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "external/no-such-database",
        "There is no such database on the server",
    )
    .with_hint("Check the database's name in config.credentials")
}

/// A connection that is tried: it cannot be encrypted, or not with whom it should.
pub fn no_tls() -> Error {
    Error::new(
        ErrorKind::Upstream,
        "external/tls",
        "No encrypted connection to the server could be made",
    )
    .with_hint("Its certificate must be valid for the host name; give the authority's as credentials.caCertificate")
}
