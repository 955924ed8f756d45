//! `definitions`: the rows of each table.

use serde_json::{Map, Value, json};

use super::property::Names;
use super::{Rights, object};
use crate::schema::catalog::Relation;

pub(super) fn all(tables: &[(&Relation, Rights)], names: &Names<'_>) -> Map<String, Value> {
    let definition = |(relation, _): &(&Relation, Rights)| (relation.name.to_string(), definition(relation, names));
    tables.iter().map(definition).collect()
}

fn definition(relation: &Relation, names: &Names<'_>) -> Value {
    let properties = relation.columns.iter();
    let properties: Map<_, _> = properties
        .map(|column| (column.name.to_string(), names.property(relation, column)))
        .collect();
    let required = relation.columns.iter().filter(|column| !column.nullable);
    let required: Vec<_> = required.map(|column| column.name.as_str()).collect();
    object([
        ("type", Some("object".into())),
        ("description", relation.comment.clone().map(Value::from)),
        ("properties", Some(properties.into())),
        ("required", (!required.is_empty()).then(|| json!(required))),
    ])
    .into()
}
