//! Designs as statements for Postgres, up and down.
//!
//! Every list is meant to run in one transaction, as the role that owns the schema. Names are quoted and qualified, so
//! no search path matters, and constraints and indexes have [names](name) that follow from the design.

mod alter;
mod between;
pub mod name;
mod object;
mod rows;
mod uses;

use serde::Serialize;

use super::fault::{Fault, Faults};
use super::known::Known;
use super::policy;
use super::spec::{OnDelete, RemovedColumn, TableSpec};
use crate::ident::Ident;

pub(crate) use rows::{DELETING, RESTORING, has_deleted_rows};
pub(crate) use uses::looks_back;

pub use alter::{Alteration, alter};

/// The roles of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    /// Owns the schema and everything in it; runs the statements.
    pub owner: Ident,
    /// What a secret key runs as.
    pub service: Ident,
    /// What a signed-in end user runs as.
    pub authenticated: Ident,
    /// What a publishable key without a user runs as.
    pub anon: Ident,
}

/// The schemas of the functions we installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Helpers {
    /// Where `uid()`, `role()`, `email()` and `jwt()` are.
    pub auth: Ident,
    /// Where `touch_updated_at()` is.
    pub triggers: Ident,
    /// Where deleted tables wait. Functions of the project's own that no request reaches are there too.
    pub trash: Ident,
}

/// What a design is rendered for.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    /// The schema of the project's tables.
    pub schema: &'a Ident,
    /// The project's roles.
    pub roles: &'a Roles,
    /// Our functions.
    pub helpers: &'a Helpers,
    /// The project's tables.
    pub known: &'a Known,
}

impl Context<'_> {
    /// A table or view of the project, quoted and qualified.
    pub fn table(&self, name: &Ident) -> String {
        qualified(self.schema, name)
    }
}

/// Statements one way and back, each list in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Makes the change.
    pub up: Vec<String>,
    /// Takes it back; what was dropped comes back empty.
    pub down: Vec<String>,
}

impl Change {
    /// The way there as one script.
    pub fn up_sql(&self) -> String {
        script(&self.up)
    }

    /// The way back as one script.
    pub fn down_sql(&self) -> String {
        script(&self.down)
    }
}

/// A new table: its enums, the table with its keys and checks, indexes, trigger, grants and policies.
///
/// # Errors
/// Faults of expressions and defaults, for a spec that did not come from [`parse`](super::spec::parse) or whose
/// neighbours have changed since.
pub fn create_table(spec: &TableSpec, context: &Context<'_>) -> Result<Change, Faults> {
    let table = context.table(&spec.name);
    let mut up: Vec<String> = spec
        .enums
        .iter()
        .map(|declared| object::create_enum(context, declared))
        .collect();
    let mut lines = Vec::new();
    for column in &spec.columns {
        lines.push(format!(
            "{} {}",
            column.name.quoted(),
            object::column(context, spec, column)?
        ));
    }
    lines.extend(spec.soft_delete.then(rows::column));
    lines.extend(
        object::constraints(context, spec)?
            .iter()
            .map(object::Constraint::inline),
    );
    up.push(format!("create table {table} (\n  {}\n)", lines.join(",\n  ")));
    up.push(policy::enable(context, spec));
    up.extend(object::indexes(spec).iter().map(|index| index.create(context, spec)));
    up.extend(object::comments(context, spec));
    if spec.timestamps {
        up.push(object::create_trigger(context, spec));
    }
    if spec.soft_delete {
        up.extend(rows::follow(context, spec));
    }
    up.extend(policy::create(context, spec)?);
    let mut down = vec![format!("drop table {table}")];
    down.extend(
        spec.enums
            .iter()
            .rev()
            .map(|declared| object::drop_enum(context, declared)),
    );
    Ok(Change { up, down })
}

