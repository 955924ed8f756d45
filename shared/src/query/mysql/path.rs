//! Places within JSON, with Postgres's meaning: what is not there is null, `->>` makes a text of a value and null of
//! JSON's null, a position leads into arrays only.

use super::super::plan::{Class, Place};
use super::super::request::{JsonKey, JsonStep};
use super::Param;
use super::sql::Sql;

/// What a place holds: `->>` makes texts, `->` leaves JSON.
pub(super) fn class(place: &Place) -> Class {
    match place.path.last() {
        None => place.class,
        Some(step) if step.as_text => Class::Text,
        Some(_) => Class::Json,
    }
}

/// Whether these engines find it: in JSON only, not by names that need escapes of their own, and not from an array's end,
/// which MariaDB loses sight of where arrays hold arrays.
pub(super) fn is_found(place: &Place) -> bool {
    let plain = |name: &str| !name.is_empty() && !name.chars().any(|c| c.is_control() || matches!(c, '"' | '\\'));
    let steps = place.path.iter().all(|step| match &step.key {
        JsonKey::Name(name) => plain(name),
        JsonKey::Index(at) => *at >= 0,
    });
    place.path.is_empty() || (place.class == Class::Json && steps)
}

/// Adds the value of a place.
pub(super) fn value(sql: &mut Sql, alias: &str, place: &Place) {
    let Some(last) = place.path.last() else {
        return sql.column(alias, &place.column);
    };
    if !last.as_text {
        return extracted(sql, alias, place);
    }
    sql.push("(case when json_type(");
    extracted(sql, alias, place);
    sql.push(") = 'NULL' then null else json_unquote(");
    extracted(sql, alias, place);
    sql.push(") end)");
}

/// Adds it as what it is compared and ordered by: texts letter by letter, a truth as one.
pub(super) fn compared(sql: &mut Sql, alias: &str, place: &Place) {
    let (before, after) = match place.class {
        _ if !place.path.is_empty() => ("cast(", " as binary)"),
        Class::Bool => ("(", " <> 0)"),
        _ => ("", ""),
    };
    sql.push(before);
    value(sql, alias, place);
    sql.push(after);
}

fn extracted(sql: &mut Sql, alias: &str, place: &Place) {
    let extract = |sql: &mut Sql, steps: &[JsonStep]| {
        sql.push("json_extract(");
        sql.column(alias, &place.column);
        sql.push(", ");
        sql.bind(Param::Text(text(steps)));
        sql.push(")");
    };
    // Of what is no array these engines would take the whole for its first element.
    let into = |step: &JsonStep| matches!(step.key, JsonKey::Index(_));
    let positions = place.path.iter().enumerate().filter(|(_, step)| into(step));
    let mut word = "(case when json_type(";
    for (at, _) in positions {
        sql.push(word);
        extract(sql, place.path.get(..at).unwrap_or_default());
        sql.push(") = 'ARRAY'");
        word = " and json_type(";
    }
    let guarded = place.path.iter().any(into);
    sql.push(if guarded { " then " } else { "" });
    extract(sql, &place.path);
    sql.push(if guarded { " end)" } else { "" });
}

fn text(steps: &[JsonStep]) -> String {
    let mut text = "$".to_owned();
    for step in steps {
        text += &match &step.key {
            JsonKey::Name(name) => format!(".\"{name}\""),
            JsonKey::Index(at) => format!("[{at}]"),
        };
    }
    text
}
