//! `components/schemas`: a table's rows as they are read, added and changed.

use serde_json::{Map, Value, json};

use super::{Context, Table};
use crate::schema::catalog::{Column, Link, Relation};
use crate::schema::spec::Check;

/// Its schemas by their keys: what is read, and, where the caller may, what is added and what is changed.
pub(super) fn schemas(context: &Context<'_>, table: &Table<'_>) -> Vec<(String, Value)> {
    let Table { relation, rights, key } = table;
    let mut schemas = vec![(key.clone(), read(context, relation))];
    let written = || relation.columns.iter().filter(|column| !column.generated);
    let properties = || -> Map<String, Value> {
        written()
            .map(|column| (column.name.to_string(), property(context, relation, column, false)))
            .collect()
    };
    if rights.insert {
        let required =
            written().filter(|column| !column.nullable && column.default.is_none() && relation.kind.is_table());
        let required: Vec<_> = required.map(|column| column.name.as_str()).collect();
        let mut schema = json!({
            "type": "object",
            "description": format!("A row to be added to `{}`.", relation.name),
            "properties": properties(),
            "additionalProperties": false,
        });
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schemas.push((format!("{key}.new"), schema));
    }
    if rights.update {
        let schema = json!({
            "type": "object",
            "description": format!("What changes in rows of `{}`; what is left out stays.", relation.name),
            "properties": properties(),
            "additionalProperties": false,
        });
        schemas.push((format!("{key}.change"), schema));
    }
    schemas
}

fn read(context: &Context<'_>, relation: &Relation) -> Value {
    let about = "A row; of its columns those that `select` names, which are all if it is left out.";
    let description = match &relation.comment {
        Some(comment) => format!("{comment}\n\n{about}"),
        None => about.to_owned(),
    };
    let columns = relation.columns.iter();
    let properties: Map<_, _> = columns
        .map(|column| (column.name.to_string(), property(context, relation, column, true)))
        .collect();
    json!({ "type": "object", "description": description, "properties": properties })
}

fn property(context: &Context<'_>, relation: &Relation, column: &Column, read: bool) -> Value {
    // Nothing says of a view's column that it has no nulls.
    let nullable = column.nullable || !relation.kind.is_table();
    let mut schema = context.types.schema(column.value_type(), nullable);
    if let Some((least, most)) = range(context, relation, column) {
        limit(&mut schema, &least, &most);
    }
    let mut notes: Vec<String> = column.comment.iter().cloned().collect();
    if relation.primary_key.contains(&column.name) {
        notes.push("Primary key.".to_owned());
    }
    if let Some((table, there)) = points_to(context, relation, column) {
        notes.push(format!("References `{table}.{there}`."));
    }
    if let Some(default) = column.default.as_deref().filter(|_| !column.generated) {
        notes.push(format!("Default: `{default}`."));
    }
    if !notes.is_empty() {
        schema.insert("description".into(), notes.join(" ").into());
    }
    if column.generated && read {
        schema.insert("readOnly".into(), true.into());
    }
    schema.insert("x-type".into(), column.data_type.clone().into());
    schema.into()
}

/// The range that the column's design allows.
fn range(context: &Context<'_>, relation: &Relation, column: &Column) -> Option<(Value, Value)> {
    let mut designs = context.site.designs.iter();
    let design = designs.find(|design| design.name == relation.name)?;
    let column = design.columns.iter().find(|known| known.name == column.name)?;
    match column.check.as_ref()? {
        Check::Range { min, max } => Some((min.clone().unwrap_or_default(), max.clone().unwrap_or_default())),
        Check::Expression(_) => None,
    }
}

/// Both ends included: of a number, or of a text's length. JSON Schema has no word for ranges of times.
fn limit(schema: &mut Map<String, Value>, least: &Value, most: &Value) {
    let is = |kind: &str| {
        schema
            .get("type")
            .is_some_and(|known| known == kind || known.get(0).is_some_and(|known| known == kind))
    };
    let names = if is("integer") || is("number") {
        ["minimum", "maximum"]
    } else if is("string") && !schema.contains_key("format") {
        ["minLength", "maxLength"]
    } else {
        return;
    };
    for (name, value) in names
        .into_iter()
        .zip([least, most])
        .filter(|(_, value)| value.is_number())
    {
        schema.insert(name.to_owned(), value.clone());
    }
}

/// Where a foreign key of this one column leads; to a table rather than to a view.
fn points_to(context: &Context<'_>, relation: &Relation, column: &Column) -> Option<(String, String)> {
    let keys = context.catalog.relationships(relation.name.as_str()).iter();
    let single = keys.filter_map(|relationship| match &relationship.link {
        Link::ManyToOne { columns, .. }
        | Link::OneToOne {
            columns, here: true, ..
        } => match columns.as_slice() {
            [(here, there)] if *here == column.name => Some((&relationship.target, there)),
            _ => None,
        },
        _ => None,
    });
    let found = single.min_by_key(|(target, _)| {
        let known = context.catalog.relation(target.as_str());
        known.is_none_or(|known| !known.kind.is_table())
    });
    found.map(|(target, there)| (target.to_string(), there.to_string()))
}