/// Puts a table aside: it moves with its rows, keys and enums into the schema `trash` under the name `moved`, which
/// the caller takes care is free, and nobody but the owner can read it. The way back restores everything.
///
/// Foreign keys of the table that would keep rows of live tables from going (`restrict`, `no action`) are dropped
/// meanwhile; the way back adds them again and fails if a row lost its partner.
///
/// # Errors
/// A fault for each table that still needs this one: by a reference, an enum or a policy.
pub fn drop_table(spec: &TableSpec, context: &Context<'_>, trash: &Ident, moved: &Ident) -> Result<Change, Faults> {
    let mut faults = Faults::default();
    for other in uses::users_of_table(spec, context.known) {
        let fault = Fault::new("", "schema/in-use", format!("{other} still needs {}", spec.name));
        faults.push(fault.hint(format!("Take the reference, enum or policy out of {other} first")));
    }
    let mut change = faults.or(Change {
        up: vec![policy::revoke(context, spec)],
        down: vec![],
    })?;
    let mut back = policy::grants(context, spec);
    let mut step = |up: String, down: String| {
        change.up.push(up);
        back.insert(0, down);
    };
    let live = context.table(&spec.name);
    for constraint in object::constraints(context, spec)? {
        if constraint
            .holds_back
            .is_some_and(|action| matches!(action, OnDelete::NoAction | OnDelete::Restrict))
        {
            step(constraint.drop(&live), constraint.add(&live));
        }
    }
    for (number, relation) in name::relations(spec).iter().enumerate() {
        let aside = name::joined(&[moved.as_str(), &(number + 1).to_string()], "");
        step(
            rename_index(context, relation, &aside),
            rename_index(context, &aside, relation),
        );
    }
    for declared in &spec.enums {
        let aside = name::joined(&[moved.as_str(), declared.name.as_str()], "");
        step(
            format!(
                "alter type {} rename to {}",
                context.table(&declared.name),
                aside.quoted()
            ),
            format!(
                "alter type {} rename to {}",
                context.table(&aside),
                declared.name.quoted()
            ),
        );
        step(
            format!("alter type {} set schema {}", context.table(&aside), trash.quoted()),
            format!(
                "alter type {} set schema {}",
                qualified(trash, &aside),
                context.schema.quoted()
            ),
        );
    }
    // What deleted columns took along is called so that it is alone wherever it is.
    for name in spec.removed.iter().flat_map(RemovedColumn::hidden_enums) {
        step(
            format!("alter type {} set schema {}", context.table(&name), trash.quoted()),
            format!(
                "alter type {} set schema {}",
                qualified(trash, &name),
                context.schema.quoted()
            ),
        );
    }
    step(
        format!("alter table {live} rename to {}", moved.quoted()),
        format!("alter table {} rename to {}", context.table(moved), spec.name.quoted()),
    );
    step(
        format!("alter table {} set schema {}", context.table(moved), trash.quoted()),
        format!(
            "alter table {} set schema {}",
            qualified(trash, moved),
            context.schema.quoted()
        ),
    );
    change.down = back;
    Ok(change)
}

/// Removes a table for good that [`drop_table`] put aside, with the enums it took along. What is gone already is passed over.
pub fn purge_table(spec: &TableSpec, trash: &Ident, moved: &Ident) -> Vec<String> {
    let own = spec
        .enums
        .iter()
        .map(|declared| name::joined(&[moved.as_str(), declared.name.as_str()], ""));
    let aside = spec.removed.iter().flat_map(RemovedColumn::hidden_enums);
    let types = own
        .chain(aside)
        .map(|name| format!("drop type if exists {}", qualified(trash, &name)));
    std::iter::once(format!("drop table if exists {}", qualified(trash, moved)))
        .chain(types)
        .collect()
}

/// Removes a deleted column for good, of a table that is called so in that schema. What is gone already is passed over.
pub fn purge_column(removed: &RemovedColumn, (schema, table): (&Ident, &Ident)) -> Vec<String> {
    let column = format!(
        "alter table if exists {} drop column if exists {}",
        qualified(schema, table),
        removed.hidden().quoted()
    );
    let types = removed.hidden_enums();
    let types = types
        .into_iter()
        .map(|name| format!("drop type if exists {}", qualified(schema, &name)));
    std::iter::once(column).chain(types).collect()
}

/// Removes rows for good that were deleted before `$1`, of a table that is called so in that schema: the oldest `$2` but the
/// first `$3`. Answers how many.
pub fn purge_rows((schema, table): (&Ident, &Ident)) -> String {
    rows::purge(&qualified(schema, table))
}

/// The places of those rows; and what removes the one at the place `$1`.
pub fn purge_rows_singly((schema, table): (&Ident, &Ident)) -> [String; 2] {
    rows::purge_singly(&qualified(schema, table))
}

fn rename_index(context: &Context<'_>, from: &Ident, to: &Ident) -> String {
    format!("alter index {} rename to {}", context.table(from), to.quoted())
}

fn qualified(schema: &Ident, name: &Ident) -> String {
    format!("{}.{}", schema.quoted(), name.quoted())
}

fn script(statements: &[String]) -> String {
    statements.iter().map(|statement| format!("{statement};\n")).collect()
}

#[cfg(test)]
mod tests;
