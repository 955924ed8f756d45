//! The grammars of `select`, `order`, `columns` and `on_conflict`.

use super::super::request::{AggregateFunction, Field, Join, OrderTerm, SelectItem};
use super::cursor::Cursor;
use crate::error::Result;

/// Reads a `select` parameter; an empty one stands for `*`.
pub(in crate::query) fn select(text: &str) -> Result<Vec<SelectItem>> {
    let mut cursor = Cursor::new(text, "select parameter");
    if text.trim().is_empty() {
        return Ok(Vec::new());
    }
    let items = items(&mut cursor, 0)?;
    cursor.expect_end()?;
    Ok(items)
}

fn items(cursor: &mut Cursor<'_>, depth: usize) -> Result<Vec<SelectItem>> {
    cursor.check_depth(depth)?;
    let mut items = Vec::new();
    loop {
        cursor.skip_spaces();
        items.push(item(cursor, depth)?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            return Ok(items);
        }
    }
}

fn item(cursor: &mut Cursor<'_>, depth: usize) -> Result<SelectItem> {
    if cursor.eat("...") {
        let target = cursor.name("the relation to spread")?;
        return embed(cursor, None, target, true, depth);
    }
    if cursor.eat("*") {
        return Ok(SelectItem::All);
    }
    let mut name = cursor.name("\"...\", \"*\" or field name (* or [a..z0..9_$])")?;
    let mut alias = None;
    if cursor.peek() == Some(':') && !cursor.rest().starts_with("::") {
        cursor.eat(":");
        alias = Some(name);
        name = cursor.name("field name (* or [a..z0..9_$])")?;
    }
    if name == "count" && cursor.eat("()") {
        let result_cast = cast(cursor)?;
        return Ok(SelectItem::Aggregate {
            alias,
            field: None,
            cast: None,
            function: AggregateFunction::Count,
            result_cast,
        });
    }
    if matches!(cursor.peek(), Some('!' | '(')) {
        return embed(cursor, alias, name, false, depth);
    }
    let field = Field {
        name,
        path: cursor.json_path()?,
    };
    let first_cast = cast(cursor)?;
    if cursor.eat(".") {
        let function = aggregate(cursor)?;
        let result_cast = cast(cursor)?;
        return Ok(SelectItem::Aggregate {
            alias,
            field: Some(field),
            cast: first_cast,
            function,
            result_cast,
        });
    }
    Ok(SelectItem::Column {
        alias,
        field,
        cast: first_cast,
    })
}

fn embed(
    cursor: &mut Cursor<'_>,
    alias: Option<String>,
    target: String,
    spread: bool,
    depth: usize,
) -> Result<SelectItem> {
    let (mut hint, mut join) = (None, None);
    while cursor.eat("!") {
        let at = cursor.mark();
        match cursor.name("a hint, inner or left")?.as_str() {
            "inner" if join.is_none() => join = Some(Join::Inner),
            "left" if join.is_none() => join = Some(Join::Left),
            other if hint.is_none() => hint = Some(other.to_owned()),
            _ => {
                cursor.back_to(at);
                return Err(cursor.unexpected("\"(\""));
            }
        }
    }
    cursor.expect("(")?;
    cursor.skip_spaces();
    let select = if cursor.peek() == Some(')') {
        Vec::new()
    } else {
        items(cursor, depth + 1)?
    };
    cursor.expect(")")?;
    Ok(SelectItem::Embed {
        alias,
        target,
        hint,
        join,
        spread,
        select,
    })
}

fn aggregate(cursor: &mut Cursor<'_>) -> Result<AggregateFunction> {
    const FUNCTIONS: [(&str, AggregateFunction); 5] = [
        ("sum()", AggregateFunction::Sum),
        ("avg()", AggregateFunction::Avg),
        ("min()", AggregateFunction::Min),
        ("max()", AggregateFunction::Max),
        ("count()", AggregateFunction::Count),
    ];
    let found = FUNCTIONS.iter().find(|(word, _)| cursor.eat(word));
    found
        .map(|(_, function)| *function)
        .ok_or_else(|| cursor.unexpected("sum(), avg(), min(), max() or count()"))
}

/// Reads `::type`; which types there are is the planner's business.
fn cast(cursor: &mut Cursor<'_>) -> Result<Option<String>> {
    if !cursor.eat("::") {
        return Ok(None);
    }
    let word = cursor.take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | ' ' | '[' | ']'));
    let word = word.trim();
    if word.is_empty() {
        return Err(cursor.unexpected("a type name"));
    }
    Ok(Some(word.to_owned()))
}

/// Reads an `order` parameter.
pub(in crate::query) fn order(text: &str) -> Result<Vec<OrderTerm>> {
    let mut cursor = Cursor::new(text, "order");
    let mut terms = Vec::new();
    if text.trim().is_empty() {
        return Ok(terms);
    }
    loop {
        cursor.skip_spaces();
        terms.push(order_term(&mut cursor)?);
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect_end()?;
    Ok(terms)
}

fn order_term(cursor: &mut Cursor<'_>) -> Result<OrderTerm> {
    let mut field = cursor.field()?;
    let mut relation = None;
    if field.path.is_empty() && cursor.eat("(") {
        relation = Some(field.name);
        field = cursor.field()?;
        cursor.expect(")")?;
    }
    let mut term = OrderTerm {
        relation,
        field,
        descending: false,
        nulls_first: None,
    };
    let mut directed = false;
    while cursor.eat(".") {
        let at = cursor.mark();
        let word = cursor.take_while(|c| c.is_ascii_lowercase());
        match word {
            "asc" | "desc" if !directed && term.nulls_first.is_none() => {
                directed = true;
                term.descending = word == "desc";
            }
            "nullsfirst" | "nullslast" if term.nulls_first.is_none() => term.nulls_first = Some(word == "nullsfirst"),
            _ => {
                cursor.back_to(at);
                return Err(cursor.unexpected("\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\""));
            }
        }
    }
    Ok(term)
}

/// Reads a list of column names; `what` is the parameter's name.
pub(super) fn names(text: &str, what: &'static str) -> Result<Vec<String>> {
    let mut cursor = Cursor::new(text, what);
    let mut names = Vec::new();
    if text.trim().is_empty() {
        return Ok(names);
    }
    loop {
        cursor.skip_spaces();
        names.push(cursor.name("field name (* or [a..z0..9_$])")?);
        cursor.skip_spaces();
        if !cursor.eat(",") {
            break;
        }
    }
    cursor.expect_end()?;
    Ok(names)
}
