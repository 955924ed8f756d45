//! The subject map: what is found, what an owner says, and what a change of the tables does to it.

mod external;
mod managed;
mod mysql;
mod outside;

use http::StatusCode;
use serde_json::{Value, json};

use crate::world::{Reply, User, World, text};

/// A reading of a project's map.
pub async fn read(world: &World, project: &str, by: &User, rest: &str) -> Reply {
    let path = format!("/api/gdpr/subject-map?projectId={project}{rest}");
    world.get(&path).bearer(&by.token).send().await
}

/// The map, for who may see it.
pub async fn shown(world: &World, project: &str, by: &User) -> Value {
    read(world, project, by, "").await.expect(StatusCode::OK)
}

/// Puts a map in force, based on that version.
pub async fn put(world: &World, project: &str, by: &User, based_on: i64, body: &Value) -> Reply {
    let path = format!("/api/projects/{project}/subject-map");
    let call = world
        .put(&path)
        .bearer(&by.token)
        .header("if-match", &format!("\"{based_on}\""));
    call.json(body).send().await
}

/// Each table's ways, its rule, and whether it is to be thought about: a line each.
fn told(map: &Value) -> String {
    let mut lines = Vec::new();
    for table in map["tables"].as_array().unwrap() {
        let rule = match text(&table["rule"], "action").as_str() {
            "anonymise" => format!("anonymise {}", list(&table["rule"]["columns"])),
            other => other.to_owned(),
        };
        let undecided = if table["needsDecision"] == true { "?" } else { "" };
        let label = masked(&text(table, "table"));
        lines.push(format!("{label}: {rule}{undecided}"));
        for (name, sign) in [("paths", "  "), ("alternatives", "  or ")] {
            for path in table[name].as_array().unwrap() {
                lines.push(format!("{sign}{}", masked(&text(path, "readable"))));
            }
        }
    }
    lines.join("\n")
}

/// Each gap, with what would close it.
fn gaps(map: &Value) -> String {
    let gaps = map["gaps"].as_array().unwrap().iter().map(|gap| {
        let [table, column, kind, why] = ["table", "column", "kind", "why"].map(|name| text(gap, name));
        let by = match &gap["suggestion"] {
            Value::Null => String::new(),
            relation => format!(
                ": {} → {}.{}",
                list(&relation["columns"]),
                relation["references"].as_str().unwrap_or("person"),
                list(&relation["referencedColumns"])
            ),
        };
        format!("{}.{column} {kind} by {why}{by}", masked(&table))
    });
    gaps.collect::<Vec<_>>().join("\n")
}

/// What has changed.
fn changes(map: &Value) -> String {
    let changes = map["changes"].as_array().unwrap().iter().map(|change| {
        let said = |name: &str| change[name].as_str().map(|text| format!(" {text}")).unwrap_or_default();
        let (kind, table) = (text(change, "kind"), masked(&text(change, "table")));
        format!("{kind} {table}{}{}{}", said("column"), said("link"), said("personal"))
    });
    changes.collect::<Vec<_>>().join("\n")
}

/// Without ids.
fn masked(text: &str) -> String {
    let mut shown = String::new();
    for (at, part) in text.split("trash:").enumerate() {
        shown += if at > 0 { "trash:" } else { "" };
        match part.split_once(':').filter(|_| at > 0) {
            Some((name, rest)) => shown += &format!("{name}:…{}", rest.get(36..).unwrap_or_default()),
            None => shown += part,
        }
    }
    shown
}

fn list(names: &Value) -> String {
    let names = names
        .as_array()
        .into_iter()
        .flatten()
        .map(|name| name.as_str().unwrap());
    names.collect::<Vec<_>>().join(", ")
}

fn code(reply: &Reply) -> (u16, String) {
    (reply.status.as_u16(), text(&reply.json(), "code"))
}

/// A relation that a gap suggests.
pub fn suggested(map: &Value, table: &str) -> Value {
    let gap = map["gaps"].as_array().unwrap().iter().find(|gap| gap["table"] == table);
    gap.unwrap()["suggestion"].clone()
}

/// A map with a table linked by a relation of one link to the root, its rows to go.
pub fn linked(map: &Value, relation: &Value) -> Value {
    let mut map = map["map"].clone();
    let hop = json!({ "columns": relation["columns"], "references": relation["references"],
        "referencedColumns": relation["referencedColumns"] });
    map["relations"].as_array_mut().unwrap().push(relation.clone());
    map["tables"][text(relation, "table")] = json!({ "paths": [[hop]], "rule": { "action": "delete" } });
    map
}
