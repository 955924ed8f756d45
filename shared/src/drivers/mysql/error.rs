//! What an error of the server, or of the way to it, means. Codes are those that clients of the dialect know.

use mysql_async::{DriverError, Error as MyError, IoError, ServerError};

use super::connect::DialError;
use crate::backend::REFUSED;
use crate::error::{Error, ErrorKind};

/// All connections stayed busy.
pub(super) fn busy() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "PGRST003",
        "Timed out acquiring connection from connection pool.",
    )
    .with_hint("Every connection is busy; try again in a moment")
    .with_retry_after(1)
}

/// Why there is no connection: `PGRST003` when the server takes no more, [`REFUSED`] when it does not let the login in,
/// `PGRST001` for the rest. All of them are 503 and worth another try.
pub(super) fn no_connection(error: DialError) -> Error {
    match error {
        DialError::Server(MyError::Server(told)) if TOO_MANY.contains(&told.code) => busy().with_source(told),
        DialError::Server(MyError::Server(told)) if is_refusal(&told) => Error::new(
            ErrorKind::Unavailable,
            REFUSED,
            "The database does not let this project's login in",
        )
        .with_hint("If its password was changed by hand, provision the backend again")
        .with_retry_after(1)
        .with_source(told),
        DialError::Server(error) => unreachable(error),
        DialError::Deadline => unreachable("no connection in time"),
        DialError::Refused(refused) => unreachable(refused),
        DialError::Settings(error) => unreachable(error),
    }
}

/// What is wrong with a connection that somebody is about to give us.
pub(super) fn refused_probe(error: DialError) -> Error {
    let failed = match error {
        DialError::Refused(refused) => return refused.into(),
        DialError::Settings(error) => return error,
        DialError::Deadline => {
            return Error::new(
                ErrorKind::Timeout,
                "external/timeout",
                "The database server does not answer in time",
            )
            .with_hint("Check host and port, and that no firewall is in between");
        }
        DialError::Server(failed) => failed,
    };
    let refused = match &failed {
        MyError::Server(told) if told.code == 1049 => Error::new(
            ErrorKind::Unprocessable,
            "external/no-such-database",
            "There is no such database on the server",
        )
        .with_hint("Check the database's name in config.credentials"),
        MyError::Server(told) if told.code == 1044 => Error::new(
            ErrorKind::Unprocessable,
            "external/no-such-database",
            "There is no such database on the server, or the user has no right to it",
        )
        .with_hint("Check the database's name in config.credentials, and grant the user rights on it"),
        MyError::Server(told) if is_refusal(told) => Error::new(
            ErrorKind::Unprocessable,
            "external/credentials",
            "The database refuses the user name or the password",
        )
        .with_hint("Check config.credentials, and that the server admits this user from outside"),
        MyError::Io(IoError::Tls(_)) | MyError::Driver(DriverError::NoClientSslFlagFromServer) => Error::new(
            ErrorKind::Upstream,
            "external/tls",
            "No encrypted connection to the server could be made",
        )
        .with_hint(
            "Its certificate must be valid for the host name; give the authority's as credentials.caCertificate",
        ),
        // TLS errors of the handshake itself come as errors of input and output.
        MyError::Io(IoError::Io(io)) if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => Error::new(
            ErrorKind::Upstream,
            "external/tls",
            "No encrypted connection to the server could be made",
        )
        .with_hint(
            "Its certificate must be valid for the host name; give the authority's as credentials.caCertificate",
        ),
        _ => Error::new(
            ErrorKind::Upstream,
            "external/unreachable",
            "The database server cannot be reached",
        )
        .with_hint("Check host and port, and that it is a MySQL or MariaDB server that takes connections from here"),
    };
    refused.with_source(failed)
}

const TOO_MANY: [u16; 3] = [1040, 1203, 1226];

/// Bad password, no such user, no such database, not from here, locked.
fn is_refusal(told: &ServerError) -> bool {
    matches!(
        told.code,
        1044 | 1045 | 1049 | 1130 | 1251 | 1698 | 1820 | 1862 | 3118 | 3159 | 4151
    )
}

/// The server cannot be reached just now.
pub(super) fn unreachable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
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
pub(super) fn too_late(read_only: bool) -> Error {
    if !read_only {
        return outcome_unknown();
    }
    Error::new(ErrorKind::Timeout, "records/deadline", "The request took too long")
        .with_hint("Ask for fewer rows, or add an index for what you filter and sort by")
}

