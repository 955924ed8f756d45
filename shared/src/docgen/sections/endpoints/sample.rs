//! Values that a schema describes.

use serde_json::{Map, Value, json};

use super::description::Description;
use crate::docgen::example::{self, new_row, whole_row};
use crate::docgen::facts::{Facts, TableFacts};

/// Deepest nesting that is shown.
const DEPTH: usize = 6;

/// Makes values; for a table that is known, those that its columns could hold.
pub(super) struct Samples<'a> {
    pub(super) description: &'a Description<'a>,
    pub(super) facts: &'a Facts,
    pub(super) table: Option<&'a TableFacts>,
}

impl<'a> Samples<'a> {
    /// The body of a request, from `{schema, example}`.
    pub(super) fn request(&self, body: &'a Value, method: &str) -> Value {
        if let Some(example) = given(body) {
            return example.clone();
        }
        if let Some(table) = self.table {
            let mut row = new_row(self.facts, table, &[], 2);
            if method == "patch" {
                row.values.retain(|(name, _)| !table.primary_key.contains(name));
                row.values.truncate(2);
            }
            if !row.values.is_empty() {
                return row.json();
            }
        }
        body.get("schema")
            .and_then(|schema| self.value(schema, 0))
            .unwrap_or_else(|| json!({}))
    }

    /// What a reply holds, in the same way.
    pub(super) fn reply(&self, reply: &'a Value) -> Option<Value> {
        if let Some(example) = given(reply) {
            return Some(example.clone());
        }
        if let Some(table) = self.table {
            return Some(json!([whole_row(self.facts, table)]));
        }
        reply.get("schema").and_then(|schema| self.value(schema, 0))
    }

    /// A condition on the primary key.
    pub(super) fn filter(&self) -> Option<String> {
        let table = self.table?;
        let row = whole_row(self.facts, table);
        let conditions = table.primary_key.iter().map(|name| {
            let value = row.get(name)?;
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Some(format!("{name}=eq.{value}"))
        });
        let conditions = conditions.collect::<Option<Vec<_>>>()?;
        (!conditions.is_empty()).then(|| conditions.join("&"))
    }

    fn value(&self, schema: &'a Value, depth: usize) -> Option<Value> {
        let schema = self.description.resolve(schema);
        if depth > DEPTH {
            return None;
        }
        if let Some(example) = given(schema) {
            return Some(example.clone());
        }
        if let Some(first) = schema.get("enum").and_then(|labels| labels.get(0)) {
            return Some(first.clone());
        }
        if let Some(part) = ["oneOf", "anyOf", "allOf"]
            .iter()
            .find_map(|name| schema.get(name)?.get(0))
        {
            return self.value(part, depth + 1);
        }
        match kind(schema) {
            Some("array") => {
                let item = schema.get("items").and_then(|items| self.value(items, depth + 1));
                Some(Value::Array(item.into_iter().collect()))
            }
            Some("object") => {
                let properties = schema.get("properties").and_then(Value::as_object);
                let members = properties.into_iter().flatten().filter_map(|(name, of)| {
                    let known = self.known(name, of);
                    Some((name.clone(), known.or_else(|| self.value(of, depth + 1))?))
                });
                Some(Value::Object(members.collect::<Map<_, _>>()))
            }
            Some("integer") => Some(json!(1)),
            Some("number") => Some(json!(9.99)),
            Some("boolean") => Some(json!(true)),
            Some("string") => Some(json!("example")),
            _ => None,
        }
    }

    /// By the type's own name, which the format tells.
    fn known(&self, name: &str, schema: &'a Value) -> Option<Value> {
        let format = self.description.resolve(schema).get("format").and_then(Value::as_str)?;
        example::argument(self.facts, name, format)
    }
}

/// An example that the description itself gives.
fn given(value: &Value) -> Option<&Value> {
    let several = || {
        let first = value.get("examples")?;
        let first = first.as_array().map_or_else(
            || first.as_object().and_then(|all| all.values().next()),
            |all| all.first(),
        );
        first.map(|example| example.get("value").unwrap_or(example))
    };
    value.get("example").or_else(several)
}

fn kind(schema: &Value) -> Option<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => Some(kind),
        // OpenAPI 3.1 lists null beside the type.
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null"),
        _ => schema.get("properties").map(|_| "object"),
    }
}
