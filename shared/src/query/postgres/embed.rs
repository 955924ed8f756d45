//! Embeds: what is joined, and what is selected of it.
//!
//! A to-one is joined laterally, so that Postgres chooses how; rows without one show null. A to-many is a subquery in the
//! list of what is selected, which Postgres computes for the rows of the page only. Whether there are rows, where that
//! restricts the rows above, is asked by `exists`.

#[cfg(test)]
mod tests;

use super::super::plan::{Embed, Lifted, Node, Place, Shown};
use super::draw::Drawn;
use super::read::{is_of, list, select, tail};
use super::sql::Sql;

/// The column of a lateral join that holds an embed's JSON.
const JSON: &str = "plinth_json";

/// Whether the rows of a to-one are joined one to one, so that an inner join restricts the rows above.
pub(super) fn is_joined(node: &Node, at: usize) -> bool {
    let embed = &node.embeds[at];
    let ordered = || node.order.iter().any(|term| term.embed == Some(at));
    embed.to_one
        && match &embed.shown {
            Shown::Nested => true,
            Shown::Spread(lifted) => lifted.iter().any(|lifted| lifted.member.is_some()) || ordered(),
            Shown::Hidden => ordered(),
        }
}

/// Adds the join of the embed at a position, if it needs one.
pub(super) fn join(sql: &mut Sql, drawn: &Drawn<'_>, at: usize) {
    let (embed, child) = &drawn.embeds[at];
    if embed.to_one {
        if is_joined(drawn.node, at) {
            sql.push(if embed.inner {
                " join lateral ("
            } else {
                " left join lateral ("
            });
            joined_row(sql, drawn, at);
            sql.push(") as ");
            sql.push(&child.row);
            sql.push(" on true");
        }
        return;
    }
    match &embed.shown {
        Shown::Spread(lifted) => {
            sql.push(" cross join lateral (select");
            for (place, lifted) in lifted.iter().enumerate() {
                sql.push(if place > 0 { ", " } else { " " });
                sql.push("coalesce(pg_catalog.json_agg(");
                sql.column(&child.row, &lifted.name);
                sql.push("), '[]')");
                sql.push(if drawn.comparable { "::jsonb as " } else { " as " });
                sql.ident(&lifted.name);
            }
            from_rows(sql, child);
        }
        Shown::Nested if drawn.comparable => {
            sql.push(" cross join lateral (select ");
            array(sql, child);
            sql.push("::jsonb as ");
            sql.push(JSON);
            from_rows(sql, child);
        }
        Shown::Nested | Shown::Hidden => {}
    }
}

fn from_rows(sql: &mut Sql, child: &Drawn<'_>) {
    sql.push(" from (");
    select(sql, child);
    sql.push(") as ");
    sql.push(&child.row);
    sql.push(") as ");
    sql.push(&child.all);
}

fn array(sql: &mut Sql, child: &Drawn<'_>) {
    sql.push("coalesce(pg_catalog.json_agg(");
    sql.push(&child.row);
    sql.push(".*), '[]')");
}

/// The rows of a to-one, with what the rows above are ordered by.
fn joined_row(sql: &mut Sql, drawn: &Drawn<'_>, at: usize) {
    let (embed, child) = &drawn.embeds[at];
    let terms = drawn.node.order.iter().enumerate();
    let ordering: Vec<_> = terms
        .filter(|(_, term)| term.embed == Some(at) && !is_shown(embed, &term.place))
        .collect();
    if ordering.is_empty() {
        return select(sql, child);
    }
    let mut groups = Vec::new();
    sql.push("select");
    match &embed.shown {
        Shown::Nested => {
            sql.push(" (select pg_catalog.row_to_json(");
            sql.push(&child.row);
            sql.push(".*) from (select");
            list(sql, child);
            sql.push(") as ");
            sql.push(&child.row);
            sql.push(") as ");
            sql.push(JSON);
        }
        Shown::Spread(_) => groups = list(sql, child),
        Shown::Hidden => {}
    }
    let any = matches!(embed.shown, Shown::Nested) || !groups.is_empty();
    for (place, (number, term)) in ordering.iter().enumerate() {
        sql.push(if any || place > 0 { ", " } else { " " });
        sql.place(&child.alias, &term.place);
        sql.push(&format!(" as plinth_order_{number}"));
    }
    tail(sql, child, &groups, true);
}

/// Whether the rows above are ordered by something of a to-one that it does not show.
fn hides_order(node: &Node, at: usize) -> bool {
    let mut terms = node.order.iter().filter(|term| term.embed == Some(at));
    terms.any(|term| !is_shown(&node.embeds[at], &term.place))
}

fn is_shown(embed: &Embed, place: &Place) -> bool {
    embed.node.outputs.iter().any(|output| is_of(output, place))
}

/// Adds what the term at a position orders by, of a to-one that is joined.
pub(super) fn order_by(sql: &mut Sql, drawn: &Drawn<'_>, embed: usize, term: usize) {
    let (embed, child) = &drawn.embeds[embed];
    let place = &drawn.node.order[term].place;
    match embed.node.outputs.iter().find(|output| is_of(output, place)) {
        Some(output) => sql.column(&child.row, &output.name),
        None => sql.push(&format!("{}.plinth_order_{term}", child.row)),
    }
}

/// Adds an embed's object or array.
pub(super) fn nested(sql: &mut Sql, drawn: &Drawn<'_>, at: usize) {
    let (embed, child) = &drawn.embeds[at];
    if embed.to_one && hides_order(drawn.node, at) {
        sql.push(&child.row);
        sql.push(".");
        sql.push(JSON);
        if drawn.comparable {
            sql.push("::jsonb");
        }
    } else if embed.to_one {
        sql.push("pg_catalog.row_to_json(");
        sql.push(&child.row);
        sql.push(if drawn.comparable { ".*)::jsonb" } else { ".*)" });
    } else if drawn.comparable {
        sql.push(&child.all);
        sql.push(".");
        sql.push(JSON);
    } else {
        sql.push("(select ");
        array(sql, child);
        sql.push(" from (");
        select(sql, child);
        sql.push(") as ");
        sql.push(&child.row);
        sql.push(")");
    }
}

/// Adds a member of a spread embed.
pub(super) fn lifted(sql: &mut Sql, embed: &Embed, child: &Drawn<'_>, lifted: &Lifted) {
    let rows = if embed.to_one { &child.row } else { &child.all };
    let Some((function, cast)) = &lifted.aggregate else {
        if let Some(member) = &lifted.member {
            sql.column(rows, member);
            if *member != lifted.name {
                sql.push(" as ");
                sql.ident(&lifted.name);
            }
        }
        return;
    };
    sql.aggregate(*function);
    match &lifted.member {
        Some(member) => sql.column(rows, member),
        None => sql.push("*"),
    }
    sql.push(")");
    sql.cast(cast.as_ref());
    sql.push(" as ");
    sql.ident(&lifted.name);
}
