//! JSON → spec. Goes on after a fault, so that one reply names them all.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::json::{comment, flag, given, list, name, names, object, placeholder, shown, text};
use super::{Check, ColumnSpec, EnumSpec, IndexMethod, IndexSpec, OnDelete, Reference, TableSpec, verify};
use crate::ident::Ident;
use crate::schema::data_type::{DataType, Scalar};
use crate::schema::fault::{Fault, Faults, join};
use crate::schema::known::Known;
use crate::schema::policy::{Command, Grantee, PolicySpec, Template};

/// What reading leaves for the checks: which columns are only placeholders.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    pub(crate) faults: Faults,
    /// Names of columns whose type could not be read: nothing that depends on it is checked.
    pub(crate) untyped: BTreeSet<String>,
    /// Whether the policy was given under `policy`, for the paths of its faults.
    pub(crate) single_policy: bool,
}

/// Reads and checks a design of a new table.
///
/// # Errors
/// Every fault of the design, each with its path.
pub fn parse(json: &Value, known: &Known) -> Result<TableSpec, Faults> {
    let mut reading = Reading::default();
    let spec = read_table(json, &mut reading);
    if let Some(mut spec) = spec {
        let given = spec.columns.len();
        let leads = |spec: &TableSpec| spec.columns.first().map(|column| column.name.clone());
        let first = leads(&spec);
        complete(&mut spec);
        // A key that was put in front must not move the paths of the columns that were given.
        let in_front = usize::from(spec.columns.len() > given && leads(&spec) != first);
        if known.table(spec.name.as_str()).is_some() {
            reading.faults.push(
                Fault::new(
                    "name",
                    "schema/name-taken",
                    format!("There is already a table {}", spec.name),
                )
                .hint("Choose another name, or alter that table"),
            );
        }
        let read = std::mem::take(&mut reading.faults);
        verify(&mut spec, known, &mut reading);
        let found = std::mem::replace(&mut reading.faults, read);
        for fault in found.iter() {
            reading.faults.push(shifted(fault, in_front));
        }
        return reading.faults.or(spec);
    }
    Err(reading.faults)
}

/// A fault whose path counts columns without the `by` that were put in front.
fn shifted(fault: &Fault, by: usize) -> Fault {
    let mut fault = fault.clone();
    let rest = fault
        .path
        .strip_prefix("columns[")
        .and_then(|rest| rest.split_once(']'));
    if let Some((index, rest)) = rest
        && let Ok(index) = index.parse::<usize>()
    {
        fault.path = format!("columns[{}]{rest}", index.saturating_sub(by));
    }
    fault
}

/// Adds what every table has: a primary key, and the two times when they are asked for.
pub(crate) fn complete(spec: &mut TableSpec) {
    if spec.primary_key().next().is_none() && spec.column("id").is_none() {
        spec.columns.insert(0, crate::schema::starter::id_column());
    }
    if spec.timestamps {
        for column in crate::schema::starter::time_columns() {
            if spec.column(column.name.as_str()).is_none() {
                spec.columns.push(column);
            }
        }
    }
}

