//! Every table and every column.

use std::fmt::Write as _;

use crate::docgen::access::{listed, sentences};
use crate::docgen::condition::read;
use crate::docgen::escape::{cell, code, link, one_line, text};
use crate::docgen::facts::{ColumnFacts, ForeignKeyFacts, IndexFacts, TableFacts, TableKind};
use crate::docgen::prose;
use crate::docgen::render::Context;
use crate::query::openapi::KEPT;
use crate::schema::policy::Command;

pub(super) fn body(context: &Context<'_>) -> String {
    let mut out = String::new();
    if context.facts.tables.is_empty() {
        return "There is no table yet.".to_owned();
    }
    if context.newcomer() {
        out.push_str(
            "*Required* columns must have a value in every row; those with a default may be left out when a row is \
             added.\n\n",
        );
    }
    for table in &context.facts.tables {
        let _ = writeln!(out, "### {} {}\n", kind(table.kind), code(&table.name));
        describe(&mut out, context, table);
    }
    out
}

/// The name, linked to its description.
pub(super) fn linked(table: &TableFacts) -> String {
    link(
        &code(&table.name),
        &format!("{} {}", kind(table.kind), one_line(&table.name)),
    )
}

fn kind(kind: TableKind) -> &'static str {
    match kind {
        TableKind::Table => "Table",
        TableKind::View => "View",
        TableKind::MaterializedView => "Materialized view",
        TableKind::ForeignTable => "Foreign table",
        TableKind::Resource => "Resource",
    }
}

fn describe(out: &mut String, context: &Context<'_>, table: &TableFacts) {
    if let Some(comment) = &table.comment {
        let _ = writeln!(out, "{}\n", text(comment));
    }
    if let (None, Some(about)) = (&table.comment, starter(context, &table.name)) {
        let _ = writeln!(out, "{about}\n");
    }
    if let Some(told) = context.prose.tables.get(&table.name) {
        let _ = writeln!(out, "{}\n", prose::shown(told));
    }
    if table.kind == TableKind::MaterializedView && context.newcomer() {
        out.push_str("It shows what it showed when it was last refreshed.\n\n");
    }
    if table.keeps_deleted {
        let _ = writeln!(out, "{KEPT}\n");
    }
    columns(out, context, table);
    keys(out, context, table);
    let _ = writeln!(out, "**Who may do what.** {}\n", sentences(table).join(" "));
    if !context.newcomer() {
        policies(out, table);
    }
}

