//! Which table has a row for each person.

use std::collections::BTreeSet;

use super::super::classify::{is_of_people, words};
use crate::ident::Ident;

use super::super::{Facts, Kind, LinkOrigin, Marks, Root, SubjectMap, Table};

/// The root that was said, else the platform's own table of people, else the table that looks most like one.
pub(super) fn root(facts: &Facts, marks: &Marks, said: &SubjectMap) -> Root {
    if let Some(label) = &said.root.table
        && facts.tables.contains_key(label)
    {
        return said.root.clone();
    }
    let label = match &facts.people {
        Some(people) => Some(people.as_str()),
        None => likeliest(facts, marks),
    };
    let Some((label, table)) = label.and_then(|label| facts.tables.get_key_value(label)) else {
        return Root::default();
    };
    Root {
        table: Some(label.clone()),
        key: names(key(table)),
        email: email(label, table, marks),
    }
}

/// Whether a person's id is what tells rows of the root apart, so that columns with such an id lead to it as well.
pub(in crate::subject) fn ids_are_people(facts: &Facts, root: &Root) -> bool {
    let Some(label) = &root.table else { return true };
    let is_people = facts.people.as_ref() == Some(label);
    let goes_by_ids = |table: &Table| match is_people {
        true => names(&table.primary_key) == root.key,
        false => is_owners(table, &root.key),
    };
    facts.accounts && facts.tables.get(label).is_some_and(goes_by_ids)
}

/// Whether the key is what the caller's id is compared with.
fn is_owners(table: &Table, key: &[String]) -> bool {
    let [only] = key else { return false };
    let same = |link: &super::Link| {
        link.origin == LinkOrigin::Owner && link.columns.iter().all(|column| column.as_str() == only)
    };
    table.links.iter().any(same)
}

fn names(columns: &[Ident]) -> Vec<String> {
    columns.iter().map(ToString::to_string).collect()
}

fn key(table: &Table) -> &[Ident] {
    match (table.primary_key.as_slice(), table.unique_keys.first()) {
        ([], Some(unique)) => unique,
        (primary, _) => primary,
    }
}

/// The column with an address that is the person's: by its plain name, else the first.
fn email(label: &str, table: &Table, marks: &Marks) -> Option<String> {
    let plain = table
        .columns
        .iter()
        .find(|column| words(column.name.as_str()).concat() == "email");
    let plain = plain.map(|column| column.name.to_string());
    let is_email = |kind: Kind| kind == Kind::Email;
    let marked = marks.table(label).iter().find(|personal| is_email(personal.kind));
    plain
        .filter(|name| marks.kind(label, name).is_some_and(is_email))
        .or_else(|| marked.map(|personal| personal.column.clone()))
}

/// The table that is called as people are, has a key, and is referred to by others; personal columns count too.
fn likeliest<'a>(facts: &'a Facts, marks: &Marks) -> Option<&'a str> {
    let mut best: Option<(u32, &str)> = None;
    for (label, table) in facts
        .tables
        .iter()
        .filter(|(_, table)| !table.trashed && !key(table).is_empty())
    {
        // Where people have ids of their own, no other table stands for them than one that goes by these.
        if facts.accounts && !is_owners(table, &names(key(table))) {
            continue;
        }
        let score = score(label, table, facts, marks);
        // Of equals the first by name.
        if score >= LEAST && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, label));
        }
    }
    best.map(|(_, label)| label)
}

/// Nothing but `users` is enough as a name alone, and neither is an address.
const LEAST: u32 = 5;

fn score(label: &str, table: &Table, facts: &Facts, marks: &Marks) -> u32 {
    let name = words(table.name.as_str());
    let mut score = match name.as_slice() {
        [only] if matches!(only.as_str(), "users" | "user" | "appusers") => 6,
        [only] if is_of_people(only) => 4,
        several if several.last().is_some_and(|last| is_of_people(last)) => 3,
        _ => 0,
    };
    let kinds: BTreeSet<Kind> = marks.table(label).iter().map(|personal| personal.kind).collect();
    for (kind, worth) in [
        (Kind::Email, 3),
        (Kind::Credential, 2),
        (Kind::Name, 1),
        (Kind::Username, 1),
        (Kind::Phone, 1),
    ] {
        score += if kinds.contains(&kind) { worth } else { 0 };
    }
    let leads_here = |other: &&Table| other.links.iter().any(|link| link.to.as_deref() == Some(label));
    let referrers = facts.tables.values().filter(leads_here).count();
    score + u32::try_from(referrers.min(3)).unwrap_or(3)
}
