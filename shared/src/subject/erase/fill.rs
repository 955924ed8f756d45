//! What stands in columns that say nothing of anybody any more.

use super::super::sql::{Kind, Sql, is_aside};
use super::super::{Dialect, LinkOrigin, Table};
use super::checks::{Filled, may_refuse};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::catalog::Column;

/// Whether an erasure can empty a column, or fill it with something that means nothing: not one that is generated, that is of
/// the primary key, or that must have a value and holds a foreign key or is of a type with no such value (an enum), and none of
/// which a check may refuse it.
pub fn fillable(dialect: Dialect, table: &Table, column: &str) -> bool {
    let Some(column) = table.column(column) else {
        return false;
    };
    let leads_on = table
        .links
        .iter()
        .any(|link| matches!(link.origin, LinkOrigin::ForeignKey { .. }) && link.columns.contains(&column.name));
    if column.generated || table.primary_key.contains(&column.name) {
        return false;
    }
    // What lies aside is bound by nothing but its type.
    if column.nullable && is_aside(column) {
        return true;
    }
    let unique = is_unique(table, &column.name);
    let filled = match Kind::of(dialect, column) {
        _ if column.nullable => Filled::Null,
        _ if leads_on || meaningless(dialect, column, unique).is_none() => return false,
        Kind::Text { most } => Filled::Letters(letters(most)),
        Kind::Integer { .. } | Kind::Decimal | Kind::Float if !unique => Filled::Zero,
        _ => Filled::Other,
    };
    !may_refuse(table, column, filled)
}

/// Adds the assignments that empty columns of the row `t`.
///
/// # Errors
/// `privacy/not-fillable`.
pub(super) fn set(sql: &mut Sql, table: &Table, columns: &[&Ident]) -> Result<()> {
    for (at, name) in columns.iter().enumerate() {
        sql.push(if at == 0 { " set " } else { ", " });
        if sql.is_mysql() {
            sql.column("t", name);
        } else {
            sql.name(name);
        }
        sql.push(" = ");
        let filled = filled(sql.dialect(), table, name)?;
        sql.push(&filled);
    }
    Ok(())
}

fn filled(dialect: Dialect, table: &Table, name: &Ident) -> Result<String> {
    let Some(column) = table
        .column(name.as_str())
        .filter(|_| fillable(dialect, table, name.as_str()))
    else {
        return Err(Error::new(
            ErrorKind::Unprocessable,
            "privacy/not-fillable",
            "A column can be neither emptied nor filled with something that means nothing",
        )
        .with_details(format!("{}.{}", table.name, name))
        .with_hint("Delete the table's rows instead, or leave the column out of the rule"));
    };
    if column.nullable {
        return Ok("null".to_owned());
    }
    meaningless(dialect, column, is_unique(table, name)).ok_or_else(|| Error::internal("no value for a column"))
}

/// Whether a column is, with others or alone, what no two rows share.
fn is_unique(table: &Table, name: &Ident) -> bool {
    table.unique_keys.iter().any(|key| key.contains(name))
}

const PREFIX: &str = "erased-";
const DRAWN: usize = 32;

/// How many [`text`] has.
fn letters(most: Option<usize>) -> usize {
    match most {
        Some(most) if most < PREFIX.len() + DRAWN => most.min(DRAWN),
        _ => PREFIX.len() + DRAWN,
    }
}

/// Letters and digits, as many as `most` at the most, drawn for each row.
fn text(dialect: Dialect, most: Option<usize>) -> String {
    let drawn = match dialect {
        Dialect::MySql => "md5(concat(rand(), uuid()))",
        Dialect::Postgres | Dialect::Cockroach => "replace(gen_random_uuid()::text, '-', '')",
    };
    match most {
        Some(most) if most < DRAWN => format!("left({drawn}, {most})"),
        Some(most) if most < PREFIX.len() + DRAWN => drawn.to_owned(),
        _ if dialect == Dialect::MySql => format!("concat('{PREFIX}', {drawn})"),
        _ => format!("'{PREFIX}' || {drawn}"),
    }
}

/// A value of the column's type that means nothing; for a unique one, another in each row. `None` for a type that has none.
fn meaningless(dialect: Dialect, column: &Column, unique: bool) -> Option<String> {
    let is_mysql = dialect == Dialect::MySql;
    let random = if is_mysql { "rand()" } else { "random()" };
    let fixed = |text: &str| Some(text.to_owned());
    Some(match Kind::of(dialect, column) {
        Kind::Integer { bytes, .. } if unique => {
            // Below what the type holds, and for the largest one what a float holds exactly.
            let most = 2_u64.pow((u32::from(bytes) * 8 - 1).min(53)) - 1;
            format!("-floor({random} * {most})").replacen(
                '-',
                if column.data_type.contains("unsigned") { "" } else { "-" },
                1,
            )
        }
        Kind::Integer { .. } | Kind::Decimal | Kind::Float | Kind::Bits if !unique => return fixed("0"),
        Kind::Float => format!("-{random}"),
        Kind::Bool if !unique => return fixed("false"),
        Kind::Text { most } => text(dialect, most),
        Kind::Uuid if is_mysql => return fixed("md5(concat(rand(), uuid()))"),
        Kind::Uuid => return fixed("gen_random_uuid()"),
        Kind::Bytes { most, .. } if is_mysql => {
            let drawn = "unhex(sha2(concat(rand(), uuid()), 256))";
            match most {
                Some(most) => format!("rpad(left({drawn}, {most}), {most}, 0x00)"),
                None => drawn.to_owned(),
            }
        }
        Kind::Bytes { .. } => return fixed("decode(replace(gen_random_uuid()::text, '-', ''), 'hex')"),
        Kind::Json if !unique => return fixed("'{}'"),
        Kind::Date if unique && is_mysql => {
            return fixed("date_sub('1970-01-01', interval floor(rand() * 300000) day)");
        }
        Kind::Date if unique => return fixed("date '1970-01-01' - floor(random() * 300000)::integer"),
        Kind::Date => return fixed("'1970-01-01'"),
        Kind::DateTime { moment: true } if unique && is_mysql => {
            return fixed("from_unixtime(1 + floor(rand() * 2000000000))");
        }
        Kind::DateTime { moment: false } if unique && is_mysql => {
            return fixed("date_sub('1970-01-01', interval floor(rand() * 10000000000) second)");
        }
        Kind::DateTime { .. } if unique => {
            return fixed("timestamp '1970-01-01' - random() * interval '300000 days'");
        }
        // Where moments are counted from 1970, none is before its second second.
        Kind::DateTime { .. } if is_mysql => return fixed("'1970-01-02 00:00:00'"),
        Kind::DateTime { .. } => return fixed("'1970-01-01'"),
        Kind::Time if !unique => return fixed("'00:00:00'"),
        Kind::Interval if !unique => return fixed("'0'"),
        Kind::Address if !unique => match column.data_type.as_str() {
            "inet6" => return fixed("'::'"),
            _ => return fixed("'0.0.0.0'"),
        },
        Kind::Year if !unique => return fixed("1970"),
        Kind::Set if !unique => return fixed("''"),
        Kind::Array if !unique => return fixed("'{}'"),
        _ => return None,
    })
}
