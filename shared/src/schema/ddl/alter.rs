//! Changes of a table, one operation after the other, each on the design as the one before left it.
//!
//! ```json
//! {"operations": [
//!   {"op": "add_column", "column": {"name": "due", "type": "date"}},
//!   {"op": "drop_column", "name": "old"},
//!   {"op": "restore_column", "id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "name": "older", "required": false},
//!   {"op": "rename_column", "from": "titel", "to": "title"},
//!   {"op": "alter_column", "name": "title", "required": true, "default": null, "check": {"max": 200}},
//!   {"op": "rename_table", "to": "tasks"},
//!   {"op": "set_policies", "policies": ["owner"]},
//!   {"op": "add_index", "index": {"columns": ["due"]}},
//!   {"op": "drop_index", "columns": ["due"]},
//!   {"op": "set_timestamps", "timestamps": true},
//!   {"op": "set_soft_delete", "softDelete": true}
//! ]}
//! ```
//! `alter_column` takes the keys of a column; what is left out stays, null takes away. Types change along a safe list
//! only: to wider numbers, to text, from text. A dropped column goes [aside] with its values and takes its indexes along;
//! `restore_column` brings it back within 30 days, under another name or with fewer demands if it says so. A column that
//! another table's reference or policy needs is neither dropped nor given another type.

mod aside;
mod rename;

use jiff::Timestamp;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::uses::{casts, mentions, refers};
use super::{Change, Context, between};
use crate::ident::Ident;
use crate::schema::fault::{Fault, Faults};
use crate::schema::known::Known;
use crate::schema::spec::{self, ColumnSpec, Reading, TableSpec};

/// What a list of operations comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Alteration {
    /// The table's new design.
    pub spec: TableSpec,
    /// Other tables whose designs mention a name that changed, with the new one in place; the database follows by
    /// itself, so they need to be stored only.
    pub also: Vec<TableSpec>,
    /// The statements.
    pub change: Change,
    /// Statements that must be possible behind those, and are not to happen: see [`aside`].
    pub proof: Vec<String>,
}

/// Most operations of one change.
const MAX_OPERATIONS: usize = 100;

/// Reads operations and applies them to a table. `context.known` holds the project's tables as they are; `moment` is an id
/// that nothing has yet, for what goes aside, and the present time.
///
/// # Errors
/// Every fault, its path below `operations[n]`. An operation behind a faulty one is checked against the design without
/// it.
pub fn alter(
    old: &TableSpec,
    operations: &Value,
    context: &Context<'_>,
    moment: (Uuid, Timestamp),
) -> Result<Alteration, Faults> {
    let mut reading = Reading::default();
    let list = spec::object(operations, "", &["operations"], &mut reading).and_then(|map| map.get("operations"));
    let Some(list) = list
        .and_then(Value::as_array)
        .filter(|list| (1..=MAX_OPERATIONS).contains(&list.len()))
    else {
        let fault = Fault::new(
            "operations",
            "schema/missing",
            format!("Expected a list of 1 to {MAX_OPERATIONS} operations"),
        );
        return Err(fault
            .hint(r#"Give {"operations": [{"op": "add_column", "column": {…}}]}"#)
            .into());
    };
    let mut known = context.known.clone();
    known.insert(old.clone());
    let mut run = Run {
        spec: old.clone(),
        known,
        also: Vec::new(),
        change: Change::default(),
        context,
        moment,
        moved: 0,
    };
    for (index, operation) in list.iter().enumerate() {
        if let Err(faults) = run.operation(operation) {
            reading.faults.extend_under(&format!("operations[{index}]"), faults);
        }
    }
    let proof = run.proof(old);
    let Run {
        spec,
        known,
        also,
        change,
        ..
    } = run;
    let also = also.iter().filter_map(|name| known.table(name)).cloned().collect();
    reading.faults.or(Alteration {
        spec,
        also,
        change,
        proof,
    })
}

struct Run<'a> {
    spec: TableSpec,
    /// All tables, this one among them, as they are after the operations so far.
    known: Known,
    also: Vec<String>,
    change: Change,
    context: &'a Context<'a>,
    moment: (Uuid, Timestamp),
    /// Columns that went aside so far.
    moved: usize,
}

