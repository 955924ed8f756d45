//! How many rows match: counted, estimated by the database's planner, or one after the other.

use super::super::plan::{Page, Plan};
use super::super::request::CountKind;
use super::Rendered;
use super::draw::{Drawn, draw};
use super::read::{list, tail};
use super::sql::Sql;

/// Adds the number of rows that match, or null if it is not asked for or an estimate will do.
pub(super) fn total(sql: &mut Sql, plan: &Plan, drawn: &Drawn<'_>) {
    let whole = drawn.node.page == Page::default();
    match (plan.prefer.count, plan.max_rows) {
        (None | Some(CountKind::Planned), _) => sql.push("null::bigint"),
        (Some(CountKind::Estimated), Some(most)) => {
            sql.push("(select pg_catalog.count(*) from (");
            matching(sql, drawn);
            sql.push(" limit ");
            sql.bind_as(
                most.saturating_add(1).min(i64::MAX.unsigned_abs()).to_string(),
                "bigint",
            );
            sql.push(") as plinth_counted)");
        }
        (Some(_), _) if whole => sql.push("pg_catalog.count(*)"),
        (Some(_), _) if !drawn.node.is_grouped() => {
            sql.push("(select pg_catalog.count(*)");
            drawn.matching(sql);
            sql.push(")");
        }
        (Some(_), _) => {
            sql.push("(select pg_catalog.count(*) from (");
            matching(sql, drawn);
            sql.push(") as plinth_counted)");
        }
    }
}

/// Adds the select of all rows that match, or of their groups.
fn matching(sql: &mut Sql, drawn: &Drawn<'_>) {
    if !drawn.node.is_grouped() {
        sql.push("select 1");
        return drawn.matching(sql);
    }
    sql.push("select");
    let groups = list(sql, drawn);
    tail(sql, drawn, &groups, false);
}

/// The statement that asks for an estimate, if one is wanted.
pub(super) fn explain(plan: &Plan) -> Option<Rendered> {
    let wanted = match plan.prefer.count? {
        CountKind::Exact => false,
        CountKind::Planned => true,
        CountKind::Estimated => plan.max_rows.is_some(),
    };
    if !wanted || plan.accept.explain.is_some() || plan.shown.from.is_returned() {
        return None;
    }
    let mut sql = Sql::of(plan);
    let drawn = draw(&plan.shown);
    sql.push("explain (format json) ");
    matching(&mut sql, &drawn);
    Some(sql.finish())
}

/// The number of rows that a plan expects, as [`Rendered::explain`] answers it.
pub fn estimate(plan: &str) -> Option<u64> {
    let plan: serde_json::Value = serde_json::from_str(plan).ok()?;
    plan.get(0)?.get("Plan")?.get("Plan Rows")?.as_u64()
}
