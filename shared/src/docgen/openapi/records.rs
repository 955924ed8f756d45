//! `/rest/v1/{table}`: reading, adding, changing and deleting rows, as far as the caller may and the engine can.

use serde_json::{Map, Value, json};

use super::parameters::those;
use super::{Context, Table, examples, reference};
use crate::query::Feature;
use crate::query::openapi::KEPT;

/// The operations on a table.
pub(super) fn path(context: &Context<'_>, table: &Table<'_>) -> Value {
    let mut path = Map::new();
    let rights = table.rights;
    if rights.select {
        path.insert("get".into(), read(context, table));
    }
    if rights.insert {
        path.insert("post".into(), insert(context, table));
    }
    if rights.insert && rights.update && context.site.can(Feature::Upsert) && !table.relation.primary_key.is_empty() {
        path.insert("put".into(), put(context, table));
    }
    if rights.update {
        path.insert("patch".into(), change(context, table));
    }
    if rights.delete {
        path.insert("delete".into(), delete(context, table));
    }
    path.into()
}

fn read(context: &Context<'_>, table: &Table<'_>) -> Value {
    let site = context.site;
    let mut parameters = those(site, &["select"]);
    parameters.extend(filters(context, table, false));
    parameters.extend(those(site, &["order", "limit", "offset", "range", "preferRead"]));
    let mut responses = Map::new();
    responses.insert("200".into(), rows(context, table, "The rows."));
    if site.can(Feature::CountExact) {
        responses.insert("206".into(), rows(context, table, "Some of the rows: there are more."));
    }
    let mut operation = described(context, table, "read", &format!("Read rows of {}", table.relation.name));
    operation.insert("parameters".into(), parameters.into());
    finished(operation, responses)
}

fn insert(context: &Context<'_>, table: &Table<'_>) -> Value {
    let site = context.site;
    let mut responses = Map::new();
    // With or without rows in the body: a description cannot say on which header that depends.
    let shown = if site.can(Feature::ReturnInserted) && table.rights.select {
        "; with `Prefer: return=representation` the rows, in the shape of a read"
    } else {
        ""
    };
    let added = json!({ "description": format!("Added{shown}.") });
    responses.insert("201".into(), added);
    if site.can(Feature::Upsert) {
        let merged = json!({ "description": format!("All rows were there already, and are changed{shown}.") });
        responses.insert("200".into(), merged);
    }
    let row = reference("schemas", &format!("{}.new", table.key));
    let schema = if site.can(Feature::BulkInsert) {
        json!({ "anyOf": [row, { "type": "array", "items": row }] })
    } else {
        row
    };
    let example = examples::new_row(context.catalog, table.relation, site.wide_integers_as_text);
    let mut operation = described(
        context,
        table,
        "insert",
        &format!("Add rows to {}", table.relation.name),
    );
    let parameters = those(site, &["select", "onConflict", "preferInsert"]);
    operation.insert("parameters".into(), parameters.into());
    operation.insert("requestBody".into(), body(&schema, &example));
    finished(operation, responses)
}

/// One row by its whole primary key.
fn put(context: &Context<'_>, table: &Table<'_>) -> Value {
    let mut parameters = filters(context, table, true);
    parameters.extend(those(context.site, &["select", "preferWrite"]));
    let mut responses = Map::new();
    responses.insert(
        "200".into(),
        json!({ "description": "It was there, and is replaced; `Prefer` asks for it." }),
    );
    responses.insert(
        "201".into(),
        json!({ "description": "It was not there, and is added; `Prefer` asks for it." }),
    );
    responses.insert("204".into(), json!({ "description": "Replaced." }));
    let schema = reference("schemas", &format!("{}.new", table.key));
    let example = examples::row(context.catalog, table.relation, context.site.wide_integers_as_text);
    let summary = format!("Put one row of {} in its place, or add it", table.relation.name);
    let mut operation = described(context, table, "put", &summary);
    operation.insert("parameters".into(), parameters.into());
    operation.insert("requestBody".into(), body(&schema, &example));
    finished(operation, responses)
}

fn change(context: &Context<'_>, table: &Table<'_>) -> Value {
    let site = context.site;
    let mut parameters = filters(context, table, !site.can(Feature::WriteByFilter));
    let mut responses = Map::new();
    if site.can(Feature::ReturnUpdated) {
        parameters.extend(those(site, &["select", "preferWrite"]));
        responses.insert(
            "200".into(),
            shown(context, table, "Changed; the rows as they are now."),
        );
    } else {
        responses.insert("200".into(), json!({ "description": "Changed." }));
    }
    responses.insert(
        "204".into(),
        json!({ "description": "Changed; `Content-Range` says how many rows." }),
    );
    let schema = reference("schemas", &format!("{}.change", table.key));
    let example = examples::change(context.catalog, table.relation, site.wide_integers_as_text);
    let summary = format!("Change the rows of {} that pass the filters", table.relation.name);
    let mut operation = described(context, table, "update", &summary);
    operation.insert("parameters".into(), parameters.into());
    operation.insert("requestBody".into(), body(&schema, &example));
    finished(operation, responses)
}

