//! Comparisons, and what makes two values comparable.

use super::caller::{malformed, truth, uuid};
use super::piece::{Kind, Known, Piece};
use super::{inexact, number};
use crate::error::{Error, Result};
use crate::query::mysql::value::operand;
use crate::query::plan::Class;

/// A text in quotes as a value of the type it meets.
///
/// # Errors
/// What Postgres says of one that is none.
pub(super) fn literal(text: &str, kind: Kind) -> Result<Piece> {
    let bound = |class, template: &str| {
        let bound = operand(class, text)?;
        let piece = Piece {
            params: bound.param.into_iter().collect(),
            ..Piece::new(kind, bound.sql)
        };
        Ok::<_, Error>(Piece::of(kind, template, &[&piece]))
    };
    match kind {
        Kind::Bool | Kind::Flag => truth(text).map(Some).map(Piece::truth),
        Kind::Int => {
            let number = text.trim().parse::<i64>().map_err(|_| malformed("bigint", text))?;
            Ok(Piece::int(Some(number)))
        }
        Kind::Decimal(..) => {
            let digits = text.trim();
            let (sign, digits) = match digits.strip_prefix('-') {
                Some(rest) => ("-", rest),
                None => ("", digits),
            };
            let number = number::literal(digits)?;
            Ok(Piece::of(number.kind, &format!("({sign}{{}})"), &[&number]))
        }
        Kind::Float => bound(Class::Float, "{}"),
        Kind::Uuid => uuid(text).map(|id| Piece::text(Kind::Uuid, Some(id))),
        Kind::Text | Kind::Label | Kind::Uid | Kind::Literal => Ok(Piece::text(kind, Some(text.to_owned()))),
        Kind::Date => bound(Class::Date, "cast({} as date)"),
        Kind::DateTime => bound(Class::DateTime, "cast({} as datetime(6))"),
        Kind::Timestamp => bound(Class::Timestamp, "cast({} as datetime(6))"),
        Kind::Null => Ok(Piece::null(Kind::Null)),
        Kind::Json | Kind::Other => Err(inexact(
            format!("A literal as {}", kind.name()),
            "Rules compare numbers, texts, truths, ids and days",
        )),
    }
}

/// What has no type yet takes the other's.
fn settled(piece: Piece, other: Kind) -> Result<Piece> {
    match (piece.kind, &piece.known) {
        (Kind::Null, _) => Ok(Piece::null(other)),
        (Kind::Literal, Known::Text(Some(text))) => {
            literal(&text.clone(), if other == Kind::Null { Kind::Text } else { other })
        }
        _ => Ok(piece),
    }
}

/// Two values of types that can be compared.
///
/// # Errors
/// For types that have no operator between them.
pub(super) fn alike(x: Piece, y: Piece) -> Result<(Piece, Piece)> {
    let (one, other) = (x.kind, y.kind);
    let (x, y) = (settled(x, other)?, settled(y, one)?);
    // Both were without a type.
    let (x, y) = (settled(x, Kind::Text)?, settled(y, Kind::Text)?);
    let fits = match (x.kind, y.kind) {
        (Kind::Flag | Kind::Bool, Kind::Flag | Kind::Bool) => true,
        (Kind::Flag, kind) if kind.is_number() => return Ok((number::flag(&x), y)),
        (kind, Kind::Flag) if kind.is_number() => {
            let y = number::flag(&y);
            return Ok((x, y));
        }
        (Kind::Uuid, Kind::Text | Kind::Label) | (Kind::Text | Kind::Label, Kind::Uuid) => false,
        (one, other) => {
            one == other && !matches!(one, Kind::Json | Kind::Other)
                || one.is_number() && other.is_number()
                || one.is_texts() && other.is_texts()
                || one.is_day() && other.is_day()
        }
    };
    if fits {
        return Ok((x, y));
    }
    let message = format!("A comparison of {} with {}", x.kind.name(), y.kind.name());
    Err(inexact(
        message,
        "Compare values of one type; Postgres makes no type of another in silence",
    ))
}

