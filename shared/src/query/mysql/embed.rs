//! Embeds: subqueries in the list of what is shown, so that they run for the rows of the page only.

use super::super::Feature;
use super::super::plan::{Embed, Joined, Lifted, Node, OrderBy, Page, Shown};
use super::sql::Sql;
use super::{filter, object, path, rule, unsupported};
use crate::error::{Error, Result};

/// Adds an embed's object or array.
pub(super) fn nested(sql: &mut Sql, embed: &Embed, above: &str) -> Result<()> {
    let node = &embed.node;
    made(sql, embed, above, &|sql, alias| object::object(sql, node, alias))
}

/// Adds a member of a spread embed: its value of a to-one, an array of them of a to-many.
pub(super) fn lifted(sql: &mut Sql, embed: &Embed, above: &str, lifted: &Lifted) -> Result<()> {
    let (Some(member), None) = (&lifted.member, &lifted.aggregate) else {
        return Err(unsupported(Feature::Aggregates, "an aggregate"));
    };
    let node = &embed.node;
    made(sql, embed, above, &|sql, alias| {
        // Behind a subquery a value has no JSON type any more; as the member of an object it keeps it.
        sql.push("json_extract(json_object('v', ");
        value(sql, node, alias, member.as_str())?;
        sql.push("), '$.v')");
        Ok(())
    })
}

fn value(sql: &mut Sql, node: &Node, alias: &str, name: &str) -> Result<()> {
    if let Some(output) = node.outputs.iter().find(|output| output.name.as_str() == name) {
        return object::member(sql, alias, output);
    }
    for embed in &node.embeds {
        match &embed.shown {
            Shown::Nested if embed.name.as_str() == name => return nested(sql, embed, alias),
            Shown::Spread(all) => {
                if let Some(found) = all.iter().find(|lifted| lifted.name.as_str() == name) {
                    return lifted(sql, embed, alias, found);
                }
            }
            _ => {}
        }
    }
    Err(Error::internal("a spread embed has no such member"))
}

type Write<'a> = &'a dyn Fn(&mut Sql, &str) -> Result<()>;

/// Adds what `one` makes of each row: of the only one, or an array of all.
fn made(sql: &mut Sql, embed: &Embed, above: &str, one: Write<'_>) -> Result<()> {
    let alias = sql.alias();
    if embed.to_one {
        sql.push("json_extract((select ");
        one(sql, &alias)?;
        rows(sql, embed, above, &alias)?;
        order(sql, &embed.node, &alias)?;
        sql.push(" limit 1), '$')");
        return Ok(());
    }
    if embed.node.is_grouped() {
        // One row comes of them all, even of none.
        sql.push("json_extract((select json_array(");
        one(sql, &alias)?;
        sql.push(")");
        rows(sql, embed, above, &alias)?;
        sql.push("), '$')");
        return Ok(());
    }
    sql.push("json_extract(coalesce((select json_arrayagg(");
    one(sql, &alias)?;
    order(sql, &embed.node, &alias)?;
    page(sql, embed.node.page);
    sql.push(")");
    rows(sql, embed, above, &alias)?;
    sql.push("), '[]'), '$')");
    Ok(())
}

/// Adds whether there is a row in the embed.
pub(super) fn exists(sql: &mut Sql, embed: &Embed, above: &str) -> Result<()> {
    let alias = sql.alias();
    sql.push("exists (select 1");
    rows(sql, embed, above, &alias)?;
    // A page matters only if it may be empty while there are rows.
    if embed.node.page.offset > 0 || embed.node.page.limit == Some(0) {
        page(sql, embed.node.page);
    }
    sql.push(")");
    Ok(())
}

/// Adds ` from … where …` of the rows that belong to a row of `above`.
fn rows(sql: &mut Sql, embed: &Embed, above: &str, alias: &str) -> Result<()> {
    sql.push(" from ");
    sql.relation(&embed.node)?;
    sql.push(" as ");
    sql.push(alias);
    let (near, near_alias) = match &embed.joined {
        Joined::Columns(columns) => (columns, alias.to_owned()),
        Joined::Junction { table, near, far } => {
            let by = format!("{alias}_by");
            sql.push(" join ");
            sql.qualified(Some(&table.schema), &table.name);
            sql.push(" as ");
            sql.push(&by);
            for (at, (junction, here)) in far.iter().enumerate() {
                sql.push(if at > 0 { " and " } else { " on " });
                sql.column(alias, here);
                sql.push(" = ");
                sql.column(&by, junction);
            }
            (near, by)
        }
        Joined::Row => return Err(unsupported(Feature::Computed, "a computed relationship")),
    };
    for (at, (there, here)) in near.iter().enumerate() {
        sql.push(if at > 0 { " and " } else { " where " });
        sql.column(&near_alias, here);
        sql.push(" = ");
        sql.column(above, there);
    }
    if let Joined::Junction { table, .. } = &embed.joined {
        rule::add_of(sql, &table.schema, &table.name, &near_alias)?;
    }
    filter::conditions(sql, &embed.node, alias, " and ")
}

/// Adds ` order by …`.
pub(super) fn order(sql: &mut Sql, node: &Node, alias: &str) -> Result<()> {
    for (at, term) in node.order.iter().enumerate() {
        sql.push(if at > 0 { ", " } else { " order by " });
        // Null is the least value here, the greatest in Postgres.
        let nulls_first = term.nulls_first.unwrap_or(term.descending);
        if nulls_first == term.descending {
            by(sql, node, alias, term)?;
            sql.push(if nulls_first { " is not null, " } else { " is null, " });
        }
        by(sql, node, alias, term)?;
        sql.push(if term.descending { " desc" } else { "" });
    }
    Ok(())
}

fn by(sql: &mut Sql, node: &Node, above: &str, term: &OrderBy) -> Result<()> {
    let Some(embed) = term.embed.and_then(|at| node.embeds.get(at)) else {
        path::compared(sql, above, &term.place);
        return Ok(());
    };
    let alias = sql.alias();
    sql.push("(select ");
    path::compared(sql, &alias, &term.place);
    rows(sql, embed, above, &alias)?;
    sql.push(" limit 1)");
    Ok(())
}

/// Adds ` limit … offset …`.
pub(super) fn page(sql: &mut Sql, page: Page) {
    if page == Page::default() {
        return;
    }
    sql.push(" limit ");
    // There is no offset without a limit.
    sql.number(page.limit.unwrap_or(u64::MAX));
    if page.offset > 0 {
        sql.push(" offset ");
        sql.number(page.offset);
    }
}
