//! The rows that are shown: of a read, of what a write returned, of what a function returned.

use super::super::plan::{self, Expression, Node, Output, Place, Plan, Shown, Source};
use super::draw::{Drawn, draw};
use super::sql::Sql;
use super::{WHOLE, assertion, body, count, embed, settings};

/// Renders a statement that shows rows and does nothing else. What comes before it may be `with plinth_source as (…) `.
pub(super) fn render(sql: &mut Sql, plan: &Plan, marker: &str) {
    let node = &plan.shown;
    if node.from.is_returned() {
        sql.rows_are_returned();
    }
    let drawn = draw(node);
    sql.push("select ");
    body(sql, plan, marker);
    sql.push(", ");
    if node.from == plan::From::Called {
        assertion::counted(sql, plan, marker);
    } else {
        sql.push("pg_catalog.count(*)");
    }
    sql.push(" as page_rows, ");
    count::total(sql, plan, &drawn);
    sql.push(" as total_rows, null::bigint as inserted, null::text as location");
    settings(sql);
    sql.push(" from (");
    if plan.shows_rows() || node.is_grouped() {
        select(sql, &drawn);
    } else {
        sql.push("select 1");
        drawn.matching(sql);
        drawn.page(sql);
    }
    sql.push(") as plinth_row");
}

/// Adds the select of a node's rows.
pub(super) fn rows(sql: &mut Sql, node: &Node) {
    if node.from.is_returned() {
        sql.rows_are_returned();
    }
    let drawn = draw(node);
    select(sql, &drawn);
}

/// Adds what a statement must return of `alias`, so that a node `Written` or `Called` can be made of it.
pub(super) fn sources(sql: &mut Sql, alias: &str, node: &Node) {
    let sources = node.sources();
    if sources.is_empty() {
        return sql.push("1");
    }
    sql.list(&sources, |sql, source| match source {
        Source::Everything => {
            sql.push(alias);
            sql.push(".*");
        }
        Source::Column(column) => sql.column(alias, column),
        Source::Computed(computed, name) => {
            sql.computed(alias, computed, name);
            sql.push(" as ");
            sql.ident(name);
        }
        Source::Row => {
            sql.push(alias);
            sql.push(" as ");
            sql.push(WHOLE);
        }
    });
}

/// Adds the select of a node's rows.
pub(super) fn select(sql: &mut Sql, drawn: &Drawn<'_>) {
    sql.push("select");
    let groups = list(sql, drawn);
    tail(sql, drawn, &groups, true);
}

/// Adds what is selected, and answers the positions of what makes the groups.
pub(super) fn list(sql: &mut Sql, drawn: &Drawn<'_>) -> Vec<usize> {
    let mut items = Items::default();
    if drawn.node.everything {
        items.next(sql, false);
        sql.push(&drawn.alias);
        sql.push(".*");
    }
    for output in &drawn.node.outputs {
        items.next(sql, matches!(output.expression, Expression::Place(_)));
        expression(sql, &drawn.alias, output);
    }
    for (at, (embed, child)) in drawn.embeds.iter().enumerate() {
        match &embed.shown {
            Shown::Hidden => {}
            Shown::Nested => {
                items.next(sql, true);
                embed::nested(sql, drawn, at);
                sql.push(" as ");
                sql.ident(&embed.name);
            }
            Shown::Spread(lifted) => {
                for lifted in lifted {
                    items.next(sql, lifted.aggregate.is_none());
                    embed::lifted(sql, embed, child, lifted);
                }
            }
        }
    }
    items.groups
}

/// Positions in a list of what is selected.
#[derive(Default)]
struct Items {
    count: usize,
    groups: Vec<usize>,
}

impl Items {
    fn next(&mut self, sql: &mut Sql, groups: bool) {
        sql.push(if self.count > 0 { ", " } else { " " });
        self.count += 1;
        if groups {
            self.groups.push(self.count);
        }
    }
}

fn expression(sql: &mut Sql, alias: &str, output: &Output) {
    let mut named = output.cast.is_some();
    match &output.expression {
        Expression::Place(place) => {
            sql.place(alias, place);
            // A cast, a JSON path or a call would lend the column a name of its own.
            named |= !place.path.is_empty() || place.computed.is_some() || output.name != place.column;
        }
        Expression::Aggregate(aggregate) => {
            named = true;
            sql.aggregate(aggregate.function);
            match &aggregate.of {
                Some((place, cast)) => {
                    sql.place(alias, place);
                    sql.cast(cast.as_ref());
                }
                None => sql.push("*"),
            }
            sql.push(")");
        }
    }
    sql.cast(output.cast.as_ref());
    if named {
        sql.push(" as ");
        sql.ident(&output.name);
    }
}

/// Adds ` from … where … group by …` and, if `paged`, ` order by … limit …`.
pub(super) fn tail(sql: &mut Sql, drawn: &Drawn<'_>, groups: &[usize], paged: bool) {
    drawn.from(sql);
    for at in 0..drawn.embeds.len() {
        embed::join(sql, drawn, at);
    }
    drawn.where_clause(sql, |at| !embed::is_joined(drawn.node, at));
    let grouped = drawn.node.is_grouped();
    if grouped && !groups.is_empty() {
        sql.push(" group by ");
        sql.list(groups, |sql, ordinal| sql.push(&ordinal.to_string()));
    }
    if paged {
        order(sql, drawn, grouped);
        drawn.page(sql);
    }
}

fn order(sql: &mut Sql, drawn: &Drawn<'_>, grouped: bool) {
    for (at, term) in drawn.node.order.iter().enumerate() {
        sql.push(if at > 0 { ", " } else { " order by " });
        // What rows are grouped by must be named as it was there: an equal expression has other parameters.
        let ordinal = drawn.node.outputs.iter().position(|output| is_of(output, &term.place));
        match (term.embed, ordinal) {
            (Some(embed), _) => embed::order_by(sql, drawn, embed, at),
            (None, Some(ordinal)) if grouped => sql.push(&(ordinal + 1).to_string()),
            (None, _) => sql.place(&drawn.alias, &term.place),
        }
        if term.descending {
            sql.push(" desc");
        }
        match term.nulls_first {
            Some(true) => sql.push(" nulls first"),
            Some(false) => sql.push(" nulls last"),
            None => {}
        }
    }
}

/// Whether an output shows a place as it is.
pub(super) fn is_of(output: &Output, place: &Place) -> bool {
    output.cast.is_none() && matches!(&output.expression, Expression::Place(own) if own == place)
}
