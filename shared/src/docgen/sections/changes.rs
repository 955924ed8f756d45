//! What is different from the version before, found by comparing its text: headings name tables and functions, rows of
//! tables their columns. What is compared is shown as it was written, so nothing has to be unescaped.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{functions, tables};
use crate::docgen::document::{Document, SectionId};
use crate::docgen::prose;
use crate::docgen::render::Context;

/// Things by heading, with their lines.
type Outline<'a> = BTreeMap<&'a str, Part<'a>>;

/// A table or function: its columns or arguments by name, and everything else that is said of it.
#[derive(Default, PartialEq)]
struct Part<'a> {
    rows: BTreeMap<&'a str, &'a str>,
    rest: Vec<&'a str>,
}

pub(super) fn body(context: &Context<'_>) -> String {
    let Some(previous) = context.previous else {
        return "This is the first version of this document.".to_owned();
    };
    // The version before may have been written for other readers: what only they are told is no change.
    let [found, others] = [
        differences_from(previous, context),
        differences_from(previous, &context.for_others()),
    ];
    let found = match (found, others) {
        (Some(found), Some(others)) if others.len() < found.len() => Some(others),
        (found, _) => found,
    };
    match found.as_deref() {
        None => "The version before describes no tables or functions to compare with.".to_owned(),
        Some("") => "No table, column or function has changed since the version before.".to_owned(),
        Some(found) => format!("Since the version before:\n\n{found}"),
    }
}

/// What there is to compare, compared; nothing where there is nothing.
fn differences_from(previous: &Document, context: &Context<'_>) -> Option<String> {
    let present = [
        (SectionId::Tables, tables::body(context)),
        (SectionId::Functions, functions::body(context)),
    ];
    let mut out = None;
    for (id, text) in &present {
        if let Some(before) = section(previous, *id) {
            compare(out.get_or_insert_with(String::new), &outline(before), &outline(text));
        }
    }
    out
}

fn section(document: &Document, id: SectionId) -> Option<&str> {
    document.section(id.name()).map(|section| section.body.as_str())
}

fn outline(body: &str) -> Outline<'_> {
    let mut found = Outline::new();
    let mut part: Option<&str> = None;
    let mut fenced = false;
    for line in body.lines() {
        fenced ^= line.starts_with("```");
        if let Some(heading) = line.strip_prefix("### ").filter(|_| !fenced) {
            part = Some(heading);
            found.entry(heading).or_default();
            continue;
        }
        let Some(of) = part.and_then(|heading| found.get_mut(heading)) else {
            continue;
        };
        if fenced || line.is_empty() || line.starts_with("| ---") || line.starts_with("```") {
            continue;
        }
        match line.strip_prefix("| ").and_then(|row| row.split_once(" | ")) {
            Some(("Column" | "Argument", _)) => {}
            Some((name, rest)) => {
                let rest = rest.trim_end_matches(" |");
                let facts = rest.rsplit_once(" | ").filter(|(_, notes)| notes.contains(prose::MARK));
                of.rows.insert(name, facts.map_or(rest, |(facts, _)| facts));
            }
            // Prose may be told in other words each time.
            None if line.starts_with("- ") || line.starts_with("**") => of.rest.push(line),
            None => {}
        }
    }
    found
}

fn compare(out: &mut String, before: &Outline<'_>, after: &Outline<'_>) {
    for (heading, part) in after {
        match before.get(heading) {
            None => {
                let names: Vec<_> = part.rows.keys().copied().collect();
                let _ = writeln!(out, "- New: {}{}", lower(heading), with(&names));
            }
            Some(known) if known != part => differences(out, heading, known, part),
            Some(_) => {}
        }
    }
    for heading in before.keys().filter(|heading| !after.contains_key(*heading)) {
        let _ = writeln!(out, "- Gone: {}", lower(heading));
    }
}

fn differences(out: &mut String, heading: &str, before: &Part<'_>, after: &Part<'_>) {
    let _ = writeln!(out, "- Changed: {}", lower(heading));
    for (name, row) in &after.rows {
        match before.rows.get(name) {
            None => {
                let _ = writeln!(out, "  - new: {name} ({})", first_cell(row));
            }
            Some(known) if known != row => {
                let (known_type, new_type) = (first_cell(known), first_cell(row));
                let how = if known_type == new_type {
                    "its rules or description are different".to_owned()
                } else {
                    format!("was {known_type}, is {new_type}")
                };
                let _ = writeln!(out, "  - changed: {name} ({how})");
            }
            Some(_) => {}
        }
    }
    for name in before.rows.keys().filter(|name| !after.rows.contains_key(*name)) {
        let _ = writeln!(out, "  - gone: {name}");
    }
    for line in after.rest.iter().filter(|line| !before.rest.contains(line)) {
        let _ = writeln!(out, "  - now: {}", line.trim_start_matches("- "));
    }
    for line in before.rest.iter().filter(|line| !after.rest.contains(line)) {
        let _ = writeln!(out, "  - no longer: {}", line.trim_start_matches("- "));
    }
}

fn with(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        some if some.len() <= 12 => format!(" with {}", some.join(", ")),
        some => format!(" with {} columns", some.len()),
    }
}

fn first_cell(row: &str) -> &str {
    row.split(" | ").next().unwrap_or(row)
}

/// "Table `film`" in the middle of a sentence.
fn lower(heading: &str) -> String {
    let mut chars = heading.chars();
    chars
        .next()
        .map(|first| first.to_lowercase().chain(chars).collect())
        .unwrap_or_default()
}
