//! Values that look as if somebody had typed them: by a column's schema, and by its name where that says more.

use serde_json::{Map, Value, json};

use super::types::Types;
use crate::schema::catalog::{Catalog, Column, Relation};

/// What a part of a name suggests for a text.
const TEXTS: &[(&str, &str)] = &[
    ("email", "ada@example.com"),
    ("first_name", "Ada"),
    ("last_name", "Lovelace"),
    ("username", "ada"),
    ("company", "Analytical Engines"),
    ("name", "Ada Lovelace"),
    ("title", "Buy milk"),
    ("subject", "A question"),
    ("url", "https://example.com"),
    ("link", "https://example.com"),
    ("website", "https://example.com"),
    ("phone", "+44 20 7946 0000"),
    ("city", "London"),
    ("country", "United Kingdom"),
    ("address", "12 St James's Square"),
    ("street", "12 St James's Square"),
    ("zip", "SW1Y 4JH"),
    ("postal", "SW1Y 4JH"),
    ("currency", "EUR"),
    ("language", "en"),
    ("locale", "en-GB"),
    ("status", "active"),
    ("state", "active"),
    ("slug", "buy-milk"),
    ("color", "blue"),
    ("colour", "blue"),
    ("code", "A1"),
    ("kind", "plain"),
    ("type", "plain"),
    ("description", "A few words"),
    ("note", "A few words"),
    ("comment", "A few words"),
    ("content", "A few words"),
    ("body", "A few words"),
];

const INTEGERS: &[(&str, i64)] = &[
    ("year", 2026),
    ("quantity", 3),
    ("count", 3),
    ("age", 36),
    ("position", 1),
    ("priority", 2),
    ("cents", 1999),
    ("price", 20),
    ("amount", 20),
    ("total", 20),
];

const NUMBERS: &[(&str, f64)] = &[
    ("price", 19.99),
    ("amount", 19.99),
    ("total", 59.97),
    ("lat", 51.507),
    ("lon", -0.136),
    ("lng", -0.136),
    ("percent", 12.5),
];

/// A row, every column of it.
pub fn row(catalog: &Catalog, relation: &Relation, wide_integers_as_text: bool) -> Value {
    let types = Types {
        catalog,
        wide_integers_as_text,
    };
    let columns = relation.columns.iter();
    columns
        .map(|column| (column.name.to_string(), of_column(types, column)))
        .collect::<Map<_, _>>()
        .into()
}

/// A row as it is sent to be added: without what the database fills in, but never nothing.
pub fn new_row(catalog: &Catalog, relation: &Relation, wide_integers_as_text: bool) -> Value {
    let types = Types {
        catalog,
        wide_integers_as_text,
    };
    let written = || relation.columns.iter().filter(|column| !column.generated);
    let asked: Vec<_> = written().filter(|column| column.default.is_none()).collect();
    let asked = if asked.is_empty() { written().collect() } else { asked };
    asked
        .into_iter()
        .map(|column| (column.name.to_string(), of_column(types, column)))
        .collect::<Map<_, _>>()
        .into()
}

/// A change of a row: the first column that is no key and is not filled in by the database.
pub fn change(catalog: &Catalog, relation: &Relation, wide_integers_as_text: bool) -> Value {
    let types = Types {
        catalog,
        wide_integers_as_text,
    };
    let written = || relation.columns.iter().filter(|column| !column.generated);
    let is_key = |column: &Column| {
        let keys = relation.foreign_keys.iter().flat_map(|key| &key.columns);
        relation.primary_key.iter().chain(keys).any(|key| *key == column.name)
    };
    let chosen = written()
        .find(|column| !is_key(column) && column.default.is_none())
        .or_else(|| written().find(|column| !is_key(column)))
        .or_else(|| written().next());
    chosen
        .map(|column| (column.name.to_string(), of_column(types, column)))
        .into_iter()
        .collect::<Map<_, _>>()
        .into()
}

fn of_column(types: Types<'_>, column: &Column) -> Value {
    of_type(types, column.name.as_str(), column.value_type())
}

/// A value of a type, for something of that name.
pub(super) fn of_type(types: Types<'_>, name: &str, data_type: &str) -> Value {
    if let Some(sample) = types.sample(data_type) {
        return sample.into();
    }
    if let Some(element) = data_type.strip_suffix("[]") {
        return json!([of_type(types, name.trim_end_matches('s'), element)]);
    }
    of_schema(name, &types.schema(data_type, false))
}

fn of_schema(name: &str, schema: &Map<String, Value>) -> Value {
    if let Some(label) = schema.get("enum").and_then(|labels| labels.get(0)) {
        return label.clone();
    }
    let lower = name.to_ascii_lowercase();
    let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
    let kind = schema.get("type").map(|kind| kind.get(0).unwrap_or(kind));
    match (kind.and_then(Value::as_str).unwrap_or_default(), format) {
        ("boolean", _) => true.into(),
        ("integer", _) => {
            let suggested = suggested(INTEGERS, &lower).unwrap_or(1);
            suggested
                .min(schema.get("maximum").and_then(Value::as_i64).unwrap_or(i64::MAX))
                .into()
        }
        ("number", _) => suggested(NUMBERS, &lower).unwrap_or(1.5).into(),
        ("string", "uuid") if lower == "id" => "3f2b8c1e-6d4a-4f0b-9c57-1a2b3c4d5e6f".into(),
        ("string", "uuid") => "8d9e0f1a-2b3c-4d5e-8f60-718293a4b5c6".into(),
        ("string", "date") => "2026-03-14".into(),
        ("string", "date-time") => "2026-03-14T09:26:53+00:00".into(),
        ("string", _) if schema.contains_key("pattern") => "1".into(),
        ("string", _) => {
            let text = suggested(TEXTS, &lower).unwrap_or("Some text");
            let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(u64::MAX);
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            text.chars().take(most).collect::<String>().into()
        }
        ("object", _) => schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter_map(|(name, schema)| Some((name.clone(), of_schema(name, schema.as_object()?))))
            .collect::<Map<_, _>>()
            .into(),
        _ => json!({ "key": "value" }),
    }
}

fn suggested<T: Copy>(known: &[(&str, T)], name: &str) -> Option<T> {
    known
        .iter()
        .find(|(part, _)| name.contains(part))
        .map(|(_, value)| *value)
}
