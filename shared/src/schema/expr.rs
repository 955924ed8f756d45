//! A tenant's expressions: parsed, allow-listed, kept as our own tree, and rendered from that tree only.
//!
//! What may be written: own columns (bare or behind the table's name), plain literals, comparisons, arithmetic,
//! `and or not`, `like`/`ilike`, `in (…)`, `between`, `is null`, `is distinct from`, `= any (…)`, the JSON and array
//! operators, `case`, casts to the designer's types and the project's enums, the functions of [`functions`],
//! `auth.uid()`, `auth.role()`, `auth.email()`, `auth.jwt()` (bare or as `(select auth.uid())`), and in policies
//! `exists (select 1 from own_table [alias] where …)`. Everything else is refused by name.
//!
//! A tree is written in two ways: as canonical text for the spec ([`std::fmt::Display`]), which parses to the same
//! tree again, and as SQL ([`Expr::sql`]) with every function qualified and every operation in parentheses.

pub mod functions;
mod render;
mod walk;

use super::data_type::DataType;
use super::fault::Faults;
use super::known::Known;
use super::spec::TableSpec;
use crate::ident::Ident;

/// Longest expression, in bytes.
pub const MAX_LENGTH: usize = 4096;
/// Deepest nesting of a tree; a chain of `and`s or `or`s counts its length.
pub const MAX_DEPTH: usize = 96;

/// An allow-listed expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A column, behind its table's name or alias when it stands in an `exists`.
    Column {
        /// The table it belongs to: a name, so that renames find it.
        table: Ident,
        /// The alias to write in front, if one is needed.
        qualifier: Option<Ident>,
        /// The column.
        name: Ident,
    },
    /// A text literal.
    Text(String),
    /// A number as written: digits, point, exponent.
    Number(String),
    /// `true` or `false`.
    Bool(bool),
    /// `null`
    Null,
    /// Something about the caller.
    Auth(AuthFunction),
    /// `not x`, `-x`, `+x`.
    Unary(&'static str, Box<Expr>),
    /// `x op y`.
    Binary(Box<Expr>, &'static str, Box<Expr>),
    /// `x is null` and its like: a suffix.
    Is(Box<Expr>, &'static str),
    /// `x in (…)`.
    In(Box<Expr>, bool, Vec<Expr>),
    /// `x between y and z`.
    Between(Box<Expr>, bool, Box<Expr>, Box<Expr>),
    /// `x = any (array)`, `x <> all (array)`.
    Quantified(Box<Expr>, &'static str, &'static str, Box<Expr>),
    /// `cast(x as type)`.
    Cast(Box<Expr>, DataType),
    /// A listed function.
    Call(&'static functions::Function, Vec<Expr>),
    /// `extract(field from x)`.
    Extract(&'static str, Box<Expr>),
    /// `x at time zone y`.
    AtTimeZone(Box<Expr>, Box<Expr>),
    /// `array[…]`.
    Array(Vec<Expr>),
    /// `case`: operand, arms, `else`.
    Case(Option<Box<Expr>>, Vec<(Expr, Expr)>, Option<Box<Expr>>),
    /// `exists (select 1 from table alias where filter)`.
    Exists {
        /// An own table.
        table: Ident,
        /// What it is called inside.
        alias: Ident,
        /// Which of its rows count.
        filter: Option<Box<Expr>>,
    },
}

/// What an expression may ask about the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthFunction {
    /// `auth.uid()`: the end user's id, null without one.
    Uid,
    /// `auth.role()`: `anon`, `authenticated` or `service_role`.
    Role,
    /// `auth.email()`
    Email,
    /// `auth.jwt()`: all claims.
    Jwt,
}

impl AuthFunction {
    /// The function of that name in the schema of the helpers.
    pub fn from_text(name: &str) -> Option<Self> {
        Some(match name {
            "uid" => Self::Uid,
            "role" => Self::Role,
            "email" => Self::Email,
            "jwt" => Self::Jwt,
            _ => return None,
        })
    }

    /// Its name in the schema of the helpers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Uid => "uid",
            Self::Role => "role",
            Self::Email => "email",
            Self::Jwt => "jwt",
        }
    }
}

/// What an expression may use, by where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allow {
    /// Columns of the row.
    pub columns: bool,
    /// Questions about the caller.
    pub auth: bool,
    /// `exists` over other own tables.
    pub exists: bool,
}

impl Allow {
    /// In a policy: everything.
    pub const POLICY: Self = Self {
        columns: true,
        auth: true,
        exists: true,
    };
    /// In a check: the row alone, since a check holds whoever asks.
    pub const CHECK: Self = Self {
        columns: true,
        auth: false,
        exists: false,
    };
    /// In a default: no row yet.
    pub const DEFAULT: Self = Self {
        columns: false,
        auth: true,
        exists: false,
    };
}

