//! Why rows do not go: what somebody has to decide before, and what the data's database says.

use serde_json::json;

use super::conflict;
use super::data::Counts;
use super::plan::Others;
use crate::error::{Error, ErrorKind, Result};
use crate::subject::Change;
use crate::subject::erase::Hanging;

/// Refuses what the database would refuse in the middle of an erasure.
///
/// # Errors
/// 409 `privacy/not-granted`, with what is missing in the details.
pub(super) fn not_denied(denied: &[String]) -> Result<()> {
    if denied.is_empty() {
        return Ok(());
    }
    Err(conflict(
        "privacy/not-granted",
        "The backend's login is not granted what the subject map's rules need",
    )
    .with_details(denied.join(", "))
    .with_hint("Grant it in the database, to the role of secret keys if one is set, or have these tables' rows kept"))
}

/// Refuses while rows of others hang on what would go.
///
/// # Errors
/// 409 `privacy/others-hang-on`, with them in the details.
pub(super) fn refuse(others: &[Others]) -> Result<()> {
    if others.is_empty() {
        return Ok(());
    }
    let details = serde_json::to_value(others).map_err(Error::internal)?;
    // In words too: of a job's error only those are kept.
    let words = others.iter().map(|others| {
        let Others {
            table,
            foreign_key,
            on,
            rows,
        } = others;
        format!("{table} ({foreign_key}, on {on}): {rows}")
    });
    let words = words.collect::<Vec<_>>().join("; ");
    Err(conflict(
        "privacy/others-hang-on",
        "Rows of other people hang on what would be erased",
    )
    .with_details(words)
    .with_details_json(details)
    .with_hint(
        "Have those tables' rows anonymised in the subject map, or take the foreign keys' columns out of the rows",
    ))
}

/// Refuses where rows stay that were to go.
///
/// # Errors
/// 409 `privacy/rows-stay`, with the tables in the details.
pub(super) fn all_gone(expected: &Counts, gone: &Counts) -> Result<()> {
    let stay = expected.iter().filter_map(|(label, expected)| {
        let left = expected.saturating_sub(gone.get(label).copied().unwrap_or_default());
        (left > 0).then(|| format!("{label}: {left} of {expected}"))
    });
    let stay = stay.collect::<Vec<_>>().join("; ");
    if stay.is_empty() {
        return Ok(());
    }
    Err(
        conflict("privacy/rows-stay", "The database keeps rows that were to go")
            .with_details(stay)
            .with_hint("A trigger or rule keeps them, it seems: let it pass, or have that table's rows anonymised or kept in the subject map"),
    )
}

/// Rows that nobody here may look at may be another person's.
pub(super) fn unseen(error: Error, hanging: &Hanging) -> Error {
    if !matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::Unauthorized) {
        return error;
    }
    let details = json!([{
        "table": hanging.table, "foreignKey": hanging.foreign_key, "on": hanging.on, "rows": null,
    }]);
    conflict(
        "privacy/others-hang-on",
        "Rows of other people may hang on what would be erased, and this login may not look at them",
    )
    .with_details_json(details)
    .with_hint("Let the login read that table, or take its foreign key off")
    .with_source(error)
}

/// `posts.phone columnAdded`.
pub(super) fn told(change: &Change) -> String {
    let Change {
        table, column, link, ..
    } = change;
    let part = column.iter().chain(link).map(|part| format!(".{part}"));
    let kind = serde_json::to_value(change.kind).unwrap_or_default();
    format!(
        "{table}{} {}",
        part.collect::<String>(),
        kind.as_str().unwrap_or_default()
    )
}

/// An engine's error is kept in the job's row: what it says may quote the very rows.
pub(super) fn quiet(error: Error) -> Error {
    if error.code().starts_with("privacy/") {
        return error;
    }
    let quiet = Error::new(
        error.kind(),
        error.code().to_owned(),
        "The database refused the erasure",
    );
    // Names of tables and constraints, where the driver tells any: never a value.
    let quiet = match error.details() {
        Some(names) => quiet.with_details(names.to_owned()),
        None => quiet,
    };
    match error.retry_after() {
        Some(seconds) => quiet.with_retry_after(seconds),
        None => quiet,
    }
}
