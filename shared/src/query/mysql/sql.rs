//! SQL text and its parameters as they grow.

use std::fmt::Write as _;

use super::super::plan::{From, Node, Plan, RowAccess};
use super::rule::Piece;
use super::value::Bound;
use super::{Param, Statement};
use crate::error::{Error, Result};
use crate::ident::Ident;

/// The statement so far.
pub(super) struct Sql {
    text: String,
    params: Vec<Param>,
    aliases: usize,
    /// Whether the session has a time zone of the client's choice; else it is UTC.
    pub(super) zoned: bool,
    /// Which rows it may touch; those of every relation that it reads are narrowed by it.
    pub(super) rows: RowAccess,
}

impl Sql {
    /// A statement of that plan.
    pub(super) fn of(plan: &Plan) -> Self {
        Self {
            text: String::new(),
            params: Vec::new(),
            aliases: 0,
            zoned: plan.prefer.timezone.is_some(),
            rows: plan.rows.clone(),
        }
    }

    pub(super) fn finish(self) -> Statement {
        Statement {
            sql: self.text,
            params: self.params,
        }
    }

    /// A name for rows that no other has.
    pub(super) fn alias(&mut self) -> String {
        let alias = format!("plinth_{}", self.aliases);
        self.aliases += 1;
        alias
    }

    /// Adds text of ours.
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Adds a number of ours.
    pub(super) fn number(&mut self, number: u64) {
        let _ = write!(self.text, "{number}");
    }

    /// Adds a quoted name.
    pub(super) fn ident(&mut self, name: &Ident) {
        let _ = write!(self.text, "{}", name.backticked());
    }

    /// Adds a name of that database.
    pub(super) fn qualified(&mut self, schema: Option<&Ident>, name: &Ident) {
        if let Some(schema) = schema {
            self.ident(schema);
            self.push(".");
        }
        self.ident(name);
    }

    /// Adds a column of `alias`; of the only relation where that is empty.
    pub(super) fn column(&mut self, alias: &str, column: &Ident) {
        if !alias.is_empty() {
            self.push(alias);
            self.push(".");
        }
        self.ident(column);
    }

    /// Adds a parameter.
    pub(super) fn bind(&mut self, param: Param) {
        self.params.push(param);
        self.push("?");
    }

    /// Adds a parameter with what stands around it.
    pub(super) fn bound(&mut self, bound: Bound) {
        self.push(bound.sql);
        self.params.extend(bound.param);
    }

    /// Adds a part of a rule.
    pub(super) fn piece(&mut self, piece: Piece) {
        let (text, params) = piece.into_parts();
        self.push(&text);
        self.params.extend(params);
    }

    /// Adds items with commas between.
    ///
    /// # Errors
    /// The first of `write`.
    pub(super) fn list<T>(
        &mut self,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T) -> Result<()>,
    ) -> Result<()> {
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            write(self, item)?;
        }
        Ok(())
    }

    /// Adds names with commas between.
    pub(super) fn idents<'a>(&mut self, names: impl IntoIterator<Item = &'a Ident>) {
        for (at, name) in names.into_iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.ident(name);
        }
    }

    /// Adds the relation of a node.
    ///
    /// # Errors
    /// When it is none; the plan was refused then.
    pub(super) fn relation(&mut self, node: &Node) -> Result<()> {
        match &node.from {
            From::Relation { schema, name } => {
                self.qualified(schema.as_ref(), name);
                Ok(())
            }
            _ => Err(Error::internal("rows of no relation")),
        }
    }
}