/// Nobody heard whether a write was committed.
pub(super) fn outcome_unknown() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "records/outcome-unknown",
        "The database did not confirm the write: it may have happened or not",
    )
    .with_hint("Read the rows before you write again")
}

/// Whether the connection broke, rather than the server refusing a statement on it.
pub(super) fn broke(error: &MyError) -> bool {
    match error {
        // Shutting down, killed.
        MyError::Server(told) => matches!(told.code, 1053 | 1077 | 1079 | 1080 | 1152..=1161 | 1184 | 1927),
        MyError::Io(_) | MyError::Driver(_) => true,
        MyError::Other(_) | MyError::Url(_) => false,
    }
}

/// Whether the transaction gave way to another one, so that it may be tried again as a whole.
pub(super) fn gave_way(error: &MyError) -> bool {
    matches!(error, MyError::Server(told) if matches!(told.code, 1205 | 1213))
}

/// Whether a statement took too long.
pub(super) fn stopped(error: &MyError) -> bool {
    matches!(error, MyError::Server(told) if matches!(told.code, 1317 | 1969 | 3024))
}

/// The error as the client may see it. It is the user's own database: what it says of data, names and rights is shown.
pub(super) fn shown(error: MyError, upserts: bool) -> Error {
    let MyError::Server(told) = &error else {
        return Error::internal(error);
    };
    let said = || told.message.chars().take(2_000).collect::<String>();
    let is = |kind, code: &'static str| Error::new(kind, code, said());
    let out = match told.code {
        1062 | 1586 | 1761 | 1762 => Error::new(
            ErrorKind::Conflict,
            "23505",
            "duplicate key value violates unique constraint",
        )
        .with_details(said()),
        1242 if upserts => Error::new(
            ErrorKind::Conflict,
            "23505",
            "duplicate key value violates unique constraint",
        )
        .with_details("Another unique key than the one of on_conflict has these values"),
        1451 | 1452 | 1216 | 1217 => is(ErrorKind::Conflict, "23503"),
        1048 | 1364 | 1171 | 1263 => is(ErrorKind::Invalid, "23502"),
        3819 | 4025 => is(ErrorKind::Invalid, "23514"),
        1054 => is(ErrorKind::Invalid, "42703"),
        1146 | 1051 => is(ErrorKind::NotFound, "42P01"),
        1044 | 1142 | 1143 | 1227 | 1370 | 1410 => is(ErrorKind::Forbidden, "42501"),
        1366 | 1367 | 1525 | 1411 => is(ErrorKind::Invalid, "22P02"),
        1292 => is(ErrorKind::Invalid, "22007"),
        1264 | 1690 => is(ErrorKind::Invalid, "22003"),
        1265 | 1406 => is(ErrorKind::Invalid, "22001"),
        1139 | 3685..=3699 => is(ErrorKind::Invalid, "2201B"),
        1298 => is(ErrorKind::Invalid, "22023"),
        1267 | 1270 | 1271 => is(ErrorKind::Invalid, "42P22"),
        1348 | 1393 | 1394 | 1395 | 1471 | 1288 => is(ErrorKind::Invalid, "55000"),
        1906 | 3105 => is(ErrorKind::Invalid, "428C9"),
        1644 => is(ErrorKind::Invalid, "P0001"),
        1290 | 1792 | 1836 => is(ErrorKind::MethodNotAllowed, "25006"),
        1205 => conflict("55P03"),
        1213 => conflict("40P01"),
        1040 | 1203 | 1226 => busy(),
        1969 | 3024 | 1317 => Error::new(
            ErrorKind::Timeout,
            "57014",
            "canceling statement due to statement timeout",
        )
        .with_hint("Nothing was written; ask for less, or add an index"),
        1153 | 1301 => crate::query::mysql::too_large(0),
        _ => Error::new(
            ErrorKind::Internal,
            "XX000",
            "The database could not answer the request",
        ),
    };
    out.with_source(error)
}

fn conflict(code: &'static str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        code,
        "The request gave way to another one that changes the same rows",
    )
    .with_hint("Nothing was written; try again")
    .with_retry_after(0)
}
