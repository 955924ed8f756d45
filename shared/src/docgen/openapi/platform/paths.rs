//! Paths as OpenAPI knows them: without wildcards, and every part that varies declared.

use serde_json::{Value, json};

use super::METHODS;

/// What takes everything below a base.
const WILDCARD: &str = "{*path}";
/// Records behind their wildcard: a table, or a function, which takes fewer methods.
const RECORDS: &str = "/p/{ref}/rest/v1/";
const CALLS: [&str; 3] = ["get", "head", "post"];

/// The paths that a declared one stands for.
pub(super) fn named(path: String, item: Value) -> Vec<(String, Value)> {
    let Some(base) = path.strip_suffix(WILDCARD) else {
        return vec![(path, item)];
    };
    if base != RECORDS {
        let mut item = item;
        // One segment stands for them all: no path of OpenAPI holds a slash in a parameter.
        each_operation(&mut item, |_, operation| operation["parameters"] = json!([]));
        return vec![(format!("{base}{{path}}"), item)];
    }
    let mut calls = item.clone();
    if let Some(calls) = calls.as_object_mut() {
        calls.retain(|method, _| !METHODS.contains(&method.as_str()) || CALLS.contains(&method.as_str()));
    }
    let (mut rows, mut calls) = (item, calls);
    each_operation(&mut rows, table);
    each_operation(&mut calls, function);
    vec![
        (format!("{base}{{table}}"), rows),
        (format!("{base}rpc/{{function}}"), calls),
    ]
}

fn each_operation(item: &mut Value, change: impl Fn(&str, &mut Value)) {
    for method in METHODS {
        if let Some(operation) = item.get_mut(method) {
            change(method, operation);
        }
    }
}

/// What a method does to the rows of a table, beside what the declaration says of all.
fn table(method: &str, operation: &mut Value) {
    operation["summary"] = match method {
        "get" => "Reads rows of a table.",
        "head" => "Counts rows of a table.",
        "post" => "Adds rows to a table.",
        "put" => "Puts one row in its place, or adds it.",
        "patch" => "Changes the rows that pass the filters.",
        _ => "Deletes the rows that pass the filters.",
    }
    .into();
    operation["description"] =
        "The query is PostgREST's: `select`, `order`, `limit`, `offset`, and a filter for each column.".into();
    let names = ["select", "order", "limit", "offset"];
    let texts =
        names.map(|name| json!({ "name": name, "in": "query", "required": false, "schema": { "type": "string" } }));
    let prefer = json!({ "name": "Prefer", "in": "header", "required": false, "schema": { "type": "string" } });
    operation["parameters"] = texts.into_iter().chain([prefer]).collect::<Vec<_>>().into();
    if matches!(method, "post" | "put" | "patch") {
        operation["requestBody"] = body("A row, or a list of rows.", &json!({ "type": ["object", "array"] }));
    }
    let rows = json!({ "description": "The rows", "content": { "application/json": {}, "text/csv": {} } });
    let done = json!({ "description": "Done" });
    operation["responses"] = match method {
        "get" | "head" => json!({ "200": rows, "206": rows }),
        "post" => json!({ "200": done, "201": done }),
        "put" => json!({ "200": done, "201": done, "204": done }),
        _ => json!({ "200": done, "204": done }),
    };
}

fn function(method: &str, operation: &mut Value) {
    operation["summary"] = "Calls a function of the database.".into();
    operation["description"] = "Arguments go into the query of a GET, and into the body of a POST.".into();
    operation["parameters"] = json!([]);
    if method == "post" {
        operation["requestBody"] = body("The arguments.", &json!({ "type": "object" }));
    }
    let reply = json!({ "description": "What it returns", "content": { "application/json": {} } });
    operation["responses"] = json!({ "200": reply, "206": reply, "204": { "description": "It returns nothing" } });
}

fn body(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "required": false, "content": { "application/json": { "schema": schema } } })
}

