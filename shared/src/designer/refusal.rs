//! What a refusal of the database means to whoever designs tables. Its text stays out of replies and logs where it may
//! quote rows.

use tokio_postgres::error::{DbError, SqlState};

use crate::control;
use crate::error::{Error, ErrorKind};
use crate::schema::ddl::has_deleted_rows;

/// Trouble with a statement of ours that no design can cause.
pub(super) fn trouble(error: tokio_postgres::Error) -> Error {
    control::failure(error)
}

/// The table or backend is in use.
pub(super) fn busy(details: &'static str) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "tables/busy",
        "The change could not be made now; nothing has changed",
    )
    .with_details(details)
    .with_hint("Try again in a moment")
    .with_retry_after(1)
}

/// The statements took too long.
pub(super) fn too_slow() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "tables/too-slow",
        "The change takes longer than a request may; nothing has changed",
    )
    .with_hint("Make it in smaller steps, on fewer rows, or at a quieter time")
}

/// Why the statements of a change were refused.
pub(super) fn of(error: tokio_postgres::Error) -> Error {
    let Some(db) = error.as_db_error() else {
        return control::failure(error);
    };
    let refused = match *db.code() {
        SqlState::QUERY_CANCELED => return too_slow(),
        SqlState::NOT_NULL_VIOLATION => data(
            "A required column would be empty in rows that are there",
            "Give the column a default, or fill it first",
        ),
        SqlState::UNIQUE_VIOLATION => data(
            "Rows that are there have the same value where it is to be unique",
            "Make the values differ first",
        ),
        SqlState::FOREIGN_KEY_VIOLATION => data(
            "Rows that are there refer to rows that are not",
            "Correct or remove those rows first",
        ),
        SqlState::CHECK_VIOLATION if has_deleted_rows(db.constraint()) => data(
            "Deleted rows of the table can still be restored",
            "Restore them, or wait until they are purged; then softDelete can be switched off",
        ),
        SqlState::CHECK_VIOLATION => data(
            "Rows that are there break the check",
            "Correct those rows first, or widen the check",
        ),
        SqlState::DATATYPE_MISMATCH
        | SqlState::UNDEFINED_FUNCTION
        | SqlState::CANNOT_COERCE
        | SqlState::INVALID_FOREIGN_KEY
        | SqlState::INDETERMINATE_DATATYPE => Error::invalid(
            "tables/types",
            "An expression, default or reference does not fit the type of its column",
        )
        .with_hint("Compare the types of both sides; cast where they differ"),
        SqlState::DEPENDENT_OBJECTS_STILL_EXIST => conflict("tables/needed", "Something else needs what would go")
            .with_hint("A deleted table that can still be restored may refer to it, or something you made with SQL"),
        SqlState::DUPLICATE_TABLE | SqlState::DUPLICATE_OBJECT | SqlState::DUPLICATE_COLUMN => {
            conflict("tables/name-taken", "The database already has something of that name")
                .with_hint("Choose another name; it may have been made with SQL")
        }
        SqlState::UNDEFINED_TABLE | SqlState::UNDEFINED_COLUMN | SqlState::UNDEFINED_OBJECT => {
            conflict("tables/drifted", "The database does not match the design any more")
                .with_hint("Something was changed or dropped with SQL; put it back, then try again")
        }
        SqlState::PROGRAM_LIMIT_EXCEEDED | SqlState::TOO_MANY_COLUMNS | SqlState::STATEMENT_TOO_COMPLEX => {
            Error::invalid("tables/limit", "The database's limits do not allow this").with_hint(
                "Values of an index have at most about 2,700 bytes, rows at most 1,600 columns in their life",
            )
        }
        _ if db.code().code().starts_with("22") => data(
            "Values of rows that are there do not fit the new type or expression",
            "Correct those values first",
        ),
        _ => return control::failure(error),
    };
    let named = names(db);
    if named.is_empty() {
        refused
    } else {
        refused.with_details(named)
    }
}

fn data(message: &'static str, hint: &'static str) -> Error {
    conflict("tables/data", message).with_hint(hint)
}

fn conflict(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, code, message)
}

/// Names of things the refusal is about; never values.
fn names(db: &DbError) -> String {
    let named = [
        ("table", db.table()),
        ("column", db.column()),
        ("constraint", db.constraint()),
    ];
    let named = named
        .iter()
        .filter_map(|(what, name)| Some(format!("{what} {}", (*name)?)));
    named.collect::<Vec<_>>().join(", ")
}
