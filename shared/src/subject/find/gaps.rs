//! What looks personal and is linked to nobody.

use super::super::classify::{Said, said, singular, words};
use super::super::{Facts, Kind, Marks, Personal, Relation, SubjectMap, Table, Why};
use super::Gap;
use crate::schema::catalog::Column;

/// The gaps of a map, in the order of the tables' columns.
pub fn gaps(facts: &Facts, marks: &Marks, map: &SubjectMap) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (label, table) in facts
        .tables
        .iter()
        .filter(|(label, _)| !map.tables.contains_key(*label))
    {
        let mut personal: Vec<Personal> = Vec::new();
        for column in &table.columns {
            let name = column.name.as_str();
            let marked = marks.table(label).iter().find(|marked| marked.column == name);
            let of_id = |why| Personal {
                column: name.to_owned(),
                kind: Kind::PersonId,
                why,
            };
            match marked {
                Some(marked) if marked.kind != Kind::FreeText => personal.push(marked.clone()),
                _ if marks.holds_ids(label, name) => personal.push(of_id(Why::Values)),
                _ if names_person(table, column, facts, map) => personal.push(of_id(Why::Name)),
                _ => {}
            }
        }
        let ignored = |column: &str| map.ignored.iter().any(|it| *it == format!("{label}.{column}"));
        personal.retain(|personal| !ignored(&personal.column));
        let suggestion = match personal.is_empty() {
            true => None,
            false => suggestion(label, table, &personal, facts, map),
        };
        gaps.extend(personal.into_iter().map(|personal| Gap {
            table: label.clone(),
            column: personal.column,
            kind: personal.kind,
            why: personal.why,
            suggestion: suggestion.clone(),
        }));
    }
    gaps
}

/// Whether a column is called as one with ids of people is (`user_id`, `created_by`, `participants`), and could hold them.
fn names_person(table: &Table, column: &Column, facts: &Facts, map: &SubjectMap) -> bool {
    let root = map.root.table.as_ref().and_then(|label| facts.tables.get(label));
    let key = match (root, map.root.key.as_slice()) {
        (Some(root), [key]) => root.column(key).map(|key| kin(key.value_type())),
        // People are accounts.
        (None, _) => facts.accounts.then_some("uuid"),
        _ => None,
    };
    let Some(key) = key else { return false };
    let name = words(column.name.as_str());
    let root_word = root.and_then(|root| words(root.name.as_str()).pop());
    let Some(said) = said(&name, singular(root_word.as_deref().unwrap_or_default())) else {
        return false;
    };
    // What a key says of it counts, and a table's own ids are nobody's.
    let leads_on =
        |link: &super::Link| link.to.is_some() && link.to != map.root.table && link.columns.contains(&column.name);
    if table.links.iter().any(leads_on) || name == ["uid"] && table.primary_key.contains(&column.name) {
        return false;
    }
    let (own, is_list) = match column.value_type().strip_suffix("[]") {
        Some(item) => (kin(item), true),
        None => (kin(column.value_type()), false),
    };
    match said {
        _ if matches!(own, "json" | "jsonb") => true,
        Said::Id => own == key || own == "text",
        Said::Person => own == key && (own != "text" || is_list),
        // As a number it is how many.
        Said::People => own == key && (own == "uuid" || is_list),
    }
}

/// Types by what they are worth for comparing: widths and lengths do not matter.
fn kin(data_type: &str) -> &str {
    let name = data_type.split(['(', ' ']).next().unwrap_or(data_type);
    match name {
        "smallint" | "integer" | "int" | "bigint" | "tinyint" | "mediumint" | "numeric" => "number",
        "text" | "character" | "varchar" | "char" | "citext" => "text",
        other => other,
    }
}

/// A relation that would link the table: by a column that is called as the root's id, by an address that the root has too, or
/// backwards along a key that leads here.
fn suggestion(label: &str, table: &Table, personal: &[Personal], facts: &Facts, map: &SubjectMap) -> Option<Relation> {
    let relation = |columns: Vec<String>, references: Option<String>, referenced_columns: Vec<String>| Relation {
        table: label.to_owned(),
        columns,
        references,
        referenced_columns,
    };
    // Lists and documents are compared with nothing.
    let is_one = |personal: &&Personal| {
        let column = table.column(&personal.column);
        column.is_some_and(|column| {
            let name = column.value_type();
            !name.ends_with("[]") && !matches!(name, "json" | "jsonb")
        })
    };
    let mut ids = personal.iter().filter(|personal| personal.kind == Kind::PersonId);
    if let Some(id) = ids.find(is_one) {
        let there = map.root.table.as_ref().map_or(Vec::new(), |_| map.root.key.clone());
        return Some(relation(vec![id.column.clone()], map.root.table.clone(), there));
    }
    for (other, linked) in facts.tables.iter().filter(|(other, _)| map.tables.contains_key(*other)) {
        let here = |link: &&super::Link| link.to.as_deref() == Some(label) && other != label;
        if let Some(link) = linked.links.iter().find(here) {
            let names = |columns: &[crate::ident::Ident]| columns.iter().map(ToString::to_string).collect();
            return Some(relation(
                names(&link.references),
                Some(other.clone()),
                names(&link.columns),
            ));
        }
    }
    let root = map.root.table.as_ref()?;
    let theirs = map.root.email.as_ref()?;
    let theirs_type = facts.tables.get(root)?.column(theirs)?.value_type();
    let email = personal.iter().find(|personal| {
        let holds = table
            .column(&personal.column)
            .is_some_and(|own| kin(own.value_type()) == kin(theirs_type));
        personal.kind == Kind::Email && holds
    })?;
    Some(relation(
        vec![email.column.clone()],
        Some(root.clone()),
        vec![theirs.clone()],
    ))
}
