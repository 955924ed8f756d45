//! Statements over a person's rows, for each engine. Values bind as texts, and the statement casts them.

mod json;
mod kind;
mod sample;
#[cfg(test)]
pub(super) mod tests;
mod write;

pub(super) use kind::Kind;
pub(super) use write::Sql;

use super::rows::{Subject, Whose};
use super::{Dialect, Facts, SubjectMap};
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
    let column = |name: &str| table.column(name).ok_or_else(|| super::rows::stale(label));
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    for (at, key) in map.root.key.iter().enumerate() {
        sql.push(if at > 0 { ", " } else { "" });
        sql.as_text("t", column(key)?);
    }
    sql.push(" from ");
    sql.table(table, "t");
    sql.push(" where lower(");
    sql.as_text("t", column(address)?);
    sql.push(") = lower(");
    sql.bind(email);
    sql.push(") limit 2");
    Ok(Some(sql.done()))
}

/// Answers a row if the subject has one. `None` where people have none: whether they exist is known elsewhere.
///
/// # Errors
/// `privacy/map-stale`; `privacy/subject` when the subject has no value for a column of the root's key.
pub fn exists(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject) -> Result<Option<Statement>> {
    let Some(label) = &map.root.table else {
        return Ok(None);
    };
    let whose = Whose { facts, map, subject };
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    sql.push(text_of(dialect, "1"));
    sql.push(" from ");
    sql.table(whose.table(label)?, "t");
    sql.push(" where ");
    whose.is_person(&mut sql, label, "t")?;
    sql.push(" limit 1");
    Ok(Some(sql.done()))
}

/// Counts the subject's rows of a table: one row, one column.
///
/// # Errors
/// As [`exists`].
pub fn count(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject, label: &str) -> Result<Statement> {
    let whose = Whose { facts, map, subject };
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    sql.push(text_of(dialect, "count(*)"));
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
/// As [`exists`].
pub fn read(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject, label: &str) -> Result<Statement> {
    let whose = Whose { facts, map, subject };
    let table = whose.table(label)?;
    let mut sql = Sql::new(dialect);
    json::select(&mut sql, table, |sql| whose.belongs(sql, label, "t"))?;
    Ok(sql.done())
}

/// An expression as text.
pub(super) fn text_of(dialect: Dialect, expression: &'static str) -> &'static str {
    match (dialect, expression) {
        (Dialect::MySql, "1") => "'1'",
        (Dialect::MySql, _) => "cast(count(*) as char)",
        (_, "1") => "'1'::text",
        _ => "count(*)::text",
    }
}
