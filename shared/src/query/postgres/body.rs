//! The reply's body, made of the rows named `plinth_row`.

use super::super::plan::Plan;
use super::super::request::{Explain, Format};
use super::size;
use super::sql::Sql;

/// Adds the column `body`: text, or null where no rows are shown.
pub(super) fn body(sql: &mut Sql, plan: &Plan, marker: &str) {
    if !plan.shows_rows() {
        return sql.push("null::text as body");
    }
    let body = match plan.accept.format {
        Format::Csv => sql.aside(|sql| csv(sql, plan)),
        Format::Json | Format::Raw(_) => json(plan),
    };
    size::bounded(sql, plan, marker, &body);
    sql.push(" as body");
}

fn json(plan: &Plan) -> String {
    let rows = "pg_catalog.json_agg(plinth_row.*)";
    let rows = if plan.accept.strip_nulls {
        format!("pg_catalog.json_strip_nulls({rows})")
    } else {
        rows.to_owned()
    };
    if plan.accept.singular {
        format!("({rows}->0)::text")
    } else {
        format!("coalesce({rows}, '[]')::text")
    }
}

/// A line of names, then the rows as Postgres writes them down, which quotes as CSV does. What holds a parenthesis is
/// quoted, so that the outermost ones are the row's own.
fn csv(sql: &mut Sql, plan: &Plan) {
    sql.push("(");
    if plan.shown.everything {
        // The names are those of the first row.
        sql.push("coalesce((select pg_catalog.string_agg(plinth_key, ',') from pg_catalog.json_object_keys(");
        sql.push("pg_catalog.json_agg(plinth_row.*)->0) as plinth_key), '') || e'\\n'");
    } else {
        let names = plan.shown.members();
        let names: Vec<String> = names.into_iter().map(|name| field(name.as_str())).collect();
        sql.bind_as(format!("{}\n", names.join(",")), "text");
    }
    sql.push(" || coalesce(pg_catalog.string_agg(pg_catalog.btrim((plinth_row.*)::text, '()'), e'\\n'), ''))");
}

/// A name as a field, quoted where it must be.
fn field(name: &str) -> String {
    if name.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", name.replace('"', "\"\""))
    } else {
        name.to_owned()
    }
}

/// Adds what makes a statement tell its plan instead of its rows.
pub(super) fn explain(sql: &mut Sql, explain: Explain) {
    sql.push(if explain.json {
        "explain (format json"
    } else {
        "explain (format text"
    });
    for option in explain.options() {
        sql.push(", ");
        sql.push(option);
    }
    sql.push(") ");
}
