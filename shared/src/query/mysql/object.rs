//! A row as one JSON text.

use super::super::Feature;
use super::super::plan::{Class, Expression, Node, Output, Place, Shown, TypeName};
use super::sql::Sql;
use super::{Param, aggregate, embed, path, unsupported};
use crate::error::Result;
use crate::ident::Ident;

/// Adds a row of `alias` as an object.
pub(super) fn object(sql: &mut Sql, node: &Node, alias: &str) -> Result<()> {
    sql.push("json_object(");
    let mut comma = "";
    for output in &node.outputs {
        key(sql, &mut comma, &output.name);
        member(sql, alias, output)?;
    }
    for embed in &node.embeds {
        match &embed.shown {
            Shown::Hidden => {}
            Shown::Nested => {
                key(sql, &mut comma, &embed.name);
                embed::nested(sql, embed, alias)?;
            }
            Shown::Spread(lifted) => {
                for lifted in lifted {
                    key(sql, &mut comma, &lifted.name);
                    embed::lifted(sql, embed, alias, lifted)?;
                }
            }
        }
    }
    sql.push(")");
    Ok(())
}

fn key(sql: &mut Sql, comma: &mut &'static str, name: &Ident) {
    sql.push(comma);
    *comma = ", ";
    sql.bind(Param::Text(name.to_string()));
    sql.push(", ");
}

/// Adds an output as a value that `json_object` writes down as it is.
pub(super) fn member(sql: &mut Sql, alias: &str, output: &Output) -> Result<()> {
    match &output.expression {
        Expression::Place(place) => shown(sql, alias, place, output.cast.as_ref()),
        Expression::Aggregate(aggregate) => aggregate::member(sql, alias, output, aggregate),
    }
}

fn shown(sql: &mut Sql, alias: &str, place: &Place, cast: Option<&TypeName>) -> Result<()> {
    shown_as(sql, path::class(place), cast, &|sql| path::value(sql, alias, place))
}

/// Adds a value of that class, cast to something or not, as `json_object` shall write it.
pub(super) fn shown_as(sql: &mut Sql, class: Class, cast: Option<&TypeName>, value: Write<'_>) -> Result<()> {
    let (before, after, class) = match cast.map(|cast| target(cast, class)).transpose()? {
        None => ("", "", class),
        // The text of a value as it would be shown without a cast.
        Some("char") if is_rewritten(class) => return rewritten(sql, class, value),
        Some(target) => around(target),
    };
    let cast = |sql: &mut Sql| {
        sql.push(before);
        value(sql);
        sql.push(after);
    };
    match class {
        Class::Json => wrapped(sql, "json_extract(", &cast, ", '$')"),
        Class::Bool => {
            wrapped(sql, "json_extract(case when ", &cast, " then 'true' when not ");
            wrapped(sql, "", &cast, " then 'false' end, '$')");
        }
        class if is_rewritten(class) => return rewritten(sql, class, &cast),
        _ => cast(sql),
    }
    Ok(())
}

/// What makes a value into what a cast asks for, and what that is.
fn around(target: &str) -> (&'static str, &'static str, Class) {
    match target {
        "char" => ("cast(", " as char)", Class::Text),
        "signed" => ("cast(", " as signed)", Class::Integer),
        "date" => ("cast(", " as date)", Class::Date),
        _ => ("(0e0 + ", ")", Class::Float),
    }
}

/// What a cast makes of a value of that class.
pub(super) fn class_of_cast(cast: &TypeName, class: Class) -> Result<Class> {
    Ok(around(target(cast, class)?).2)
}

/// Adds a value as a cast makes it.
pub(super) fn converted(sql: &mut Sql, cast: &TypeName, class: Class, value: Write<'_>) -> Result<()> {
    let (before, after, _) = around(target(cast, class)?);
    wrapped(sql, before, value, after);
    Ok(())
}

type Write<'a> = &'a dyn Fn(&mut Sql);

/// What is not shown as the server prints it.
fn is_rewritten(class: Class) -> bool {
    matches!(
        class,
        Class::Bytes | Class::Bits | Class::Date | Class::Time | Class::DateTime | Class::Timestamp
    )
}

fn rewritten(sql: &mut Sql, class: Class, value: Write<'_>) -> Result<()> {
    match class {
        // A line end after every 76th letter is of no use in JSON.
        Class::Bytes => wrapped(sql, "replace(to_base64(", value, "), char(10), '')"),
        Class::Bits => wrapped(sql, "(", value, " + 0)"),
        Class::Date => wrapped(sql, "date_format(", value, ", '%Y-%m-%d')"),
        Class::Time => trimmed(sql, "time_format(", value, ", '%H:%i:%s.%f')"),
        Class::Timestamp => {
            sql.push("concat(");
            trimmed(sql, "date_format(", value, ", '%Y-%m-%dT%H:%i:%s.%f')");
            sql.push(", ");
            offset(sql, value);
            sql.push(")");
        }
        _ => trimmed(sql, "date_format(", value, ", '%Y-%m-%dT%H:%i:%s.%f')"),
    }
    Ok(())
}

fn wrapped(sql: &mut Sql, before: &str, value: Write<'_>, after: &str) {
    sql.push(before);
    value(sql);
    sql.push(after);
}

/// Without the zeros that end a fraction of a second, as Postgres prints it.
fn trimmed(sql: &mut Sql, before: &str, value: Write<'_>, after: &str) {
    sql.push("trim(trailing '.' from trim(trailing '0' from ");
    wrapped(sql, before, value, after);
    sql.push("))");
}

/// How far the session's time is from UTC at that moment.
fn offset(sql: &mut Sql, value: Write<'_>) {
    if !sql.zoned {
        return sql.push("'+00:00'");
    }
    let minutes = |sql: &mut Sql| {
        wrapped(
            sql,
            "round(timestampdiff(second, timestampadd(second, floor(unix_timestamp(",
            value,
            ")), '1970-01-01 00:00:00'), ",
        );
        value(sql);
        sql.push(") / 60)");
    };
    wrapped(sql, "if(", &minutes, " < 0, '-', '+'), ");
    wrapped(sql, "time_format(sec_to_time(60 * abs(", &minutes, ")), '%H:%i')");
}

/// What a cast makes of a value of that class. Of a text the server would make a number whatever it says.
pub(super) fn target(cast: &TypeName, class: Class) -> Result<&'static str> {
    let TypeName::Builtin { name, array: false } = cast else {
        return Err(unsupported(Feature::Casts, "a cast to this type"));
    };
    let number = matches!(class, Class::Integer | Class::Decimal | Class::Float | Class::Bits);
    let day = matches!(class, Class::Date | Class::DateTime | Class::Timestamp);
    match *name {
        "text" | "varchar" => Ok("char"),
        "int2" | "int4" | "int8" if number => Ok("signed"),
        "float4" | "float8" if number => Ok("double"),
        "date" if day => Ok("date"),
        other => Err(unsupported(Feature::Casts, format_args!("a cast to {other}"))),
    }
}
