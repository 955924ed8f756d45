//! Tables for tests, written down shortly.

use std::collections::BTreeMap;

use super::{Dialect, Facts, Link, LinkOrigin, Marks, Path, SubjectMap, Table, find};
use crate::ident::Ident;
use crate::schema::catalog::Column;

/// Tables out of lines `name: column type modifiers, …`, with `pk`, `unique`, `required`, `generated`, `owner` and
/// `-> table.column [on delete action]` as modifiers; `key (a, b) -> table (c, d)` links by several columns.
pub(super) fn facts(text: &str) -> Facts {
    let mut facts = Facts::default();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, columns) = line.split_once(": ").unwrap();
        facts.tables.insert(name.to_owned(), table(name, columns));
    }
    if facts.tables.contains_key("app_users") {
        facts.people = Some("app_users".to_owned());
        facts.accounts = true;
    }
    facts
}

/// The map that is found where nobody has said anything.
pub(super) fn found_map(facts: &Facts) -> SubjectMap {
    find(Dialect::Postgres, facts, &Marks::by_name(facts), &SubjectMap::default()).map
}

fn ident(name: &str) -> Ident {
    Ident::new(name).unwrap()
}

fn idents(list: &str) -> Vec<Ident> {
    list.trim_matches(['(', ')', ' '])
        .split('+')
        .map(|name| ident(name.trim()))
        .collect()
}

fn table(label: &str, columns: &str) -> Table {
    let mut table = Table {
        schema: Some(ident("public")),
        name: ident(label.split(':').nth(1).unwrap_or(label)),
        columns: vec![],
        primary_key: vec![],
        unique_keys: vec![],
        links: vec![],
        checks: vec![],
        whole: Vec::new(),
        collations: BTreeMap::new(),
        trashed: label.starts_with("trash:"),
    };
    for part in columns.split(", ") {
        let (said, link) = part
            .split_once(" -> ")
            .map_or((part, None), |(said, link)| (said, Some(link)));
        let mut words = said.split(' ');
        let name = words.next().unwrap();
        let mut columns = vec![ident(name)];
        if name == "key" {
            columns = idents(words.next().unwrap());
        } else if name == "pk" {
            table.primary_key = idents(words.next().unwrap());
            continue;
        } else {
            let data_type = words.next().unwrap_or("text").replace('_', " ");
            let rest: Vec<&str> = words.collect();
            let column = columns[0].clone();
            if rest.contains(&"pk") {
                table.primary_key.push(column.clone());
            }
            if rest.contains(&"unique") {
                table.unique_keys.push(vec![column.clone()]);
            }
            if rest.contains(&"owner") {
                table
                    .links
                    .push(link_of(vec![column.clone()], None, vec![], LinkOrigin::Owner));
            }
            table.columns.push(Column {
                name: column,
                data_type,
                base_type: None,
                nullable: !rest.contains(&"required") && !rest.contains(&"pk"),
                default: None,
                generated: rest.contains(&"generated"),
                comment: None,
            });
        }
        let Some(link) = link else { continue };
        let (target, action) = link.split_once(" on delete ").unwrap_or((link, "no action"));
        let (to, there) = target.rsplit_once('.').unwrap();
        let origin = match action {
            "declared" => LinkOrigin::Declared,
            action => LinkOrigin::ForeignKey {
                name: ident(&format!("{}_{}_fkey", table.name, columns[0])),
                on_delete: action.to_owned(),
            },
        };
        table
            .links
            .push(link_of(columns, Some(to.to_owned()), idents(there), origin));
    }
    table
}

fn link_of(columns: Vec<Ident>, to: Option<String>, references: Vec<Ident>, origin: LinkOrigin) -> Link {
    Link {
        columns,
        to,
        references,
        origin,
    }
}

/// Paths as texts, by table.
pub(super) fn shown<'a>(paths: impl IntoIterator<Item = (&'a String, &'a Vec<Path>)>) -> Vec<String> {
    let paths: BTreeMap<&String, &Vec<Path>> = paths.into_iter().collect();
    let lines = paths
        .into_iter()
        .flat_map(|(label, paths)| paths.iter().map(move |path| path.readable(label)));
    lines.collect()
}
