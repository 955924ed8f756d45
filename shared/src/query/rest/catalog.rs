//! Resources as tables.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::{Map, Value};

use super::api::{Member, Resource, Resources, SCHEMA};
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Column, Relation, RelationKind, Writable};

/// Said of a table whose columns nobody declared.
const SAMPLED: &str = "Its columns are inferred from one page of rows";
/// Columns of a table at most.
const MOST: usize = 500;

/// The catalog; `samples` has what was seen of the resources without columns of their own.
pub fn catalog(resources: &Resources, samples: &BTreeMap<String, Vec<Member>>) -> Catalog {
    let mut relations = BTreeMap::new();
    for (name, resource) in resources {
        let Ok(ident) = Ident::new(name.as_str()) else { continue };
        let declared = !resource.columns.is_empty();
        let seen = samples.get(name).map(Vec::as_slice).unwrap_or_default();
        let members = if declared { resource.columns.as_slice() } else { seen };
        relations.insert(name.clone(), relation(ident, resource, members, declared));
    }
    Catalog {
        schema: Some(Ident::fixed(SCHEMA)),
        relations,
        ..Catalog::default()
    }
}

fn relation(name: Ident, resource: &Resource, members: &[Member], declared: bool) -> Relation {
    let mut columns: Vec<Column> = members.iter().take(MOST).filter_map(column).collect();
    if !columns.iter().any(|column| column.name.as_str() == resource.id) {
        // It is named by paths, whether or not it was seen.
        let key = Member {
            name: resource.id.clone(),
            data_type: "text".to_owned(),
            nullable: false,
        };
        columns.splice(0..0, column(&key));
    }
    // What the map names is there, whether or not a row shows it.
    let named = resource
        .filters
        .keys()
        .chain(resource.order.iter().flat_map(|order| &order.columns));
    for name in named {
        if !columns.iter().any(|column| column.name.as_str() == name) {
            columns.extend(column(&Member {
                name: name.clone(),
                data_type: "text".to_owned(),
                nullable: true,
            }));
        }
    }
    Relation {
        hidden: crate::schema::catalog::Hidden::default(),
        name,
        kind: RelationKind::Table,
        columns,
        primary_key: Ident::new(resource.id.as_str()).into_iter().collect(),
        unique_keys: Vec::new(),
        foreign_keys: Vec::new(),
        computed: Vec::new(),
        writable: Writable {
            insert: resource.create.is_some(),
            update: resource.update.is_some(),
            delete: resource.delete.is_some(),
        },
        comment: (!declared).then(|| SAMPLED.to_owned()),
    }
}

fn column(member: &Member) -> Option<Column> {
    Some(Column {
        name: Ident::new(member.name.as_str()).ok()?,
        data_type: member.data_type.clone(),
        base_type: None,
        nullable: member.nullable,
        default: None,
        generated: false,
        comment: None,
    })
}

/// The columns that these rows have: the type that all values of one have in common.
pub fn sampled(rows: &[Map<String, Value>]) -> Vec<Member> {
    let mut seen: Vec<(String, Option<&'static str>, usize)> = Vec::new();
    for (name, value) in rows.iter().flatten() {
        let met = type_of(value);
        match seen.iter_mut().find(|(known, ..)| known == name) {
            Some((_, data_type, times)) => {
                *data_type = common(*data_type, met);
                *times += usize::from(met.is_some());
            }
            None => seen.push((name.clone(), met, usize::from(met.is_some()))),
        }
    }
    let member = |(name, data_type, times): (String, Option<&'static str>, usize)| Member {
        name,
        data_type: data_type.unwrap_or("jsonb").to_owned(),
        nullable: times < rows.len(),
    };
    seen.into_iter().map(member).collect()
}

fn type_of(value: &Value) -> Option<&'static str> {
    match value {
        Value::Null => None,
        Value::Bool(_) => Some("boolean"),
        Value::Number(number) if number.is_i64() || number.is_u64() => Some("bigint"),
        Value::Number(_) => Some("numeric"),
        Value::String(text) => Some(type_of_text(text)),
        Value::Array(_) | Value::Object(_) => Some("jsonb"),
    }
}

fn type_of_text(text: &str) -> &'static str {
    if uuid::Uuid::try_parse(text).is_ok() && text.len() == 36 {
        "uuid"
    } else if text.len() == 10 && text.parse::<Date>().is_ok() {
        "date"
    } else if text.parse::<Timestamp>().is_ok() {
        "timestamp with time zone"
    } else {
        "text"
    }
}

fn common(one: Option<&'static str>, other: Option<&'static str>) -> Option<&'static str> {
    let is_text = |named: &str| matches!(named, "text" | "uuid" | "date" | "timestamp with time zone");
    match (one, other) {
        (None, known) | (known, None) => known,
        (Some(one), Some(other)) if one == other => Some(one),
        (Some("bigint"), Some("numeric")) | (Some("numeric"), Some("bigint")) => Some("numeric"),
        (Some(one), Some(other)) if is_text(one) && is_text(other) => Some("text"),
        _ => Some("jsonb"),
    }
}
