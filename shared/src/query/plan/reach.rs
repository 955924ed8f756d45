//! Which rows a request may touch at all. It is an argument of [`plan`](super::plan()), so that no way in can leave it out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::super::Feature;
use super::super::row_rules::RowRules;
use super::{Action, From, Joined, NewColumn, Node, Place, Plan, Predicate, Rows, types};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::query::request::CompareOp;
use crate::schema::catalog::{Catalog, Column};

/// Which rows a request may touch.
#[derive(Debug, Clone)]
pub enum RowAccess {
    /// All that the database itself lets its role or login touch: row-level security is the engine's business, or the
    /// caller has a secret key.
    All,
    /// Those of one owner, whatever the engine.
    Owned(Owner),
    /// Those that row rules allow the caller, on an engine that has none of its own.
    Only(Arc<RowRules>),
}

/// Rows that bear somebody's id. Tables without the column for it do not exist for the request.
#[derive(Debug, Clone)]
pub struct Owner {
    id: String,
    column: Ident,
}

impl Owner {
    /// Who owns the rows whose `column` is that id.
    pub fn new(id: impl Into<String>, column: Ident) -> Self {
        Self { id: id.into(), column }
    }

    /// Narrows a plan to the owner's rows: what is read, changed and deleted bears the id, and so does what is written.
    ///
    /// # Errors
    /// `42501` for other tables, and for rows that would bear another id; `PGRST127` for what cannot be narrowed.
    pub(super) fn narrow(&self, plan: &mut Plan, catalog: &Catalog) -> Result<()> {
        let column = self.column(&plan.table, catalog)?;
        self.tree(&mut plan.shown, catalog)?;
        match &mut plan.action {
            Action::Read => Ok(()),
            Action::Insert { conflict: Some(_), .. } => Err(unsupported(Feature::Upsert, "an upsert")),
            Action::Insert { columns, rows, .. } => {
                *rows = self.signed(rows, column, &plan.table)?;
                if columns.iter().all(|other| other.name != column.name) {
                    columns.push(NewColumn {
                        name: column.name.clone(),
                        data_type: types::column(&column.data_type, catalog),
                        default: None,
                    });
                }
                Ok(())
            }
            Action::Update { columns, rows, filter } => {
                if columns.iter().any(|other| other.name == column.name) {
                    *rows = self.signed(rows, column, &plan.table)?;
                }
                self.also(filter, column);
                Ok(())
            }
            Action::Delete { filter } | Action::Mark { filter, .. } => {
                self.also(filter, column);
                Ok(())
            }
            Action::Call(_) => Err(unsupported(Feature::Functions, "a function")),
        }
    }

    fn column<'c>(&self, table: &Ident, catalog: &'c Catalog) -> Result<&'c Column> {
        let column = catalog.relation(table.as_str());
        let column = column.and_then(|relation| relation.column(self.column.as_str()));
        column.ok_or_else(|| denied(table, false))
    }

    fn tree(&self, node: &mut Node, catalog: &Catalog) -> Result<()> {
        match &node.from {
            From::Relation { name, .. } => {
                let column = self.column(&name.clone(), catalog)?;
                self.also(&mut node.filter, column);
            }
            From::Written => {}
            From::Called | From::Computed(_) => return Err(unsupported(Feature::Functions, "a function")),
        }
        for embed in &mut node.embeds {
            if matches!(embed.joined, Joined::Junction { .. }) {
                return Err(unsupported(Feature::Embeds, "a junction"));
            }
            self.tree(&mut embed.node, catalog)?;
        }
        Ok(())
    }

    fn also(&self, filter: &mut Predicate, column: &Column) {
        let place = Place {
            column: column.name.clone(),
            computed: None,
            path: Vec::new(),
            class: types::class(column.value_type()),
        };
        let own = Predicate::Compare(place, CompareOp::Eq, None, self.id.clone());
        let asked = std::mem::replace(filter, Predicate::everything());
        *filter = if asked.is_everything() {
            Predicate::All(vec![own])
        } else {
            Predicate::All(vec![own, asked])
        };
    }

    /// The rows of a body with the owner's id in each.
    fn signed(&self, rows: &Rows, column: &Column, table: &Ident) -> Result<Rows> {
        type Object<'a> = BTreeMap<String, &'a RawValue>;
        let unreadable = |_| Error::invalid("PGRST102", "Empty or invalid json");
        let mut objects: Vec<Object<'_>> = if rows.is_array {
            serde_json::from_str(&rows.json).map_err(unreadable)?
        } else {
            vec![serde_json::from_str(&rows.json).map_err(unreadable)?]
        };
        let id = serde_json::value::to_raw_value(&self.id).map_err(Error::internal)?;
        for object in &mut objects {
            let given = object.insert(column.name.to_string(), &id);
            let same = |json: &RawValue| {
                json.get() == "null"
                    || json.get() == self.id
                    || serde_json::from_str::<String>(json.get()).is_ok_and(|text| text == self.id)
            };
            if !given.is_none_or(same) {
                return Err(violates(table, false));
            }
        }
        let json = match (rows.is_array, objects.as_slice()) {
            (false, [only]) => serde_json::to_string(only),
            _ => serde_json::to_string(&objects),
        };
        Ok(Rows {
            json: json.map_err(Error::internal)?.into(),
            is_array: rows.is_array,
            count: rows.count,
        })
    }
}

/// `42501`, as Postgres says it of a table that was not granted: 401 to nobody, 403 to somebody.
pub(in crate::query) fn denied(table: &Ident, anonymous: bool) -> Error {
    forbidden(format!("permission denied for table {table}"), anonymous)
}

/// `42501`, as Postgres says it of a row that may not be written.
pub(in crate::query) fn violates(table: &Ident, anonymous: bool) -> Error {
    let message = format!("new row violates row-level security policy for table \"{table}\"");
    forbidden(message, anonymous)
}

/// `42501`, as Postgres says it of a row that is there and may not be changed by an upsert.
pub(in crate::query) fn conflicts(table: &Ident, anonymous: bool) -> Error {
    let message = format!("new row violates row-level security policy (USING expression) for table \"{table}\"");
    forbidden(message, anonymous)
}

fn forbidden(message: String, anonymous: bool) -> Error {
    let kind = if anonymous {
        ErrorKind::Unauthorized
    } else {
        ErrorKind::Forbidden
    };
    Error::new(kind, "42501", message)
}

fn unsupported(feature: Feature, what: &str) -> Error {
    feature.refused("the rows of one owner", what)
}

#[cfg(test)]
mod tests;
