//! What an erasure runs, in one transaction of the data's database.
//!
//! Postgres gets one statement: all its parts see the same state, and foreign keys are checked at its end, so that cycles and
//! rows that lead to themselves need no more. MySQL gets one statement for each table, in an order that its keys allow; where
//! tables lead to each other in a circle it is told not to check them meanwhile, and does nothing of what they would do either,
//! so that is done before.

mod checks;
mod copies;
mod fill;
mod mysql;
mod order;
mod rights;
#[cfg(test)]
mod tests;

pub use copies::{nesting, refresh};
pub use fill::fillable;
pub use rights::denied;

use super::rows::{Subject, Whose, stale};
use super::sql::{Sql, Statement, count_as_text, is_aside};
use super::{Dialect, Facts, Link, LinkOrigin, Rule, SubjectMap, Table};
use crate::error::Result;
use crate::ident::Ident;

/// A statement of an erasure, and what it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is run.
    pub statement: Statement,
    /// What of it is a count.
    pub told: Told,
}

/// What a step tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// Nothing anybody wants to know: run it for its effect.
    Nothing,
    /// It changes as many rows of that table.
    Changed(String),
    /// It answers one row, with the number of changed rows of each of these tables.
    Counts(Vec<String>),
}

impl Told {
    /// The counts by table in the one row that a step with [`Told::Counts`] answers.
    pub fn counts(&self, row: &[Option<String>]) -> Vec<(String, u64)> {
        let Self::Counts(labels) = self else { return Vec::new() };
        let numbers = row
            .iter()
            .map(|text| text.as_deref().and_then(|text| text.parse().ok()));
        labels
            .iter()
            .cloned()
            .zip(numbers.map(Option::unwrap_or_default))
            .collect()
    }
}

/// Rows of others that hang on what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    /// The table they are in.
    pub table: String,
    /// The foreign key.
    pub foreign_key: String,
    /// The table whose rows go.
    pub on: String,
    /// Counts them: one row, one column.
    pub statement: Statement,
}

/// What erases the subject's rows by the map's rules, in order, in one transaction. Tables to keep are left alone.
///
/// # Errors
/// `privacy/map-stale` when the map names what is not there; `privacy/subject`; `privacy/not-fillable` when a column can be
/// neither emptied nor filled; `privacy/paths-cross` on MySQL when two tables need each other's rows to tell whose theirs are.
pub fn steps(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject) -> Result<Vec<Step>> {
    let work = Work::new(dialect, Whose { facts, map, subject })?;
    match dialect {
        Dialect::MySql => mysql::steps(&work),
        Dialect::Postgres | Dialect::Cockroach => Ok(at_once(&work)?.into_iter().collect()),
    }
}

/// What counts rows of others that hang on rows that go: in the same transaction, before [`steps`]. Where any are counted nothing
/// may go, since the database would refuse it or take them along.
///
/// # Errors
/// As [`steps`].
pub fn others(dialect: Dialect, facts: &Facts, map: &SubjectMap, subject: &Subject) -> Result<Vec<Hanging>> {
    let work = Work::new(dialect, Whose { facts, map, subject })?;
    let mut hanging = Vec::new();
    let known = facts
        .tables
        .iter()
        .map(|(label, table)| (label, table, work.action(label)));
    let outside = facts.outside.iter().map(|(label, table)| (label, table, None));
    for (label, table, action) in known.chain(outside) {
        for (link, name, on) in work.keys_to_deleted(table) {
            if sets_free(table, link) {
                continue;
            }
            hanging.push(Hanging {
                table: label.clone(),
                foreign_key: name.to_string(),
                on: on.to_owned(),
                statement: counted(&work, (label, table, action), link, on)?,
            });
        }
    }
    Ok(hanging)
}

/// What is done with which tables.
struct Work<'a> {
    dialect: Dialect,
    whose: Whose<'a>,
    /// By label.
    tables: Vec<(&'a str, &'a Table, Action<'a>)>,
}

/// What is done with the rows of a table.
enum Action<'a> {
    Delete,
    /// These columns are emptied.
    Empty(Vec<&'a Ident>),
}

impl<'a> Work<'a> {
    fn new(dialect: Dialect, whose: Whose<'a>) -> Result<Self> {
        let mut tables = Vec::new();
        for (label, entry) in &whose.map.tables {
            let table = whose.table(label)?;
            let action = match &entry.rule {
                Rule::Keep { .. } => continue,
                Rule::Delete => Action::Delete,
                Rule::Anonymise { columns } => Action::Empty(emptied(table, columns).ok_or_else(|| stale(label))?),
            };
            if !entry.paths.is_empty() {
                tables.push((label.as_str(), table, action));
            }
        }
        Ok(Self { dialect, whose, tables })
    }

