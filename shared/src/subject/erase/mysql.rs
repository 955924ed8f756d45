//! An erasure as statements of MySQL and MariaDB, which check foreign keys row by row.

use std::collections::BTreeSet;

use super::super::Dialect;
use super::super::sql::Sql;
use super::order::components;
use super::{Action, Step, Told, Work, fill, hangs, not_theirs, sets_free};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;

pub(super) fn steps(work: &Work<'_>) -> Result<Vec<Step>> {
    let looks = looks(work);
    let edges: Vec<Vec<usize>> = keys(work)
        .into_iter()
        .zip(&looks)
        .map(|(keys, looks)| keys.union(looks).copied().collect())
        .collect();
    let mut steps = Vec::new();
    for component in components(&edges) {
        let is_circle = component
            .iter()
            .any(|&at| edges[at].iter().any(|to| component.contains(to)));
        if is_circle {
            circle(work, &component, &looks, &mut steps)?;
        } else {
            for at in component {
                steps.extend(step(work, at, &[])?);
            }
        }
    }
    Ok(steps)
}

fn at(work: &Work<'_>, label: &str) -> Option<usize> {
    work.tables.iter().position(|(known, ..)| *known == label)
}

/// Of each table, those whose rows must not go before its own.
fn keys(work: &Work<'_>) -> Vec<BTreeSet<usize>> {
    let of = |(_, table, _): &(&str, &super::Table, Action<'_>)| {
        work.keys_to_deleted(table)
            .filter_map(|(_, _, to)| at(work, to))
            .collect()
    };
    work.tables.iter().map(of).collect()
}

/// Of each table, the other ones whose rows tell whose its own are.
fn looks(work: &Work<'_>) -> Vec<BTreeSet<usize>> {
    let of = |(own, (label, ..)): (usize, &(&str, &super::Table, Action<'_>))| {
        let others = work.whose.looked_at(label).into_iter();
        others
            .filter_map(|to| at(work, to))
            .filter(|&other| other != own)
            .collect()
    };
    work.tables.iter().enumerate().map(of).collect()
}

/// Tables that lead to each other, or one to itself. Unchecked, keys do not take links out of other rows either.
fn circle(work: &Work<'_>, component: &[usize], looks: &[BTreeSet<usize>], steps: &mut Vec<Step>) -> Result<()> {
    let facts = work.whose.facts;
    let known = facts
        .tables
        .iter()
        .map(|(label, table)| (label, table, at(work, label)));
    let outside = facts.outside.iter().map(|(label, table)| (label, table, None));
    for (label, table, own) in known.chain(outside) {
        for (link, _, on) in work.keys_to_deleted(table) {
            let is_in = at(work, on).is_some_and(|at| component.contains(&at));
            if is_in && sets_free(table, link) {
                let is_own = own.is_some_and(|at| component.contains(&at));
                steps.push(set_free(work, (label, table), link, on, is_own)?);
            }
        }
    }
    steps.push(checks("0"));
    for at in by_looks(component, looks)? {
        steps.extend(step(work, at, component)?);
    }
    steps.push(checks("1"));
    Ok(())
}

fn checks(value: &str) -> Step {
    let mut sql = Sql::new(Dialect::MySql);
    sql.push("set session foreign_key_checks = ");
    sql.push(value);
    Step {
        statement: sql.done(),
        told: Told::Nothing,
    }
}

/// The tables of a circle, each before those that it looks at.
fn by_looks(component: &[usize], looks: &[BTreeSet<usize>]) -> Result<Vec<usize>> {
    let within = |at: &usize| {
        let others = looks[*at].iter();
        others
            .filter_map(|to| component.iter().position(|known| known == to))
            .collect()
    };
    let edges: Vec<Vec<usize>> = component.iter().map(within).collect();
    let order = components(&edges);
    if order.iter().any(|together| together.len() > 1) {
        return Err(Error::new(
            ErrorKind::Unprocessable,
            "privacy/paths-cross",
            "Two tables need each other's rows to tell whose theirs are, which this engine cannot erase in one go",
        )
        .with_hint("Take a path out of one of the tables in the subject map"));
    }
    Ok(order.into_iter().flatten().map(|at| component[at]).collect())
}

/// Takes a link out of rows that stay.
fn set_free(
    work: &Work<'_>,
    (label, table): (&str, &super::Table),
    link: &super::Link,
    on: &str,
    is_own: bool,
) -> Result<Step> {
    let mut sql = Sql::changing(work.dialect);
    sql.push("update ");
    sql.table(table, "t");
    for (at, column) in link.columns.iter().enumerate() {
        sql.push(if at == 0 { " set " } else { ", " });
        sql.column("t", column);
        sql.push(" = null");
    }
    sql.push(" where ");
    hangs(work, &mut sql, table, link, on)?;
    if is_own {
        not_theirs(work, &mut sql, label)?;
    }
    Ok(Step {
        statement: sql.done(),
        told: Told::Nothing,
    })
}

/// What is done with a table. In a circle its rows let go of what the unchecked keys would have taken out of them.
fn step(work: &Work<'_>, at: usize, circle: &[usize]) -> Result<Option<Step>> {
    let (label, table, action) = &work.tables[at];
    let mut sql = Sql::changing(work.dialect);
    match action {
        Action::Delete => {
            sql.push("delete t from ");
            sql.table(table, "t");
        }
        Action::Empty(columns) => {
            let mut columns = columns.clone();
            let freed = work.keys_to_deleted(table).filter(|(link, _, on)| {
                sets_free(table, link) && self::at(work, on).is_some_and(|at| circle.contains(&at))
            });
            let more: Vec<&Ident> = freed.flat_map(|(link, ..)| &link.columns).collect();
            columns.extend(more);
            columns.sort_unstable();
            columns.dedup();
            if columns.is_empty() {
                return Ok(None);
            }
            sql.push("update ");
            sql.table(table, "t");
            fill::set(&mut sql, table, &columns)?;
        }
    }
    sql.push(" where ");
    work.whose.belongs(&mut sql, label, "t")?;
    Ok(Some(Step {
        statement: sql.done(),
        told: Told::Changed((*label).to_owned()),
    }))
}
