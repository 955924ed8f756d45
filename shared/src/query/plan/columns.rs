//! Columns of the request found in the catalog. Under [`ColumnRule::Catalog`] what is not in it does not exist: no system
//! column, no function in column's clothing.

use super::super::request::Field;
use super::super::shown;
use super::embed::{default_name, member_name};
use super::{Class, ColumnRule, Computed, Expression, Node, Output, Place, Rules, TypeName, nearest, types};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Column, Hidden, Relation, Relationship};

/// One relation with what surrounds it.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) relation: &'a Relation,
    pub(super) catalog: &'a Catalog,
    pub(super) rules: &'a Rules,
}

impl<'a> Scope<'a> {
    /// The same for another relation of the catalog.
    pub(super) fn of(&self, name: &Ident) -> Result<Scope<'a>> {
        let relation = super::relation(name.as_str(), self.catalog)?;
        Ok(Self { relation, ..*self })
    }

    /// What may be embedded here. Rows that are no relation's have nothing, though they may share a relation's name.
    pub(super) fn relationships(&self) -> &'a [Relationship] {
        let name = self.relation.name.as_str();
        match self.catalog.relation(name) {
            Some(own) if std::ptr::eq(own, self.relation) => self.catalog.relationships(name),
            _ => &[],
        }
    }

    /// The column, or Postgres's own error for one that is not there.
    pub(super) fn column(&self, name: &str) -> Result<&'a Column> {
        self.relation.column(name).ok_or_else(|| self.no_column(name))
    }

    fn no_column(&self, name: &str) -> Error {
        let message = format!("column {}.{} does not exist", self.relation.name, shown(name));
        self.hinted(Error::invalid("42703", message), name)
    }

    /// The column, or the error for one named by a body, `columns` or `on_conflict`.
    pub(super) fn body_column(&self, name: &str) -> Result<&'a Column> {
        self.relation.column(name).ok_or_else(|| {
            let table = &self.relation.name;
            let message = format!(
                "Could not find the '{}' column of '{table}' in the schema cache",
                shown(name)
            );
            Error::invalid("PGRST204", message)
        })
    }

    fn hinted(&self, error: Error, name: &str) -> Error {
        match nearest(name, self.relation.columns.iter().map(|column| column.name.as_str())) {
            Some(near) => error.with_hint(format!("Perhaps you meant to reference the column \"{near}\"")),
            None => error,
        }
    }

    /// Where a field is: a column, a computed column, or whatever Postgres takes for one where that is allowed.
    pub(super) fn place(&self, field: &Field) -> Result<Place> {
        let path = field.path.clone();
        if let Some(column) = self.relation.column(&field.name) {
            return Ok(Place {
                path,
                ..column_place(column)
            });
        }
        if let Some(found) = self.relation.computed(&field.name) {
            let computed = Computed {
                schema: found.schema.clone(),
                set: found.set,
            };
            return Ok(Place {
                column: found.name.clone(),
                class: if found.set {
                    Class::Array
                } else {
                    types::class(&found.data_type)
                },
                computed: Some(computed),
                path,
            });
        }
        // What stands for a column may be a function of the row, which would be given all that is hidden.
        let hides = self.relation.hidden != Hidden::default();
        let rule = if hides { ColumnRule::Catalog } else { self.rules.columns };
        match (rule, Ident::new(field.name.as_str())) {
            (ColumnRule::Any, Ok(column)) => Ok(Place {
                column,
                computed: None,
                path,
                class: Class::Other,
            }),
            _ => Err(self.no_column(&field.name)),
        }
    }

    /// What `*` shows.
    pub(super) fn all_outputs(&self, node: &mut Node) {
        let output = |column: &Column| Output {
            expression: Expression::Place(column_place(column)),
            cast: self.whole_of(column.value_type()),
            name: column.name.clone(),
        };
        node.outputs.extend(self.relation.columns.iter().map(output));
    }

    pub(super) fn output(&self, alias: Option<&str>, field: &Field, cast: Option<&str>) -> Result<Output> {
        Ok(Output {
            expression: Expression::Place(self.place(field)?),
            cast: self.cast(cast)?.or_else(|| self.whole(field)),
            name: member_name(alias.unwrap_or(default_name(field)))?,
        })
    }

    /// What a field is cast to so that no digit of it is lost, where the backend's rules say so.
    pub(super) fn whole(&self, field: &Field) -> Option<TypeName> {
        if !field.path.is_empty() {
            return None;
        }
        let column = self.relation.column(&field.name).map(Column::value_type);
        let computed = || {
            self.relation
                .computed(&field.name)
                .map(|found| found.data_type.as_str())
        };
        self.whole_of(column.or_else(computed)?)
    }

    fn whole_of(&self, data_type: &str) -> Option<TypeName> {
        let array = match data_type {
            "bigint" => false,
            "bigint[]" => true,
            _ => return None,
        };
        self.rules
            .wide_integers_as_text
            .then_some(TypeName::Builtin { name: "text", array })
    }

    pub(super) fn cast(&self, text: Option<&str>) -> Result<Option<TypeName>> {
        text.map(|text| types::cast(text, self.catalog, self.rules.casts))
            .transpose()
    }
}

fn column_place(column: &Column) -> Place {
    Place {
        column: column.name.clone(),
        computed: None,
        path: Vec::new(),
        class: types::class(column.value_type()),
    }
}
