//! Statements over a person's rows, for each engine. Values bind as texts, and the statement casts them.

mod json;
mod kind;
mod sample;
#[cfg(test)]
pub(super) mod tests;
mod write;

use std::collections::BTreeSet;

pub(super) use kind::Kind;
pub(super) use write::Sql;

use super::rows::{Subject, Whose};
use super::{Dialect, Facts, SubjectMap, Table};
use crate::error::Result;

pub use json::columns;
pub(super) use json::is_aside;
pub use sample::{SAMPLED, known, sample, sample_column};

/// A statement that was rendered for the engine at hand, with its values.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// Its text, with the engine's placeholders.
    pub sql: String,
    /// The values, as texts; the statement casts them.
    pub params: Vec<Option<String>>,
}

/// Shows no value: they say who somebody is.
impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statement")
            .field("sql", &self.sql)
            .finish_non_exhaustive()
    }
}

/// Reads the keys of people with that e-mail address, as texts, in the order of the root's key; two of them at the most, since
/// one is who was meant and two are nobody. `None` where people have no row, or no column with it.
///
/// # Errors
/// `privacy/map-stale` when the map names what is not there.
pub fn find_by_email(dialect: Dialect, facts: &Facts, map: &SubjectMap, email: &str) -> Result<Option<Statement>> {
    let (Some(label), Some(address)) = (&map.root.table, &map.root.email) else {
        return Ok(None);
    };
    let table = facts.tables.get(label).ok_or_else(|| super::rows::stale(label))?;
    let address = table.column(address).ok_or_else(|| super::rows::stale(label))?;
    let mut sql = Sql::new(dialect);
    select_key(&mut sql, table, &map.root.key)?;
    sql.push(" where ");
    sql.has_address("t", address, email);
    sql.push(" limit 2");
    Ok(Some(sql.done()))
}

/// Reads the key of the subject's own row as the database writes it, in the order of the root's key. `None` where people have
/// no row.
///
/// # Errors
/// `privacy/map-stale`; `privacy/subject` when the subject has no value for a column of the root's key.
pub fn find_by_key(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject) -> Result<Option<Statement>> {
    let Some(label) = &map.root.table else {
        return Ok(None);
    };
    let whose = Whose { facts, map, subject };
    let mut sql = Sql::new(dialect);
    select_key(&mut sql, whose.table(label)?, &map.root.key)?;
    sql.push(" where ");
    whose.is_person(&mut sql, label, "t")?;
    sql.push(" limit 1");
    Ok(Some(sql.done()))
}

/// Reads the subject's id as it is written in each column that leads to nobody's row: one value or none of each. The first
/// one found counts: columns whose type has one way to write it come before texts.
///
/// # Errors
/// As [`find_by_key`].
pub fn find_ids(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject) -> Result<Vec<Statement>> {
    let whose = Whose { facts, map, subject };
    let mut statements = Vec::new();
    for (label, name) in ids(map) {
        let table = whose.table(label)?;
        let column = table.column(name).ok_or_else(|| super::rows::stale(label))?;
        let mut sql = Sql::new(dialect);
        sql.push("select ");
        sql.as_text("t", column);
        sql.push(" from ");
        sql.table(table, "t");
        sql.push(" where ");
        sql.equals("t", column, subject.person().unwrap_or_default());
        sql.push(" limit 1");
        let is_text = matches!(Kind::of(dialect, column), Kind::Text { .. });
        statements.push((is_text, sql.done()));
    }
    statements.sort_by_key(|(is_text, _)| *is_text);
    Ok(statements.into_iter().map(|(_, statement)| statement).collect())
}

/// The columns at which paths end with an id, by table.
fn ids(map: &SubjectMap) -> BTreeSet<(&str, &str)> {
    let mut ids = BTreeSet::new();
    for (label, entry) in &map.tables {
        for path in &entry.paths {
            let before = path.0.iter().rev().nth(1);
            let from = before.and_then(|hop| hop.references.as_deref()).unwrap_or(label);
            if let Some(last) = path.0.last().filter(|last| last.references.is_none()) {
                ids.extend(last.columns.first().map(|column| (from, column.as_str())));
            }
        }
    }
    ids
}

fn select_key(sql: &mut Sql, table: &Table, key: &[String]) -> Result<()> {
    sql.push("select ");
    for (at, name) in key.iter().enumerate() {
        sql.push(if at > 0 { ", " } else { "" });
        sql.as_text("t", table.column(name).ok_or_else(|| super::rows::stale(name))?);
    }
    sql.push(" from ");
    sql.table(table, "t");
    Ok(())
}

/// Counts the subject's rows of a table: one row, one column.
///
/// # Errors
/// As [`find_by_key`].
pub fn count(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject, label: &str) -> Result<Statement> {
    let whose = Whose { facts, map, subject };
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    sql.push(count_as_text(dialect));
    sql.push(" from ");
    sql.table(whose.table(label)?, "t");
    sql.push(" where ");
    whose.belongs(&mut sql, label, "t")?;
    Ok(sql.done())
}

/// Reads the subject's rows of a table, each as one column of JSON, in no order: an object with the members that [`columns`]
/// tells, in that order, values as exact as the database has them.
///
/// # Errors
/// As [`find_by_key`].
pub fn read(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject, label: &str) -> Result<Statement> {
    let whose = Whose { facts, map, subject };
    let table = whose.table(label)?;
    let mut sql = Sql::new(dialect);
    json::select(&mut sql, table, |sql| whose.belongs(sql, label, "t"))?;
    Ok(sql.done())
}

/// The number of rows as text.
pub(super) fn count_as_text(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::MySql => "cast(count(*) as char)",
        Dialect::Postgres | Dialect::Cockroach => "count(*)::text",
    }
}
