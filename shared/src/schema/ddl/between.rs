//! The statements from one design of a table to another. The way back is the same question asked the other way.

use super::object::{self, Constraint};
use super::{Context, rename_index, rows};
use crate::ident::Ident;
use crate::schema::fault::Faults;
use crate::schema::policy;
use crate::schema::spec::{ColumnSpec, RemovedColumn, TableSpec};

/// A change of structure: everything but names.
pub(super) fn structure(context: &Context<'_>, old: &TableSpec, new: &TableSpec) -> Result<Vec<String>, Faults> {
    let table = context.table(&new.name);
    let mut statements = Vec::new();
    let (gone_aside, come_back) = (aside(old, new), aside(new, old));
    let added = new.enums.iter().filter(|declared| !old.enums.contains(declared));
    statements.extend(added.map(|declared| {
        let waits = come_back.iter().find_map(|removed| removed.hidden_enum(declared));
        waits.map_or_else(
            || object::create_enum(context, declared),
            |waits| rename_enum(context, &waits, &declared.name),
        )
    }));

    // Postgres refuses to change the type of a column a policy mentions.
    let retyped = pairs(old, new).any(|(old, new)| old.data_type != new.data_type);
    let policies = (policy::create(context, old)?, policy::create(context, new)?);
    let renew_policies = retyped || policies.0 != policies.1;
    if renew_policies {
        statements.extend(policy::drop(context, old));
    }

    let (old_indexes, new_indexes) = (object::indexes(old), object::indexes(new));
    let gone = old_indexes.iter().filter(|index| !new_indexes.contains(index));
    statements.extend(gone.map(|index| index.drop(context)));
    let (old_constraints, new_constraints) = (object::constraints(context, old)?, object::constraints(context, new)?);
    let gone = old_constraints
        .iter()
        .filter(|constraint| !new_constraints.contains(constraint));
    statements.extend(gone.map(|constraint| constraint.drop(&table)));
    let switched = old.soft_delete != new.soft_delete;
    if old.timestamps && (!new.timestamps || switched) {
        statements.push(object::drop_trigger(context, old));
    }
    if switched && new.soft_delete {
        statements.push(rows::add_column(&table));
    }
    if switched && old.soft_delete {
        statements.push(rows::unfollow(context, old));
        statements.extend(rows::drop_column(&table));
    }

    for column in old
        .columns
        .iter()
        .filter(|column| new.column(column.name.as_str()).is_none())
    {
        match gone_aside.iter().find(|removed| removed.column.name == column.name) {
            Some(removed) => statements.extend(put_aside(&table, removed)),
            None => statements.push(format!("alter table {table} drop column {}", column.name.quoted())),
        }
    }
    for column in new
        .columns
        .iter()
        .filter(|column| old.column(column.name.as_str()).is_none())
    {
        if let Some(removed) = come_back.iter().find(|removed| removed.column.name == column.name) {
            statements.extend(bring_back(&table, removed));
            continue;
        }
        let definition = object::column(context, new, column)?;
        statements.push(format!(
            "alter table {table} add column {} {definition}",
            column.name.quoted()
        ));
        statements.extend(
            column
                .comment
                .as_deref()
                .map(|text| object::comment(&table, column, Some(text))),
        );
    }
    for (before, after) in pairs(old, new) {
        statements.extend(column(context, (old, before), (new, after), &table)?);
    }

    let fresh = new_constraints
        .iter()
        .filter(|constraint| !old_constraints.contains(constraint));
    statements.extend(fresh.map(|constraint: &Constraint| constraint.add(&table)));
    let fresh = new_indexes.iter().filter(|index| !old_indexes.contains(index));
    statements.extend(fresh.map(|index| index.create(context, new)));
    if new.timestamps && (!old.timestamps || switched) {
        statements.push(object::create_trigger(context, new));
    }
    if switched && new.soft_delete {
        statements.extend(rows::follow(context, new));
    }
    if renew_policies {
        statements.extend(policies.1);
    }
    let gone = old.enums.iter().filter(|declared| !new.enums.contains(declared));
    statements.extend(gone.map(|declared| {
        let waits = gone_aside.iter().find_map(|removed| removed.hidden_enum(declared));
        waits.map_or_else(
            || object::drop_enum(context, declared),
            |waits| rename_enum(context, &declared.name, &waits),
        )
    }));
    Ok(statements)
}

/// Columns that the second design has aside and the first has not.
fn aside<'a>(before: &TableSpec, after: &'a TableSpec) -> Vec<&'a RemovedColumn> {
    let known = |removed: &&RemovedColumn| before.removed.iter().any(|other| other.id == removed.id);
    after.removed.iter().filter(|removed| !known(removed)).collect()
}

