//! Columns that are deleted, and come back.
//!
//! A deleted column stays in its table under a hidden name. Renaming it costs nothing however many rows there are; its
//! values stay with their rows, so rows that are deleted or changed meanwhile need no care; and a table may have any number
//! of deleted columns of one name. What would hold other rows back is taken off: not null, unique, check, its foreign key
//! and indexes. A default stays, so that rows that come meanwhile have what they would have had, and a numbered column goes
//! on numbering. An enum that nothing else uses goes aside under a name of its own, for the same reasons.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Run;
use crate::ident::Ident;
use crate::schema::fault::{Fault, Faults};
use crate::schema::spec::{self, EnumSpec, MAX_REMOVED, Reading, RemovedColumn, TableSpec};

/// What may be said of a column that comes back; the rest is as it was.
pub(super) const RESTORE_KEYS: [&str; 7] = ["op", "id", "name", "required", "unique", "references", "check"];

impl Run<'_> {
    pub(super) fn drop_column(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let Some(name) = self.column_name(map, "name", &mut reading) else {
            return Err(reading.faults);
        };
        self.free(&name, "dropped", &mut reading);
        if self.spec.removed.len() >= MAX_REMOVED {
            let message = format!("{MAX_REMOVED} deleted columns of this table can still be restored");
            let fault = Fault::new("name", "schema/too-many", message);
            reading
                .faults
                .push(fault.hint("The oldest are purged 30 days after they were deleted"));
        }
        let mut new = self.spec.clone();
        let Some(position) = new.columns.iter().position(|column| column.name == name) else {
            return Err(reading.faults);
        };
        let column = new.columns.remove(position);
        let (indexes, kept) = new.indexes.into_iter().partition(|index| index.columns.contains(&name));
        new.indexes = kept;
        self.forget_enums(&mut new);
        let enums: Vec<EnumSpec> = self
            .spec
            .enums
            .iter()
            .filter(|own| !new.enums.contains(own))
            .cloned()
            .collect();
        let number = u128::try_from(self.moved).unwrap_or_default();
        self.moved += 1;
        new.removed.push(RemovedColumn {
            id: Uuid::from_u128(self.moment.0.as_u128().wrapping_add(number)),
            deleted_at: self.moment.1,
            position,
            column,
            indexes,
            enums,
        });
        self.restructure(new, reading, None)
    }

    pub(super) fn restore_column(&mut self, map: &Map<String, Value>, mut reading: Reading) -> Result<(), Faults> {
        let id = spec::text(map, "", "id", &mut reading).and_then(|text| Uuid::parse_str(text).ok());
        let found = |removed: &RemovedColumn| Some(removed.id) == id && removed.is_restorable(self.moment.1);
        let Some(at) = self.spec.removed.iter().position(found) else {
            let fault = Fault::new("id", "schema/unknown-column", "There is no such deleted column");
            reading
                .faults
                .push(fault.hint("The table's deletedColumns have the ids of those that can be restored"));
            return Err(reading.faults);
        };
        let mut back = self.spec.removed[at].clone();
        let before = back.column.name.clone();
        let (column, _) = spec::read_column(&overlay(&back, map), "", &self.spec.name, 0, &mut reading);
        for name in back.indexes.iter_mut().flat_map(|index| &mut index.columns) {
            if *name == before {
                *name = column.name.clone();
            }
        }
        back.column = column;
        // What it is called aside follows from its id, so that what is said of it anew needs no statement.
        self.spec.removed[at] = back.clone();
        self.known.insert(self.spec.clone());
        let mut new = self.spec.clone();
        new.removed.remove(at);
        let position = back.position.min(new.columns.len());
        new.columns.insert(position, back.column);
        new.enums.extend(back.enums);
        for index in back.indexes {
            let whole = index.columns.iter().all(|column| new.column(column.as_str()).is_some());
            if whole && !new.indexes.contains(&index) {
                new.indexes.push(index);
            }
        }
        self.restructure(new, reading, Some((position, "")))
    }

    /// What has gone aside and is still there at the end, as statements that must be possible: nothing but the column itself
    /// hangs on it. Postgres itself can tell what a tenant has made with SQL.
    pub(super) fn proof(&self, old: &TableSpec) -> Vec<String> {
        let fresh = self
            .spec
            .removed
            .iter()
            .filter(|removed| !old.removed.contains(removed));
        let table = self.context.table(&self.spec.name);
        fresh
            .map(|removed| format!("alter table {table} drop column {}", removed.hidden().quoted()))
            .collect()
    }
}

/// A column's JSON with what is said of it laid over.
fn overlay(removed: &RemovedColumn, said: &Map<String, Value>) -> Value {
    let mut merged = serde_json::to_value(&removed.column).unwrap_or_default();
    if let Some(merged) = merged.as_object_mut() {
        let said = said.iter().filter(|(key, _)| RESTORE_KEYS[2..].contains(&key.as_str()));
        merged.extend(said.map(|(key, value)| (key.clone(), value.clone())));
    }
    merged
}

/// Lets what lies aside follow a new name of a column of its table. `name` is the one it had: one of its own does not count.
pub(super) fn rename_in_indexes(spec: &mut TableSpec, from: &Ident, to: &Ident) {
    for removed in spec.removed.iter_mut().filter(|removed| removed.column.name != *from) {
        for name in removed.indexes.iter_mut().flat_map(|index| &mut index.columns) {
            if name == from {
                *name = to.clone();
            }
        }
    }
}
