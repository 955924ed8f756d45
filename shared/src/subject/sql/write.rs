//! A statement in the making.

use std::fmt::Write as _;

use uuid::Uuid;

use super::super::{Collation, Dialect, Table};
use super::{Kind, Statement};
use crate::error::Result;
use crate::ident::Ident;
use crate::schema::catalog::Column;

/// A statement in the making.
pub(in crate::subject) struct Sql {
    dialect: Dialect,
    text: String,
    params: Vec<Option<String>>,
    names: usize,
    /// Whether MySQL is asked to change a table: it reads the same one only from a copy.
    changes: bool,
}

/// A row's name, its table, and columns of it.
pub(in crate::subject) type Columns<'a> = (&'a str, &'a Table, &'a [&'a Ident]);

impl Sql {
    pub(in crate::subject) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            text: String::new(),
            params: Vec::new(),
            names: 0,
            changes: false,
        }
    }

    /// One that changes rows.
    pub(in crate::subject) fn changing(dialect: Dialect) -> Self {
        Self {
            changes: true,
            ..Self::new(dialect)
        }
    }

    pub(in crate::subject) fn dialect(&self) -> Dialect {
        self.dialect
    }

    pub(in crate::subject) fn is_mysql(&self) -> bool {
        self.dialect == Dialect::MySql
    }

    pub(in crate::subject) fn done(self) -> Statement {
        Statement {
            sql: self.text,
            params: self.params,
        }
    }

    /// Adds our own text.
    pub(in crate::subject) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A name for a row that no other has.
    pub(in crate::subject) fn fresh(&mut self) -> String {
        self.names += 1;
        format!("p{}", self.names)
    }

    /// Adds a name.
    pub(in crate::subject) fn name(&mut self, name: &Ident) {
        // Writing to a string cannot fail.
        let _ = match self.dialect {
            Dialect::MySql => write!(self.text, "{}", name.backticked()),
            Dialect::Postgres | Dialect::Cockroach => write!(self.text, "{}", name.quoted()),
        };
    }

    /// Adds a table, with a name for its rows.
    pub(in crate::subject) fn table(&mut self, table: &Table, row: &str) {
        if let Some(schema) = &table.schema {
            self.name(schema);
            self.push(".");
        }
        self.name(&table.name);
        self.push(" as ");
        self.push(row);
    }

    /// Adds a column of a row.
    pub(in crate::subject) fn column(&mut self, row: &str, column: &Ident) {
        self.push(row);
        self.push(".");
        self.name(column);
    }

    /// Adds a value.
    pub(in crate::subject) fn bind(&mut self, value: &str) {
        if self.is_mysql() {
            self.params.push(Some(value.to_owned()));
            return self.push("?");
        }
        let known = self.params.iter().position(|param| param.as_deref() == Some(value));
        let at = known.unwrap_or_else(|| {
            self.params.push(Some(value.to_owned()));
            self.params.len() - 1
        });
        let _ = write!(self.text, "${}", at + 1);
    }

    /// Adds a column's value as a text that [`Sql::equals`] takes for the same.
    pub(in crate::subject) fn as_text(&mut self, row: &str, column: &Column) {
        if !self.is_mysql() {
            self.column(row, &column.name);
            return self.push("::text");
        }
        let (before, after) = match Kind::of(self.dialect, column) {
            Kind::Bytes { .. } => ("replace(to_base64(", "), char(10), '')"),
            Kind::Bits => ("cast((", " + 0) as char)"),
            _ => ("cast(", " as char)"),
        };
        self.push(before);
        self.column(row, &column.name);
        self.push(after);
    }

    /// Adds the condition that a column holds a value. One that cannot be of its type is in no row.
    pub(in crate::subject) fn equals(&mut self, row: &str, column: &Column, value: &str) {
        let kind = Kind::of(self.dialect, column);
        if !may_be(kind, value) {
            return self.push("false");
        }
        if !self.is_mysql()
            && !matches!(
                kind,
                Kind::Integer { .. } | Kind::Decimal | Kind::Uuid | Kind::Text { .. }
            )
        {
            self.as_text(row, column);
            self.push(" = ");
            return self.bind(value);
        }
        if is_folded(column) {
            self.push("lower(");
            self.as_text(row, column);
            self.push(") = lower(");
            self.bind(value);
            return self.push(")");
        }
        self.column(row, &column.name);
        self.push(" = ");
        let (before, after) = match (self.dialect, kind) {
            (Dialect::MySql, Kind::Integer { .. } | Kind::Bits | Kind::Year) if value.parse::<i64>().is_err() => {
                ("cast(", " as unsigned)")
            }
            (Dialect::MySql, Kind::Integer { .. } | Kind::Bits | Kind::Year) => ("cast(", " as signed)"),
            (Dialect::MySql, Kind::Decimal) => ("cast(", " as decimal(65,30))"),
            (Dialect::MySql, Kind::Bytes { .. }) => ("from_base64(", ")"),
            (Dialect::MySql, _) => ("", ""),
            (_, Kind::Integer { .. }) => ("", "::bigint"),
            (_, Kind::Decimal) => ("", "::numeric"),
            (_, Kind::Uuid) => ("", "::uuid"),
            _ => ("", ""),
        };
        self.push(before);
        self.bind(value);
        self.push(after);
    }

    /// Adds the condition that a column holds the value of another table's column, as that one compares: what tells people
    /// apart says who is one.
    pub(in crate::subject) fn equals_there(
        &mut self,
        row: &str,
        (table, column): (&Table, &Column),
        (there, referenced): (&Table, &Column),
        value: &str,
    ) {
        let own = table.collations.get(&column.name);
        match (own, there.collations.get(&referenced.name)) {
            (Some(own), Some(theirs)) if own != theirs => return self.equals_collated(row, column, theirs, value),
            _ => {}
        }
        if is_folded(column) == is_folded(referenced) || !may_be(Kind::of(self.dialect, column), value) {
            return self.equals(row, column, value);
        }
        let (before, after) = if is_folded(referenced) {
            ("lower(", ")")
        } else {
            ("", "")
        };
        self.push(before);
        self.as_text(row, column);
        self.push(after);
        self.push(" = ");
        self.push(before);
        self.bind(value);
        self.push(after);
    }

    /// Adds the condition that a text of MySQL is a value by another column's rules.
    fn equals_collated(&mut self, row: &str, column: &Column, theirs: &Collation, value: &str) {
        let collate = |sql: &mut Self| {
            sql.push(" using ");
            sql.name(&theirs.charset);
            sql.push(") collate ");
            sql.name(&theirs.name);
        };
        self.push("convert(");
        self.column(row, &column.name);
        collate(self);
        self.push(" = convert(");
        self.bind(value);
        collate(self);
    }

    /// Adds the condition that a column holds that e-mail address, however it is written.
    pub(in crate::subject) fn has_address(&mut self, row: &str, column: &Column, address: &str) {
        self.push("lower(");
        self.as_text(row, column);
        self.push(") = lower(");
        self.bind(address);
        self.push(")");
    }

    /// Adds the condition that a row leads to one of another table, of which more is said. Where `folded`, case does not count.
    pub(in crate::subject) fn within(
        &mut self,
        (row, table, own): Columns<'_>,
        (inner, there, referenced): Columns<'_>,
        folded: bool,
        about: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let ways: Vec<Way> = own
            .iter()
            .zip(referenced)
            .map(
                |(own, referenced)| match (table.column(own.as_str()), there.column(referenced.as_str())) {
                    _ if folded => Way::Folded,
                    (Some(own), Some(referenced)) if !self.is_mysql() => self.way(own, referenced),
                    _ => Way::AsIs,
                },
            )
            .collect();
        let several = own.len() > 1;
        self.push(if several { "(" } else { "" });
        self.listed(row, own, &ways);
        self.push(if several { ")" } else { "" });
        let copied = self.is_mysql() && self.changes;
        self.push(if copied {
            " in (select * from (select distinct "
        } else {
            " in (select "
        });
        self.listed(inner, referenced, &ways);
        self.push(" from ");
        self.table(there, inner);
        self.push(" where ");
        about(self)?;
        if copied {
            let copy = self.fresh();
            self.push(") as ");
            self.push(&copy);
        }
        self.push(")");
        Ok(())
    }

    /// How Postgres compares values of two columns: as the one that is referred to does. Only its own operators are found by
    /// their names.
    fn way(&self, own: &Column, referenced: &Column) -> Way {
        let kinds = (Kind::of(self.dialect, own), Kind::of(self.dialect, referenced));
        match kinds {
            _ if is_folded(referenced) => Way::Folded,
            _ if is_folded(own) => Way::AsText,
            (Kind::Other, _) | (_, Kind::Other) => Way::AsText,
            (own, referenced) if own.compares_with(referenced) => Way::AsIs,
            _ => Way::AsText,
        }
    }

    fn listed(&mut self, row: &str, columns: &[&Ident], ways: &[Way]) {
        for (at, (column, way)) in columns.iter().zip(ways).enumerate() {
            self.push(if at > 0 { ", " } else { "" });
            let (before, after) = match (way, self.is_mysql()) {
                (Way::AsIs, _) => ("", ""),
                (Way::AsText, _) => ("", "::text"),
                (Way::Folded, false) => ("lower(", "::text)"),
                // Columns of two collations are compared by neither.
                (Way::Folded, true) => ("convert(lower(", ") using utf8mb4) collate utf8mb4_bin"),
            };
            self.push(before);
            self.column(row, column);
            self.push(after);
        }
    }
}

/// How two columns are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    AsIs,
    AsText,
    /// Texts whose case does not count.
    Folded,
}

/// Whether a column holds texts whose case does not count: a type of an extension.
fn is_folded(column: &Column) -> bool {
    column.value_type() == "citext" || column.value_type().ends_with(".citext")
}

/// Whether a text may be a value of that kind.
fn may_be(kind: Kind, text: &str) -> bool {
    match kind {
        Kind::Integer { unsigned: true, .. } => text.parse::<u64>().is_ok(),
        Kind::Integer { .. } | Kind::Year => text.parse::<i64>().is_ok(),
        Kind::Bits => text.parse::<u64>().is_ok(),
        Kind::Decimal => {
            let digits = text.strip_prefix('-').unwrap_or(text);
            digits.bytes().any(|byte| byte.is_ascii_digit())
                && digits.bytes().filter(|byte| *byte == b'.').count() <= 1
                && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        }
        Kind::Uuid => Uuid::parse_str(text).is_ok(),
        _ => !text.contains('\0'),
    }
}
