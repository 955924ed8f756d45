//! Predicates.

use super::super::Feature;
use super::super::plan::{Class, From, Node, Place, Plan, Predicate};
use super::super::request::{CompareOp, IsValue, Quantifier};
use super::sql::Sql;
use super::value::{Bound, operand};
use super::{Param, embed, path, rule, unsupported};
use crate::error::{Error, Result};
use crate::query::row_rules::Clause;

/// Adds what rows of a node satisfy, each condition behind a word: `word` before the first, ` and ` before the others.
pub(super) fn conditions(sql: &mut Sql, node: &Node, alias: &str, word: &str) -> Result<()> {
    let mut word = word;
    if let From::Relation { name, .. } = &node.from
        && rule::add(sql, name, Clause::Select, alias, word)?
    {
        word = " and ";
    }
    if !node.filter.is_everything() {
        sql.push(word);
        sql.push("(");
        render(sql, node, alias, &node.filter)?;
        sql.push(")");
        word = " and ";
    }
    for embed in node.embeds.iter().filter(|embed| embed.inner) {
        sql.push(word);
        embed::exists(sql, embed, alias)?;
        word = " and ";
    }
    Ok(())
}

/// Adds ` where …` of a write's own predicate, and of the rules for what it changes. Who looks at columns must also be
/// allowed to see the rows.
pub(super) fn where_clause(
    sql: &mut Sql,
    plan: &Plan,
    alias: &str,
    (clause, predicate): (Clause, &Predicate),
) -> Result<()> {
    let reads = !predicate.is_everything() || plan.shows_rows();
    let clauses = [Some(clause), reads.then_some(Clause::Select)];
    let clauses: Vec<Clause> = clauses.into_iter().flatten().collect();
    let mut word = " where ";
    if let Some(allowed) = rule::both(plan, &clauses, &rule::Row::Of(alias.to_owned()))? {
        sql.push(word);
        sql.piece(allowed);
        word = " and ";
    }
    if predicate.is_everything() {
        return Ok(());
    }
    sql.push(word);
    let grouped = word == " and ";
    sql.push(if grouped { "(" } else { "" });
    render(sql, &plan.shown, alias, predicate)?;
    sql.push(if grouped { ")" } else { "" });
    Ok(())
}

fn render(sql: &mut Sql, node: &Node, alias: &str, predicate: &Predicate) -> Result<()> {
    match predicate {
        Predicate::All(parts) => joined(sql, node, alias, parts, " and ", "true"),
        Predicate::Any(parts) => joined(sql, node, alias, parts, " or ", "false"),
        Predicate::Not(inner) => {
            sql.push("not (");
            render(sql, node, alias, inner)?;
            sql.push(")");
            Ok(())
        }
        Predicate::Compare(place, op, None, value) => compare(sql, alias, place, *op, value),
        Predicate::Compare(place, op, Some(quantifier), array) => {
            let elements = elements(array).ok_or_else(|| malformed_array(array))?;
            let (word, empty) = match quantifier {
                Quantifier::Any => (" or ", "false"),
                Quantifier::All => (" and ", "true"),
            };
            if elements.is_empty() {
                sql.push(empty);
                return Ok(());
            }
            sql.push("(");
            for (at, value) in elements.iter().enumerate() {
                sql.push(if at > 0 { word } else { "" });
                compare(sql, alias, place, *op, value)?;
            }
            sql.push(")");
            Ok(())
        }
        Predicate::In(_, values) if values.is_empty() => {
            sql.push("false");
            Ok(())
        }
        Predicate::In(place, values) => {
            path::compared(sql, alias, place);
            sql.push(" in (");
            sql.list(values, |sql, value| {
                sql.bound(other_side(place, value)?);
                Ok(())
            })?;
            sql.push(")");
            Ok(())
        }
        Predicate::Is(place, value) => {
            let truth = matches!(value, IsValue::True | IsValue::False | IsValue::Unknown);
            if truth && !matches!(path::class(place), Class::Integer | Class::Bool | Class::Bits) {
                // The server would make a number of it first.
                let word = value.word().to_uppercase();
                let message = format!("argument of IS {word} must be type boolean: {} is not", place.column);
                return Err(Error::invalid("42804", message));
            }
            path::value(sql, alias, place);
            sql.push(match value {
                IsValue::Null => " is null",
                IsValue::NotNull => " is not null",
                IsValue::True => " is true",
                IsValue::False => " is false",
                IsValue::Unknown => " is unknown",
            });
            Ok(())
        }
        Predicate::IsDistinct(place, value) => {
            sql.push("not (");
            path::compared(sql, alias, place);
            sql.push(" <=> ");
            sql.bound(other_side(place, value)?);
            sql.push(")");
            Ok(())
        }
        Predicate::Has(at) => {
            let embed = node.embeds.get(*at).ok_or_else(|| Error::internal("no such embed"))?;
            embed::exists(sql, embed, alias)
        }
        Predicate::Relate(_, op, _) => Err(unsupported(
            Feature::Containment,
            format_args!("the operator {}", op.word()),
        )),
        Predicate::Search(_, kind, ..) => Err(unsupported(
            Feature::TextSearch,
            format_args!("the operator {}", kind.word()),
        )),
    }
}

