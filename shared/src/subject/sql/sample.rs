//! A few values of a table, to see what its columns hold.

use super::super::classify::is_sampled;
use super::super::{Dialect, Table};
use super::{Sql, Statement};
use crate::schema::catalog::Column;

/// Rows that are looked at.
const ROWS: u32 = 200;
/// Letters of each value.
const LETTERS: u32 = 4000;

/// Reads the first rows of the columns that may say something; `None` where no column may.
pub fn sample(dialect: Dialect, table: &Table) -> Option<(Vec<&Column>, Statement)> {
    let columns: Vec<&Column> = table.columns.iter().filter(|column| is_sampled(column)).collect();
    if columns.is_empty() {
        return None;
    }
    let mut sql = Sql::new(dialect);
    sql.push("select ");
    for (at, column) in columns.iter().enumerate() {
        sql.push(if at > 0 { ", left(" } else { "left(" });
        sql.as_text("t", column);
        sql.push(&format!(", {LETTERS})"));
    }
    sql.push(" from ");
    sql.table(table, "t");
    sql.push(&format!(" limit {ROWS}"));
    Some((columns, sql.done()))
}