fn delete(context: &Context<'_>, table: &Table<'_>) -> Value {
    let site = context.site;
    let mut parameters = filters(context, table, !site.can(Feature::WriteByFilter));
    parameters.extend(those(site, &["select", "preferWrite"]));
    let mut responses = Map::new();
    responses.insert("200".into(), shown(context, table, "Deleted; the rows as they were."));
    responses.insert("204".into(), json!({ "description": "Deleted." }));
    let summary = format!("Delete the rows of {} that pass the filters", table.relation.name);
    let mut operation = described(context, table, "delete", &summary);
    if table.relation.hidden.rows {
        let told = operation.get("description").and_then(Value::as_str);
        let told = told.map_or_else(|| KEPT.to_owned(), |told| format!("{KEPT}\n\n{told}"));
        operation.insert("description".into(), told.into());
    }
    operation.insert("parameters".into(), parameters.into());
    finished(operation, responses)
}

/// A filter for each column, or for those of the primary key.
fn filters(context: &Context<'_>, table: &Table<'_>, only_key: bool) -> Vec<Value> {
    if !context.site.can(Feature::Filters) && !only_key {
        return Vec::new();
    }
    let keys = &table.relation.primary_key;
    let columns = table.relation.columns.iter();
    // `select`, `order` and their like are no filters, whatever columns there are.
    let columns = columns.filter(|column| !RESERVED.contains(&column.name.as_str()));
    let columns = columns.filter(|column| !only_key || keys.contains(&column.name));
    let filter = |column: &crate::schema::catalog::Column| {
        let value = examples::of_type(context.types, column.name.as_str(), column.value_type());
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let mut filter = json!({
            "name": column.name.as_str(), "in": "query", "required": false,
            "description": format!("A condition on `{}` ({}): `eq.`, `neq.`, `gt.`, `gte.`, `lt.`, `lte.`, `in.(…)`, `is.null`, `not.…`", column.name, column.data_type),
            "schema": { "type": "string" },
        });
        if value.is_string() || value.is_number() || value.is_boolean() {
            filter["examples"] = json!({ "equal": { "value": format!("eq.{text}") } });
        }
        filter
    };
    columns.map(filter).collect()
}

/// Names that mean something else in a query.
const RESERVED: [&str; 7] = ["select", "order", "limit", "offset", "columns", "on_conflict", "and"];

/// A reply of rows, in the media types that the engine can do.
fn rows(context: &Context<'_>, table: &Table<'_>, description: &str) -> Value {
    let row = reference("schemas", &table.key);
    let example = examples::row(context.catalog, table.relation, context.site.wide_integers_as_text);
    let mut content = json!({
        "application/json": { "schema": { "type": "array", "items": row }, "example": [example] },
        "application/vnd.pgrst.object+json": { "schema": row, "example": example },
    });
    if context.site.can(Feature::Csv) {
        content["text/csv"] = json!({ "schema": { "type": "string" } });
    }
    json!({ "description": description, "content": content })
}

/// A reply of rows to a write, where the caller may read them.
fn shown(context: &Context<'_>, table: &Table<'_>, description: &str) -> Value {
    if table.rights.select {
        rows(context, table, description)
    } else {
        json!({ "description": description })
    }
}

fn body(schema: &Value, example: &Value) -> Value {
    json!({ "required": true, "content": { "application/json": { "schema": schema, "example": example } } })
}

fn described(context: &Context<'_>, table: &Table<'_>, verb: &str, summary: &str) -> Map<String, Value> {
    let name = table.relation.name.as_str();
    let mut operation = Map::new();
    operation.insert("tags".into(), json!([name]));
    operation.insert("operationId".into(), format!("records.{verb}.{}", table.key).into());
    operation.insert("summary".into(), summary.into());
    let mut told: Vec<&str> = table.relation.comment.as_deref().into_iter().collect();
    let policies = context.site.policies.get(name).map(|sentences| sentences.join(" "));
    told.extend(policies.as_deref());
    if !told.is_empty() {
        operation.insert("description".into(), told.join("\n\n").into());
    }
    operation
}

/// With the replies that every operation may give.
pub(super) fn finished(mut operation: Map<String, Value>, mut responses: Map<String, Value>) -> Value {
    responses.insert("4XX".into(), reference("responses", "Refused"));
    responses.insert("5XX".into(), reference("responses", "Failed"));
    operation.insert("responses".into(), responses.into());
    operation.into()
}
