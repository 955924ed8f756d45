//! The rows that are shown: of a read, of what a write returned, of what a function returned.

use super::super::plan::{Expression, From, Node, OrderBy, Output, Page, Plan, Source};
use super::sql::Sql;
use super::{ROW, assertion, body, filter, settings};

/// The column that holds the row itself, of rows that a statement returned.
const WHOLE: &str = "plinth_whole";

/// Renders a statement that shows rows and does nothing else. What comes before it may be `with plinth_source as (…) `.
pub(super) fn render(sql: &mut Sql, plan: &Plan, marker: &str) {
    let node = &plan.shown;
    let matching = matching(sql, node);
    sql.push("select ");
    body(sql, plan, marker);
    sql.push(", ");
    if node.from == From::Called {
        assertion::counted(sql, plan, marker);
    } else {
        sql.push("pg_catalog.count(*)");
    }
    sql.push(" as page_rows, ");
    match (plan.prefer.count, node.page == Page::default()) {
        (None, _) => sql.push("null::bigint"),
        (Some(_), true) => sql.push("pg_catalog.count(*)"),
        (Some(_), false) => {
            sql.push("(select pg_catalog.count(*)");
            sql.push(&matching);
            sql.push(")");
        }
    }
    sql.push(" as total_rows, null::bigint as inserted, null::text as location");
    settings(sql);
    sql.push(" from (");
    sql.push("select ");
    if plan.shows_rows() {
        outputs(sql, &node.outputs);
    } else {
        sql.push("1");
    }
    sql.push(&matching);
    order(sql, &node.order);
    page(sql, node.page);
    sql.push(") as plinth_row");
}

/// Adds the select of a node's rows.
pub(super) fn rows(sql: &mut Sql, node: &Node) {
    let matching = matching(sql, node);
    sql.push("select ");
    outputs(sql, &node.outputs);
    sql.push(&matching);
    order(sql, &node.order);
    page(sql, node.page);
}

/// Adds what a statement must return of `alias`, so that a node [`From::Written`] or [`From::Called`] can be made of it.
pub(super) fn sources(sql: &mut Sql, alias: &str, node: &Node) {
    let sources = node.sources();
    if sources.is_empty() {
        return sql.push("1");
    }
    sql.list(&sources, |sql, source| match source {
        Source::Everything => sql.push(&format!("{alias}.*")),
        Source::Column(column) => sql.column(alias, column),
        Source::Computed(computed, name) => {
            sql.computed(alias, computed, name);
            sql.push(" as ");
            sql.ident(name);
        }
        Source::Row => sql.push(&format!("{alias} as {WHOLE}")),
    });
}

/// ` from … where …`, as text of its own because counting repeats it with the same parameters.
fn matching(sql: &mut Sql, node: &Node) -> String {
    sql.aside(|sql| {
        sql.push(" from ");
        match &node.from {
            From::Relation { schema, name } => sql.qualified(schema.as_ref(), name),
            From::Written | From::Called => sql.push("plinth_source"),
            From::Computed(_) => {}
        }
        sql.push(&format!(" as {ROW}"));
        filter::where_clause(sql, ROW, &node.filter);
    })
}

fn outputs(sql: &mut Sql, outputs: &[Output]) {
    sql.list(outputs, |sql, output| {
        let Expression::Place(place) = &output.expression else {
            return;
        };
        sql.place(ROW, place);
        if let Some(cast) = &output.cast {
            sql.push("::");
            sql.type_name(cast);
        }
        // A cast or a JSON path would lend the column a name of its own.
        if output.cast.is_some() || !place.path.is_empty() || output.name != place.column {
            sql.push(" as ");
            sql.ident(&output.name);
        }
    });
}

fn order(sql: &mut Sql, terms: &[OrderBy]) {
    if terms.is_empty() {
        return;
    }
    sql.push(" order by ");
    sql.list(terms, |sql, term| {
        sql.place(ROW, &term.place);
        if term.descending {
            sql.push(" desc");
        }
        match term.nulls_first {
            Some(true) => sql.push(" nulls first"),
            Some(false) => sql.push(" nulls last"),
            None => {}
        }
    });
}

fn page(sql: &mut Sql, page: Page) {
    if let Some(limit) = page.limit {
        sql.push(" limit ");
        sql.bind_as(limit.min(i64::MAX.unsigned_abs()).to_string(), "bigint");
    }
    if page.offset > 0 {
        sql.push(" offset ");
        sql.bind_as(page.offset.to_string(), "bigint");
    }
}
