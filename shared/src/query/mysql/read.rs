//! Reads, and what a write shows of the rows it touched.

use super::super::plan::{Page, Plan, Predicate};
use super::super::request::CountKind;
use super::sql::Sql;
use super::{Flavour, Param, Statement, aggregate, embed, filter, object, rule, write};
use crate::error::Result;
use crate::query::row_rules::Clause;

/// The statements of a read.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// One JSON text a row; of a HEAD the number of rows.
    pub rows: Statement,
    /// The number of rows that match, where it is asked for.
    pub total: Option<Total>,
}

/// How the number of rows that match is found.
#[derive(Debug, Clone, PartialEq)]
pub enum Total {
    /// This answers it.
    Counted(Statement),
    /// The server's plan of this tells how many it expects.
    Planned(Statement),
}

/// Renders a read.
///
/// # Errors
/// A value that its column cannot have.
pub fn read(plan: &Plan) -> Result<Read> {
    let node = &plan.shown;
    let mut sql = Sql::of(plan);
    let alias = sql.alias();
    let shows = plan.shows_rows();
    sql.push("select ");
    if shows {
        object::object(&mut sql, node, &alias)?;
    } else {
        sql.push("count(*) from (select ");
        sql.push(if node.is_grouped() { "count(*)" } else { "1" });
    }
    matching(&mut sql, plan, &alias)?;
    if shows {
        embed::order(&mut sql, node, &alias)?;
    }
    page(&mut sql, node.page);
    sql.push(if shows { "" } else { ") as plinth_page" });
    let total = plan.prefer.count.map(|_| total(plan)).transpose()?;
    Ok(Read {
        rows: sql.finish(),
        total,
    })
}

/// Parameters, so that every page is read by one statement.
fn page(sql: &mut Sql, page: Page) {
    if page == Page::default() {
        return;
    }
    sql.push(" limit ");
    // There is no offset without a limit.
    sql.bind(Param::Unsigned(page.limit.unwrap_or(u64::MAX)));
    if page.offset > 0 {
        sql.push(" offset ");
        sql.bind(Param::Unsigned(page.offset));
    }
}

fn total(plan: &Plan) -> Result<Total> {
    let mut sql = Sql::of(plan);
    let alias = sql.alias();
    if plan.prefer.count == Some(CountKind::Planned) {
        sql.push("select 1");
        matching(&mut sql, plan, &alias)?;
        return Ok(Total::Planned(sql.finish()));
    }
    let grouped = plan.shown.is_grouped();
    sql.push(if grouped {
        "select count(*) from (select count(*)"
    } else {
        "select count(*)"
    });
    matching(&mut sql, plan, &alias)?;
    sql.push(if grouped { ") as plinth_counted" } else { "" });
    Ok(Total::Counted(sql.finish()))
}

/// What asks for the plan of a statement: put before it.
pub fn explain(flavour: Flavour) -> &'static str {
    match flavour {
        // As MySQL, with how much of the rows the conditions leave.
        Flavour::MariaDb => "explain extended ",
        Flavour::MySql => "explain ",
    }
}

/// How many rows a plan expects: of each relation, how many are looked at and how much of them is left, in per cent.
pub fn expected(relations: &[(Option<f64>, Option<f64>)]) -> u64 {
    let rows = relations
        .iter()
        .map(|(rows, left)| rows.unwrap_or(0.0) * left.unwrap_or(100.0) / 100.0);
    let product: f64 = rows.product();
    // Saturates.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
    let expected = product.round().max(0.0) as u64;
    expected
}

fn matching(sql: &mut Sql, plan: &Plan, alias: &str) -> Result<()> {
    sql.push(" from ");
    sql.relation(&plan.shown)?;
    sql.push(" as ");
    sql.push(alias);
    filter::conditions(sql, &plan.shown, alias, " where ")?;
    if plan.shown.is_grouped() {
        aggregate::group_by(sql, &plan.shown, alias);
    }
    Ok(())
}

/// The rows that a write touched, by their keys.
///
/// # Errors
/// A value that its column cannot have.
pub fn by_keys(plan: &Plan, keys: &[Vec<Param>]) -> Result<Statement> {
    written(plan, |sql, alias| {
        sql.push(" where ");
        among(sql, plan, alias, keys)
    })
}

/// Adds whether a row has one of these keys.
fn among(sql: &mut Sql, plan: &Plan, alias: &str, keys: &[Vec<Param>]) -> Result<()> {
    sql.push("(");
    sql.list(&plan.primary_key, |sql, column| {
        sql.column(alias, column);
        Ok(())
    })?;
    sql.push(") in (");
    sql.list(keys, |sql, key| {
        sql.push("(");
        sql.list(key, |sql, part| {
            sql.bind(part.clone());
            Ok(())
        })?;
        sql.push(")");
        Ok(())
    })?;
    sql.push(")");
    Ok(())
}

/// How many of the rows with these keys are as the rules let an update leave them.
///
/// # Errors
/// `42501` where the table is not granted.
pub fn allowed_of(plan: &Plan, keys: &[Vec<Param>]) -> Result<Statement> {
    let mut sql = Sql::of(plan);
    let alias = sql.alias();
    sql.push("select count(*) from ");
    sql.qualified(plan.schema.as_ref(), &plan.table);
    sql.push(" as ");
    sql.push(&alias);
    sql.push(" where ");
    among(&mut sql, plan, &alias, keys)?;
    if let Some(check) = write::updated(plan, &rule::Row::Of(alias))? {
        sql.push(" and ");
        sql.piece(check);
    }
    Ok(sql.finish())
}

/// The rows that a write will touch, which nobody else changes until its end.
pub(super) fn locked(plan: &Plan, predicate: &Predicate) -> Result<Statement> {
    let mut rows = written(plan, |sql, alias| {
        filter::where_clause(sql, plan, alias, (Clause::Delete, predicate))
    })?;
    rows.sql.push_str(" for update");
    Ok(rows)
}

fn written(plan: &Plan, which: impl Fn(&mut Sql, &str) -> Result<()>) -> Result<Statement> {
    let mut sql = Sql::of(plan);
    let alias = sql.alias();
    sql.push("select ");
    object::object(&mut sql, &plan.shown, &alias)?;
    sql.push(" from ");
    sql.qualified(plan.schema.as_ref(), &plan.table);
    sql.push(" as ");
    sql.push(&alias);
    which(&mut sql, &alias)?;
    embed::order(&mut sql, &plan.shown, &alias)?;
    Ok(sql.finish())
}
