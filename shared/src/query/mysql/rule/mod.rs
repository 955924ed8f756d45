//! Row rules as conditions of these engines, with the meaning they have in Postgres: three-valued, texts compared byte by
//! byte with their case and the spaces at their end, whole numbers divided as such, no type made of another in silence.
//! What cannot be said exactly is refused, when the rule is written.
//!
//! Where Postgres would fail (an overflow, a division by zero) the statement fails here or answers; it never shows a row
//! instead of failing that Postgres would not show otherwise.

mod caller;
mod column;
mod compare;
mod expr;
mod function;
mod number;
mod piece;

#[cfg(test)]
mod tests;

pub(crate) use column::holds_id;

use super::super::plan::{RowAccess, conflicts, denied, violates};
use super::super::row_rules::{Clause, RowRules, TableRules, outdated};
use super::sql::Sql;
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::query::plan::Plan;
use crate::schema::expr::Expr;
use expr::{Compiler, Frame};
pub(super) use piece::Piece;

/// The code of what cannot be said exactly.
const NOT_EXACT: &str = "rules/not-exact";

fn inexact(what: impl Into<String>, hint: &'static str) -> Error {
    Error::invalid(NOT_EXACT, what.into()).with_hint(hint)
}

/// How the columns of the row in question are written.
#[derive(Debug, Clone)]
pub(super) enum Row {
    /// Behind this name.
    Of(String),
    /// As the row that an insert proposes and that was there already.
    Proposed,
}

/// Whether a rule can be said exactly.
///
/// # Errors
/// `rules/not-exact`, and what Postgres would say of it.
pub(crate) fn try_rule(rules: &RowRules, table: &Ident, rule: &Expr) -> Result<()> {
    let found = rules.table(table)?;
    condition(rules, found, &Row::Of("t".to_owned()), &[rule], 0).map(drop)
}

/// What rows of a table must satisfy; [`None`] where all of them do.
///
/// # Errors
/// `42501` where the table is not granted; what of the caller's claims no rule can read.
pub(super) fn of(rows: &RowAccess, table: &Ident, clause: Clause, row: &Row) -> Result<Option<Piece>> {
    match rows {
        RowAccess::All | RowAccess::Owned(_) => Ok(None),
        RowAccess::Only(rules) => allowed(rules, table, clause, row, 0),
    }
}

fn allowed(rules: &RowRules, table: &Ident, clause: Clause, row: &Row, depth: usize) -> Result<Option<Piece>> {
    let (found, alternatives) = rules.alternatives(table, clause)?;
    let Some(alternatives) = alternatives else {
        return Ok(None);
    };
    let made = condition(rules, found, row, &alternatives, depth);
    made.map(Some).map_err(|error| match error.code() {
        NOT_EXACT => outdated(table, error.public()),
        _ => error,
    })
}

/// One of the alternatives.
fn condition(rules: &RowRules, table: &TableRules, row: &Row, alternatives: &[&Expr], depth: usize) -> Result<Piece> {
    let frame = Frame {
        name: table.name().clone(),
        table,
        row: row.clone(),
    };
    let mut compiler = Compiler {
        rules,
        frames: vec![frame],
        depth,
    };
    let parts = alternatives.iter().map(|expr| compiler.truth(expr));
    Ok(Piece::joined(parts.collect::<Result<_>>()?, " or "))
}

/// Adds what rows of a relation must satisfy behind `word`. Says whether there was anything to add.
///
/// # Errors
/// As [`of`].
pub(super) fn add(sql: &mut Sql, table: &Ident, clause: Clause, alias: &str, word: &str) -> Result<bool> {
    let Some(piece) = of(&sql.rows, table, clause, &Row::Of(alias.to_owned()))? else {
        return Ok(false);
    };
    sql.push(word);
    sql.piece(piece);
    Ok(true)
}

/// Adds what rows of a relation that may be in any schema must satisfy, as a part of a conjunction.
///
/// # Errors
/// As [`of`]; `42501` for a relation of another schema.
pub(super) fn add_of(sql: &mut Sql, schema: &Ident, table: &Ident, alias: &str) -> Result<()> {
    if let RowAccess::Only(rules) = &sql.rows
        && rules.schema() != Some(schema)
    {
        return Err(denied(table, rules.anonymous()));
    }
    add(sql, table, Clause::Select, alias, " and ").map(drop)
}

/// Adds what remembers those values of a proposed row that a rule asks for inside a subquery, each a part of a conjunction.
///
/// # Errors
/// `42501` where the table is not granted.
pub(super) fn remember(sql: &mut Sql, table: &Ident, check: &Piece) -> Result<()> {
    let RowAccess::Only(rules) = sql.rows.clone() else {
        return Ok(());
    };
    for (at, column) in rules.table(table)?.columns().enumerate() {
        let variable = expr::remembered(at);
        if check.sql.contains(&variable) {
            let column = Ident::new(column)?;
            sql.push(&format!(
                " and (({variable} := values({})) is null or true)",
                column.backticked()
            ));
        }
    }
    Ok(())
}

/// What a write checks of the rows it has made.
#[derive(Debug, Clone, Default)]
pub(super) struct Checks {
    /// Of new rows.
    pub(super) inserted: Option<Piece>,
    /// Of rows that were there and are changed.
    pub(super) updated: Option<Piece>,
    /// Of a row that was proposed and was there already.
    pub(super) proposed: Option<Piece>,
    /// Of the row that was there, before it is changed.
    pub(super) existing: Option<Piece>,
}

impl Checks {
    /// Whether anything must be looked at.
    pub(super) fn any(&self) -> bool {
        [&self.inserted, &self.updated, &self.proposed, &self.existing]
            .iter()
            .any(|check| check.is_some())
    }
}

/// The rules of several clauses together.
///
/// # Errors
/// As [`of`].
pub(super) fn both(plan: &Plan, clauses: &[Clause], row: &Row) -> Result<Option<Piece>> {
    let parts = clauses.iter().map(|clause| of(&plan.rows, &plan.table, *clause, row));
    let mut parts: Vec<Piece> = parts.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect();
    // Most policies are about several commands.
    parts.dedup_by(|one, other| one.sql == other.sql && one.params == other.params);
    Ok((!parts.is_empty()).then(|| Piece::joined(parts, " and ")))
}

/// The error for a row that a write may not make; for one that an upsert found and may not change.
pub(super) fn refusal(plan: &Plan, existing: bool) -> Error {
    let anonymous = matches!(&plan.rows, RowAccess::Only(rules) if rules.anonymous());
    let refusal = if existing { conflicts } else { violates };
    refusal(&plan.table, anonymous)
}
