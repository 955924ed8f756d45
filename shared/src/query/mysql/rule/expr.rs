//! The tree of a rule, part by part.

use super::super::super::row_rules::{Clause, RowRules, TableRules};
use super::piece::{Kind, Known, Piece};
use super::{Row, allowed, caller, column, compare, function, inexact, number};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::schema::data_type::{DataType, Scalar};
use crate::schema::expr::Expr;

/// A table in sight: the rule's own, or one inside an `exists`.
pub(super) struct Frame<'a> {
    pub(super) name: Ident,
    pub(super) table: &'a TableRules,
    pub(super) row: Row,
}

/// What a rule is written with.
pub(super) struct Compiler<'a> {
    pub(super) rules: &'a RowRules,
    /// From the outermost to the innermost.
    pub(super) frames: Vec<Frame<'a>>,
    /// How many subqueries are around.
    pub(super) depth: usize,
}

/// A user variable that keeps a value of the proposed row.
pub(super) fn remembered(position: usize) -> String {
    format!("@plinth_new_{position}_")
}

impl Compiler<'_> {
    /// An expression as a truth.
    ///
    /// # Errors
    /// For one that is none, and what has no exact match.
    pub(super) fn truth(&mut self, expr: &Expr) -> Result<Piece> {
        let piece = self.expr(expr)?;
        match (piece.kind, &piece.known) {
            (Kind::Bool | Kind::Flag, _) => Ok(Piece {
                kind: Kind::Bool,
                ..piece
            }),
            (Kind::Null, _) => Ok(Piece::null(Kind::Bool)),
            (Kind::Literal, Known::Text(Some(text))) => compare::literal(&text.clone(), Kind::Bool),
            (other, _) => Err(inexact(
                format!("{} where true or false is expected", other.name()),
                "Compare it: count > 0",
            )),
        }
    }

    /// Any expression.
    ///
    /// # Errors
    /// For what has no exact match.
    pub(super) fn expr(&mut self, expr: &Expr) -> Result<Piece> {
        match expr {
            Expr::Column { qualifier, name, .. } => self.column(qualifier.as_ref(), name),
            Expr::Text(text) => Ok(Piece::text(Kind::Literal, Some(text.clone()))),
            Expr::Number(digits) => number::literal(digits),
            Expr::Bool(value) => Ok(Piece::truth(Some(*value))),
            Expr::Null => Ok(Piece::null(Kind::Null)),
            Expr::Auth(function) => Ok(caller::auth(*function, &self.rules.caller().claims)),
            Expr::Unary("not", x) => Ok(Piece::of(Kind::Bool, "(not {})", &[&self.truth(x)?])),
            Expr::Unary(sign, x) => self.signed(sign, x),
            Expr::Binary(x, operator, y) => self.binary(x, operator, y),
            Expr::Is(x, test) => self.is(x, test),
            Expr::In(x, negated, list) => {
                let equal = self.any(x, "=", list, " or ")?;
                Ok(if *negated {
                    Piece::of(Kind::Bool, "(not {})", &[&equal])
                } else {
                    equal
                })
            }
            Expr::Between(x, negated, low, high) => {
                let (x, low, high) = (self.expr(x)?, self.expr(low)?, self.expr(high)?);
                let parts = vec![
                    compare::compare(x.clone(), ">=", low)?,
                    compare::compare(x, "<=", high)?,
                ];
                let within = Piece::joined(parts, " and ");
                Ok(if *negated {
                    Piece::of(Kind::Bool, "(not {})", &[&within])
                } else {
                    within
                })
            }
            Expr::Quantified(x, operator, quantifier, array) => match &**array {
                Expr::Array(items) if *quantifier == "any" => self.any(x, operator, items, " or "),
                Expr::Array(items) => self.any(x, operator, items, " and "),
                _ => Err(inexact(
                    "any or all of this array",
                    "Write it out: = any (array[1, 2]), or in (1, 2)",
                )),
            },
            Expr::Cast(x, to) => self.cast(x, to),
            Expr::Call(called, arguments) => {
                let arguments = arguments.iter().map(|argument| self.expr(argument));
                function::call(called.name, arguments.collect::<Result<_>>()?)
            }
            Expr::Case(operand, arms, otherwise) => self.case(operand.as_deref(), arms, otherwise.as_deref()),
            Expr::Exists { table, alias, filter } => self.exists(table, alias, filter.as_deref()),
            Expr::Extract(..) => Err(inexact("extract", "Compare days and times with others of their kind")),
            Expr::AtTimeZone(..) => Err(inexact("at time zone", "Compare moments with others")),
            Expr::Array(_) => Err(inexact("An array", "There are none here; use in (…)")),
        }
    }

    fn column(&self, qualifier: Option<&Ident>, name: &Ident) -> Result<Piece> {
        let frame = match qualifier {
            None => self.frames.first(),
            Some(qualifier) => self.frames.iter().rev().find(|frame| frame.name == *qualifier),
        };
        let frame = frame.ok_or_else(|| Error::internal("a rule's column is of no table in sight"))?;
        let data_type = frame.table.data_type(name.as_str());
        let data_type =
            data_type.ok_or_else(|| inexact(format!("There is no column {name}"), "Write the rule anew"))?;
        let written = match &frame.row {
            Row::Of(alias) => format!("{alias}.{}", name.backticked()),
            Row::Proposed if self.frames.len() == 1 => format!("values({})", name.backticked()),
            // Inside a subquery there is no proposed row.
            Row::Proposed => {
                let remembered = remembered(frame.table.position(name.as_str()));
                return Ok(column::remembered(data_type, &remembered));
            }
        };
        Ok(column::column(data_type, &written))
    }

    fn signed(&mut self, sign: &str, x: &Expr) -> Result<Piece> {
        let x = number::number(self.expr(x)?, sign)?;
        Ok(match (sign, &x.known) {
            ("+", _) => x,
            (_, Known::Int(number)) if *number != i64::MIN => {
                let negative = Piece::int(Some(-number));
                Piece::of(Kind::Int, "({})", &[&negative]).with(negative.known)
            }
            _ => Piece::of(x.kind, "(- {})", &[&x]),
        })
    }

    fn binary(&mut self, x: &Expr, operator: &'static str, y: &Expr) -> Result<Piece> {
        match operator {
            "and" | "or" => {
                let parts = vec![self.truth(x)?, self.truth(y)?];
                Ok(Piece::joined(parts, if operator == "and" { " and " } else { " or " }))
            }
            "+" | "-" | "*" | "/" | "%" => number::arithmetic(self.expr(x)?, operator, self.expr(y)?),
            "||" => function::concat(self.expr(x)?, self.expr(y)?),
            "like" | "not like" => compare::like(self.expr(x)?, operator == "not like", self.expr(y)?),
            "ilike" | "not ilike" => Err(inexact(
                operator,
                "What is the same letter but for its case depends on the database's locale; keep a column of lower-case texts",
            )),
            "->" | "->>" | "#>" | "#>>" | "?" => caller::step(&self.expr(x)?, operator, &self.expr(y)?),
            "&&" | "@>" | "<@" | "?&" | "?|" => Err(inexact(
                format!("The operator {operator}"),
                "Of claims a rule takes auth.jwt() -> 'key', ->> 'key', #>> '{a,b}' and ? 'key'",
            )),
            _ => compare::compare(self.expr(x)?, operator, self.expr(y)?),
        }
    }

    fn is(&mut self, x: &Expr, test: &'static str) -> Result<Piece> {
        let piece = match test {
            "null" | "not null" => {
                let piece = self.expr(x)?;
                match &piece.known {
                    Known::Json(value) => return Ok(Piece::truth(Some(value.is_none() == (test == "null")))),
                    _ => match &piece.column {
                        // Nothing is made of it first.
                        Some(column) => Piece::new(piece.kind, column.clone()),
                        None => piece,
                    },
                }
            }
            _ => self.truth(x)?,
        };
        Ok(Piece::of(Kind::Bool, &format!("({{}} is {test})"), &[&piece]))
    }

    /// A comparison with each of a list.
    fn any(&mut self, x: &Expr, operator: &'static str, list: &[Expr], word: &str) -> Result<Piece> {
        let x = self.expr(x)?;
        if list.is_empty() {
            return Ok(Piece::truth(Some(word == " and ")));
        }
        let parts = list
            .iter()
            .map(|item| compare::compare(x.clone(), operator, self.expr(item)?));
        Ok(Piece::joined(parts.collect::<Result<_>>()?, word))
    }

    fn cast(&mut self, x: &Expr, to: &DataType) -> Result<Piece> {
        let x = self.expr(x)?;
        let refused = || {
            inexact(
                format!("A cast of {} to {to}", x.kind.name()),
                "Claims can be cast to text, integer, bigint, boolean and uuid, numbers and ids to text",
            )
        };
        let known = match &x.known {
            Known::Text(text) if matches!(x.kind, Kind::Literal | Kind::Text | Kind::Uid | Kind::Uuid) => {
                Some(text.as_deref())
            }
            _ if x.kind == Kind::Null => Some(None),
            _ => None,
        };
        if let Some(known) = known {
            if let Some(made) = caller::cast(known, to)? {
                return Ok(made);
            }
            let kind = match to.scalar {
                _ if to.array => return Err(refused()),
                Scalar::Date => Kind::Date,
                Scalar::Timestamp => Kind::DateTime,
                Scalar::Timestamptz => Kind::Timestamp,
                Scalar::Decimal(None) => Kind::Decimal(1, 0),
                Scalar::Double => Kind::Float,
                _ => return Err(refused()),
            };
            return known.map_or_else(|| Ok(Piece::null(kind)), |text| compare::literal(text, kind));
        }
        match (x.kind, &to.scalar) {
            _ if to.array => Err(refused()),
            (Kind::Text, Scalar::Text)
            | (Kind::Uuid, Scalar::Uuid)
            | (Kind::Bool | Kind::Flag, Scalar::Boolean)
            | (Kind::Date, Scalar::Date)
            | (Kind::DateTime, Scalar::Timestamp)
            | (Kind::Timestamp, Scalar::Timestamptz)
            | (Kind::Float, Scalar::Double)
            | (Kind::Decimal(..), Scalar::Decimal(None))
            | (Kind::Int, Scalar::Bigint) => Ok(x),
            (Kind::Int, Scalar::Decimal(None)) => {
                Ok(Piece::of(Kind::Decimal(20, 0), "cast({} as decimal(20,0))", &[&x]))
            }
            (Kind::Int | Kind::Uuid | Kind::Label, Scalar::Text) => function::text(x),
            (Kind::DateTime, Scalar::Date) => Ok(Piece::of(Kind::Date, "cast({} as date)", &[&x])),
            _ => Err(refused()),
        }
    }

    fn case(&mut self, operand: Option<&Expr>, arms: &[(Expr, Expr)], otherwise: Option<&Expr>) -> Result<Piece> {
        let operand = operand.map(|operand| self.expr(operand)).transpose()?;
        let mut conditions = Vec::new();
        let mut results = Vec::new();
        for (when, then) in arms {
            conditions.push(match &operand {
                None => self.truth(when)?,
                Some(operand) => compare::compare(operand.clone(), "=", self.expr(when)?)?,
            });
            results.push(self.expr(then)?);
        }
        results.push(otherwise.map_or_else(|| Ok(Piece::null(Kind::Null)), |otherwise| self.expr(otherwise))?);
        let (results, kind) = function::common(results)?;
        let mut template = "(case".to_owned();
        let mut parts = Vec::new();
        for (condition, result) in conditions.iter().zip(&results) {
            template.push_str(" when {} then {}");
            parts.extend([condition, result]);
        }
        template.push_str(" else {} end)");
        parts.extend(results.last());
        Ok(Piece::of(kind, &template, &parts))
    }

    /// Rows of another table, as far as the caller may see them.
    fn exists(&mut self, table: &Ident, alias: &Ident, filter: Option<&Expr>) -> Result<Piece> {
        self.depth += 1;
        let row = Row::Of(format!("plinth_r{}", self.depth));
        let Row::Of(name) = &row else {
            return Err(Error::internal("an alias is lost"));
        };
        let mut parts: Vec<Piece> = allowed(self.rules, table, Clause::Select, &row, self.depth)?
            .into_iter()
            .collect();
        let mut text = "(exists (select 1 from ".to_owned();
        if let Some(schema) = self.rules.schema() {
            text.push_str(&format!("{}.", schema.backticked()));
        }
        text.push_str(&format!("{} as {name}", table.backticked()));
        if let Some(filter) = filter {
            let frame = Frame {
                name: alias.clone(),
                table: self.rules.table(table)?,
                row: row.clone(),
            };
            self.frames.push(frame);
            let made = self.truth(filter);
            self.frames.pop();
            parts.push(made?);
        }
        self.depth -= 1;
        if !parts.is_empty() {
            let all = Piece::joined(parts, " and ");
            return Ok(Piece::of(Kind::Bool, &format!("{text} where {{}}))"), &[&all]));
        }
        Ok(Piece::new(Kind::Bool, format!("{text}))")))
    }
}
