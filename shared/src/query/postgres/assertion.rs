//! Counts that must hold or the whole transaction is undone: a cast that fails, its text carrying a random marker.

use super::super::plan::{self, Action, Plan};
use super::size;
use super::sql::Sql;
use crate::error::{Error, ErrorKind};

const SINGLE: &str = "single";
const MOST: &str = "most";
const PUT: &str = "put";
pub(super) const SIZE: &str = "size";

/// Adds the number of touched rows, and fails the statement if it is not allowed.
pub(super) fn counted(sql: &mut Sql, plan: &Plan, marker: &str) {
    let put = matches!(&plan.action, Action::Insert { only: Some(_), .. });
    let checked = put || plan.accept.singular || plan.prefer.max_affected.is_some();
    if !checked {
        return sql.push("pg_catalog.count(*)");
    }
    sql.push("case");
    if put {
        sql.push(" when pg_catalog.count(*) <> 1 then ");
        fail(sql, marker, PUT);
    }
    if let Some(most) = plan.prefer.max_affected {
        sql.push(" when pg_catalog.count(*) > ");
        sql.bind_as(most.min(i64::MAX.unsigned_abs()).to_string(), "bigint");
        sql.push(" then ");
        fail(sql, marker, MOST);
    }
    if plan.accept.singular {
        sql.push(" when pg_catalog.count(*) <> 1 then ");
        fail(sql, marker, SINGLE);
    }
    sql.push(" else pg_catalog.count(*) end");
}

/// Adds an expression of type bigint that cannot be computed. It depends on an aggregate, so it is not tried early.
fn fail(sql: &mut Sql, marker: &str, what: &str) {
    sql.push("(");
    sql.bind_as(format!("{marker}:{what}:"), "text");
    sql.push(" || pg_catalog.count(*))::bigint");
}

/// The error behind a database error's message, if it was an assertion of a statement rendered with `marker`.
pub fn failed_assertion(marker: &str, message: &str) -> Option<Error> {
    let (_, told) = message.split_once(marker)?;
    let (what, rows) = told.strip_prefix(':')?.split_once(':')?;
    let digits = rows.find(|c: char| !c.is_ascii_digit()).unwrap_or(rows.len());
    let rows: u64 = rows[..digits].parse().ok()?;
    match what {
        SINGLE => Some(not_single(rows)),
        MOST => Some(too_many(rows)),
        PUT => Some(plan::put_mismatch()),
        SIZE => Some(size::too_large(rows)),
        _ => None,
    }
}

/// `PGRST124`.
pub(in crate::query) fn too_many(rows: u64) -> Error {
    Error::invalid("PGRST124", "Query result exceeds max-affected preference constraint")
        .with_details(format!("The query affects {rows} rows"))
}

/// `PGRST116`.
pub(in crate::query) fn not_single(rows: u64) -> Error {
    Error::new(
        ErrorKind::NotAcceptable,
        "PGRST116",
        "Cannot coerce the result to a single JSON object",
    )
    .with_details(format!("The result contains {rows} rows"))
}
