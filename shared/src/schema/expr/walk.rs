//! From the parser's tree to ours, by an allow-list: what has no arm here is refused.
//!
//! Structs of the parser that may carry clauses are taken apart without `..` wherever a clause could change what is
//! run, so that a field of a newer parser does not slip through.

mod atom;
mod call;
mod select;
mod types;

use atom::{binary, literal, unary};

use sqlparser::ast::{self, BinaryOperator};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use super::functions::FIELDS;
use super::{Expr, MAX_DEPTH, MAX_LENGTH, Scope};
use crate::ident::Ident;
use crate::schema::data_type::DataType;
use crate::schema::fault::Fault;
use crate::schema::spec::TableSpec;

type Result<T> = std::result::Result<T, Fault>;

/// Nesting of parentheses, brackets and `case` before the parser is asked at all.
const MAX_NESTING: usize = 32;

/// Parses an expression.
pub(super) fn parse(scope: Scope<'_>, text: &str) -> Result<Expr> {
    let tree = tree(text)?;
    let own = Frame {
        alias: scope.spec.name.clone(),
        spec: scope.spec,
    };
    Walk {
        scope,
        frames: vec![own],
    }
    .expr(&tree, 0)
}

/// The parser's tree of exactly one expression.
fn tree(text: &str) -> Result<ast::Expr> {
    if text.len() > MAX_LENGTH || nesting(text) > MAX_NESTING {
        return Err(too_large());
    }
    if text.contains('\0') {
        return Err(Fault::new("", "expression/syntax", "An expression cannot hold a NUL"));
    }
    let syntax = |error: sqlparser::parser::ParserError| {
        let text = error.to_string();
        let short = text
            .trim_start_matches("sql parser error: ")
            .chars()
            .take(200)
            .collect::<String>();
        Fault::new(
            "",
            "expression/syntax",
            format!("This cannot be read as an expression: {short}"),
        )
        .hint("Write one SQL expression, such as user_id = auth.uid()")
    };
    let mut parser = Parser::new(&PostgreSqlDialect {})
        .with_recursion_limit(MAX_DEPTH)
        .try_with_sql(text)
        .map_err(syntax)?;
    let tree = parser.parse_expr().map_err(syntax)?;
    match parser.next_token().token {
        Token::EOF => Ok(tree),
        other => Err(Fault::new(
            "",
            "expression/syntax",
            format!("Something follows the expression: {}", short(&other.to_string())),
        )
        .hint("Write one expression and nothing behind it")),
    }
}

/// An upper bound of how deep brackets nest; those in literals count too.
fn nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}

fn too_large() -> Fault {
    Fault::new(
        "",
        "expression/too-large",
        format!("An expression has at most {MAX_LENGTH} bytes and {MAX_DEPTH} levels"),
    )
    .hint("Split it, or use in (…) in place of many comparisons")
}

/// A fault that names what is not allowed.
fn refused(what: impl AsRef<str>) -> Fault {
    Fault::new(
        "",
        "expression/not-allowed",
        format!("{} is not allowed here", what.as_ref()),
    )
    .hint(
        "Use own columns, literals, comparisons, and/or/not, listed functions and casts, auth.uid(), \
         and in policies exists (select 1 from own_table where …)",
    )
}

fn short(text: &str) -> String {
    crate::schema::spec::shown(text)
}

/// A table whose columns are in sight, under the name they go by.
struct Frame<'a> {
    alias: Ident,
    spec: &'a TableSpec,
}

struct Walk<'a> {
    scope: Scope<'a>,
    /// From the outermost to the innermost.
    frames: Vec<Frame<'a>>,
}

