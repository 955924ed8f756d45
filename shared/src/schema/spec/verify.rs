//! What a design must fulfil beside its shape: names, types, keys, references, defaults, expressions.

use std::collections::BTreeSet;

use super::read::Reading;
use super::{Check, ColumnSpec, IndexMethod, MAX_COLUMNS, MAX_ENUM, MAX_INDEXES, MAX_POLICIES, OnDelete, TableSpec};
use crate::schema::data_type::{DataType, Scalar};
use crate::schema::ddl::name;
use crate::schema::expr::{Allow, Scope};
use crate::schema::fault::Fault;
use crate::schema::known::Known;
use crate::schema::{literal, policy};

/// Names Postgres gives to every table's system columns.
const SYSTEM_COLUMNS: [&str; 7] = ["tableoid", "xmin", "cmin", "xmax", "cmax", "ctid", "oid"];

/// Checks a design against itself and the tables beside it; expressions become canonical.
pub(crate) fn verify(spec: &mut TableSpec, known: &Known, reading: &mut Reading) {
    limits(spec, reading);
    table_names(spec, known, reading);
    column_names(spec, reading);
    for index in 0..spec.columns.len() {
        column(spec, index, known, reading);
    }
    indexes(spec, reading);
    timestamps(spec, reading);
    policy::verify(spec, known, reading);
}

fn limits(spec: &TableSpec, reading: &mut Reading) {
    let counts = [
        ("columns", spec.columns.len(), MAX_COLUMNS),
        ("indexes", spec.indexes.len(), MAX_INDEXES),
        ("policies", spec.policies.len(), MAX_POLICIES),
        ("enums", spec.enums.len(), MAX_ENUM),
    ];
    for (path, count, most) in counts.into_iter().filter(|(_, count, most)| count > most) {
        reading.faults.push(Fault::new(
            path,
            "schema/too-many",
            format!("{count} {path} are more than the {most} allowed"),
        ));
    }
}

fn table_names(spec: &TableSpec, known: &Known, reading: &mut Reading) {
    let own = spec.name.as_str();
    if is_type(own) {
        let fault = Fault::new("name", "schema/name", format!("{own} is the name of a type"));
        reading.faults.push(fault.hint("Choose another name"));
    }
    if known.is_taken(own, own) {
        let fault = Fault::new(
            "name",
            "schema/name-taken",
            format!("The name {own} is already used in this project"),
        );
        reading.faults.push(fault.hint("Choose another name"));
    }
    let mut seen = BTreeSet::from([own]);
    for (index, declared) in spec.enums.iter().enumerate() {
        let name = declared.name.as_str();
        if is_type(name) || known.is_taken(name, own) || !seen.insert(name) {
            let fault = Fault::new(
                format!("enums[{index}].name"),
                "schema/name-taken",
                format!("The name {name} is already used"),
            );
            reading
                .faults
                .push(fault.hint("Types, tables and indexes share their names; choose another one"));
        }
    }
    for relation in name::relations(spec) {
        if known.is_taken(relation.as_str(), own) || spec.enum_values(relation.as_str()).is_some() {
            let message =
                format!("A key or index here would be called {relation}, which is already used in this project");
            reading
                .faults
                .push(Fault::new("", "schema/name-taken", message).hint("Rename the table or the column"));
        }
    }
    let mut seen = BTreeSet::new();
    for relation in name::relations(spec) {
        if !seen.insert(relation.clone()) {
            let message = format!("Two keys or indexes would be called {relation}");
            reading
                .faults
                .push(Fault::new("indexes", "schema/duplicate", message).hint("Leave one of them out"));
        }
    }
}

/// Whether a name means one of our types.
fn is_type(name: &str) -> bool {
    name == "enum" || DataType::from_text(name).is_some_and(|found| found.enum_name().is_none())
}