impl Run<'_> {
    fn operation(&mut self, json: &Value) -> Result<(), Faults> {
        let op = json.get("op").and_then(Value::as_str).unwrap_or_default();
        let keys: &[&str] = match op {
            "add_column" => &["op", "column"],
            "drop_column" => &["op", "name"],
            "restore_column" => &aside::RESTORE_KEYS,
            "rename_column" => &["op", "from", "to"],
            "alter_column" => &ALTER_KEYS,
            "rename_table" => &["op", "to"],
            "set_policies" => &["op", "policies", "policy"],
            "add_index" => &["op", "index"],
            "drop_index" => &["op", "name", "columns"],
            "set_timestamps" => &["op", "timestamps"],
            "set_soft_delete" => &["op", "softDelete"],
            _ => {
                let fault = Fault::new("op", "schema/operation", format!("{} is no operation", spec::shown(op)));
                return Err(fault
                    .hint(
                        "Use add_column, drop_column, restore_column, rename_column, alter_column, rename_table, \
                         set_policies, add_index, drop_index, set_timestamps or set_soft_delete",
                    )
                    .into());
            }
        };
        let mut reading = Reading::default();
        let Some(map) = spec::object(json, "", keys, &mut reading) else {
            return Err(reading.faults);
        };
        match op {
            "add_column" => self.add_column(map, reading),
            "drop_column" => self.drop_column(map, reading),
            "restore_column" => self.restore_column(map, reading),
            "rename_column" => self.rename_column(map, reading),
            "alter_column" => self.alter_column(map, reading),
            "rename_table" => self.rename_table(map, reading),
            "set_policies" => self.set_policies(map, reading),
            "add_index" => self.add_index(map, reading),
            "drop_index" => self.drop_index(map, reading),
            "set_timestamps" => self.set_timestamps(map, reading),
            _ => self.set_soft_delete(map, reading),
        }
    }

    fn add_column(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let mut new = self.spec.clone();
        let index = new.columns.len();
        let given = map.get("column").unwrap_or(&Value::Null);
        let (column, inline) = spec::read_column(given, "column", &new.name, index, &mut reading);
        new.columns.push(column);
        new.enums.extend(inline);
        self.restructure(new, reading, Some((index, "column")))
    }

    fn alter_column(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let Some(name) = self.column_name(map, "name", &mut reading) else {
            return Err(reading.faults);
        };
        let mut new = self.spec.clone();
        let Some(index) = new.columns.iter().position(|column| column.name == name) else {
            return Err(reading.faults);
        };
        let before = new.columns[index].clone();
        let merged = overlay(&before, map);
        let (after, inline) = spec::read_column(&merged, "", &new.name, index, &mut reading);
        if !before.data_type.widens_to(&after.data_type) && !reading.untyped.contains(name.as_str()) {
            let message = format!(
                "{} cannot become {} without losing values",
                before.data_type, after.data_type
            );
            let fault = Fault::new("type", "schema/type", message);
            reading
                .faults
                .push(fault.hint("Add a column, copy what fits, drop the old one; or go through text"));
        }
        if before.data_type != after.data_type {
            self.free(&name, "given another type", &mut reading);
        }
        new.columns[index] = after;
        new.enums.extend(inline);
        self.forget_enums(&mut new);
        let referenced = self
            .known
            .others(self.spec.name.as_str())
            .any(|other| refers(other, &self.spec.name, Some(&name)));
        if referenced && !new.is_key(name.as_str()) {
            let fault = Fault::new(
                "unique",
                "schema/in-use",
                format!("A reference needs {name} to be unique"),
            );
            reading.faults.push(fault.hint("Drop that reference first"));
        }
        self.restructure(new, reading, Some((index, "")))
    }

    fn set_policies(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let mut new = self.spec.clone();
        new.policies = spec::read_policies(map, "", &mut reading);
        self.restructure(new, reading, None)
    }

    fn add_index(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let mut new = self.spec.clone();
        new.indexes.extend(spec::read_index(
            map.get("index").unwrap_or(&Value::Null),
            "index",
            &mut reading,
        ));
        self.restructure(new, reading, None)
    }

    fn drop_index(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let columns = spec::names(map, "", "columns", &mut reading);
        let name = spec::text(map, "", "name", &mut reading);
        let mut new = self.spec.clone();
        new.indexes.retain(|index| {
            let named = name.is_some_and(|name| super::name::index(&self.spec.name, index).as_str() == name);
            !named && (columns.is_empty() || index.columns != columns)
        });
        if new.indexes.len() == self.spec.indexes.len() {
            let fault = Fault::new("columns", "schema/index", "There is no such index");
            reading
                .faults
                .push(fault.hint("Give the columns of an index in their order, or its name"));
        }
        for column in &self.spec.columns {
            let name = column.name.as_str();
            let referenced = self
                .known
                .tables()
                .any(|other| refers(other, &self.spec.name, Some(&column.name)));
            if referenced && !new.is_key(name) {
                reading.faults.push(Fault::new(
                    "columns",
                    "schema/in-use",
                    format!("A reference needs {name} to be unique"),
                ));
            }
        }
        self.restructure(new, reading, None)
    }

    fn set_timestamps(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let mut new = self.spec.clone();
        match map.get("timestamps").and_then(Value::as_bool) {
            Some(timestamps) => new.timestamps = timestamps,
            None => reading
                .faults
                .push(Fault::new("timestamps", "schema/shape", "Expected true or false")),
        }
        spec::complete(&mut new);
        self.restructure(new, reading, None)
    }

    /// Switched on, it hides what is deleted from then on. It is switched off once no deleted row is left.
    fn set_soft_delete(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let mut new = self.spec.clone();
        match map.get("softDelete").and_then(Value::as_bool) {
            Some(wanted) => new.soft_delete = wanted,
            None => reading
                .faults
                .push(Fault::new("softDelete", "schema/shape", "Expected true or false")),
        }
        self.restructure(new, reading, None)
    }

    /// The name of a column the table has.
    fn column_name(&self, map: &Map<String, Value>, key: &str, reading: &mut Reading) -> Option<Ident> {
        let name = spec::name(map, "", key, reading)?;
        if self.spec.column(name.as_str()).is_none() {
            let fault = Fault::new(
                key,
                "schema/unknown-column",
                format!("{} has no column {name}", self.spec.name),
            );
            reading.faults.push(fault.hint("Name one of its columns"));
            return None;
        }
        Some(name)
    }

    /// Faults for each other table that needs a column as it is.
    fn free(&self, column: &Ident, what: &str, reading: &mut Reading) {
        let table = &self.spec.name;
        for other in self.known.others(table.as_str()) {
            if refers(other, table, Some(column)) || mentions(other, &self.known, table, Some(column)) {
                let message = format!("{column} cannot be {what}: {} needs it", other.name);
                let hint = format!("Change the reference or policy of {} first", other.name);
                reading
                    .faults
                    .push(Fault::new("name", "schema/in-use", message).hint(hint));
            }
        }
    }

    /// Enums that no column needs any more go.
    fn forget_enums(&self, new: &mut TableSpec) {
        let used = |name: &Ident, spec: &TableSpec| {
            let aside = spec.removed.iter().map(|removed| &removed.column);
            spec.columns
                .iter()
                .chain(aside)
                .any(|column| column.data_type.enum_name() == Some(name))
        };
        let columns = new.clone();
        new.enums.retain(|declared| {
            let name = &declared.name;
            let elsewhere = || {
                self.known
                    .others(self.spec.name.as_str())
                    .any(|other| used(name, other) || casts(other, &self.known, name))
            };
            // One that no column used before was declared for others.
            used(name, &columns) || !used(name, &self.spec) || elsewhere() || casts(&columns, &self.known, name)
        });
    }

    fn restructure(&mut self, mut new: TableSpec, reading: Reading, part: Option<(usize, &str)>) -> Result<(), Faults> {
        self.verified(&mut new, reading, part)?;
        let up = between::structure(&self.within(), &self.spec, &new)?;
        let down = between::structure(&self.within(), &new, &self.spec)?;
        self.accept(new, up, down);
        Ok(())
    }

    /// Checks the new design. `part` names the column the operation is about, so that paths lead into the operation.
    fn verified(&self, new: &mut TableSpec, mut reading: Reading, part: Option<(usize, &str)>) -> Result<(), Faults> {
        let mut beside = self.known.clone();
        beside.remove(self.spec.name.as_str());
        let mut checks = Reading {
            untyped: reading.untyped.clone(),
            ..Reading::default()
        };
        spec::verify(new, &beside, &mut checks);
        for fault in checks.faults.iter() {
            let mut fault = fault.clone();
            if let Some((index, part)) = part
                && let Some(rest) = fault.path.strip_prefix(&format!("columns[{index}]"))
            {
                fault.path = format!("{part}{rest}").trim_start_matches('.').to_owned();
            }
            reading.faults.push(fault);
        }
        reading.faults.or(())
    }

    fn within(&self) -> Context<'_> {
        Context {
            known: &self.known,
            ..*self.context
        }
    }

    fn accept(&mut self, new: TableSpec, up: Vec<String>, down: Vec<String>) {
        self.change.up.extend(up);
        self.change.down.splice(0..0, down);
        self.known.insert(new.clone());
        self.spec = new;
    }
}

const ALTER_KEYS: [&str; 12] = [
    "op",
    "name",
    "type",
    "values",
    "unique",
    "required",
    "identity",
    "default",
    "default_expression",
    "references",
    "check",
    "comment",
];

/// A column's JSON with the keys of an operation laid over it.
fn overlay(column: &ColumnSpec, operation: &Map<String, Value>) -> Value {
    let mut merged = serde_json::to_value(column).unwrap_or_default();
    if let Some(merged) = merged.as_object_mut() {
        for (key, value) in operation
            .iter()
            .filter(|(key, _)| ALTER_KEYS[2..].contains(&key.as_str()))
        {
            match key.as_str() {
                "default" => merged.remove("default_expression"),
                "default_expression" => merged.remove("default"),
                _ => None,
            };
            merged.insert(key.clone(), value.clone());
        }
    }
    merged
}
