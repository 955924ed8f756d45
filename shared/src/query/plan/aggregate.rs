//! Aggregates: which are asked for, and where they are computed.
//! See <https://postgrest.org/en/stable/references/api/aggregate_functions.html>.

use std::collections::BTreeSet;

use super::super::request::{AggregateFunction, Field, SelectItem};
use super::columns::Scope;
use super::embed::member_name;
use super::{Aggregate, Expression, Lifted, Node, Output, Shown};
use crate::error::{Error, Result};
use crate::ident::Ident;

/// What an aggregate in `select` shows.
///
/// # Errors
/// `PGRST123` where they are not allowed.
pub(super) fn output(scope: &Scope<'_>, item: &SelectItem) -> Result<Output> {
    let SelectItem::Aggregate {
        alias,
        field,
        cast,
        function,
        result_cast,
    } = item
    else {
        return Err(Error::internal("only aggregates are aggregated"));
    };
    if !scope.rules.aggregates {
        return Err(not_allowed());
    }
    let of = match field {
        Some(field) => Some((scope.place(field)?, scope.cast(cast.as_deref())?)),
        None => None,
    };
    // The greatest and the least are themselves such values.
    let picked = matches!(function, AggregateFunction::Max | AggregateFunction::Min) && cast.is_none();
    let whole = field.as_ref().filter(|_| picked).and_then(|field| scope.whole(field));
    Ok(Output {
        expression: Expression::Aggregate(Aggregate {
            function: *function,
            of,
        }),
        cast: scope.cast(result_cast.as_deref())?.or(whole),
        name: member_name(alias.as_deref().unwrap_or(function.word()))?,
    })
}

/// Whether a field is the older spelling of `count()`: no column has that name.
pub(super) fn is_count(scope: &Scope<'_>, field: &Field) -> bool {
    let relation = scope.relation;
    field.name == "count"
        && field.path.is_empty()
        && relation.column("count").is_none()
        && relation.computed("count").is_none()
}

/// What `count` shows, the older spelling of `count()`. It is answered even where aggregates are not, but only by itself.
///
/// # Errors
/// `PGRST123` for a count of groups where aggregates are not allowed.
pub(super) fn count(
    scope: &Scope<'_>,
    select: &[SelectItem],
    alias: Option<&str>,
    cast: Option<&str>,
) -> Result<Output> {
    if select.len() > 1 && !scope.rules.aggregates {
        return Err(not_allowed());
    }
    Ok(Output {
        expression: Expression::Aggregate(Aggregate {
            function: AggregateFunction::Count,
            of: None,
        }),
        cast: scope.cast(cast)?,
        name: member_name(alias.unwrap_or("count"))?,
    })
}

fn not_allowed() -> Error {
    Error::invalid("PGRST123", "Use of aggregate functions is not allowed")
}

/// Leaves each name once among the members of a node that the rows above refer to: they could not tell them apart.
pub(super) fn unique(node: &mut Node) {
    let mut seen = BTreeSet::new();
    node.outputs.retain(|output| seen.insert(output.name.clone()));
    for embed in &mut node.embeds {
        match &mut embed.shown {
            Shown::Hidden => {}
            Shown::Nested if seen.insert(embed.name.clone()) => {}
            Shown::Nested => embed.shown = Shown::Hidden,
            Shown::Spread(lifted) => lifted.retain(|lifted| seen.insert(lifted.name.clone())),
        }
    }
}

/// What the rows of a spread to-one are lifted into the row above as. Aggregates are computed there, over the rows above:
/// of one row there is nothing to aggregate.
pub(super) fn hoisted(node: &mut Node) -> Result<Vec<Lifted>> {
    let mut lifted = Vec::new();
    let mut outputs = Vec::new();
    for output in std::mem::take(&mut node.outputs) {
        let Expression::Aggregate(aggregate) = output.expression else {
            lifted.push(Lifted::as_is(output.name.clone()));
            outputs.push(output);
            continue;
        };
        let member = match aggregate.of {
            None => None,
            Some((place, cast)) => {
                let member = hidden_name(outputs.len())?;
                outputs.push(Output {
                    expression: Expression::Place(place),
                    cast,
                    name: member.clone(),
                });
                Some(member)
            }
        };
        lifted.push(Lifted {
            member,
            aggregate: Some((aggregate.function, output.cast)),
            name: output.name,
        });
    }
    node.outputs = outputs;
    for (at, embed) in node.embeds.iter_mut().enumerate() {
        match &mut embed.shown {
            Shown::Hidden => {}
            Shown::Nested => lifted.push(Lifted::as_is(embed.name.clone())),
            Shown::Spread(inner) => {
                let passed = inner.iter_mut().enumerate().map(|(place, inner)| {
                    let Some(aggregate) = inner.aggregate.take() else {
                        return Ok(Lifted::as_is(inner.name.clone()));
                    };
                    let name = std::mem::replace(&mut inner.name, hidden_name(1_000 * (at + 1) + place)?);
                    Ok(Lifted {
                        member: inner.member.as_ref().map(|_| inner.name.clone()),
                        aggregate: Some(aggregate),
                        name,
                    })
                });
                lifted.extend(passed.collect::<Result<Vec<_>>>()?);
                inner.retain(|inner| inner.member.is_some());
            }
        }
    }
    Ok(lifted)
}

fn hidden_name(number: usize) -> Result<Ident> {
    Ident::new(format!("plinth_of_{number}"))
}
