//! The grammar of filters: `col=not.op(any).value` and `or=(a.eq.1,and(…))`.

use super::super::request::{
    CompareOp, Condition, Field, IsValue, Logic, Quantifier, RelateOp, Scoped, SearchKind, Test,
};
use super::cursor::Cursor;
use crate::error::Result;

const OPERATOR: &str = "\"not\" or operator (eq, gt, ...)";

/// Where a value ends: at the end of the parameter, or at the next `,` or `)` of a logic tree.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Parameter,
    Tree,
}

/// Reads the name of a parameter that is a filter: `[embed.]*column[->path]`.
pub(in crate::query) fn key(text: &str) -> Result<Scoped<Field>> {
    let mut cursor = Cursor::new(text, "tree path");
    let mut path = Vec::new();
    let mut name = cursor.name("field name (* or [a..z0..9_$])")?;
    while cursor.eat(".") {
        path.push(name);
        cursor.check_depth(path.len())?;
        name = cursor.name("field name (* or [a..z0..9_$])")?;
    }
    let field = Field {
        name,
        path: cursor.json_path()?,
    };
    cursor.expect_end()?;
    Ok(Scoped { path, value: field })
}

/// Reads the value of such a parameter.
pub(super) fn condition(field: Field, value: &str) -> Result<Condition> {
    let mut cursor = Cursor::new(value, "filter");
    let (negated, test) = operation(&mut cursor, Place::Parameter)?;
    cursor.expect_end()?;
    Ok(Condition { field, negated, test })
}

/// Reads the value of `or`, `and`, `not.or`, `not.and`: a list in parentheses.
pub(super) fn tree(any: bool, negated: bool, value: &str) -> Result<Logic> {
    let mut cursor = Cursor::new(value, "logic tree");
    let logic = group(&mut cursor, any, negated, 1)?;
    cursor.expect_end()?;
    Ok(logic)
}

fn group(cursor: &mut Cursor<'_>, any: bool, negated: bool, depth: usize) -> Result<Logic> {
    cursor.check_depth(depth)?;
    cursor.expect("(")?;
    let mut parts = Vec::new();
    loop {
        cursor.skip_spaces();
        parts.push(part(cursor, depth)?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect(")")?;
    Ok(Logic::Group { negated, any, parts })
}

fn part(cursor: &mut Cursor<'_>, depth: usize) -> Result<Logic> {
    let start = cursor.mark();
    let negated = cursor.eat("not.");
    for (word, any) in [("and", false), ("or", true)] {
        if cursor
            .rest()
            .strip_prefix(word)
            .is_some_and(|rest| rest.starts_with('('))
        {
            cursor.eat(word);
            return group(cursor, any, negated, depth + 1);
        }
    }
    // `not.c.is.null` negates the condition on `c`, but `not.is.null` is one on a column named `not`.
    let negated = negated && !begins_with_operator(cursor.rest());
    if !negated {
        cursor.back_to(start);
    }
    let field = cursor.field()?;
    cursor.expect(".")?;
    let (inner, test) = operation(cursor, Place::Tree)?;
    Ok(Logic::Condition(Condition {
        field,
        negated: negated != inner,
        test,
    }))
}

fn begins_with_operator(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    let word = &text[..end];
    let known = CompareOp::from_word(word).is_some()
        || RelateOp::from_word(word).is_some()
        || SearchKind::from_word(word).is_some()
        || matches!(word, "in" | "is" | "isdistinct" | "not");
    known && matches!(text[end..].chars().next(), Some('.' | '('))
}

fn operation(cursor: &mut Cursor<'_>, place: Place) -> Result<(bool, Test)> {
    let negated = cursor.eat("not.");
    let at = cursor.mark();
    let word = cursor.take_while(|c| c.is_ascii_lowercase());
    let expecting = if negated { "operator (eq, gt, ...)" } else { OPERATOR };
    let test = if let Some(op) = CompareOp::from_word(word) {
        let quantifier = if op == CompareOp::Neq { None } else { quantifier(cursor) };
        cursor.expect(".")?;
        Test::Compare(op, quantifier, value(cursor, place)?)
    } else if let Some(op) = RelateOp::from_word(word) {
        cursor.expect(".")?;
        Test::Relate(op, value(cursor, place)?)
    } else if let Some(kind) = SearchKind::from_word(word) {
        let config = search_config(cursor)?;
        cursor.expect(".")?;
        Test::Search {
            kind,
            config,
            query: value(cursor, place)?,
        }
    } else {
        match word {
            "in" => {
                cursor.expect(".")?;
                Test::In(list(cursor)?)
            }
            "is" => {
                cursor.expect(".")?;
                Test::Is(is_value(cursor)?)
            }
            "isdistinct" => {
                cursor.expect(".")?;
                Test::IsDistinct(value(cursor, place)?)
            }
            _ => {
                cursor.back_to(at);
                return Err(cursor.unexpected(expecting));
            }
        }
    };
    Ok((negated, test))
}

fn quantifier(cursor: &mut Cursor<'_>) -> Option<Quantifier> {
    if cursor.eat("(any)") {
        Some(Quantifier::Any)
    } else if cursor.eat("(all)") {
        Some(Quantifier::All)
    } else {
        None
    }
}

fn search_config(cursor: &mut Cursor<'_>) -> Result<Option<String>> {
    if !cursor.eat("(") {
        return Ok(None);
    }
    let config = cursor.name("a text search configuration")?;
    cursor.expect(")")?;
    Ok(Some(config))
}

fn is_value(cursor: &mut Cursor<'_>) -> Result<IsValue> {
    let at = cursor.mark();
    let word = cursor
        .take_while(|c| c.is_ascii_alphabetic() || c == '_')
        .to_ascii_lowercase();
    IsValue::from_word(&word).ok_or_else(|| {
        cursor.back_to(at);
        cursor.unexpected("null, not_null, true, false or unknown")
    })
}

fn value(cursor: &mut Cursor<'_>, place: Place) -> Result<String> {
    if place == Place::Parameter {
        return Ok(cursor.take_rest().to_owned());
    }
    if cursor.peek() == Some('{') {
        return array_literal(cursor);
    }
    element(cursor)
}

/// Reads a `{…}` inside a logic tree, where its commas do not separate conditions.
fn array_literal(cursor: &mut Cursor<'_>) -> Result<String> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    let mut open = true;
    let literal = cursor.take_while(|c| {
        if !open {
            return false;
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => {
                depth -= 1;
                open = depth > 0;
            }
            _ => {}
        }
        true
    });
    if open {
        Err(cursor.unexpected("\"}\""))
    } else {
        Ok(literal.to_owned())
    }
}

/// Reads `(a,"b,c")`.
fn list(cursor: &mut Cursor<'_>) -> Result<Vec<String>> {
    cursor.expect("(")?;
    let mut elements = Vec::new();
    if cursor.eat(")") {
        return Ok(elements);
    }
    loop {
        elements.push(element(cursor)?);
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect(")")?;
    Ok(elements)
}

/// Reads up to the next `,` or `)`. A quoted text counts as quoted only if it is the whole element.
fn element(cursor: &mut Cursor<'_>) -> Result<String> {
    if cursor.peek() == Some('"') {
        let start = cursor.mark();
        if let Ok(text) = cursor.quoted()
            && matches!(cursor.peek(), None | Some(',' | ')'))
        {
            return Ok(text);
        }
        cursor.back_to(start);
    }
    Ok(cursor.take_while(|c| !matches!(c, ',' | ')')).to_owned())
}
