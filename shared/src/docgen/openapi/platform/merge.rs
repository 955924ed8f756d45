//! One document of those of all functions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

const SCHEMAS: &str = "#/components/schemas/";

/// One document of those of the functions, by their names. A schema that is something else in an earlier function gets its
/// function's name in front.
///
/// # Errors
/// Paths that two functions declare.
pub fn merge(declared: impl IntoIterator<Item = (String, Value)>) -> Result<Value, Vec<String>> {
    let mut faults = Vec::new();
    let mut paths = Map::new();
    let mut schemas = Map::new();
    for (function, mut document) in declared {
        let other_names = other_names(&function, &document, &schemas);
        rename(&mut document, &other_names);
        for (path, item) in members(document["paths"].take()) {
            if paths.insert(path.clone(), item).is_some() {
                faults.push(format!("{function}: {path} is another function's too"));
            }
        }
        for (name, schema) in members(document["components"]["schemas"].take()) {
            schemas.insert(other_names.get(&name).cloned().unwrap_or(name), schema);
        }
    }
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(json!({ "openapi": "3.1.0", "paths": paths, "components": { "schemas": schemas } }))
}

fn other_names(function: &str, document: &Value, known: &Map<String, Value>) -> BTreeMap<String, String> {
    let own = document["components"]["schemas"].as_object().into_iter().flatten();
    own.filter(|(name, schema)| known.get(*name).is_some_and(|known| known != *schema))
        .map(|(name, _)| (name.clone(), format!("{function}{name}")))
        .collect()
}

fn rename(value: &mut Value, names: &BTreeMap<String, String>) {
    match value {
        Value::Object(object) => {
            if let Some(Value::String(pointer)) = object.get_mut("$ref") {
                let other = pointer.strip_prefix(SCHEMAS).and_then(|name| names.get(name));
                if let Some(other) = other {
                    *pointer = format!("{SCHEMAS}{other}");
                }
            }
            object.values_mut().for_each(|value| rename(value, names));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| rename(value, names)),
        _ => {}
    }
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_its_functions_in_front() {
        let document = |path: &str, schema: &str| {
            json!({
                "paths": { path: { "get": { "x": { "$ref": "#/components/schemas/View" } } } },
                "components": { "schemas": { "View": { "type": schema } } },
            })
        };
        let merged = merge([
            ("One".to_owned(), document("/a", "string")),
            ("Two".to_owned(), document("/b", "object")),
            ("Three".to_owned(), document("/c", "string")),
        ]);
        let merged = merged.unwrap();
        let refers = |path: &str| merged["paths"][path]["get"]["x"]["$ref"].as_str().unwrap().to_owned();
        assert_eq!(
            [refers("/a"), refers("/b"), refers("/c")],
            ["View", "TwoView", "View"].map(|name| format!("{SCHEMAS}{name}"))
        );
        assert_eq!(merged["components"]["schemas"]["TwoView"]["type"], "object");
        let twice = merge([
            ("One".to_owned(), document("/a", "string")),
            ("Two".to_owned(), document("/a", "string")),
        ]);
        assert_eq!(twice.unwrap_err(), ["Two: /a is another function's too"]);
    }
}
