//! Arithmetic.

use super::inexact;
use super::piece::{Kind, Known, Piece};
use crate::error::{Error, Result};

/// Digits that a decimal has at most, and behind the point.
const DIGITS: u32 = 65;
const SCALE: u32 = 30;

/// A number as it is written in a rule.
///
/// # Errors
/// For one that is no decimal here.
pub(super) fn literal(digits: &str) -> Result<Piece> {
    if let Ok(number) = digits.parse::<i64>() {
        return Ok(Piece::int(Some(number)));
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let fits = whole.len() <= (DIGITS - SCALE) as usize && fraction.len() <= SCALE as usize;
    if !plain(whole) || !plain(fraction) || !fits {
        return Err(inexact(
            format!("The number {digits}"),
            "Write it without an exponent, with 35 digits before and 30 behind the point at most",
        ));
    }
    let scale = u32::try_from(fraction.len()).unwrap_or(SCALE);
    let whole = if whole.is_empty() { "0" } else { whole };
    // Digits and a point: a decimal of just these.
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    let count = u32::try_from(whole.len()).unwrap_or(DIGITS) + scale.max(1);
    Ok(Piece::new(
        Kind::Decimal(count, scale.max(1)),
        format!("{whole}.{fraction}"),
    ))
}

/// `x op y`.
///
/// # Errors
/// For other types than numbers, and where the result would be rounded in another way.
pub(super) fn arithmetic(x: Piece, operator: &'static str, y: Piece) -> Result<Piece> {
    let (x, y) = (number(x, operator)?, number(y, operator)?);
    let kind = match (x.kind, y.kind) {
        (Kind::Int, Kind::Int) => Kind::Int,
        (Kind::Float, _) | (_, Kind::Float) => Kind::Float,
        (one, other) => exact(operator, digits(one), digits(other))?,
    };
    match (operator, kind) {
        ("/", Kind::Decimal(..)) => Err(inexact(
            "A division of decimals",
            "Postgres and this engine round it differently; multiply instead, or divide whole numbers",
        )),
        ("%", Kind::Float) => Err(Error::invalid(
            "42883",
            "operator does not exist: double precision % double precision",
        )),
        ("/" | "%", _) => divided(&x, operator, &y, kind),
        _ => Ok(Piece::of(kind, &format!("({{}} {operator} {{}})"), &[&x, &y])),
    }
}

/// A division whose divisor is not zero. There is no such error here, so another one is raised: one beyond the largest
/// number, made of the divisor so that nothing is computed ahead of its row.
fn divided(x: &Piece, operator: &str, y: &Piece, kind: Kind) -> Result<Piece> {
    let word = match (operator, kind) {
        ("/", Kind::Int) => "div",
        ("/", _) => "/",
        _ => "%",
    };
    if y.known == Known::Int(0) {
        return Err(Error::invalid("22012", "division by zero"));
    }
    if matches!(y.known, Known::Int(_)) {
        return Ok(Piece::of(kind, &format!("({{}} {word} {{}})"), &[x, y]));
    }
    let fails = "(cast({} as unsigned) + 18446744073709551615 + 1)";
    let template = match kind {
        Kind::Int => format!("cast(if({{}} = 0, {fails}, {{}} {word} {{}}) as signed)"),
        _ => format!("if({{}} = 0, {fails}, {{}} {word} {{}})"),
    };
    Ok(Piece::of(kind, &template, &[y, y, x, y]))
}

/// A number, of what may be one.
pub(super) fn number(piece: Piece, operator: &str) -> Result<Piece> {
    match piece.kind {
        Kind::Int | Kind::Decimal(..) | Kind::Float => Ok(piece),
        Kind::Flag => Ok(flag(&piece)),
        Kind::Null => Ok(Piece::null(Kind::Int)),
        Kind::Literal => match &piece.known {
            Known::Text(Some(text)) => super::compare::literal(text, Kind::Int),
            _ => Ok(Piece::null(Kind::Int)),
        },
        other => Err(
            Error::invalid("rules/not-exact", format!("{operator} with {}", other.name()))
                .with_hint("Arithmetic takes numbers"),
        ),
    }
}

/// The number of a `tinyint(1)`.
pub(super) fn flag(piece: &Piece) -> Piece {
    match &piece.column {
        Some(column) => Piece::new(Kind::Int, column.clone()),
        None => Piece {
            kind: Kind::Int,
            ..piece.clone()
        },
    }
}

fn digits(kind: Kind) -> (u32, u32) {
    match kind {
        Kind::Decimal(digits, scale) => (digits, scale),
        _ => (20, 0),
    }
}

/// The digits of a result, if there is room for them.
fn exact(operator: &str, (d1, s1): (u32, u32), (d2, s2): (u32, u32)) -> Result<Kind> {
    let (digits, scale) = match operator {
        "*" => (d1 + d2, s1 + s2),
        "%" => (d1.max(d2), s1.max(s2)),
        _ => (
            d1.saturating_sub(s1).max(d2.saturating_sub(s2)) + s1.max(s2) + 1,
            s1.max(s2),
        ),
    };
    if operator != "/" && (digits > DIGITS || scale > SCALE) {
        return Err(inexact(
            format!("A result of {digits} digits, {scale} of them behind the point"),
            "There is room for 65 digits, 30 behind the point",
        ));
    }
    Ok(Kind::Decimal(digits, scale))
}
