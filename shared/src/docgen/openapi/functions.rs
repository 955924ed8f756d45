//! `/rest/v1/rpc/{function}`: functions of the database.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::records::finished;
use super::{Context, encoded, examples, key};
use crate::query::Feature;
use crate::query::openapi::Visible;
use crate::schema::catalog::{Argument, Function, Shape, Volatility};

/// The paths of the functions that the caller may call; of overloads the first is described.
pub(super) fn all(context: &Context<'_>, visible: &Visible) -> Map<String, Value> {
    if !context.site.can(Feature::Functions) {
        return Map::new();
    }
    let mut taken = BTreeSet::new();
    let callable = context.catalog.functions.iter();
    let callable = callable.filter(|(name, _)| visible.functions.contains(*name));
    callable
        .filter_map(|(name, overloads)| Some((name, overloads.first()?)))
        .map(|(name, function)| {
            let key = key(name, &mut taken);
            (format!("/rest/v1/rpc/{}", encoded(name)), path(context, function, &key))
        })
        .collect()
}

fn path(context: &Context<'_>, function: &Function, key: &str) -> Value {
    let mut path = Map::new();
    let named = function.arguments.iter().all(|argument| !argument.name.is_empty());
    if named && function.volatility != Volatility::Volatile {
        let mut operation = described(function, "get", key);
        let arguments = function.arguments.iter();
        let arguments: Vec<_> = arguments.map(|argument| in_query(context, argument)).collect();
        operation.insert("parameters".into(), arguments.into());
        path.insert("get".into(), finished(operation, responses(context, function)));
    }
    let mut operation = described(function, "post", key);
    operation.insert("requestBody".into(), body(context, function));
    path.insert("post".into(), finished(operation, responses(context, function)));
    path.into()
}

fn described(function: &Function, verb: &str, key: &str) -> Map<String, Value> {
    let mut operation = Map::new();
    operation.insert("tags".into(), json!(["functions"]));
    operation.insert("operationId".into(), format!("rpc.{verb}.{key}").into());
    operation.insert("summary".into(), format!("Call {}", function.name).into());
    if let Some(comment) = &function.comment {
        operation.insert("description".into(), comment.clone().into());
    }
    operation
}

fn in_query(context: &Context<'_>, argument: &Argument) -> Value {
    let example = examples::of_type(context.types, &argument.name, &argument.data_type);
    let mut parameter = json!({
        "name": argument.name, "in": "query", "required": argument.required,
        "description": format!("Of type `{}`.", argument.data_type),
        "schema": { "type": "string" },
    });
    if example.is_string() || example.is_number() || example.is_boolean() {
        parameter["example"] = example
            .as_str()
            .map_or_else(|| example.to_string(), str::to_owned)
            .into();
    }
    parameter
}

/// The arguments as an object; or, if there is but one and it has no name, it itself.
fn body(context: &Context<'_>, function: &Function) -> Value {
    let (schema, example) = match function.arguments.as_slice() {
        [whole] if whole.name.is_empty() => (
            Value::from(context.types.schema(&whole.data_type, false)),
            examples::of_type(context.types, "", &whole.data_type),
        ),
        arguments => {
            let schema_of = |argument: &Argument| {
                (
                    argument.name.clone(),
                    Value::from(context.types.schema(&argument.data_type, true)),
                )
            };
            let properties: Map<_, _> = arguments.iter().map(schema_of).collect();
            let example_of = |argument: &Argument| {
                (
                    argument.name.clone(),
                    examples::of_type(context.types, &argument.name, &argument.data_type),
                )
            };
            let example: Map<_, _> = arguments.iter().map(example_of).collect();
            let required = arguments.iter().filter(|argument| argument.required);
            let required: Vec<_> = required.map(|argument| argument.name.as_str()).collect();
            let mut schema = json!({ "type": "object", "properties": properties });
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
            (schema, example.into())
        }
    };
    json!({ "required": true, "content": { "application/json": { "schema": schema, "example": example } } })
}

fn responses(context: &Context<'_>, function: &Function) -> Map<String, Value> {
    let mut responses = Map::new();
    let returns = &function.returns;
    if returns.shape == Shape::Void {
        responses.insert("204".into(), json!({ "description": "Done." }));
        return responses;
    }
    let one = match &returns.shape {
        Shape::Scalar(data_type) => Value::from(context.types.schema(data_type, true)),
        Shape::Columns(columns) => {
            let column = |(name, data_type): &(crate::ident::Ident, String)| {
                (name.to_string(), Value::from(context.types.schema(data_type, true)))
            };
            let properties: Map<_, _> = columns.iter().map(column).collect();
            json!({ "type": ["object", "null"], "properties": properties })
        }
        Shape::Row(_) | Shape::Record => json!({ "type": ["object", "null"] }),
        Shape::Void => Value::Null,
    };
    let schema = if returns.set {
        json!({ "type": "array", "items": one })
    } else {
        one
    };
    let reply = json!({ "description": "What it returns.", "content": { "application/json": { "schema": schema } } });
    responses.insert("200".into(), reply);
    let some = json!({ "description": "Some of the rows that it returns: there are more." });
    responses.insert("206".into(), some);
    responses
}