impl Walk<'_> {
    fn expr(&mut self, expr: &ast::Expr, depth: usize) -> Result<Expr> {
        if depth > MAX_DEPTH {
            return Err(too_large());
        }
        use ast::Expr as E;
        let depth = depth + 1;
        match expr {
            E::Nested(x) => self.expr(x, depth),
            E::Identifier(name) => self.column(None, name),
            E::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, column] => self.column(Some(table), column),
                _ => Err(refused(format!("The qualified name {}", short(&expr.to_string())))),
            },
            E::Value(value) => literal(&value.value),
            E::BinaryOp { left, op, right } => {
                let operator = binary(op)?;
                Ok(Expr::Binary(
                    self.boxed(left, depth)?,
                    operator,
                    self.boxed(right, depth)?,
                ))
            }
            E::UnaryOp { op, expr } => Ok(Expr::Unary(unary(*op)?, self.boxed(expr, depth)?)),
            E::IsNull(x) => self.is(x, "null", depth),
            E::IsNotNull(x) => self.is(x, "not null", depth),
            E::IsTrue(x) => self.is(x, "true", depth),
            E::IsNotTrue(x) => self.is(x, "not true", depth),
            E::IsFalse(x) => self.is(x, "false", depth),
            E::IsNotFalse(x) => self.is(x, "not false", depth),
            E::IsUnknown(x) => self.is(x, "unknown", depth),
            E::IsNotUnknown(x) => self.is(x, "not unknown", depth),
            E::IsDistinctFrom(x, y) => self.binary("is distinct from", x, y, depth),
            E::IsNotDistinctFrom(x, y) => self.binary("is not distinct from", x, y, depth),
            E::InList { expr, list, negated } => {
                Ok(Expr::In(self.boxed(expr, depth)?, *negated, self.list(list, depth)?))
            }
            E::Between {
                expr,
                negated,
                low,
                high,
            } => Ok(Expr::Between(
                self.boxed(expr, depth)?,
                *negated,
                self.boxed(low, depth)?,
                self.boxed(high, depth)?,
            )),
            E::Like {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.binary(if *negated { "not like" } else { "like" }, expr, pattern, depth),
            E::ILike {
                negated,
                any: false,
                expr,
                pattern,
                escape_char: None,
            } => self.binary(if *negated { "not ilike" } else { "ilike" }, expr, pattern, depth),
            E::AnyOp {
                left,
                compare_op,
                right,
                is_some: _,
            } => self.quantified(left, compare_op, "any", right, depth),
            E::AllOp {
                left,
                compare_op,
                right,
            } => self.quantified(left, compare_op, "all", right, depth),
            E::Cast {
                kind: ast::CastKind::Cast | ast::CastKind::DoubleColon,
                expr,
                data_type,
                format: None,
            } => {
                let data_type = self.data_type(data_type)?;
                Ok(Expr::Cast(self.boxed(expr, depth)?, data_type))
            }
            E::Extract {
                field,
                syntax: ast::ExtractSyntax::From,
                expr,
            } => {
                let written = field.to_string().to_ascii_lowercase();
                let field = FIELDS.iter().find(|known| **known == written);
                let field = field.ok_or_else(|| refused(format!("The field {}", short(&written))))?;
                Ok(Expr::Extract(field, self.boxed(expr, depth)?))
            }
            E::AtTimeZone { timestamp, time_zone } => Ok(Expr::AtTimeZone(
                self.boxed(timestamp, depth)?,
                self.boxed(time_zone, depth)?,
            )),
            E::Array(ast::Array { elem, named: true }) => Ok(Expr::Array(self.list(elem, depth)?)),
            E::Case {
                case_token: _,
                end_token: _,
                operand,
                conditions,
                else_result,
            } => {
                let operand = operand.as_deref().map(|x| self.boxed(x, depth)).transpose()?;
                let arms = conditions.iter().map(|ast::CaseWhen { condition, result }| {
                    Ok((self.expr(condition, depth)?, self.expr(result, depth)?))
                });
                let arms = arms.collect::<Result<_>>()?;
                Ok(Expr::Case(
                    operand,
                    arms,
                    else_result.as_deref().map(|x| self.boxed(x, depth)).transpose()?,
                ))
            }
            E::Function(function) => self.function(function, depth),
            E::Ceil {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.call("ceil", &[expr], depth),
            E::Floor {
                expr,
                field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime),
            } => self.call("floor", &[expr], depth),
            E::Trim {
                trim_where: None,
                trim_what: None,
                expr,
                trim_characters: None,
            } => self.call("btrim", &[expr], depth),
            E::Substring {
                expr,
                substring_from: Some(from),
                substring_for,
                special: _,
                shorthand: _,
            } => {
                let mut arguments = vec![&**expr, &**from];
                arguments.extend(substring_for.as_deref());
                self.call("substr", &arguments, depth)
            }
            E::Position { expr, r#in } => self.call("strpos", &[r#in, expr], depth),
            E::Exists { subquery, negated } => {
                let exists = self.exists(subquery, depth)?;
                Ok(if *negated {
                    Expr::Unary("not", Box::new(exists))
                } else {
                    exists
                })
            }
            E::Subquery(query) => self.auth_subquery(query),
            other => Err(refused(name_of(other))),
        }
    }

    fn boxed(&mut self, expr: &ast::Expr, depth: usize) -> Result<Box<Expr>> {
        self.expr(expr, depth).map(Box::new)
    }

    fn list(&mut self, list: &[ast::Expr], depth: usize) -> Result<Vec<Expr>> {
        list.iter().map(|item| self.expr(item, depth)).collect()
    }

    fn is(&mut self, x: &ast::Expr, test: &'static str, depth: usize) -> Result<Expr> {
        Ok(Expr::Is(self.boxed(x, depth)?, test))
    }

    fn binary(&mut self, operator: &'static str, x: &ast::Expr, y: &ast::Expr, depth: usize) -> Result<Expr> {
        Ok(Expr::Binary(self.boxed(x, depth)?, operator, self.boxed(y, depth)?))
    }

    fn quantified(
        &mut self,
        left: &ast::Expr,
        operator: &BinaryOperator,
        quantifier: &'static str,
        right: &ast::Expr,
        depth: usize,
    ) -> Result<Expr> {
        let operator = match binary(operator)? {
            comparison @ ("=" | "<>" | "<" | "<=" | ">" | ">=") => comparison,
            other => return Err(refused(format!("The operator {other} before {quantifier}"))),
        };
        Ok(Expr::Quantified(
            self.boxed(left, depth)?,
            operator,
            quantifier,
            self.boxed(right, depth)?,
        ))
    }

    /// Looks a column up, from the innermost table outwards, as Postgres does. What is in no spec does not exist:
    /// no system column, no table name used as a row, no function in a column's guise.
    fn column(&self, table: Option<&ast::Ident>, column: &ast::Ident) -> Result<Expr> {
        let name = fold(column);
        if !self.scope.allow.columns {
            return Err(refused(format!("The column {}", short(&name))));
        }
        let qualifier = table.map(fold);
        let unknown = || {
            let of = qualifier.as_deref().map(|of| format!("{of}.")).unwrap_or_default();
            Fault::new(
                "",
                "expression/unknown-column",
                format!("There is no column {} here", short(&format!("{of}{name}"))),
            )
            .hint("Name a column of this table, or of a table inside exists; texts stand in single quotes")
        };
        let frame = self.frames.iter().rev().find(|frame| match &qualifier {
            Some(qualifier) => frame.alias.as_str() == qualifier,
            None => frame.spec.column(&name).is_some(),
        });
        let frame = frame.ok_or_else(unknown)?;
        let column = frame.spec.column(&name).ok_or_else(unknown)?;
        Ok(Expr::Column {
            table: frame.spec.name.clone(),
            qualifier: (self.frames.len() > 1).then(|| frame.alias.clone()),
            name: column.name.clone(),
        })
    }

    fn data_type(&self, data_type: &ast::DataType) -> Result<DataType> {
        let refused = || {
            Fault::new(
                "",
                "expression/cast",
                format!("A cast to {} is not allowed", short(&data_type.to_string())),
            )
            .hint("Cast to a column type (uuid, text, integer, …), an array of one, or an enum of this project")
        };
        let found = types::read(data_type).ok_or_else(refused)?;
        let known = found.enum_name().is_none_or(|name| {
            let Scope { spec, known, .. } = self.scope;
            spec.enum_values(name.as_str())
                .or_else(|| known.enum_values(name.as_str()))
                .is_some()
        });
        if known { Ok(found) } else { Err(refused()) }
    }
}

