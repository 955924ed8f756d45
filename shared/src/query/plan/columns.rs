//! Columns of the request found in the catalog. What is not in it does not exist: no system column, no function in
//! column's clothing.

use super::super::request::{Field, JsonKey, OrderTerm, SelectItem};
use super::super::shown;
use super::{Expression, OrderBy, Output, Place, Rules, nearest, types, unsupported};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Column, Relation};

/// One relation with what surrounds it.
pub(super) struct Scope<'a> {
    pub(super) relation: &'a Relation,
    pub(super) catalog: &'a Catalog,
    pub(super) rules: &'a Rules,
}

impl<'a> Scope<'a> {
    /// The column, or Postgres's own error for one that is not there.
    pub(super) fn column(&self, name: &str) -> Result<&'a Column> {
        self.relation.column(name).ok_or_else(|| {
            let message = format!("column {}.{} does not exist", self.relation.name, shown(name));
            self.hinted(Error::invalid("42703", message), name)
        })
    }

    /// The column, or the error for one named by a body, `columns` or `on_conflict`.
    pub(super) fn body_column(&self, name: &str) -> Result<&'a Column> {
        self.relation.column(name).ok_or_else(|| {
            let table = &self.relation.name;
            let message = format!(
                "Could not find the '{}' column of '{table}' in the schema cache",
                shown(name)
            );
            self.hinted(Error::invalid("PGRST204", message), name)
        })
    }

    fn hinted(&self, error: Error, name: &str) -> Error {
        match nearest(name, self.relation.columns.iter().map(|column| column.name.as_str())) {
            Some(near) => error.with_hint(format!("Perhaps you meant to reference the column \"{near}\"")),
            None => error,
        }
    }

    pub(super) fn place(&self, field: &Field) -> Result<Place> {
        let column = self.column(&field.name)?;
        Ok(Place {
            column: column.name.clone(),
            computed: None,
            path: field.path.clone(),
            class: types::class(column.value_type()),
        })
    }

    pub(super) fn order_by(&self, term: &OrderTerm) -> Result<OrderBy> {
        if term.relation.is_some() {
            return Err(unsupported("ordering by a related table"));
        }
        Ok(OrderBy {
            embed: None,
            place: self.place(&term.field)?,
            descending: term.descending,
            nulls_first: term.nulls_first,
        })
    }

    /// What `select` shows; nothing said is everything.
    pub(super) fn outputs(&self, items: &[SelectItem]) -> Result<Vec<Output>> {
        if items.is_empty() {
            return Ok(self.all_outputs());
        }
        let mut outputs = Vec::new();
        for item in items {
            match item {
                SelectItem::All => outputs.extend(self.all_outputs()),
                SelectItem::Column { alias, field, cast } => {
                    outputs.push(self.output(alias.as_deref(), field, cast.as_deref())?);
                }
                SelectItem::Aggregate { .. } => return Err(unsupported("aggregate functions in select")),
                SelectItem::Embed { spread: true, .. } => return Err(unsupported("spreading a related table")),
                SelectItem::Embed { .. } => return Err(unsupported("embedding a related table")),
            }
        }
        Ok(outputs)
    }

    fn all_outputs(&self) -> Vec<Output> {
        let output = |column: &Column| Output {
            expression: Expression::Place(Place {
                column: column.name.clone(),
                computed: None,
                path: Vec::new(),
                class: types::class(column.value_type()),
            }),
            cast: None,
            name: column.name.clone(),
        };
        self.relation.columns.iter().map(output).collect()
    }

    fn output(&self, alias: Option<&str>, field: &Field, cast: Option<&str>) -> Result<Output> {
        let place = self.place(field)?;
        let cast = cast
            .map(|text| types::cast(text, self.catalog, self.rules.casts))
            .transpose()?;
        let name = match alias {
            Some(alias) => alias,
            None => default_name(field),
        };
        let name = Ident::new(name).map_err(|error| {
            Error::invalid(
                "PGRST100",
                format!("\"failed to parse select parameter ({})\"", shown(name)),
            )
            .with_details(error.public().to_owned())
            .with_hint("Give it a shorter name: alias:column")
        })?;
        Ok(Output {
            expression: Expression::Place(place),
            cast,
            name,
        })
    }
}

/// The last named step of the path, or the column.
fn default_name(field: &Field) -> &str {
    let named = field.path.iter().rev().find_map(|step| match &step.key {
        JsonKey::Name(name) => Some(name.as_str()),
        JsonKey::Index(_) => None,
    });
    named.unwrap_or(&field.name)
}
