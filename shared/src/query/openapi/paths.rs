//! `paths`: tables and functions with their operations.

use serde_json::{Map, Value, json};

use super::parameters::{body_of, filter_of};
use super::property::{Names, type_of};
use super::{Rights, encoded, heading, object, reference};
use crate::schema::catalog::{Argument, Function, Relation, Volatility};

pub(super) fn all<'a>(
    tables: &[(&Relation, Rights)],
    functions: impl Iterator<Item = &'a Function>,
    names: &Names<'_>,
) -> Map<String, Value> {
    let mut paths = Map::new();
    paths.insert("/".into(), root());
    for (relation, rights) in tables {
        let path = format!("/{}", encoded(relation.name.as_str()));
        paths.insert(path, table(relation, *rights));
    }
    for of in functions {
        let path = format!("/rpc/{}", encoded(of.name.as_str()));
        paths.insert(path, function(of, names));
    }
    paths
}

fn root() -> Value {
    json!({ "get": {
        "tags": ["Introspection"],
        "summary": "OpenAPI description (this document)",
        "produces": [super::MEDIA_TYPE, "application/json"],
        "responses": { "200": { "description": "OK" } },
    } })
}

/// What a deletion means in a table that keeps deleted rows.
pub const KEPT: &str = "Rows that are deleted are hidden from every request, and can be restored for 30 days.";

fn table(relation: &Relation, rights: Rights) -> Value {
    let name = relation.name.as_str();
    let body = body_of(name);
    let filters: Vec<String> = relation
        .columns
        .iter()
        .map(|column| filter_of(name, column.name.as_str()))
        .collect();
    let operation = |filtered: bool, others: &[&str], responses: Value| {
        let filters = filters.iter().map(String::as_str).filter(|_| filtered);
        let keys = filters.chain(others.iter().copied());
        let parameters: Vec<_> = keys.map(|key| reference("parameters", key)).collect();
        let mut operation = described(relation.comment.as_deref(), name);
        operation.insert("parameters".into(), parameters.into());
        operation.insert("responses".into(), responses);
        Value::from(operation)
    };
    let rows = json!({
        "200": {
            "description": "OK",
            "schema": { "type": "array", "items": reference("definitions", name) },
        },
        "206": { "description": "Partial Content" },
    });
    let read = [
        "select",
        "order",
        "range",
        "rangeUnit",
        "offset",
        "limit",
        "preferCount",
    ];
    let done = || json!({ "204": { "description": "No Content" } });
    let created = json!({ "201": { "description": "Created" } });
    object([
        ("get", rights.select.then(|| operation(true, &read, rows))),
        (
            "post",
            rights
                .insert
                .then(|| operation(false, &[&body, "select", "on_conflict", "preferPost"], created)),
        ),
        (
            "patch",
            rights.update.then(|| operation(true, &[&body, "preferReturn"], done())),
        ),
        (
            "delete",
            rights.delete.then(|| {
                let mut delete = operation(true, &["preferReturn"], done());
                if relation.hidden.rows {
                    delete["description"] = KEPT.into();
                }
                delete
            }),
        ),
    ])
    .into()
}

fn function(of: &Function, names: &Names<'_>) -> Value {
    let operation = |parameters: Vec<Value>| {
        let tag = format!("(rpc) {}", of.name);
        let mut operation = described(of.comment.as_deref(), &tag);
        operation.extend(object([
            (
                "produces",
                Some(json!([
                    "application/json",
                    "application/vnd.pgrst.object+json;nulls=stripped",
                    "application/vnd.pgrst.object+json"
                ])),
            ),
            ("parameters", Some(parameters.into())),
            ("responses", Some(json!({ "200": { "description": "OK" } }))),
        ]));
        Value::from(operation)
    };
    let post = operation(vec![body(of, names), reference("parameters", "preferParams")]);
    let named = of.arguments.iter().all(|argument| !argument.name.is_empty());
    let get = (named && of.volatility != Volatility::Volatile)
        .then(|| operation(of.arguments.iter().map(|argument| in_query(argument, names)).collect()));
    object([("get", get), ("post", Some(post))]).into()
}

/// The arguments as an object; or, if there is but one and it has no name, it itself.
fn body(of: &Function, names: &Names<'_>) -> Value {
    let schema = match of.arguments.as_slice() {
        [whole] if whole.name.is_empty() => names.value(&whole.data_type),
        arguments => {
            let properties: Map<_, _> = arguments
                .iter()
                .map(|argument| (argument.name.clone(), names.value(&argument.data_type).into()))
                .collect();
            let required = arguments.iter().filter(|argument| argument.required);
            let required: Vec<_> = required.map(|argument| argument.name.as_str()).collect();
            object([
                ("type", Some("object".into())),
                ("description", of.comment.clone().map(Value::from)),
                ("properties", Some(properties.into())),
                ("required", (!required.is_empty()).then(|| json!(required))),
            ])
        }
    };
    json!({ "name": "args", "in": "body", "required": true, "schema": schema })
}

/// An argument in the query: an array is written as Postgres does, but a variadic one is repeated.
fn in_query(argument: &Argument, names: &Names<'_>) -> Value {
    let format = names.format(&argument.data_type);
    let mut parameter = object([
        ("name", Some(argument.name.as_str().into())),
        ("in", Some("query".into())),
        ("required", Some(argument.required.into())),
    ]);
    match argument.data_type.strip_suffix("[]").filter(|_| argument.variadic) {
        Some(element) => parameter.extend(object([
            ("type", Some("array".into())),
            ("collectionFormat", Some("multi".into())),
            (
                "items",
                Some(json!({ "type": type_of(element).unwrap_or("string"), "format": names.format(element) })),
            ),
        ])),
        None => {
            let kind = type_of(&argument.data_type).filter(|kind| *kind != "array");
            parameter.extend(object([
                ("type", Some(kind.unwrap_or("string").into())),
                ("format", Some(format.into())),
            ]));
        }
    }
    parameter.into()
}

fn described(comment: Option<&str>, tag: &str) -> Map<String, Value> {
    let (summary, description) = heading(comment);
    object([
        ("tags", Some(json!([tag]))),
        ("summary", summary.map(Value::from)),
        ("description", description.map(Value::from)),
    ])
}
