//! A few values of a table, to see what its columns hold.

use super::super::classify::is_sampled;
use super::super::{Dialect, Facts, Root, Table};
use super::{Sql, Statement};
use crate::schema::catalog::Column;

/// Rows that are looked at.
pub const SAMPLED: usize = 200;
/// Letters of each value.
const LETTERS: u32 = 4000;

/// Reads the first rows of the columns that may say something; `None` where no column may.
pub fn sample(dialect: Dialect, table: &Table) -> Option<(Vec<&Column>, Statement)> {
    let columns: Vec<&Column> = table.columns.iter().filter(|column| is_sampled(column)).collect();
    (!columns.is_empty()).then(|| {
        let mut sql = selected(dialect, table, &columns);
        sql.push(&format!(" limit {SAMPLED}"));
        (columns, sql.done())
    })
}

/// Reads the first values of one column: its first rows may have none.
pub fn sample_column(dialect: Dialect, table: &Table, column: &Column) -> Statement {
    let mut sql = selected(dialect, table, &[column]);
    // A value of several parts is neither null nor not null where some of them are.
    sql.push(" where not (");
    sql.column("t", &column.name);
    sql.push(&format!(" is null) limit {SAMPLED}"));
    sql.done()
}

/// Reads which of these are ids of people, as texts; `None` where people have no table, or go by several columns.
pub fn known(dialect: Dialect, facts: &Facts, root: &Root, ids: &[&str]) -> Option<Statement> {
    let table = root.table.as_ref().and_then(|label| facts.tables.get(label))?;
    let [key] = root.key.as_slice() else { return None };
    let key = table.column(key)?;
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    sql.as_text("t", key);
    sql.push(" from ");
    sql.table(table, "t");
    sql.push(" where false");
    for id in ids {
        sql.push(" or ");
        sql.equals("t", key, id);
    }
    Some(sql.done())
}

fn selected(dialect: Dialect, table: &Table, columns: &[&Column]) -> Sql {
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    for (at, column) in columns.iter().enumerate() {
        sql.push(if at > 0 { ", left(" } else { "left(" });
        sql.as_text("t", column);
        sql.push(&format!(", {LETTERS})"));
    }
    sql.push(" from ");
    sql.table(table, "t");
    sql
}
