//! A row as one JSON object.

use super::super::{Dialect, Table};
use super::{Kind, Sql};
use crate::error::Result;
use crate::ident::Ident;
use crate::schema::catalog::Column;
use crate::schema::hidden;

/// The members of a table's rows as [`super::read`] answers them, in order. A column that was put aside has the name it had,
/// where its comment tells it, marked as removed.
pub fn columns(table: &Table) -> Vec<String> {
    let mut names: Vec<String> = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let own = column.name.as_str();
        // Where it is known by its own design, that is its comment.
        let told = column.comment.as_deref().filter(|_| is_aside(column));
        let readable = told.map(|name| format!("{name} (removed)"));
        let is_free =
            |name: &String| name.len() <= Ident::MAX_BYTES && !names.contains(name) && table.column(name).is_none();
        names.push(readable.filter(is_free).unwrap_or_else(|| own.to_owned()));
    }
    names
}

/// Whether a column was put aside.
pub(in crate::subject) fn is_aside(column: &Column) -> bool {
    let name = column.name.as_str();
    hidden::is_hidden(name) && name != hidden::DELETED_AT
}

/// Selects a table's rows, named `t`, as JSON.
///
/// # Errors
/// Those of `which`.
pub(super) fn select(sql: &mut Sql, table: &Table, which: impl FnOnce(&mut Sql) -> Result<()>) -> Result<()> {
    let names = columns(table);
    match sql.dialect() {
        Dialect::Postgres => {
            sql.push("select row_to_json(r)::text from (select ");
            for (at, (column, name)) in table.columns.iter().zip(&names).enumerate() {
                sql.push(if at > 0 { ", " } else { "" });
                sql.column("t", &column.name);
                if name != column.name.as_str() {
                    sql.push(" as ");
                    sql.name(&Ident::new(name.as_str())?);
                }
            }
            sql.push(" from ");
            sql.table(table, "t");
            sql.push(" where ");
            which(sql)?;
            sql.push(") as r");
        }
        Dialect::Cockroach | Dialect::MySql => {
            concatenated(sql, table, &names);
            sql.push(" from ");
            sql.table(table, "t");
            sql.push(" where ");
            which(sql)?;
        }
    }
    Ok(())
}

/// Their own objects would order the members anew.
fn concatenated(sql: &mut Sql, table: &Table, names: &[String]) {
    sql.push("select concat(");
    for (at, (column, name)) in table.columns.iter().zip(names).enumerate() {
        let before = if at > 0 { "," } else { "{" };
        sql.bind(&format!("{before}{}:", serde_json::Value::from(name.as_str())));
        sql.push(", coalesce(");
        value(sql, column);
        sql.push(", 'null'), ");
    }
    sql.push(if table.columns.is_empty() { "'{}')" } else { "'}')" });
}

fn value(sql: &mut Sql, column: &Column) {
    if !sql.is_mysql() {
        sql.push("to_jsonb(");
        sql.column("t", &column.name);
        return sql.push(")::text");
    }
    let zero_filled = column.data_type.contains("zerofill");
    let (before, after) = match Kind::of(sql.dialect(), column) {
        Kind::Integer { .. } if zero_filled => ("cast(", " as unsigned)"),
        Kind::Decimal if zero_filled => ("json_quote(cast(", " as char))"),
        Kind::Integer { .. } | Kind::Decimal | Kind::Json | Kind::Year => ("", ""),
        Kind::Float => ("(0e0 + ", ")"),
        Kind::Bool => {
            // It may hold other numbers too.
            sql.push("case ");
            sql.column("t", &column.name);
            sql.push(" when 0 then 'false' when 1 then 'true' else ");
            ("", " end")
        }
        Kind::Bits => ("(", " + 0)"),
        Kind::Bytes { .. } => ("concat('\"', replace(to_base64(", "), char(10), ''), '\"')"),
        Kind::Date | Kind::Time | Kind::Uuid | Kind::Address => ("concat('\"', ", ", '\"')"),
        Kind::DateTime { moment: true } => ("concat('\"', date_format(", ", '%Y-%m-%dT%H:%i:%s.%f'), '+00:00\"')"),
        Kind::DateTime { moment: false } => ("concat('\"', date_format(", ", '%Y-%m-%dT%H:%i:%s.%f'), '\"')"),
        Kind::Shape => ("json_quote(convert(st_astext(", ") using utf8mb4))"),
        _ => ("json_quote(convert(", " using utf8mb4))"),
    };
    sql.push(before);
    sql.column("t", &column.name);
    sql.push(after);
}