fn read_table(json: &Value, reading: &mut Reading) -> Option<TableSpec> {
    let keys = [
        "name",
        "comment",
        "columns",
        "indexes",
        "policies",
        "policy",
        "enums",
        "timestamps",
        "softDelete",
    ];
    let table = object(json, "", &keys, reading)?;
    let name = name(table, "", "name", reading).unwrap_or_else(|| placeholder(0));
    let mut spec = TableSpec {
        comment: comment(table, "", reading),
        enums: Vec::new(),
        columns: Vec::new(),
        indexes: Vec::new(),
        policies: Vec::new(),
        removed: Vec::new(),
        soft_delete: flag(table, "", "softDelete", reading),
        timestamps: flag(table, "", "timestamps", reading),
        name,
    };
    for (path, item) in list(table, "", "enums", reading) {
        spec.enums.extend(read_enum(item, &path, reading));
    }
    if !table.contains_key("columns") {
        let fault = Fault::new("columns", "schema/missing", "Columns are missing");
        reading
            .faults
            .push(fault.hint(r#"Give a list such as [{"name": "title", "type": "text"}]"#));
    }
    let columns = list(table, "", "columns", reading);
    for (index, (path, item)) in columns.into_iter().enumerate() {
        let (column, inline) = read_column(item, &path, &spec.name, index, reading);
        spec.columns.push(column);
        spec.enums.extend(inline);
    }
    for (path, item) in list(table, "", "indexes", reading) {
        spec.indexes.extend(read_index(item, &path, reading));
    }
    spec.policies = read_policies(table, "", reading);
    Some(spec)
}

const COLUMN_KEYS: [&str; 13] = [
    "name",
    "type",
    "values",
    "primary_key",
    "primary",
    "unique",
    "required",
    "identity",
    "default",
    "default_expression",
    "references",
    "check",
    "comment",
];

/// Reads a column, and the enum it declares inline. A column with faults comes back as a placeholder, so that paths
/// and references to it stay right.
pub(crate) fn read_column(
    json: &Value,
    path: &str,
    table: &Ident,
    index: usize,
    reading: &mut Reading,
) -> (ColumnSpec, Option<EnumSpec>) {
    let Some(map) = object(json, path, &COLUMN_KEYS, reading) else {
        let column = placeholder(index);
        reading.untyped.insert(column.to_string());
        return (ColumnSpec::new(column, DataType::scalar(Scalar::Text)), None);
    };
    let name = name(map, path, "name", reading).unwrap_or_else(|| placeholder(index));
    let (data_type, inline) = read_type(map, path, table, &name, reading);
    let data_type = data_type.unwrap_or_else(|| {
        reading.untyped.insert(name.to_string());
        DataType::scalar(Scalar::Text)
    });
    let primary_key = flag(map, path, "primary_key", reading) | flag(map, path, "primary", reading);
    let column = ColumnSpec {
        data_type,
        primary_key,
        unique: flag(map, path, "unique", reading) && !primary_key,
        required: flag(map, path, "required", reading) || primary_key,
        identity: flag(map, path, "identity", reading),
        default: map.get("default").filter(|value| !value.is_null()).cloned(),
        default_expression: text(map, path, "default_expression", reading).map(str::to_owned),
        references: given(map, "references")
            .and_then(|value| read_reference(value, &join(path, "references"), reading)),
        check: given(map, "check").and_then(|value| read_check(value, &join(path, "check"), reading)),
        comment: comment(map, path, reading),
        name,
    };
    (column, inline)
}

fn read_type(
    map: &Map<String, Value>,
    path: &str,
    table: &Ident,
    column: &Ident,
    reading: &mut Reading,
) -> (Option<DataType>, Option<EnumSpec>) {
    let at = join(path, "type");
    let hint = "Use uuid, text, integer, bigint, boolean, timestamptz, timestamp, date, time, json, jsonb, decimal, \
                decimal(p,s), real, double, an array such as text[], or an enum's name";
    let Some(text) = text(map, path, "type", reading) else {
        if !map.contains_key("type") {
            reading
                .faults
                .push(Fault::new(at, "schema/missing", "The type is missing").hint(hint));
        }
        return (None, None);
    };
    if let "enum" | "enum[]" = text {
        let inline = read_enum_values(map, path, enum_name(table, column), reading);
        let data_type = inline.as_ref().map(|declared| DataType {
            scalar: Scalar::Enum(declared.name.clone()),
            array: text.ends_with("[]"),
        });
        return (data_type, inline);
    }
    if map.contains_key("values") {
        let fault = Fault::new(
            join(path, "values"),
            "schema/values",
            "Values belong to the type enum only",
        );
        reading.faults.push(fault.hint(r#"Say "type": "enum""#));
    }
    let data_type = DataType::from_text(text);
    if data_type.is_none() {
        reading
            .faults
            .push(Fault::new(at, "schema/type", format!("{} is no column type", shown(text))).hint(hint));
    }
    (data_type, None)
}

/// The name of a column's own enum.
fn enum_name(table: &Ident, column: &Ident) -> Ident {
    crate::schema::ddl::name::joined(&[table.as_str(), column.as_str()], "")
}

fn read_enum(json: &Value, path: &str, reading: &mut Reading) -> Option<EnumSpec> {
    let map = object(json, path, &["name", "values"], reading)?;
    let name = name(map, path, "name", reading);
    let values = read_enum_values(map, path, name.clone().unwrap_or_else(|| placeholder(0)), reading);
    name.and(values)
}

fn read_enum_values(map: &Map<String, Value>, path: &str, name: Ident, reading: &mut Reading) -> Option<EnumSpec> {
    if !map.contains_key("values") {
        let fault = Fault::new(join(path, "values"), "schema/missing", "The enum's values are missing");
        reading
            .faults
            .push(fault.hint(r#"Give a list such as ["open", "done"]"#));
        return None;
    }
    let mut values = Vec::new();
    for (at, item) in list(map, path, "values", reading) {
        match item
            .as_str()
            .filter(|label| (1..=Ident::MAX_BYTES).contains(&label.len()) && !label.contains('\0'))
        {
            Some(label) if values.iter().any(|taken| taken == label) => {
                reading.faults.push(Fault::new(
                    at,
                    "schema/duplicate",
                    format!("{} is there twice", shown(label)),
                ));
            }
            Some(label) => values.push(label.to_owned()),
            None => reading
                .faults
                .push(Fault::new(at, "schema/values", "A label is a text of 1 to 63 bytes")),
        }
    }
    if values.is_empty() || values.len() > super::MAX_ENUM {
        let message = format!("An enum has 1 to {} labels", super::MAX_ENUM);
        reading
            .faults
            .push(Fault::new(join(path, "values"), "schema/values", message));
        return None;
    }
    Some(EnumSpec { name, values })
}

fn read_reference(json: &Value, path: &str, reading: &mut Reading) -> Option<Reference> {
    let map = object(json, path, &["table", "column", "on_delete"], reading)?;
    let table = name(map, path, "table", reading);
    let column = match map.contains_key("column") {
        true => name(map, path, "column", reading),
        false => Ident::snake_case("id").ok(),
    };
    let on_delete = match text(map, path, "on_delete", reading) {
        None => OnDelete::NoAction,
        Some(action) => OnDelete::from_text(action).unwrap_or_else(|| {
            let fault = Fault::new(
                join(path, "on_delete"),
                "schema/on-delete",
                format!("{} is no action", shown(action)),
            );
            reading
                .faults
                .push(fault.hint("Use cascade, restrict, no action, set null or set default"));
            OnDelete::NoAction
        }),
    };
    Some(Reference {
        table: table?,
        column: column?,
        on_delete,
    })
}

fn read_check(json: &Value, path: &str, reading: &mut Reading) -> Option<Check> {
    if let Value::String(expression) = json {
        return Some(Check::Expression(expression.clone()));
    }
    let map = object(json, path, &["min", "max"], reading)?;
    let (min, max) = (given(map, "min").cloned(), given(map, "max").cloned());
    if min.is_none() && max.is_none() {
        let fault = Fault::new(path, "schema/check", "The range has neither min nor max");
        reading
            .faults
            .push(fault.hint(r#"Give {"min": 0}, {"max": 10} or both"#));
        return None;
    }
    Some(Check::Range { min, max })
}

/// Reads an index.
pub(crate) fn read_index(json: &Value, path: &str, reading: &mut Reading) -> Option<IndexSpec> {
    let map = object(json, path, &["columns", "unique", "method"], reading)?;
    let columns = names(map, path, "columns", reading);
    if columns.is_empty() {
        reading.faults.push(Fault::new(
            join(path, "columns"),
            "schema/missing",
            "An index needs columns",
        ));
    }
    let method = match text(map, path, "method", reading) {
        None | Some("btree") => IndexMethod::Btree,
        Some("gin") => IndexMethod::Gin,
        Some(other) => {
            let fault = Fault::new(
                join(path, "method"),
                "schema/index",
                format!("{} is no index method", shown(other)),
            );
            reading
                .faults
                .push(fault.hint("Use btree, or gin for jsonb and arrays"));
            IndexMethod::Btree
        }
    };
    Some(IndexSpec {
        columns,
        unique: flag(map, path, "unique", reading),
        method,
    })
}

/// Reads `policies`, or `policy` as a list of one.
pub(crate) fn read_policies(map: &Map<String, Value>, path: &str, reading: &mut Reading) -> Vec<PolicySpec> {
    if map.contains_key("policy") && map.contains_key("policies") {
        let fault = Fault::new(
            join(path, "policy"),
            "schema/policy",
            "Both policy and policies are given",
        );
        reading.faults.push(fault.hint("Keep policies"));
    }
    let items = match map.get("policy") {
        Some(single) => {
            reading.single_policy = true;
            vec![(join(path, "policy"), single)]
        }
        None => list(map, path, "policies", reading),
    };
    items
        .into_iter()
        .filter_map(|(path, item)| read_policy(item, &path, reading))
        .collect()
}

fn read_policy(json: &Value, path: &str, reading: &mut Reading) -> Option<PolicySpec> {
    if let Value::String(template) = json {
        return Some(PolicySpec::Template {
            template: read_template(template, path, reading)?,
            column: None,
        });
    }
    if json.get("template").is_some() {
        let map = object(json, path, &["template", "column"], reading)?;
        let template = text(map, path, "template", reading)?;
        let column = given(map, "column").and_then(|_| name(map, path, "column", reading));
        return Some(PolicySpec::Template {
            template: read_template(template, &join(path, "template"), reading)?,
            column,
        });
    }
    let map = object(json, path, &["name", "command", "to", "using", "check"], reading)?;
    let name = name(map, path, "name", reading);
    let command = text(map, path, "command", reading).unwrap_or("all");
    let command = Command::from_text(command).or_else(|| {
        let fault = Fault::new(
            join(path, "command"),
            "schema/policy",
            format!("{} is no command", shown(command)),
        );
        reading
            .faults
            .push(fault.hint("Use select, insert, update, delete or all"));
        None
    });
    let mut to = Vec::new();
    for (at, item) in list(map, path, "to", reading) {
        match item.as_str().and_then(Grantee::from_text) {
            Some(grantee) if to.contains(&grantee) => {}
            Some(grantee) => to.push(grantee),
            None => {
                let fault = Fault::new(at, "schema/policy", "A policy is for anon or authenticated");
                reading.faults.push(fault.hint(r#"Give "to": ["authenticated"]"#));
            }
        }
    }
    if to.is_empty() && !map.contains_key("to") {
        let fault = Fault::new(
            join(path, "to"),
            "schema/missing",
            "The policy does not say for whom it is",
        );
        reading
            .faults
            .push(fault.hint(r#"Give "to": ["authenticated"], ["anon"] or both"#));
    }
    let using = text(map, path, "using", reading).map(str::to_owned);
    let check = text(map, path, "check", reading).map(str::to_owned);
    Some(PolicySpec::Custom {
        name: name?,
        command: command?,
        to,
        using,
        check,
    })
}

fn read_template(text: &str, path: &str, reading: &mut Reading) -> Option<Template> {
    let template = Template::from_text(text);
    if template.is_none() {
        let fault = Fault::new(path, "schema/policy", format!("{} is no policy template", shown(text)));
        reading
            .faults
            .push(fault.hint("Use owner, public-read, authenticated, private, or an object with your own rule"));
    }
    template
}