    fn action(&self, label: &str) -> Option<&Action<'a>> {
        self.tables
            .iter()
            .find(|(known, ..)| *known == label)
            .map(|(.., action)| action)
    }

    fn is_deleted(&self, label: &str) -> bool {
        matches!(self.action(label), Some(Action::Delete))
    }

    /// A table's foreign keys to tables whose rows go.
    fn keys_to_deleted<'t>(&self, table: &'t Table) -> impl Iterator<Item = (&'t Link, &'t Ident, &'t str)> {
        table.links.iter().filter_map(|link| match (&link.origin, &link.to) {
            (LinkOrigin::ForeignKey { name, .. }, Some(to)) if self.is_deleted(to) => Some((link, name, to.as_str())),
            _ => None,
        })
    }
}

/// The columns that an anonymising rule empties: its own, and those that were put aside.
fn emptied<'t>(table: &'t Table, columns: &[String]) -> Option<Vec<&'t Ident>> {
    let all_there = columns.iter().all(|name| table.column(name).is_some());
    let is_emptied = |column: &&crate::schema::catalog::Column| {
        !column.generated && (is_aside(column) || columns.iter().any(|name| name == column.name.as_str()))
    };
    all_there.then(|| {
        table
            .columns
            .iter()
            .filter(is_emptied)
            .map(|column| &column.name)
            .collect()
    })
}

/// Whether the database itself takes the link out of rows whose target goes: by a null, for which a key of several columns needs
/// one that may be null. What it would set in place of that may lead nowhere.
pub(super) fn sets_free(table: &Table, link: &Link) -> bool {
    let columns = || link.columns.iter().filter_map(|name| table.column(name.as_str()));
    let LinkOrigin::ForeignKey { on_delete, .. } = &link.origin else {
        return false;
    };
    let by_null = match on_delete.as_str() {
        "set null" => true,
        "set default" => columns().all(|column| column.default.is_none()),
        _ => false,
    };
    by_null && columns().any(|column| column.nullable)
}

/// Counts rows of a table that hang on rows that go by a link, and that neither go nor let go of it themselves.
fn counted(
    work: &Work<'_>,
    (label, table, action): (&str, &Table, Option<&Action<'_>>),
    link: &Link,
    on: &str,
) -> Result<Statement> {
    let mut sql = Sql::new(work.dialect);
    sql.push("select ");
    sql.push(count_as_text(work.dialect));
    sql.push(" from ");
    sql.table(table, "t");
    sql.push(" where ");
    hangs(work, &mut sql, table, link, on)?;
    let lets_go = match action {
        Some(Action::Delete) => true,
        Some(Action::Empty(columns)) => link.columns.iter().any(|column| {
            columns.contains(&column) && table.column(column.as_str()).is_some_and(|column| column.nullable)
        }),
        None => false,
    };
    if lets_go {
        not_theirs(work, &mut sql, label)?;
    }
    Ok(sql.done())
}

/// Adds the condition that row `t` leads by a link to a row that goes.
fn hangs(work: &Work<'_>, sql: &mut Sql, table: &Table, link: &Link, on: &str) -> Result<()> {
    let inner = sql.fresh();
    let own: Vec<&Ident> = link.columns.iter().collect();
    let referenced: Vec<&Ident> = link.references.iter().collect();
    let there = work.whose.table(on)?;
    sql.within(("t", table, &own), (&inner, there, &referenced), false, |sql| {
        work.whose.belongs(sql, on, &inner)
    })
}

fn not_theirs(work: &Work<'_>, sql: &mut Sql, label: &str) -> Result<()> {
    sql.push(" and (");
    work.whose.belongs(sql, label, "t")?;
    sql.push(") is not true");
    Ok(())
}

/// All of it as one statement of Postgres.
fn at_once(work: &Work<'_>) -> Result<Option<Step>> {
    let mut sql = Sql::changing(work.dialect);
    let mut counts = String::new();
    let mut labels = Vec::new();
    for (label, table, action) in &work.tables {
        if matches!(action, Action::Empty(columns) if columns.is_empty()) {
            continue;
        }
        let part = format!("e{}", labels.len() + 1);
        sql.push(if labels.is_empty() { "with " } else { ", " });
        sql.push(&part);
        sql.push(" as (");
        match action {
            Action::Delete => {
                sql.push("delete from ");
                sql.table(table, "t");
            }
            Action::Empty(columns) => {
                sql.push("update ");
                sql.table(table, "t");
                fill::set(&mut sql, table, columns)?;
            }
        }
        sql.push(" where ");
        work.whose.belongs(&mut sql, label, "t")?;
        sql.push(" returning 1)");
        counts += if labels.is_empty() { " select " } else { ", " };
        counts += &format!("(select count(*) from {part})::text");
        labels.push((*label).to_owned());
    }
    if labels.is_empty() {
        return Ok(None);
    }
    sql.push(&counts);
    Ok(Some(Step {
        statement: sql.done(),
        told: Told::Counts(labels),
    }))
}
