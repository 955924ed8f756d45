//! Trees as text: canonical for the spec, SQL for the database.

use std::fmt::{self, Write};

use super::functions::Form;
use super::{Allow, Expr};
use crate::ident::{Ident, literal};
use crate::schema::ddl::Helpers;

/// Where SQL is going.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    schema: &'a Ident,
    helpers: &'a Helpers,
    /// Whether a subquery may stand there: the planner then asks `auth.uid()` once and not for every row.
    subquery: bool,
}

impl Expr {
    /// The expression as SQL: own tables and enums qualified by `schema`, functions by theirs, every operation in
    /// parentheses.
    pub fn sql(&self, schema: &Ident, helpers: &Helpers, place: Allow) -> String {
        let target = Target {
            schema,
            helpers,
            subquery: place == Allow::POLICY,
        };
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _ = write(self, Some(target), true, &mut out);
        out
    }
}

impl fmt::Display for Expr {
    /// The canonical text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write(self, None, true, f)
    }
}

fn write(expr: &Expr, target: Option<Target<'_>>, outermost: bool, out: &mut dyn Write) -> fmt::Result {
    let compound = matches!(
        expr,
        Expr::Unary(..)
            | Expr::Binary(..)
            | Expr::Is(..)
            | Expr::In(..)
            | Expr::Between(..)
            | Expr::Quantified(..)
            | Expr::AtTimeZone(..)
    );
    let parentheses = compound && !outermost;
    if parentheses {
        out.write_char('(')?;
    }
    body(expr, target, out)?;
    if parentheses {
        out.write_char(')')?;
    }
    Ok(())
}

fn body(expr: &Expr, target: Option<Target<'_>>, out: &mut dyn Write) -> fmt::Result {
    let inner = |expr: &Expr, out: &mut dyn Write| write(expr, target, false, out);
    match expr {
        Expr::Column { qualifier, name, .. } => {
            if let Some(qualifier) = qualifier {
                identifier(qualifier, target, out)?;
                out.write_char('.')?;
            }
            identifier(name, target, out)
        }
        Expr::Text(text) if target.is_none() => write!(out, "'{}'", text.replace('\'', "''")),
        Expr::Text(text) => out.write_str(&literal(text)),
        Expr::Number(digits) => out.write_str(digits),
        Expr::Bool(value) => write!(out, "{value}"),
        Expr::Null => out.write_str("null"),
        Expr::Auth(function) => match target {
            None => write!(out, "auth.{}()", function.name()),
            Some(target) => {
                let call = format!("{}.\"{}\"()", target.helpers.auth.quoted(), function.name());
                if target.subquery {
                    write!(out, "(select {call})")
                } else {
                    out.write_str(&call)
                }
            }
        },
        Expr::Unary(operator, x) => {
            write!(out, "{operator} ")?;
            inner(x, out)
        }
        Expr::Binary(x, operator, y) => {
            inner(x, out)?;
            write!(out, " {operator} ")?;
            inner(y, out)
        }
        Expr::Is(x, test) => {
            inner(x, out)?;
            write!(out, " is {test}")
        }
        Expr::In(x, negated, items) => {
            inner(x, out)?;
            out.write_str(if *negated { " not in (" } else { " in (" })?;
            list(items, target, out)?;
            out.write_char(')')
        }
        Expr::Between(x, negated, low, high) => {
            inner(x, out)?;
            out.write_str(if *negated { " not between " } else { " between " })?;
            inner(low, out)?;
            out.write_str(" and ")?;
            inner(high, out)
        }
        Expr::Quantified(x, operator, quantifier, array) => {
            inner(x, out)?;
            write!(out, " {operator} {quantifier} (")?;
            write(array, target, true, out)?;
            out.write_char(')')
        }
        Expr::Cast(x, data_type) => {
            out.write_str("cast(")?;
            write(x, target, true, out)?;
            match target {
                None => write!(out, " as {})", source_type(data_type)),
                Some(target) => write!(out, " as {})", data_type.sql(target.schema)),
            }
        }
        Expr::Call(function, arguments) => {
            if target.is_some() && function.form == Form::Function {
                out.write_str("pg_catalog.")?;
            }
            out.write_str(function.name)?;
            if function.form == Form::Keyword {
                return Ok(());
            }
            out.write_char('(')?;
            list(arguments, target, out)?;
            out.write_char(')')
        }
        Expr::Extract(field, x) => {
            write!(out, "extract({field} from ")?;
            inner(x, out)?;
            out.write_char(')')
        }
        Expr::AtTimeZone(x, zone) => {
            inner(x, out)?;
            out.write_str(" at time zone ")?;
            inner(zone, out)
        }
        Expr::Array(items) => {
            out.write_str("array[")?;
            list(items, target, out)?;
            out.write_char(']')
        }
        Expr::Case(operand, arms, otherwise) => {
            out.write_str("case")?;
            if let Some(operand) = operand {
                out.write_char(' ')?;
                inner(operand, out)?;
            }
            for (when, then) in arms {
                out.write_str(" when ")?;
                inner(when, out)?;
                out.write_str(" then ")?;
                inner(then, out)?;
            }
            if let Some(otherwise) = otherwise {
                out.write_str(" else ")?;
                inner(otherwise, out)?;
            }
            out.write_str(" end")
        }
        Expr::Exists { table, alias, filter } => {
            out.write_str("exists (select 1 from ")?;
            if let Some(target) = target {
                write!(out, "{}.", target.schema.quoted())?;
            }
            identifier(table, target, out)?;
            if target.is_some() || alias != table {
                out.write_str(" as ")?;
                identifier(alias, target, out)?;
            }
            if let Some(filter) = filter {
                out.write_str(" where ")?;
                write(filter, target, true, out)?;
            }
            out.write_char(')')
        }
    }
}

fn list(items: &[Expr], target: Option<Target<'_>>, out: &mut dyn Write) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            out.write_str(", ")?;
        }
        write(item, target, true, out)?;
    }
    Ok(())
}

/// Keywords of some dialect that are column names everywhere.
const HARMLESS: [&str; 7] = ["data", "id", "list", "name", "owner", "rank", "status"];

/// In SQL always quoted; in the canonical text only where the name could be taken for a keyword.
fn identifier(name: &Ident, target: Option<Target<'_>>, out: &mut dyn Write) -> fmt::Result {
    let upper = name.as_str().to_uppercase();
    let keyword = || sqlparser::keywords::ALL_KEYWORDS.binary_search(&upper.as_str()).is_ok();
    if target.is_some() || (!HARMLESS.contains(&name.as_str()) && keyword()) {
        write!(out, "{}", name.quoted())
    } else {
        write!(out, "{name}")
    }
}

/// A type in the canonical text, in words the parser takes for the same type again.
fn source_type(data_type: &crate::schema::data_type::DataType) -> String {
    match data_type.enum_name() {
        Some(name) => format!("{}{}", name.quoted(), if data_type.array { "[]" } else { "" }),
        None => data_type.to_string().replace("double", "double precision"),
    }
}
