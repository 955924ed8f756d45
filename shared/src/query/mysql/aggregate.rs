//! Something of many rows: of all that match, or of groups by what is shown beside it.

use super::super::Feature;
use super::super::plan::{Aggregate, Class, Embed, Expression, Node, Output, Page, Place, Shown};
use super::super::request::AggregateFunction as Function;
use super::sql::Sql;
use super::{object, path, unsupported};
use crate::error::{Error, Result};

/// Digits behind the point that an average of exact numbers is computed with.
const DECIMALS: &str = " as decimal(65,20))";

/// Whether the aggregates of a node can be had, at the root or as an embed of rows above.
pub(super) fn refuse(node: &Node, embed: Option<&Embed>) -> Result<()> {
    let no = |what: &str| Err(unsupported(Feature::Aggregates, what));
    if !node.embeds.is_empty() {
        return no("an aggregate beside an embed");
    }
    for output in &node.outputs {
        match &output.expression {
            Expression::Aggregate(aggregate) => {
                let class = class(aggregate)?;
                let cast = output.cast.as_ref();
                cast.map(|cast| object::target(cast, class)).transpose()?;
            }
            Expression::Place(place) if output.cast.is_some() || path::class(place) == Class::Json => {
                return no("a group by a cast or by JSON");
            }
            Expression::Place(_) => {}
        }
    }
    if let Some(embed) = embed {
        let alone = groups(node).next().is_none() && node.order.is_empty() && node.page == Page::default();
        if !alone || embed.to_one || embed.shown != Shown::Nested {
            return no("groups, order or pages of what is embedded and aggregated");
        }
    }
    // The server would take the value of any row.
    let stray = node
        .order
        .iter()
        .find(|term| !groups(node).any(|place| *place == term.place));
    if let Some(term) = stray {
        let message = format!(
            "column \"{}\" must appear in the GROUP BY clause or be used in an aggregate function",
            term.place.column
        );
        return Err(Error::invalid("42803", message));
    }
    Ok(())
}

/// What the groups are made by.
fn groups(node: &Node) -> impl Iterator<Item = &Place> {
    node.outputs.iter().filter_map(|output| match &output.expression {
        Expression::Place(place) => Some(place),
        Expression::Aggregate(_) => None,
    })
}

/// Adds ` group by …`.
pub(super) fn group_by(sql: &mut Sql, node: &Node, alias: &str) {
    for (at, place) in groups(node).enumerate() {
        sql.push(if at > 0 { ", " } else { " group by " });
        path::compared(sql, alias, place);
    }
}

/// Adds an aggregate as a value that `json_object` writes down as it is.
pub(super) fn member(sql: &mut Sql, alias: &str, output: &Output, aggregate: &Aggregate) -> Result<()> {
    let class = class(aggregate)?;
    let failed = std::cell::Cell::new(None);
    let number = matches!(class, Class::Integer | Class::Decimal | Class::Float);
    object::shown_as(sql, class, output.cast.as_ref(), &|sql| {
        // Rows that are sorted lie in a table in between, where MariaDB makes a text of a bare count or sum.
        sql.push(if number { "(" } else { "" });
        failed.set(value(sql, alias, aggregate).err());
        sql.push(if number { " + 0)" } else { "" });
    })?;
    failed.into_inner().map_or(Ok(()), Err)
}

/// What comes of it.
///
/// # Errors
/// `PGRST127` of what has no sum, average or order.
fn class(aggregate: &Aggregate) -> Result<Class> {
    let Some((place, cast)) = &aggregate.of else {
        return Ok(Class::Integer);
    };
    let of = match cast {
        None => path::class(place),
        Some(cast) => object::class_of_cast(cast, path::class(place))?,
    };
    let exact = matches!(of, Class::Integer | Class::Decimal);
    let ordered = matches!(
        of,
        Class::Text | Class::Date | Class::Time | Class::DateTime | Class::Timestamp
    );
    match aggregate.function {
        Function::Count => Ok(Class::Integer),
        Function::Sum | Function::Avg if exact => Ok(Class::Decimal),
        Function::Sum | Function::Avg | Function::Min | Function::Max if of == Class::Float => Ok(Class::Float),
        Function::Min | Function::Max if exact || ordered => Ok(of),
        function => Err(unsupported(
            Feature::Aggregates,
            format_args!("{}() of this type", function.word()),
        )),
    }
}

fn value(sql: &mut Sql, alias: &str, aggregate: &Aggregate) -> Result<()> {
    let Some((place, cast)) = &aggregate.of else {
        sql.push("count(*)");
        return Ok(());
    };
    let exact_average = aggregate.function == Function::Avg && class(aggregate)? == Class::Decimal;
    let of = |sql: &mut Sql| match cast {
        None => {
            path::value(sql, alias, place);
            Ok(())
        }
        Some(cast) => object::converted(sql, cast, path::class(place), &|sql| path::value(sql, alias, place)),
    };
    if exact_average {
        sql.push("(cast(sum(");
        of(sql)?;
        sql.push(")");
        sql.push(DECIMALS);
        sql.push(" / count(");
        of(sql)?;
        sql.push("))");
        return Ok(());
    }
    sql.push(aggregate.function.word());
    sql.push("(");
    of(sql)?;
    sql.push(")");
    Ok(())
}
