//! Functions that mean the same on both sides.

use super::piece::{Kind, Known, Piece};
use super::{compare, inexact, number};
use crate::error::{Error, Result};

/// A call.
///
/// # Errors
/// For a function that has no exact match, by its name.
pub(super) fn call(name: &str, arguments: Vec<Piece>) -> Result<Piece> {
    let mut arguments = arguments.into_iter();
    let mut next = || {
        arguments
            .next()
            .ok_or_else(|| Error::internal("an argument is missing"))
    };
    match name {
        "coalesce" => {
            let (parts, kind) = common(arguments.collect())?;
            let list = vec!["{}"; parts.len()].join(", ");
            Ok(Piece::of(
                kind,
                &format!("coalesce({list})"),
                &parts.iter().collect::<Vec<_>>(),
            ))
        }
        "nullif" => {
            let (x, y) = (next()?, next()?);
            let equal = compare::compare(x.clone(), "=", y)?;
            let (mut parts, kind) = common(vec![x])?;
            let x = parts.remove(0);
            Ok(Piece::of(kind, "(case when {} then null else {} end)", &[&equal, &x]))
        }
        "abs" => {
            let x = number::number(next()?, name)?;
            Ok(Piece::of(x.kind, "abs({})", &[&x]))
        }
        "mod" => number::arithmetic(next()?, "%", next()?),
        "length" | "char_length" => Ok(Piece::of(Kind::Int, "char_length({})", &[&characters(next()?)?])),
        "octet_length" => Ok(Piece::of(Kind::Int, "length({})", &[&characters(next()?)?])),
        "starts_with" => starts_with(next()?, &next()?),
        "now" | "current_timestamp" => Ok(Piece::new(Kind::Timestamp, "now(6)")),
        "localtimestamp" => Ok(Piece::new(Kind::DateTime, "now(6)")),
        "current_date" => Ok(Piece::new(Kind::Date, "current_date()")),
        other => Err(inexact(
            format!("The function {other}"),
            "Rules have abs, char_length, coalesce, current_date, length, localtimestamp, mod, now, nullif, octet_length \
             and starts_with here",
        )),
    }
}

fn characters(piece: Piece) -> Result<Piece> {
    let piece = piece.characters()?;
    Ok(Piece::of(Kind::Text, "convert({} using utf8mb4)", &[&piece]))
}

fn starts_with(x: Piece, beginning: &Piece) -> Result<Piece> {
    let beginning = beginning.clone().characters()?;
    let (x, y) = (characters(x)?.bytes(), characters(beginning)?.bytes());
    Ok(Piece::of(Kind::Bool, "(left({}, length({})) = {})", &[&x, &y, &y]))
}

/// A value's text, as Postgres writes it.
///
/// # Errors
/// For types that are written in another way.
pub(super) fn text(piece: Piece) -> Result<Piece> {
    match (piece.kind, &piece.known) {
        (Kind::Text, _) => Ok(piece),
        (Kind::Literal | Kind::Uid | Kind::Uuid, Known::Text(text)) => Ok(Piece::text(Kind::Text, text.clone())),
        (Kind::Uuid | Kind::Label, _) => Ok(Piece {
            kind: Kind::Text,
            column: None,
            ..piece
        }),
        (Kind::Null, _) => Ok(Piece::null(Kind::Text)),
        (Kind::Int, _) => Ok(Piece::of(
            Kind::Text,
            "convert(cast({} as char) using utf8mb4)",
            &[&piece],
        )),
        (other, _) => Err(inexact(
            format!("The text of {}", other.name()),
            "It is written in another way here; texts, whole numbers and ids have the same text",
        )),
    }
}

/// `x || y`.
///
/// # Errors
/// As [`text`]; where neither is a text.
pub(super) fn concat(x: Piece, y: Piece) -> Result<Piece> {
    let is_text = |piece: &Piece| matches!(piece.kind, Kind::Text | Kind::Literal);
    if !is_text(&x) && !is_text(&y) {
        let message = format!("|| of {} and {}", x.kind.name(), y.kind.name());
        return Err(inexact(message, "One of the two is a text"));
    }
    let (x, y) = (text(x)?, text(y)?);
    Ok(Piece::of(
        Kind::Text,
        "convert(concat({}, {}) using utf8mb4)",
        &[&x, &y],
    ))
}

/// Values of one type.
///
/// # Errors
/// For types that have none in common.
pub(super) fn common(parts: Vec<Piece>) -> Result<(Vec<Piece>, Kind)> {
    let typed = parts
        .iter()
        .map(|part| part.kind)
        .filter(|kind| !matches!(kind, Kind::Null | Kind::Literal));
    let mut kind = None;
    for other in typed {
        kind = Some(match (kind, other) {
            (None | Some(Kind::Flag | Kind::Bool), Kind::Flag | Kind::Bool) => Kind::Bool,
            (None, first) => first,
            (Some(one), other) if one == other => one,
            (Some(one), other) if one.is_number() && other.is_number() => widest(one, other),
            (Some(one), other) => {
                let message = format!("{} beside {} in one place", one.name(), other.name());
                return Err(inexact(message, "Give values of one type"));
            }
        });
    }
    let kind = match kind {
        Some(Kind::Json | Kind::Other) => {
            return Err(inexact("A choice among values of this type", "Compare them first"));
        }
        Some(kind) => kind,
        None => Kind::Text,
    };
    let same = parts.into_iter().map(|part| match (part.kind, &part.known) {
        (Kind::Null, _) => Ok(Piece::null(kind)),
        (Kind::Literal, Known::Text(Some(text))) => compare::literal(&text.clone(), kind),
        // A choice is no column any more, and not known.
        _ => Ok(Piece {
            column: None,
            known: Known::No,
            kind,
            ..part
        }),
    });
    Ok((same.collect::<Result<_>>()?, kind))
}

fn widest(one: Kind, other: Kind) -> Kind {
    match (one, other) {
        (Kind::Float, _) | (_, Kind::Float) => Kind::Float,
        (Kind::Decimal(d1, s1), Kind::Decimal(d2, s2)) => {
            let scale = s1.max(s2);
            Kind::Decimal(
                (d1.saturating_sub(s1).max(d2.saturating_sub(s2)) + scale).min(65),
                scale,
            )
        }
        (Kind::Decimal(d, s), _) | (_, Kind::Decimal(d, s)) => Kind::Decimal(d.max(20 + s).min(65), s),
        _ => Kind::Int,
    }
}