fn column_names(spec: &TableSpec, reading: &mut Reading) {
    let mut seen = BTreeSet::new();
    for (index, column) in spec.columns.iter().enumerate() {
        let (name, path) = (column.name.as_str(), format!("columns[{index}].name"));
        if !seen.insert(name) {
            reading.faults.push(Fault::new(
                path.clone(),
                "schema/duplicate",
                format!("There are two columns {name}"),
            ));
        }
        if SYSTEM_COLUMNS.contains(&name) {
            let fault = Fault::new(path, "schema/name", format!("{name} is a system column of Postgres"));
            reading.faults.push(fault.hint("Choose another name"));
        }
    }
    if spec.primary_key().next().is_none() {
        let fault = Fault::new("columns", "schema/primary-key", "The table has no primary key");
        reading
            .faults
            .push(fault.hint(r#"Mark a column with "primary_key": true"#));
    }
}

fn column(spec: &mut TableSpec, index: usize, known: &Known, reading: &mut Reading) {
    let column = &spec.columns[index];
    if reading.untyped.contains(column.name.as_str()) {
        return;
    }
    let path = format!("columns[{index}]");
    let labels = column
        .data_type
        .enum_name()
        .map(|name| enum_values(spec, known, name.as_str()));
    if let Some(None) = labels {
        let message = format!("{} is neither a type nor an enum of this project", column.data_type);
        let hint = "Use a type from the list, or declare the enum under enums";
        reading
            .faults
            .push(Fault::new(format!("{path}.type"), "schema/type", message).hint(hint));
        return;
    }
    let mut fault = |key: &str, code, message: String, hint: &str| {
        reading
            .faults
            .push(Fault::new(format!("{path}.{key}"), code, message).hint(hint));
    };
    if (column.primary_key || column.unique) && !column.data_type.is_comparable() {
        fault(
            "type",
            "schema/type",
            "json values cannot be compared, so not be a key".into(),
            "Use jsonb",
        );
    }
    if column.primary_key && column.data_type.array {
        fault(
            "type",
            "schema/type",
            "An array cannot be the primary key".into(),
            "Use uuid",
        );
    }
    if column.identity {
        let whole = !column.data_type.array && matches!(column.data_type.scalar, Scalar::Integer | Scalar::Bigint);
        if !whole {
            fault(
                "identity",
                "schema/identity",
                "Only integer and bigint columns are numbered".into(),
                "Use bigint",
            );
        }
        if column.default.is_some() || column.default_expression.is_some() {
            fault(
                "default",
                "schema/default",
                "A numbered column has no default".into(),
                "Drop one of them",
            );
        }
        if !column.required {
            fault(
                "required",
                "schema/identity",
                "A numbered column cannot be null".into(),
                r#"Say "required": true"#,
            );
        }
    }
    if column.default.is_some() && column.default_expression.is_some() {
        fault(
            "default",
            "schema/default",
            "Both default and default_expression are given".into(),
            "Keep one",
        );
    }
    if let Some(value) = &column.default
        && let Err(message) = literal::default(value, &column.data_type, labels.flatten())
    {
        let hint = "Give a JSON value of the column's type, or one of the functions its type allows";
        fault("default", "schema/default", message, hint);
    }
    if let Some(Check::Range { min, max }) = &column.check
        && let Err(message) = literal::range(&column.name, min.as_ref(), max.as_ref(), &column.data_type)
    {
        fault(
            "check",
            "schema/check",
            message,
            "Numbers and times take min and max; for text they limit the length",
        );
    }
    reference(spec, column, &path, known, reading);
    expressions(spec, index, &path, known, reading);
}

fn reference(spec: &TableSpec, column: &ColumnSpec, path: &str, known: &Known, reading: &mut Reading) {
    let Some(reference) = &column.references else { return };
    let mut fault = |key: &str, message: String, hint: &str| {
        let path = format!("{path}.references{key}");
        reading
            .faults
            .push(Fault::new(path, "schema/reference", message).hint(hint));
    };
    let itself = reference.table == spec.name;
    let Some(table) = (if itself {
        Some(spec)
    } else {
        known.table(reference.table.as_str())
    }) else {
        return fault(
            ".table",
            format!("There is no table {} in this project", reference.table),
            "Create it first",
        );
    };
    let Some(target) = table.column(reference.column.as_str()) else {
        let message = format!("{} has no column {}", reference.table, reference.column);
        return fault(".column", message, "Reference its primary key or a unique column");
    };
    if !table.is_key(reference.column.as_str()) {
        let message = format!("{}.{} is no key", reference.table, reference.column);
        fault(".column", message, "Reference its primary key or a unique column");
    }
    if target.data_type != column.data_type {
        let message = format!(
            "{} is {}, but {}.{} is {}",
            column.name, column.data_type, reference.table, reference.column, target.data_type
        );
        fault("", message, "Give both columns one type");
    }
    if reference.on_delete == OnDelete::SetNull && column.required {
        fault(
            ".on_delete",
            format!("{} is required, so it cannot be set null", column.name),
            "Use cascade or restrict",
        );
    }
    if reference.on_delete == OnDelete::SetDefault && column.default.is_none() && column.default_expression.is_none() {
        fault(
            ".on_delete",
            format!("{} has no default to set", column.name),
            "Give it a default, or use set null",
        );
    }
}

/// Checks a column's expressions and puts their canonical text into the spec.
fn expressions(spec: &mut TableSpec, index: usize, path: &str, known: &Known, reading: &mut Reading) {
    if let Some(Check::Expression(text)) = &spec.columns[index].check {
        match Scope::new(spec, known, Allow::CHECK).parse(text) {
            Ok(tree) => spec.columns[index].check = Some(Check::Expression(tree.to_string())),
            Err(faults) => reading.faults.extend_under(&format!("{path}.check"), faults),
        }
    }
    if let Some(text) = &spec.columns[index].default_expression {
        match Scope::new(spec, known, Allow::DEFAULT).parse(text) {
            Ok(tree) => spec.columns[index].default_expression = Some(tree.to_string()),
            Err(faults) => reading
                .faults
                .extend_under(&format!("{path}.default_expression"), faults),
        }
    }
}

fn indexes(spec: &TableSpec, reading: &mut Reading) {
    for (number, index) in spec.indexes.iter().enumerate() {
        let path = format!("indexes[{number}]");
        let mut seen = BTreeSet::new();
        for (position, name) in index.columns.iter().enumerate() {
            let path = format!("{path}.columns[{position}]");
            let Some(column) = spec.column(name.as_str()) else {
                reading
                    .faults
                    .push(Fault::new(path, "schema/index", format!("There is no column {name}")));
                continue;
            };
            if !seen.insert(name) {
                reading.faults.push(Fault::new(
                    path.clone(),
                    "schema/duplicate",
                    format!("{name} is there twice"),
                ));
            }
            let fits = match index.method {
                IndexMethod::Btree => column.data_type.is_comparable(),
                IndexMethod::Gin => column.data_type.has_gin(),
            };
            if !fits && !reading.untyped.contains(name.as_str()) {
                let message = format!("A {} index cannot hold {} values", index.method.sql(), column.data_type);
                reading.faults.push(
                    Fault::new(path, "schema/index", message).hint("gin is for jsonb and arrays, btree for the rest"),
                );
            }
        }
        if index.unique && index.method == IndexMethod::Gin {
            reading.faults.push(
                Fault::new(format!("{path}.unique"), "schema/index", "A gin index cannot be unique").hint("Use btree"),
            );
        }
        if index.columns.len() > name::MAX_INDEX_COLUMNS {
            let message = format!("An index has at most {} columns", name::MAX_INDEX_COLUMNS);
            reading
                .faults
                .push(Fault::new(format!("{path}.columns"), "schema/too-many", message));
        }
    }
}

fn timestamps(spec: &TableSpec, reading: &mut Reading) {
    if !spec.timestamps {
        return;
    }
    let kept = spec.column("updated_at").map(|column| &column.data_type.scalar);
    if kept != Some(&Scalar::Timestamptz) {
        let fault = Fault::new(
            "timestamps",
            "schema/timestamps",
            "timestamps needs a column updated_at of type timestamptz",
        );
        reading.faults.push(fault.hint("Leave the column out: it is added"));
    }
}

fn enum_values<'a>(spec: &'a TableSpec, known: &'a Known, name: &str) -> Option<&'a [String]> {
    spec.enum_values(name).or_else(|| known.enum_values(name))
}