/// Constraints and indexes of the column are gone by now. A numbered column has to keep `not null`, and fills itself.
fn put_aside(table: &str, removed: &RemovedColumn) -> Vec<String> {
    let (column, name) = (&removed.column, removed.column.name.quoted());
    let mut statements = Vec::new();
    if column.required && !column.identity {
        statements.push(format!("alter table {table} alter column {name} drop not null"));
    }
    let hidden = removed.hidden();
    statements.push(format!(
        "alter table {table} rename column {name} to {}",
        hidden.quoted()
    ));
    statements
}

fn bring_back(table: &str, removed: &RemovedColumn) -> Vec<String> {
    let (column, name) = (&removed.column, removed.column.name.quoted());
    let hidden = removed.hidden();
    let mut statements = vec![format!(
        "alter table {table} rename column {} to {name}",
        hidden.quoted()
    )];
    if column.required && !column.identity {
        statements.push(format!("alter table {table} alter column {name} set not null"));
    }
    statements
}

fn rename_enum(context: &Context<'_>, from: &Ident, to: &Ident) -> String {
    format!("alter type {} rename to {}", context.table(from), to.quoted())
}

/// Columns that stay.
fn pairs<'a>(old: &'a TableSpec, new: &'a TableSpec) -> impl Iterator<Item = (&'a ColumnSpec, &'a ColumnSpec)> {
    old.columns
        .iter()
        .filter_map(|before| Some((before, new.column(before.name.as_str())?)))
}

fn column(
    context: &Context<'_>,
    (old, before): (&TableSpec, &ColumnSpec),
    (new, after): (&TableSpec, &ColumnSpec),
    table: &str,
) -> Result<Vec<String>, Faults> {
    let mut statements = Vec::new();
    let name = after.name.quoted();
    let mut alter = |what: String| statements.push(format!("alter table {table} alter column {name} {what}"));
    let retyped = before.data_type != after.data_type;
    let defaults = (
        object::default(context, old, before)?,
        object::default(context, new, after)?,
    );
    if before.identity && !after.identity {
        alter("drop identity".to_owned());
    }
    // An old default need not convert to the new type.
    let renew_default = retyped || defaults.0 != defaults.1;
    if renew_default && defaults.0.is_some() {
        alter("drop default".to_owned());
    }
    if retyped {
        let to = after.data_type.sql(context.schema);
        alter(format!("type {to} using {name}::{to}"));
    }
    if renew_default && let Some(default) = defaults.1 {
        alter(format!("set default {default}"));
    }
    match (before.required, after.required) {
        (false, true) => alter("set not null".to_owned()),
        (true, false) => alter("drop not null".to_owned()),
        _ => {}
    }
    if after.identity && !before.identity {
        alter("add generated by default as identity".to_owned());
    }
    if before.comment != after.comment {
        statements.push(object::comment(table, after, after.comment.as_deref()));
    }
    Ok(statements)
}

/// A new name for the table; keys and indexes follow it.
pub(super) fn rename_table(context: &Context<'_>, old: &TableSpec, new: &TableSpec) -> Result<Vec<String>, Faults> {
    let rename = format!(
        "alter table {} rename to {}",
        context.table(&old.name),
        new.name.quoted()
    );
    Ok(std::iter::once(rename).chain(follow(context, old, new)?).collect())
}

/// A new name for a column; keys and indexes follow it.
pub(super) fn rename_column(
    context: &Context<'_>,
    (old, from): (&TableSpec, &Ident),
    (new, to): (&TableSpec, &Ident),
) -> Result<Vec<String>, Faults> {
    let table = context.table(&new.name);
    let rename = format!("alter table {table} rename column {} to {}", from.quoted(), to.quoted());
    Ok(std::iter::once(rename).chain(follow(context, old, new)?).collect())
}

/// Renames constraints and indexes; both designs have the same ones in the same order.
fn follow(context: &Context<'_>, old: &TableSpec, new: &TableSpec) -> Result<Vec<String>, Faults> {
    let table = context.table(&new.name);
    let constraints = object::constraints(context, old)?
        .into_iter()
        .zip(object::constraints(context, new)?);
    let constraints = constraints.filter(|(from, to)| from.name != to.name).map(|(from, to)| {
        format!(
            "alter table {table} rename constraint {} to {}",
            from.name.quoted(),
            to.name.quoted()
        )
    });
    let indexes = object::indexes(old).into_iter().zip(object::indexes(new));
    let indexes = indexes
        .filter(|(from, to)| from.name != to.name)
        .map(|(from, to)| rename_index(context, &from.name, &to.name));
    Ok(constraints.chain(indexes).collect())
}
