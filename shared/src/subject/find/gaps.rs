//! What looks personal and is linked to nobody.

use super::super::classify::{singular, words};
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
        let personal = marks
            .table(label)
            .iter()
            .filter(|personal| personal.kind != Kind::FreeText)
            .cloned();
        let mut personal: Vec<Personal> = personal.collect();
        for column in table
            .columns
            .iter()
            .filter(|column| marks.kind(label, column.name.as_str()).is_none())
        {
            if names_person(column, facts, map) {
                personal.push(Personal {
                    column: column.name.to_string(),
                    kind: Kind::PersonId,
                    why: Why::Name,
                });
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

/// Whether a column is called as the root's id is in other tables (`user_id`), and could hold it.
fn names_person(column: &Column, facts: &Facts, map: &SubjectMap) -> bool {
    let name = words(column.name.as_str());
    let Some((last, before)) = name.split_last() else {
        return false;
    };
    if !matches!(
        last.as_str(),
        "id" | "uuid" | "uid" | "key" | "ref" | "no" | "nr" | "number"
    ) || before.is_empty()
    {
        return false;
    }
    let Some(root) = map.root.table.as_ref().and_then(|label| facts.tables.get(label)) else {
        // People are accounts.
        return facts.accounts && column.data_type == "uuid" && before == ["user"];
    };
    let [key] = map.root.key.as_slice() else { return false };
    let root_name = words(root.name.as_str());
    let root_word = root_name
        .last()
        .map(|last| singular(last).to_owned())
        .unwrap_or_default();
    let holds = root
        .column(key)
        .is_some_and(|key| kin(key.value_type()) == kin(column.value_type()));
    let said = before.last().is_some_and(|last| *last == root_word || last == "user");
    holds && said
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
    if let Some(id) = personal.iter().find(|personal| personal.kind == Kind::PersonId) {
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
