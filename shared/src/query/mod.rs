//! From a PostgREST request to SQL, as plain values: [`parse`] → [`Request`] → [`plan()`] over the catalog →
//! [`postgres::render`] → (a driver runs it) → [`reply()`].
//!
//! Nothing here is async, knows a connection or reads a clock, so every step is tested without a database.
//!
//! Invariants:
//! - A value of the request reaches SQL text never: it is a bound parameter, sent in text format, and Postgres infers
//!   its type. Names reach it only as an [`crate::ident::Ident`] found in the catalog (or as a quoted alias).
//! - The grammar's recursion, the number of conditions and the number of embeds are bounded, so no input overflows the
//!   stack, and no statement is out of proportion to its request.

pub mod answer;
pub mod facade;
mod feature;
pub mod mysql;
pub mod openapi;
pub mod parse;
pub mod pg_error;
pub mod plan;
pub mod postgres;
pub mod reply;
pub mod request;
pub mod rest;
pub mod row_rules;
pub mod script;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod properties;

pub use feature::Feature;
pub use parse::{parse_call, parse_request, wrong_method};
pub use plan::{Action, CastRule, ColumnRule, Owner, Plan, RowAccess, Rules, SearchConfigRule, plan};
pub use reply::{Counts, Reply, reply, with_estimate};
pub use request::{Method, Request};

/// How user text appears in an error: at most 100 characters, control characters escaped.
pub(crate) fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let mut out: String = text
        .chars()
        .take(MOST)
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    if text.chars().nth(MOST).is_some() {
        out.push('…');
    }
    out
}
