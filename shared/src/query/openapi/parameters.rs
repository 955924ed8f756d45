//! `parameters`: what operations refer to.

use serde_json::{Map, Value, json};

use super::{Rights, object, reference};
use crate::schema::catalog::Relation;

/// Where a parameter goes, its name in this document, its own name, what it is for.
const SHARED: [(&str, &str, &str, &str); 6] = [
    ("query", "select", "select", "Filtering Columns"),
    ("query", "on_conflict", "on_conflict", "On Conflict"),
    ("query", "order", "order", "Ordering"),
    ("header", "range", "Range", "Limiting and Pagination"),
    ("query", "offset", "offset", "Limiting and Pagination"),
    ("query", "limit", "limit", "Limiting and Pagination"),
];

/// What `Prefer` may say, by the name of the parameter here.
const PREFERENCES: [(&str, &[&str]); 4] = [
    ("preferParams", &[]),
    (
        "preferReturn",
        &["return=representation", "return=minimal", "return=none"],
    ),
    ("preferCount", &["count=none"]),
    (
        "preferPost",
        &[
            "return=representation",
            "return=minimal",
            "return=none",
            "resolution=ignore-duplicates",
            "resolution=merge-duplicates",
        ],
    ),
];

pub(super) fn all(tables: &[(&Relation, Rights)]) -> Map<String, Value> {
    let mut all = Map::new();
    for (place, key, name, description) in SHARED {
        all.insert(key.to_owned(), text(place, name, Some(description)).into());
    }
    let mut unit = text("header", "Range-Unit", Some("Limiting and Pagination"));
    unit.insert("default".into(), "items".into());
    all.insert("rangeUnit".into(), unit.into());
    for (key, values) in PREFERENCES {
        let mut prefer = text("header", "Prefer", Some("Preference"));
        if !values.is_empty() {
            prefer.insert("enum".into(), json!(values));
        }
        all.insert(key.to_owned(), prefer.into());
    }
    for (relation, _) in tables {
        let name = relation.name.as_str();
        let body = json!({
            "name": name, "description": name, "required": false, "in": "body",
            "schema": reference("definitions", name),
        });
        all.insert(body_of(name), body);
        for column in &relation.columns {
            let filter = text("query", column.name.as_str(), column.comment.as_deref());
            all.insert(filter_of(name, column.name.as_str()), filter.into());
        }
    }
    all
}

/// The key of a table's rows as a body.
pub(super) fn body_of(table: &str) -> String {
    format!("body.{table}")
}

/// The key of the filter on a column.
pub(super) fn filter_of(table: &str, column: &str) -> String {
    format!("rowFilter.{table}.{column}")
}

fn text(place: &str, name: &str, description: Option<&str>) -> Map<String, Value> {
    object([
        ("name", Some(name.into())),
        ("description", description.map(Value::from)),
        ("required", Some(false.into())),
        ("in", Some(place.into())),
        ("type", Some("string".into())),
    ])
}
