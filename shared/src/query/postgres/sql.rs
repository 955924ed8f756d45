//! SQL text and its parameters as they grow.

use std::fmt::Write;

use super::super::plan::{Class, ColumnType, Computed, Place, Plan, TypeName};
use super::super::request::{AggregateFunction, JsonKey};
use super::{ROW, Rendered};
use crate::ident::Ident;

/// The statement so far.
#[derive(Default)]
pub(super) struct Sql {
    text: String,
    params: Vec<Option<String>>,
    schema: Option<Ident>,
    returned: bool,
}

impl Sql {
    pub(super) fn finish(self) -> Rendered {
        Rendered {
            sql: self.text,
            params: self.params,
            explain: None,
            before: None,
        }
    }

    /// From here on [`ROW`] is not a relation but what a statement returned of it, computed columns included.
    pub(super) fn rows_are_returned(&mut self) {
        self.returned = true;
    }

    /// Whether the rows of `alias` are what a statement returned.
    pub(super) fn is_returned(&self, alias: &str) -> bool {
        self.returned && alias == ROW
    }

    /// Adds ` and ` behind a condition.
    pub(super) fn and(&mut self) {
        if !self.text.is_empty() {
            self.push(" and ");
        }
    }

    /// Adds text of ours.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a quoted name.
    pub(super) fn ident(&mut self, name: &Ident) {
        let _ = write!(self.text, "{}", name.quoted());
    }

    /// Adds a parameter whose type its surroundings decide.
    pub(super) fn bind(&mut self, value: impl Into<String>) {
        self.params.push(Some(value.into()));
        let _ = write!(self.text, "${}", self.params.len());
    }

    /// Adds a parameter of the given type.
    pub(super) fn bind_as(&mut self, value: impl Into<String>, data_type: &str) {
        self.bind(value);
        self.text.push_str("::");
        self.text.push_str(data_type);
    }

    /// Writes into a text of its own; its parameters count as usual.
    pub(super) fn aside(&mut self, write: impl FnOnce(&mut Self)) -> String {
        let before = std::mem::take(&mut self.text);
        write(self);
        std::mem::replace(&mut self.text, before)
    }

    /// Adds the name of an aggregate and the parenthesis.
    pub(super) fn aggregate(&mut self, function: AggregateFunction) {
        // Not qualified: a database's own aggregates count too, and what Postgres says of others names them as asked for.
        self.push(function.word());
        self.push("(");
    }

    /// Adds a cast to the type, if there is one.
    pub(super) fn cast(&mut self, cast: Option<&TypeName>) {
        if let Some(name) = cast {
            self.push("::");
            self.type_name(name);
        }
    }

    /// Adds items with commas between.
    pub(super) fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            write(self, item);
        }
    }

    /// A statement over the plan's schema, which its types are in.
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            // Room for most of them.
            text: String::with_capacity(2_048),
            params: Vec::with_capacity(8),
            schema: plan.schema.clone(),
            ..Self::default()
        }
    }

    /// Adds the plan's relation, qualified.
    pub(super) fn table(&mut self, plan: &Plan) {
        self.qualified(plan.schema.as_ref(), &plan.table);
    }

    /// Adds a name of that schema.
    pub(super) fn qualified(&mut self, schema: Option<&Ident>, name: &Ident) {
        if let Some(schema) = schema {
            self.ident(schema);
            self.push(".");
        }
        self.ident(name);
    }

    fn qualifier(&mut self) {
        if let Some(schema) = self.schema.clone() {
            self.ident(&schema);
            self.push(".");
        }
    }

    /// Adds a column of `alias`, with its JSON path in parentheses.
    pub(super) fn place(&mut self, alias: &str, place: &Place) {
        if place.path.is_empty() {
            return self.base(alias, place);
        }
        self.push("(");
        if place.class == Class::Json {
            self.base(alias, place);
        } else {
            self.push("pg_catalog.to_jsonb(");
            self.base(alias, place);
            self.push(")");
        }
        for step in &place.path {
            self.push(if step.as_text { "->>" } else { "->" });
            match &step.key {
                JsonKey::Name(name) => self.bind_as(name.as_str(), "text"),
                JsonKey::Index(index) => self.bind_as(index.to_string(), "int"),
            }
        }
        self.push(")");
    }

    fn base(&mut self, alias: &str, place: &Place) {
        match &place.computed {
            Some(computed) if !self.is_returned(alias) => self.computed(alias, computed, &place.column),
            _ => self.column(alias, &place.column),
        }
    }

    /// Adds a computed column of the rows of `alias`: its function, called with the row.
    pub(super) fn computed(&mut self, alias: &str, computed: &Computed, name: &Ident) {
        if computed.set {
            self.push("array(select ");
        }
        self.ident(&computed.schema);
        self.push(".");
        self.ident(name);
        self.push("(");
        self.push(alias);
        self.push(if computed.set { "))" } else { ")" });
    }

    /// Adds a column of `alias`.
    pub(super) fn column(&mut self, alias: &str, column: &Ident) {
        self.push(alias);
        self.push(".");
        self.ident(column);
    }

    /// Adds the type of a cast.
    pub(super) fn type_name(&mut self, name: &TypeName) {
        let array = match name {
            TypeName::Builtin { name, array } => {
                self.push("pg_catalog.");
                self.push(name);
                array
            }
            TypeName::Enum { name, array } => {
                self.qualifier();
                self.ident(name);
                array
            }
            TypeName::Named { name, array } => {
                self.ident(name);
                array
            }
        };
        if *array {
            self.push("[]");
        }
    }

    /// Adds the type of a column.
    pub(super) fn column_type(&mut self, data_type: &ColumnType) {
        match data_type {
            ColumnType::Printed(text) => self.push(text),
            ColumnType::Enum { name, array } => {
                self.qualifier();
                self.ident(name);
                if *array {
                    self.push("[]");
                }
            }
        }
    }
}

/// What the place's value is, behind its JSON path.
pub(super) fn class_behind(place: &Place) -> Class {
    match place.path.last() {
        None => place.class,
        Some(step) if step.as_text => Class::Text,
        Some(_) => Class::Json,
    }
}