fn joined(sql: &mut Sql, node: &Node, alias: &str, parts: &[Predicate], word: &str, empty: &str) -> Result<()> {
    if parts.is_empty() {
        sql.push(empty);
        return Ok(());
    }
    for (at, part) in parts.iter().enumerate() {
        sql.push(if at > 0 { word } else { "" });
        let grouped = matches!(part, Predicate::All(_) | Predicate::Any(_));
        sql.push(if grouped { "(" } else { "" });
        render(sql, node, alias, part)?;
        sql.push(if grouped { ")" } else { "" });
    }
    Ok(())
}

fn compare(sql: &mut Sql, alias: &str, place: &Place, op: CompareOp, value: &str) -> Result<()> {
    let pattern = match op {
        CompareOp::Like | CompareOp::Ilike => value.replace('*', "%"),
        CompareOp::Match | CompareOp::Imatch => value.to_owned(),
        _ => {
            path::compared(sql, alias, place);
            sql.push(&format!(" {} ", op.sql()));
            sql.bound(other_side(place, value)?);
            return Ok(());
        }
    };
    if !matches!(path::class(place), Class::Text | Class::Other) {
        let message = format!("operator does not exist: {} is no text", place.column);
        return Err(
            Error::new(crate::error::ErrorKind::NotFound, "42883", message).with_hint("Patterns match texts only")
        );
    }
    // The column's own collation decides about equality; patterns mean what they do everywhere.
    let (before, after) = match op {
        CompareOp::Like => ("convert(", " using utf8mb4) collate utf8mb4_bin like ?"),
        CompareOp::Ilike => ("lower(convert(", " using utf8mb4)) collate utf8mb4_bin like lower(?)"),
        CompareOp::Match => ("convert(", " using utf8mb4) collate utf8mb4_bin regexp ?"),
        _ => ("convert(", " using utf8mb4) collate utf8mb4_general_ci regexp ?"),
    };
    sql.push(before);
    path::value(sql, alias, place);
    sql.bound(Bound {
        sql: after,
        param: Some(Param::Text(pattern)),
    });
    Ok(())
}

/// What a place is compared with.
fn other_side(place: &Place, value: &str) -> Result<Bound> {
    if place.path.is_empty() {
        return operand(place.class, value);
    }
    Ok(Bound {
        sql: "cast(? as binary)",
        param: Some(Param::Text(value.to_owned())),
    })
}

/// The elements of an array literal: `{a,"b,c"}`. Nothing for what is none.
fn elements(literal: &str) -> Option<Vec<String>> {
    let inner = literal.trim().strip_prefix('{')?.strip_suffix('}')?;
    let (mut all, mut one) = (Vec::new(), String::new());
    let (mut quoted, mut was_quoted) = (false, false);
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => one.push(letters.next()?),
            '"' => (quoted, was_quoted) = (!quoted, true),
            ',' if !quoted => {
                all.push(std::mem::take(&mut one));
                was_quoted = false;
            }
            '{' | '}' if !quoted => return None,
            other => one.push(other),
        }
    }
    if quoted {
        return None;
    }
    if !(all.is_empty() && one.is_empty() && !was_quoted) {
        all.push(one);
    }
    Some(all)
}

fn malformed_array(literal: &str) -> Error {
    let shown = super::super::shown(literal);
    Error::invalid("22P02", format!("malformed array literal: \"{shown}\""))
}