/// Where names of an expression are looked up.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    spec: &'a TableSpec,
    known: &'a Known,
    allow: Allow,
}

impl<'a> Scope<'a> {
    /// Expressions about a row of `spec`, beside the tables in `known`.
    pub fn new(spec: &'a TableSpec, known: &'a Known, allow: Allow) -> Self {
        Self { spec, known, allow }
    }

    /// Parses an expression.
    ///
    /// # Errors
    /// What is not allowed, named, with a hint; codes `expression/…`.
    pub fn parse(self, text: &str) -> Result<Expr, Faults> {
        walk::parse(self, text).map_err(Faults::from)
    }
}

impl Expr {
    /// Calls `visit` with this expression and everything inside it.
    pub fn visit(&self, visit: &mut impl FnMut(&Self)) {
        visit(self);
        for part in self.parts() {
            part.visit(visit);
        }
    }

    /// Whether it mentions that table's column, or with `None` that table in an `exists`.
    pub fn mentions(&self, table: &str, column: Option<&str>) -> bool {
        let mut found = false;
        self.visit(&mut |part| match (part, column) {
            (Self::Column { table: of, name, .. }, Some(column)) => {
                found |= of.as_str() == table && name.as_str() == column
            }
            (Self::Exists { table: of, .. }, None) => found |= of.as_str() == table,
            _ => {}
        });
        found
    }

    /// Follows the renaming of a column.
    pub fn rename_column(&mut self, table: &str, from: &str, to: &Ident) {
        if let Self::Column { table: of, name, .. } = self
            && of.as_str() == table
            && name.as_str() == from
        {
            *name = to.clone();
        }
        for part in self.parts_mut() {
            part.rename_column(table, from, to);
        }
    }

    /// Follows the renaming of a table. An alias that was the table's name stays, so that nothing is captured.
    pub fn rename_table(&mut self, from: &str, to: &Ident, own: bool) {
        match self {
            Self::Column { table, qualifier, .. } if table.as_str() == from => {
                *table = to.clone();
                if own
                    && let Some(qualifier) = qualifier
                    && qualifier.as_str() == from
                {
                    *qualifier = to.clone();
                }
            }
            Self::Exists { table, .. } if table.as_str() == from => *table = to.clone(),
            _ => {}
        }
        for part in self.parts_mut() {
            part.rename_table(from, to, own);
        }
    }

    fn parts(&self) -> Vec<&Self> {
        match self {
            Self::Column { .. } | Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Null | Self::Auth(_) => {
                vec![]
            }
            Self::Unary(_, x) | Self::Is(x, _) | Self::Cast(x, _) | Self::Extract(_, x) => vec![x],
            Self::Binary(x, _, y) | Self::Quantified(x, _, _, y) | Self::AtTimeZone(x, y) => vec![x, y],
            Self::Between(x, _, y, z) => vec![x, y, z],
            Self::In(x, _, list) => std::iter::once(&**x).chain(list).collect(),
            Self::Call(_, list) | Self::Array(list) => list.iter().collect(),
            Self::Case(operand, arms, otherwise) => {
                let arms = arms.iter().flat_map(|(when, then)| [when, then]);
                operand
                    .as_deref()
                    .into_iter()
                    .chain(arms)
                    .chain(otherwise.as_deref())
                    .collect()
            }
            Self::Exists { filter, .. } => filter.as_deref().into_iter().collect(),
        }
    }

    fn parts_mut(&mut self) -> Vec<&mut Self> {
        match self {
            Self::Column { .. } | Self::Text(_) | Self::Number(_) | Self::Bool(_) | Self::Null | Self::Auth(_) => {
                vec![]
            }
            Self::Unary(_, x) | Self::Is(x, _) | Self::Cast(x, _) | Self::Extract(_, x) => vec![x],
            Self::Binary(x, _, y) | Self::Quantified(x, _, _, y) | Self::AtTimeZone(x, y) => vec![x, y],
            Self::Between(x, _, y, z) => vec![x, y, z],
            Self::In(x, _, list) => std::iter::once(&mut **x).chain(list).collect(),
            Self::Call(_, list) | Self::Array(list) => list.iter_mut().collect(),
            Self::Case(operand, arms, otherwise) => {
                let arms = arms.iter_mut().flat_map(|(when, then)| [when, then]);
                operand
                    .as_deref_mut()
                    .into_iter()
                    .chain(arms)
                    .chain(otherwise.as_deref_mut())
                    .collect()
            }
            Self::Exists { filter, .. } => filter.as_deref_mut().into_iter().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
