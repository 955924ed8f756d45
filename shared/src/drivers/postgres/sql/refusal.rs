//! What an error means to the developer who wrote the script.

use tokio_postgres::Error as PgError;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::super::error as driver;
use crate::backend::Script;
use crate::error::{Error, ErrorKind};
use crate::query::script::line_and_column;

/// Characters of a text of the engine's that are passed on.
const MOST: usize = 2_000;

/// The deadline passed. The transaction was not ended, so nothing of it stays.
pub(super) fn too_late(read_only: bool) -> Error {
    let hint = if read_only {
        "Ask for fewer rows, or add an index for what you filter and sort by"
    } else {
        "Nothing was kept. Do less at a time; a statement is run to its end even where its rows are cut"
    };
    Error::new(ErrorKind::Timeout, "sql/timeout", "The script took too long").with_hint(hint)
}

/// Nobody heard whether the commit has happened.
pub(super) fn outcome_unknown() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "sql/outcome-unknown",
        "The database did not confirm the commit: it may have happened or not",
    )
    .with_hint("Look at what is there before you run the script again")
}

/// The transaction that the script was to run in is over before its end.
pub(super) fn ended_early() -> Error {
    Error::invalid("sql/transaction-control", "The script ended its own transaction")
        .with_details("What came before that is kept, what came after is not")
        .with_hint("Leave begin, commit and rollback out: a script is one transaction")
}

/// Why statement `at` was refused. Everything may be shown: who runs a script owns what it is about.
pub(super) fn of(failed: PgError, script: Script<'_>, at: Option<usize>) -> Error {
    let Some(told) = failed.as_db_error() else {
        return if driver::broke(&failed) {
            driver::unreachable(failed)
        } else {
            Error::internal(failed)
        };
    };
    let state = told.code().code().to_owned();
    let mut out = match state.as_str() {
        "57014" => {
            return too_late(false)
                .with_details(details(told, script, at))
                .with_source(failed);
        }
        _ => Error::new(kind(&state), state.clone(), clipped(told.message())),
    };
    out = out.with_details(details(told, script, at));
    if let Some(hint) = hint(told, &state) {
        out = out.with_hint(hint);
    }
    if out.kind() == ErrorKind::Unavailable {
        out = out.with_retry_after(1);
    }
    // The log is told no more than the state: the text may quote rows.
    out.with_source(format!("SQLSTATE {state}"))
}

fn kind(state: &str) -> ErrorKind {
    match state {
        "42501" => ErrorKind::Forbidden,
        "40001" | "40P01" | "55P03" => ErrorKind::Conflict,
        "57P01" | "57P02" | "57P03" => ErrorKind::Unavailable,
        // A limit of the operator's, such as that on temporary files: trying again does not help.
        "53400" => ErrorKind::Invalid,
        _ => match state.get(..2).unwrap_or_default() {
            "08" | "53" => ErrorKind::Unavailable,
            "23" => ErrorKind::Conflict,
            _ => ErrorKind::Invalid,
        },
    }
}

fn hint(told: &DbError, state: &str) -> Option<String> {
    match (told.hint(), state) {
        (Some(hint), _) => Some(clipped(hint)),
        (None, "25006") => Some("Send \"readOnly\": false to let the script write".to_owned()),
        (None, "25001") => Some("A script is one transaction, and this command runs outside of one only".to_owned()),
        _ => None,
    }
}

/// Which statement, where in the script, and what the engine says beyond its message.
fn details(told: &DbError, script: Script<'_>, at: Option<usize>) -> String {
    let mut parts = Vec::new();
    match at.and_then(|at| Some((at, script.statements.get(at)?))) {
        Some((at, statement)) => {
            let offset = match told.position() {
                // Characters from 1.
                Some(ErrorPosition::Original(position)) => {
                    let before = usize::try_from(*position).unwrap_or(1).saturating_sub(1);
                    let bytes = statement.text.char_indices().nth(before);
                    bytes.map_or(statement.text.len(), |(byte, _)| byte)
                }
                _ => 0,
            };
            let (line, column) = line_and_column(script.text, statement.start + offset);
            parts.push(format!("statement {}, line {line}, character {column}", at + 1));
        }
        None => parts.push("at the commit".to_owned()),
    }
    parts.extend(told.detail().map(clipped));
    if let Some(ErrorPosition::Internal { query, .. }) = told.position() {
        parts.push(clipped(query));
    }
    parts.extend(told.where_().map(clipped));
    parts.join("; ")
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
