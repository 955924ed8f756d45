//! Rows in text format as JSON.

use std::fmt::Write as _;

use serde_json::value::RawValue;
use tokio_postgres::types::{Kind, Type};
use tokio_postgres::{Column as PgColumn, Error as PgError, SimpleColumn, SimpleQueryRow};

use crate::backend::{Column, Ran};
use crate::error::{Error, Result};

/// The rows of the last statement that has any, as far as they are wanted.
pub(super) struct Answer {
    max_rows: usize,
    max_bytes: usize,
    columns: Vec<Column>,
    shapes: Vec<Shape>,
    /// The columns' names as JSON, with the colon.
    keys: Vec<String>,
    json: String,
    rows: usize,
    truncated: bool,
    /// Rows that the last statement changed or answered.
    affected: u64,
}

/// How a value is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Number,
    Bool,
    Json,
    Text,
}

impl Answer {
    pub(super) fn new(max_rows: usize, max_bytes: usize) -> Self {
        Self {
            max_rows,
            max_bytes,
            columns: Vec::new(),
            shapes: Vec::new(),
            keys: Vec::new(),
            json: String::new(),
            rows: 0,
            truncated: false,
            affected: 0,
        }
    }

    /// Rows with these columns follow; those of the statement before are not wanted any more.
    pub(super) fn begin(&mut self, columns: &[SimpleColumn], prepared: &[PgColumn]) {
        *self = Self::new(self.max_rows, self.max_bytes);
        for (at, column) in columns.iter().enumerate() {
            let known = prepared.get(at).filter(|_| prepared.len() == columns.len());
            let known = known.map_or(&Type::TEXT, PgColumn::type_);
            let name = self.unused(column.name());
            self.keys.push(format!("{}:", quoted(&name)));
            self.shapes.push(shape(known));
            self.columns.push(Column {
                name,
                data_type: type_name(known),
            });
        }
    }

    fn unused(&self, name: &str) -> String {
        let is_used = |name: &str| self.columns.iter().any(|column| column.name == name);
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        std::iter::once(name.to_owned())
            .chain(numbered)
            .find(|name| !is_used(name))
            .unwrap_or_default()
    }

    /// Another row, unless it is one too many.
    pub(super) fn push(&mut self, row: &SimpleQueryRow) -> Result<(), PgError> {
        if self.truncated {
            return Ok(());
        }
        if self.rows == self.max_rows {
            self.truncated = true;
            return Ok(());
        }
        let before = self.json.len();
        self.json.push(if self.rows == 0 { '{' } else { ',' });
        if self.rows > 0 {
            self.json.push('{');
        }
        for at in 0..self.keys.len() {
            if at > 0 {
                self.json.push(',');
            }
            self.json.push_str(&self.keys[at]);
            value(&mut self.json, row.try_get(at)?, self.shapes[at]);
        }
        self.json.push('}');
        if self.json.len() > self.max_bytes {
            self.json.truncate(before);
            self.truncated = true;
        } else {
            self.rows += 1;
        }
        Ok(())
    }

    /// Whether a row was one too many.
    pub(super) fn is_full(&self) -> bool {
        self.truncated
    }

    /// Another statement begins.
    pub(super) fn next(&mut self) {
        self.affected = 0;
    }

    /// It is done, or a part of it.
    pub(super) fn done(&mut self, affected: u64) {
        self.affected = self.affected.max(affected);
    }

    pub(super) fn finish(self, changed: bool) -> Result<Ran> {
        let rows = RawValue::from_string(format!("[{}]", self.json)).map_err(Error::internal)?;
        let row_count = if self.columns.is_empty() && self.rows == 0 {
            self.affected
        } else {
            self.rows as u64
        };
        Ok(Ran {
            columns: self.columns,
            rows,
            row_count,
            truncated: self.truncated,
            changed,
        })
    }
}

fn shape(of: &Type) -> Shape {
    match *of {
        Type::INT2 | Type::INT4 | Type::INT8 | Type::OID | Type::FLOAT4 | Type::FLOAT8 | Type::NUMERIC => Shape::Number,
        Type::BOOL => Shape::Bool,
        Type::JSON | Type::JSONB => Shape::Json,
        _ => match of.kind() {
            Kind::Domain(base) => shape(base),
            _ => Shape::Text,
        },
    }
}

fn type_name(of: &Type) -> String {
    match of.kind() {
        Kind::Array(element) => format!("{}[]", element.name()),
        _ => of.name().to_owned(),
    }
}

fn value(out: &mut String, text: Option<&str>, shape: Shape) {
    let Some(text) = text else {
        out.push_str("null");
        return;
    };
    match shape {
        Shape::Number if is_number(text) => out.push_str(text),
        Shape::Bool => out.push_str(if text == "t" { "true" } else { "false" }),
        Shape::Json => out.push_str(text),
        Shape::Number | Shape::Text => out.push_str(&quoted(text)),
    }
}

/// Whether Postgres's text of a number is one in JSON too: all but `NaN` and `Infinity` are.
fn is_number(text: &str) -> bool {
    text.ends_with(|c: char| c.is_ascii_digit())
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