/// `x op y`.
///
/// # Errors
/// As [`alike`], and for an order that is not that of texts.
pub(super) fn compare(x: Piece, operator: &'static str, y: Piece) -> Result<Piece> {
    let (x, y) = alike(x, y)?;
    let written = match operator {
        "=" | "<>" | "<" | "<=" | ">" | ">=" => operator,
        "is not distinct from" | "is distinct from" => "<=>",
        other => return Err(inexact(format!("The operator {other}"), "Use =, <>, <, <=, >, >=")),
    };
    let ordered = matches!(operator, "<" | "<=" | ">" | ">=");
    if x.kind.is_texts() || y.kind.is_texts() {
        if ordered && [x.kind, y.kind].iter().any(|kind| *kind != Kind::Text) {
            return Err(inexact(
                format!("An order of {} and {}", x.kind.name(), y.kind.name()),
                "Enums and uuids are ordered otherwise here; compare them by = and in (…)",
            ));
        }
        return Ok(texts(&x, operator, written, &y));
    }
    let template = match operator {
        "is distinct from" => "(not ({} <=> {}))".to_owned(),
        _ => format!("({{}} {written} {{}})"),
    };
    Ok(Piece::of(Kind::Bool, &template, &[&x, &y]))
}

/// By bytes. An equality with a value that is known lets an index find the rows first: texts of the same bytes are the
/// same to every collation. (The column's character set may not have every letter.)
fn texts(x: &Piece, operator: &str, written: &str, y: &Piece) -> Piece {
    let (bytes_x, bytes_y) = (x.bytes(), y.bytes());
    let known = |piece: &Piece| matches!(&piece.known, Known::Text(Some(text)) if text.is_ascii());
    let column = |piece: &Piece| match (piece.kind, &piece.column) {
        (Kind::Text, Some(column)) => Some(Piece::new(Kind::Text, column.clone())),
        _ => None,
    };
    match (operator, column(x), column(y)) {
        ("=", Some(bare), _) if known(y) => {
            Piece::of(Kind::Bool, "({} = {} and {} = {})", &[&bare, y, &bytes_x, &bytes_y])
        }
        ("=", _, Some(bare)) if known(x) => {
            Piece::of(Kind::Bool, "({} = {} and {} = {})", &[&bare, x, &bytes_x, &bytes_y])
        }
        ("is distinct from", ..) => Piece::of(Kind::Bool, "(not ({} <=> {}))", &[&bytes_x, &bytes_y]),
        _ => Piece::of(Kind::Bool, &format!("({{}} {written} {{}})"), &[&bytes_x, &bytes_y]),
    }
}

/// `x like pattern`. The pattern is known, so that its escapes mean here what they mean in Postgres.
///
/// # Errors
/// For another pattern, and for one that ends within an escape.
pub(super) fn like(x: Piece, negated: bool, pattern: Piece) -> Result<Piece> {
    let (x, pattern) = (x.characters()?, pattern.characters()?);
    let pattern = match &pattern.known {
        Known::Text(pattern) => pattern.clone(),
        _ if pattern.sql == "null" => None,
        _ => {
            return Err(inexact(
                "A pattern that is not known before the statement runs",
                "Write the pattern as a literal, or take it from the claims",
            ));
        }
    };
    let Some(pattern) = pattern else {
        return Ok(Piece::null(Kind::Bool));
    };
    let pattern = Piece::text(Kind::Text, Some(rewritten(&pattern)?));
    let word = if negated { "not like" } else { "like" };
    let template = format!("({{}} collate utf8mb4_bin {word} {{}} escape '|')");
    // A null among the characters has no collation.
    if x.sql == "null" {
        return Ok(Piece::null(Kind::Bool));
    }
    let x = Piece::of(Kind::Text, "convert({} using utf8mb4)", &[&x]);
    Ok(Piece::of(Kind::Bool, &template, &[&x, &pattern]))
}

/// A pattern whose escape is `|`.
fn rewritten(pattern: &str) -> Result<String> {
    let mut out = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        let (letter, escaped) = match letter {
            '\\' => {
                let next = letters.next();
                let ends = || Error::invalid("22025", "LIKE pattern must not end with escape character");
                (next.ok_or_else(ends)?, true)
            }
            other => (other, false),
        };
        if letter == '|' || (escaped && matches!(letter, '%' | '_')) {
            out.push('|');
        }
        out.push(letter);
    }
    Ok(out)
}
