//! How the tables hang together.

use std::fmt::Write as _;

use super::{count, tables};
use crate::docgen::access::listed;
use crate::docgen::diagram::diagrams;
use crate::docgen::escape::code;
use crate::docgen::facts::TableKind;
use crate::docgen::render::Context;

pub(super) fn body(context: &Context<'_>) -> String {
    let facts = context.facts;
    let mut out = String::new();
    let keys: usize = facts.tables.iter().map(|table| table.foreign_keys.len()).sum();
    let found = diagrams(facts);
    if found.shown.is_empty() && found.alone == 0 {
        return "There is no table yet.".to_owned();
    }
    let refers = if keys == 1 { "reference" } else { "references" };
    let _ = writeln!(
        out,
        "{} between the tables.\n",
        match keys {
            0 => "There are no references".to_owned(),
            1 => format!("There is one {refers}"),
            many => format!("There are {many} {refers}"),
        }
    );
    if context.newcomer() && keys > 0 {
        out.push_str(
            "A line leads from a table to those that refer to it: a bar stands for exactly one row, a circle for maybe \
             none, a crow's foot for many. `PK` marks the primary key, which tells rows apart; `FK` marks a reference to \
             a row of another table.\n\n",
        );
    }
    let several = found.shown.len() > 1 || found.left_out + found.alone > 0;
    if several {
        let _ = writeln!(
            out,
            "The schema is too large for one picture, so tables that hang together are shown together, the largest \
             groups first; a group with more than 20 tables is shown in parts, without the lines between the parts. Of \
             each table the keys and the first ten other columns are shown.{}{}\n",
            not_shown(
                found.alone,
                "refer to nothing in sight and are in no picture",
                "refers to nothing in sight and is in no picture"
            ),
            not_shown(
                found.left_out,
                "of further groups are left out here",
                "of a further group is left out here"
            ),
        );
    }
    for (number, (names, diagram)) in found.shown.iter().enumerate() {
        if several {
            let first: Vec<_> = names.iter().take(3).map(|name| code(name)).collect();
            let _ = writeln!(out, "### Part {}: around {}\n", number + 1, listed(&first, "and"));
        }
        let _ = writeln!(out, "```mermaid\n{diagram}```\n");
    }
    views(&mut out, context);
    enums(&mut out, context);
    out
}

fn not_shown(number: usize, many: &str, one: &str) -> String {
    match number {
        0 => String::new(),
        1 => format!(" One table {one}."),
        _ => format!(" {number} tables {many}."),
    }
}

fn views(out: &mut String, context: &Context<'_>) {
    let is_view = |kind| matches!(kind, TableKind::View | TableKind::MaterializedView);
    let views: Vec<_> = context
        .facts
        .tables
        .iter()
        .filter(|table| is_view(table.kind))
        .collect();
    if !views.is_empty() {
        let names: Vec<_> = views.iter().map(|view| tables::linked(view)).collect();
        let shown = count(views.len(), "view", "views");
        let _ = writeln!(
            out,
            "Beside the tables there {} {shown}: {}.\n",
            if views.len() == 1 { "is" } else { "are" },
            listed(&names, "and")
        );
    }
}

fn enums(out: &mut String, context: &Context<'_>) {
    if context.facts.enums.is_empty() {
        return;
    }
    out.push_str("### Types with a fixed list of values\n\n");
    for (name, labels) in &context.facts.enums {
        let labels: Vec<_> = labels.iter().map(|label| code(label)).collect();
        let _ = writeln!(out, "- {}: {}", code(name), labels.join(", "));
    }
    out.push('\n');
}
