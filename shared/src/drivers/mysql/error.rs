//! What an error of the server, or of the way to it, means. Codes are those that clients of the dialect know.

use mysql_async::{DriverError, Error as MyError, IoError, ServerError};

use super::connect::DialError;
use crate::backend::failure::{self, bad_credentials, login_refused, no_such_database, no_tls};
pub(super) use crate::backend::failure::{busy, outcome_unknown, too_late, unreachable};
use crate::error::{Error, ErrorKind};

/// Why there is no connection: `PGRST003` when the server takes no more, [`crate::backend::REFUSED`] when it does not let the login in,
/// `PGRST001` for the rest. All of them are 503 and worth another try.
pub(super) fn no_connection(error: DialError) -> Error {
    match error {
        DialError::Server(MyError::Server(told)) if TOO_MANY.contains(&told.code) => busy().with_source(told),
        DialError::Server(MyError::Server(told)) if is_refusal(&told) => login_refused(told),
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
        MyError::Server(told) if told.code == 1049 => no_such_database(),
        MyError::Server(told) if told.code == 1044 => Error::new(
            ErrorKind::Unprocessable,
            "external/no-such-database",
            "There is no such database on the server, or the user has no right to it",
        )
        .with_hint("Check the database's name in config.credentials, and grant the user rights on it"),
        MyError::Server(told) if is_refusal(told) => bad_credentials(),
        MyError::Io(IoError::Tls(_)) | MyError::Driver(DriverError::NoClientSslFlagFromServer) => no_tls(),
        // TLS errors of the handshake itself come as errors of input and output.
        MyError::Io(IoError::Io(io)) if io.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => no_tls(),
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
        // Of PlanetScale's branches with safe migrations.
        1105 if told.message.to_lowercase().contains("direct ddl is disabled") => is(ErrorKind::Forbidden, "42501"),
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

/// The error of a statement over a person's rows.
pub(super) fn without_values(failed: MyError) -> Error {
    let MyError::Server(told) = &failed else {
        return Error::internal(failed);
    };
    let number = format!("error {}", told.code);
    let gave_way = gave_way(&failed);
    let refused = failure::without_values(&shown(failed, false), &[&number]);
    if gave_way { refused.with_retry_after(0) } else { refused }
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
