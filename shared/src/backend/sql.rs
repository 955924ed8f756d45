//! Scripts that a developer wrote, for engines and places that may run them.

use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;

use super::{Fut, NO_ROLE};
use crate::error::Result;
use crate::ident::{Ident, Ref};
use crate::query::script::Statement;

/// Where, as whom and how far a script runs. All of it in one transaction on a connection that nobody uses afterwards.
#[derive(Debug, Clone)]
pub struct ScriptScope {
    /// The role to take; none is the login itself.
    pub role: Option<Ident>,
    /// The schemas that names without one are looked up in.
    pub schemas: Vec<Ident>,
    /// The project whose version row is there, to be moved when the script changes what the catalog tells.
    pub versioned: Option<Ref>,
    /// `app.tenant_id`.
    pub tenant: String,
    /// Whether nothing of it may stay.
    pub read_only: bool,
    /// Longest time for all of it.
    pub deadline: Duration,
    /// Rows answered at most.
    pub max_rows: usize,
    /// Bytes of JSON that they may take.
    pub max_bytes: usize,
}

impl ScriptScope {
    /// The value of the setting `role`.
    pub fn role_setting(&self) -> &str {
        self.role.as_ref().map_or(NO_ROLE, Ident::as_str)
    }
}

/// Statements with the text they were cut from, and values for the only one.
#[derive(Debug, Clone, Copy)]
pub struct Script<'a> {
    /// The whole text.
    pub text: &'a str,
    /// Its statements, none of which controls the transaction.
    pub statements: &'a [Statement<'a>],
    /// Values of `$1`, `$2`, …; empty unless there is one statement.
    pub params: &'a [Value],
}

/// A column of an answer.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Column {
    /// Its key in each row: its name, with a number behind it where an earlier column has that name.
    pub name: String,
    /// The engine's name of its type.
    #[serde(rename = "type")]
    pub data_type: String,
}

/// What a script answered.
#[derive(Debug)]
pub struct Ran {
    /// The columns of the last statement that answers rows.
    pub columns: Vec<Column>,
    /// Its rows: a JSON array of objects.
    pub rows: Box<RawValue>,
    /// The rows answered; without any, those that the last statement changed.
    pub row_count: u64,
    /// Whether there were more rows.
    pub truncated: bool,
    /// Whether tables, functions, rights or the like have changed.
    pub changed: bool,
}

/// Runs scripts.
pub trait Sql: Send + Sync {
    /// Runs a script. Nothing of it stays unless all of it succeeds (and never, in a read-only scope).
    ///
    /// Errors: the engine's with its code, text and place, whatever they are about: who runs a script owns what is
    /// there. `sql/timeout`, `sql/outcome-unknown`, `sql/params`, `sql/transaction-control`; `PGRST001`, `PGRST003` and
    /// [`REFUSED`](super::REFUSED) when there is no connection.
    fn run<'a>(&'a self, scope: &'a ScriptScope, script: Script<'a>) -> Fut<'a, Result<Ran>>;
}