/// Declares what varies in a path and is not declared, and says what each is.
pub(super) fn declare_parameters(path: &str, item: &mut Value) {
    let names: Vec<String> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(str::to_owned)
        .collect();
    let Some(members) = item.as_object_mut() else { return };
    members.remove("parameters");
    for method in METHODS {
        let Some(operation) = members.get_mut(method).and_then(Value::as_object_mut) else {
            continue;
        };
        let declared = match operation.remove("parameters") {
            Some(Value::Array(declared)) => declared,
            _ => Vec::new(),
        };
        let others = declared.into_iter().filter(|parameter| parameter["in"] != "path");
        let parameters: Vec<_> = names.iter().map(|name| parameter(name, path)).chain(others).collect();
        if !parameters.is_empty() {
            operation.insert("parameters".into(), parameters.into());
        }
    }
}

fn parameter(name: &str, path: &str) -> Value {
    let (description, schema) = match name {
        "ref" => (
            "The project's ref.",
            json!({ "type": "string", "pattern": "^[a-z]{20}$" }),
        ),
        "id" if path.starts_with("/api/database/") => ("The backend's id (`databaseId`).", uuid()),
        "id" if path.starts_with("/api/jobs/") => ("The job's id.", uuid()),
        "id" => ("The project's id.", uuid()),
        "tableId" if path.ends_with("/policies") => ("The table's name.", text()),
        "tableId" => ("The table's id.", uuid()),
        "userId" if path.contains("/admin/") => ("The end user's id.", uuid()),
        "userId" => ("The platform user's id.", uuid()),
        "columnId" => ("The deleted column's id.", uuid()),
        "keyId" => ("The key's id.", uuid()),
        "versionId" => ("The version's id.", uuid()),
        "recordId" => ("The value of the row's primary key.", text()),
        "table" => ("The table's or view's name.", text()),
        "function" => ("The function's name.", text()),
        "path" => ("What is below.", text()),
        _ => ("", text()),
    };
    let mut parameter = json!({ "name": name, "in": "path", "required": true, "schema": schema });
    if !description.is_empty() {
        parameter["description"] = description.into();
    }
    parameter
}

fn uuid() -> Value {
    json!({ "type": "string", "format": "uuid" })
}

fn text() -> Value {
    json!({ "type": "string", "minLength": 1 })
}

/// A query and a header hold texts and numbers, never null: what may be left out is left out.
pub(super) fn plain_queries(operation: &mut Value) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else {
        return;
    };
    for parameter in parameters {
        let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) else {
            continue;
        };
        let Some(Value::Array(kinds)) = schema.get_mut("type") else {
            continue;
        };
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            schema.insert("type".into(), only);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wildcard_of_records_is_a_table_or_a_function() {
        let item = json!({ "get": { "responses": {} }, "patch": { "responses": {} } });
        let found = named("/p/{ref}/rest/v1/{*path}".to_owned(), item);
        let shown: Vec<_> = found
            .iter()
            .map(|(path, item)| {
                (
                    path.as_str(),
                    item.as_object().map(serde_json::Map::len).unwrap_or_default(),
                )
            })
            .collect();
        assert_eq!(
            shown,
            [("/p/{ref}/rest/v1/{table}", 2), ("/p/{ref}/rest/v1/rpc/{function}", 1)]
        );
    }

    #[test]
    fn every_part_that_varies_is_declared_once() {
        let mut item = json!({
            "parameters": [{ "name": "ref", "in": "path" }],
            "get": { "parameters": [{ "name": "id", "in": "path" }, { "name": "limit", "in": "query", "schema": { "type": ["integer", "null"] } }] },
        });
        declare_parameters("/p/{ref}/x/{id}", &mut item);
        plain_queries(&mut item["get"]);
        let names: Vec<_> = item["get"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, ["ref", "id", "limit"]);
        assert_eq!(item["get"]["parameters"][2]["schema"]["type"], "integer");
        assert!(item.get("parameters").is_none());
    }
}
