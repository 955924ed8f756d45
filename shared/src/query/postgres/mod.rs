//! A plan as one Postgres statement that answers exactly one row: the reply's body and the numbers of its headers.
//!
//! Every value is a parameter, to be sent **in text format with its type left to Postgres** (OID 0). The statement's
//! text depends on the request's shape only, so it can be prepared and shared by all requests of that shape.
//!
//! The transaction that runs it sets, before it and locally, `search_path` to the exposed schema and everything in
//! [`SETTINGS`]; a session may have been left dirty by a tenant's own code.

mod assertion;
mod body;
mod call;
mod cockroach;
mod count;
mod draw;
mod embed;
mod filter;
mod kept;
mod names;
mod read;
mod size;
mod sql;
mod write;

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

pub use assertion::failed_assertion;
pub(in crate::query) use assertion::{not_single, too_many};
pub use cockroach::{OF_COCKROACH, refuse as refuse_on_cockroach};
pub use count::estimate;
pub use kept::hinted;
pub use names::in_clients_words;

use super::plan::{Action, DeletedRows, Plan};
use super::request::{Method, Return};
use body::body;
pub(in crate::query) use size::too_large;
use sql::Sql;

use crate::ident::literal;
use crate::schema::ddl::{DELETING, RESTORING};

/// Settings that the statement reads, and what they must hold before it runs.
pub const SETTINGS: &[(&str, &str)] = &[
    ("plinth.inserted", ""),
    (DELETING, ""),
    (RESTORING, ""),
    ("response.headers", ""),
    ("response.status", ""),
];

/// The columns of the one row, in order. `text` or `bigint`, all but `page_rows` may be null:
/// `body` (text), `page_rows` (bigint: rows shown, or touched by a write), `total_rows` (bigint, with `count`),
/// `inserted` (bigint: new rows of an upsert), `location` (text: JSON object of the new row's key), `response_headers`
/// and `response_status` (text, set by database functions).
pub const COLUMNS: [&str; 7] = [
    "body",
    "page_rows",
    "total_rows",
    "inserted",
    "location",
    "response_headers",
    "response_status",
];

/// A statement with its parameters. Of a plan whose `accept` asks to explain it, the statement answers lines instead: rows
/// of one column, which joined are the body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub sql: String,
    /// `$1`, `$2`, … in text format.
    pub params: Vec<Option<String>>,
    /// A statement of its own that tells how many rows Postgres expects, where that is asked for; its answer is one row of
    /// one column, read by [`estimate`].
    pub explain: Option<Box<Rendered>>,
    /// A statement that runs in the same transaction before it, as the same role; its answer does not matter.
    pub before: Option<String>,
}

/// The alias of the relation, or of the rows a write returned.
const ROW: &str = "plinth_0";

/// The column that holds the row itself, of rows that a statement returned.
const WHOLE: &str = "plinth_whole";

/// Renders `plan`.
///
/// `marker` is a random text without quotes that no one can guess; it stands in the error of an assertion that failed
/// (see [`failed_assertion`]) and nowhere else.
pub fn render(plan: &Plan, marker: &str) -> Rendered {
    let mut sql = Sql::of(plan);
    if let Some(explain) = plan.accept.explain {
        body::explain(&mut sql, explain);
    }
    match &plan.action {
        Action::Read => read::render(&mut sql, plan, marker),
        Action::Call(call) => {
            // A value that is not shown would not be computed either.
            sql.push(if plan.shows_rows() {
                "with plinth_source as ("
            } else {
                "with plinth_source as materialized ("
            });
            call::render(&mut sql, call, &plan.shown);
            sql.push(") ");
            read::render(&mut sql, plan, marker);
        }
        _ => write::render(&mut sql, plan, marker),
    }
    Rendered {
        explain: count::explain(plan).map(Box::new),
        before: mode(plan),
        ..sql.finish()
    }
}

/// What tells the policies of a table that keeps deleted rows what a transaction is about.
fn mode(plan: &Plan) -> Option<String> {
    let setting = match (&plan.action, plan.deleted) {
        (Action::Mark { deleted: true, .. }, _) => DELETING,
        (_, DeletedRows::Meant) => RESTORING,
        _ => return None,
    };
    let mut table = Sql::default();
    table.table(plan);
    let table = literal(&table.finish().sql);
    Some(format!(
        "select pg_catalog.set_config('{setting}', ({table}::pg_catalog.regclass)::pg_catalog.oid::pg_catalog.text, true)"
    ))
}

/// What database functions said about the reply.
fn settings(sql: &mut Sql) {
    for (column, setting) in [
        ("response_headers", "response.headers"),
        ("response_status", "response.status"),
    ] {
        sql.push(&format!(
            ", nullif(pg_catalog.current_setting('{setting}', true), '') as {column}"
        ));
    }
}

/// Whether a write answers where its one new row is.
fn wants_location(plan: &Plan) -> bool {
    plan.method == Method::Post
        && plan.prefer.representation == Some(Return::HeadersOnly)
        && !plan.primary_key.is_empty()
}
