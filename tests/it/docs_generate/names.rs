//! Every name of the catalog stands in the text, and every name that the text gives to a table, column or function is in
//! the catalog.

use std::collections::{BTreeMap, BTreeSet};

use plinth::docs;
use plinth::ident::ProjectId;
use uuid::Uuid;

use super::{Served, Subject};

/// What the text says there is: things by heading, with the names in the first column of their table.
fn told(content: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut section = "";
    let mut part: Option<String> = None;
    for line in content.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            (section, part) = (title, None);
        } else if let Some(title) = line.strip_prefix("### ") {
            part = (section == "Tables" || section == "Functions").then(|| title.to_owned());
            if let Some(part) = &part {
                found.entry(part.clone()).or_default();
            }
        } else if let (Some(part), Some(row)) = (&part, line.strip_prefix("| `")) {
            let name = row.split('`').next().unwrap_or_default();
            found.get_mut(part).unwrap().insert(name.to_owned());
        }
    }
    found
}

pub async fn all_resolve(served: &Served, subject: &Subject, content: &str) {
    let project = ProjectId(subject.id.parse::<Uuid>().unwrap());
    let facts = docs::gather(&served.worker(), project).await.unwrap();
    assert!(facts.tables.len() > 4, "{:?}", facts.tables);
    let mut expected: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for table in &facts.tables {
        let kind = match table.kind {
            plinth::docgen::TableKind::View => "View",
            _ => "Table",
        };
        let columns = table.columns.iter().map(|column| column.name.clone()).collect();
        expected.insert(format!("{kind} `{}`", table.name), columns);
    }
    for function in &facts.functions {
        let arguments = function
            .arguments
            .iter()
            .map(|argument| argument.name.clone())
            .collect();
        expected.insert(format!("Function `{}`", function.name), arguments);
    }
    assert_eq!(told(content), expected);
    links_lead_somewhere(content);
    let names: BTreeSet<&str> = facts.tables.iter().map(|table| table.name.as_str()).collect();
    diagrams_name_tables(content, &names);
    // What paths of rows and functions there are, the API's description knows.
    let paths = facts.openapi["paths"].as_object().unwrap();
    for path in paths.keys().filter_map(|path| path.strip_prefix("/rest/v1")) {
        assert!(content.contains(&format!("| `{path}` |")), "{path} is not in the text");
    }
}

fn links_lead_somewhere(content: &str) {
    let headings: BTreeSet<String> = content
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(|title| plinth::docgen::anchor(&title.replace('`', "")))
        .collect();
    for link in content.split("](#").skip(1) {
        let target = link.split(')').next().unwrap();
        assert!(headings.contains(target), "#{target} is no heading: {headings:?}");
    }
}

fn diagrams_name_tables(content: &str, names: &BTreeSet<&str>) {
    let diagrams: Vec<_> = content.split("```mermaid\n").skip(1).collect();
    assert!(!diagrams.is_empty());
    for diagram in diagrams {
        let body = diagram.split("```").next().unwrap();
        for line in body
            .lines()
            .filter(|line| line.starts_with("  \"") && line.ends_with('{'))
        {
            let name = line.split('"').nth(1).unwrap();
            assert!(names.contains(name), "{name}");
        }
    }
}