/// What every managed backend begins with.
fn starter(context: &Context<'_>, name: &str) -> Option<&'static str> {
    let managed = context.facts.backend.tier == "managed" && context.newcomer();
    match name {
        "app_users" if managed => Some("The profiles of the app's users: a row is made when somebody signs up."),
        "app_data" if managed => Some("For data of users that has no table of its own yet."),
        "users" if managed => Some("The profiles again, with the columns that other backends promise."),
        _ => None,
    }
}

fn columns(out: &mut String, context: &Context<'_>, table: &TableFacts) {
    if table.columns.is_empty() {
        out.push_str("It has no columns.\n\n");
        return;
    }
    out.push_str("| Column | Type | Required | Default | Notes |\n| --- | --- | --- | --- | --- |\n");
    let told = context.prose.columns.get(&table.name);
    for column in &table.columns {
        let required = if column.nullable { "no" } else { "yes" };
        let data_type = match &column.base_type {
            Some(base) => format!("{} ({})", cell(&column.data_type), cell(base)),
            None => cell(&column.data_type),
        };
        let prose = told.and_then(|told| told.get(&column.name));
        let _ = writeln!(
            out,
            "| {} | {data_type} | {required} | {} | {} |",
            cell(&column.name),
            default(column),
            notes(context, table, column, prose)
        );
    }
    out.push('\n');
}

fn default(column: &ColumnFacts) -> String {
    let Some(default) = &column.default else {
        return String::new();
    };
    let lower = default.to_ascii_lowercase();
    if lower.starts_with("nextval(") || lower == "auto_increment" || lower == "unique_rowid()" {
        return "next number".to_owned();
    }
    if ["gen_random_uuid()", "uuid_generate_v4()", "uuid()"].contains(&lower.as_str()) {
        return "random UUID".to_owned();
    }
    if ["now()", "current_timestamp", "current_timestamp()"].contains(&lower.as_str()) {
        return "now".to_owned();
    }
    // As our helper is called in a schema of a shared database, and everywhere else.
    if ["plinth.uid()", "auth.uid()"].contains(&lower.as_str()) {
        return "the signed-in user's id".to_owned();
    }
    // A text with its type behind it.
    let quoted = default.strip_prefix('\'').and_then(|rest| rest.split_once("'::"));
    match quoted {
        Some((inner, of)) if !inner.contains('\'') && !of.contains('\'') && !inner.is_empty() => cell(inner),
        _ => cell(default),
    }
}

fn notes(context: &Context<'_>, table: &TableFacts, column: &ColumnFacts, prose: Option<&String>) -> String {
    let mut notes = Vec::new();
    if let Some(comment) = &column.comment {
        notes.push(text(comment));
    } else if let Some(told) = prose {
        notes.push(prose::marked_line(told));
    }
    if table.primary_key.contains(&column.name) {
        notes.push(
            if table.primary_key.len() == 1 {
                "primary key"
            } else {
                "part of the primary key"
            }
            .to_owned(),
        );
    }
    for key in table
        .foreign_keys
        .iter()
        .filter(|key| key.columns.contains(&column.name))
    {
        let at = key
            .columns
            .iter()
            .position(|name| *name == column.name)
            .unwrap_or_default();
        let there = key
            .references
            .get(at)
            .map(|name| format!(", {}", cell(name)))
            .unwrap_or_default();
        notes.push(format!("refers to {}{there}", other(context, &key.table)));
    }
    if table
        .unique_keys
        .iter()
        .any(|key| key.as_slice() == [column.name.clone()])
    {
        notes.push("unique".to_owned());
    }
    if column.generated {
        notes.push("made by the database, cannot be written".to_owned());
    }
    let bare = column.value_type().trim_end_matches("[]");
    if let Some(labels) = context.facts.enums.get(bare) {
        let labels: Vec<_> = labels.iter().take(12).map(|label| cell(label)).collect();
        notes.push(format!("one of {}", labels.join(", ")));
    }
    notes.join("; ")
}

/// A link, if the table is described here.
fn other(context: &Context<'_>, name: &str) -> String {
    let described = context.facts.table(name).filter(|_| !name.contains('|'));
    described.map_or_else(|| cell(name), linked)
}

fn keys(out: &mut String, context: &Context<'_>, table: &TableFacts) {
    let mut said = Vec::new();
    if table.primary_key.len() > 1 {
        said.push(format!("Primary key: {}", names(&table.primary_key)));
    }
    for key in table.unique_keys.iter().filter(|key| key.len() > 1) {
        said.push(format!("Unique together: {}", names(key)));
    }
    for key in &table.foreign_keys {
        said.push(format!(
            "{} to {}{}",
            refers(key),
            other(context, &key.table),
            on_delete(key, context)
        ));
    }
    if let Some(from) = context.references(&table.name) {
        let from: Vec<_> = from
            .iter()
            .map(|(from, key)| format!("{} by {}", linked(from), names(&key.columns)))
            .collect();
        said.push(format!("Referred to from {}", listed(&from, "and")));
    }
    for check in &table.checks {
        let condition = read(&check.expression);
        let mut told = format!("Every row: {}", condition.words());
        if !context.newcomer() && condition.is_clear() {
            let _ = write!(told, " ({}: {})", code(&check.name), code(&check.expression));
        }
        said.push(told);
    }
    for index in indexes(table) {
        said.push(index);
    }
    for line in &said {
        let _ = writeln!(out, "- {line}");
    }
    if !said.is_empty() {
        out.push('\n');
    }
}

fn refers(key: &ForeignKeyFacts) -> String {
    format!(
        "{} {}",
        names(&key.columns),
        if key.columns.len() == 1 { "refers" } else { "refer" }
    )
}

fn on_delete(key: &ForeignKeyFacts, context: &Context<'_>) -> String {
    let what = match key.on_delete.as_deref() {
        Some("cascade") => "deleting the row there deletes the row here",
        Some("set null") => "deleting the row there empties the reference here",
        Some("set default") => "deleting the row there sets the reference here to its default",
        Some("restrict" | "no action") => "the row there cannot be deleted while it is referred to",
        _ => return String::new(),
    };
    if context.newcomer() {
        format!("; {what}")
    } else {
        format!(" (on delete {})", key.on_delete.as_deref().unwrap_or_default())
    }
}

/// Those that are not a key's own.
fn indexes(table: &TableFacts) -> Vec<String> {
    let is_key = |index: &&IndexFacts| {
        let same = |key: &Vec<String>| *key == index.columns;
        index.unique && index.predicate.is_none() && (same(&table.primary_key) || table.unique_keys.iter().any(same))
    };
    let shown = table.indexes.iter().filter(|index| !is_key(index)).map(|index| {
        let unique = if index.unique { "Unique index" } else { "Index" };
        let method = if index.method == "btree" {
            String::new()
        } else {
            format!(", {}", code(&index.method))
        };
        let which = index
            .predicate
            .as_ref()
            .map(|rows| format!(", for rows where {}", read(rows).words()));
        format!(
            "{unique} {} on {}{method}{}",
            code(&index.name),
            names(&index.columns),
            which.unwrap_or_default()
        )
    });
    shown.collect()
}

fn names(names: &[String]) -> String {
    let names: Vec<_> = names.iter().map(|name| code(name)).collect();
    listed(&names, "and")
}

/// The policies as the database has them.
fn policies(out: &mut String, table: &TableFacts) {
    for policy in &table.access.policies {
        let to = match (policy.anyone, policy.signed_in) {
            (true, true) => "everybody",
            (true, false) => "who is not signed in",
            (false, true) => "signed-in users",
            (false, false) => "secret keys",
        };
        let command = if policy.command == Command::All {
            "all commands"
        } else {
            policy.command.sql()
        };
        let kind = if policy.restrictive {
            "Restrictive policy"
        } else {
            "Policy"
        };
        let _ = write!(out, "- {kind} {} for {command}, for {to}", code(&policy.name));
        for (clause, expression) in [("using", &policy.using), ("with check", &policy.check)] {
            if let Some(expression) = expression {
                let _ = write!(out, ", {clause} {}", code(expression));
            }
        }
        out.push('\n');
    }
    if !table.access.policies.is_empty() {
        out.push('\n');
    }
}