/// The name Postgres would look up: unquoted ones in lower case.
fn fold(name: &ast::Ident) -> String {
    match name.quote_style {
        Some('"') => name.value.clone(),
        // Postgres has no other quotes; nothing is called like that.
        Some(quote) => format!("{quote}{}", name.value),
        None => name.value.to_ascii_lowercase(),
    }
}

/// What a refused piece of grammar is called.
fn name_of(expr: &ast::Expr) -> String {
    use ast::Expr as E;
    let kind = match expr {
        E::CompoundFieldAccess { .. } | E::JsonAccess { .. } => "Access to a field or element",
        E::InSubquery { .. } | E::Subquery(_) => "A subquery",
        E::Collate { .. } => "collate",
        E::TypedString { .. } => "A literal behind its type",
        E::Interval(_) => "An interval",
        E::Tuple(_) | E::Struct { .. } => "A row",
        E::Wildcard(_) | E::QualifiedWildcard(..) => "*",
        E::Like { .. } | E::ILike { .. } => "like with any or escape",
        E::SimilarTo { .. } | E::RLike { .. } => "Matching by a regular expression",
        E::Named { .. } => "An alias",
        E::Prefixed { .. } => "A prefixed literal",
        E::Array(_) => "A bracket without array",
        _ => "This grammar",
    };
    format!("{kind} ({})", short(&expr.to_string()))
}
