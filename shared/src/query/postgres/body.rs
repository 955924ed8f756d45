//! The reply's body, made of the rows named `plinth_row`.

use super::super::plan::{Action, Call, Outcome, Plan, SCALAR};
use super::super::request::{Explain, Format};
use super::size;
use super::sql::Sql;

/// Adds the column `body`: text, or null where no rows are shown.
pub(super) fn body(sql: &mut Sql, plan: &Plan, marker: &str) {
    if !plan.shows_rows() {
        return sql.push("null::text as body");
    }
    let body = sql.aside(|sql| match (&plan.accept.format, &plan.action) {
        (Format::Csv, _) => csv(sql, plan),
        (Format::Raw(_), Action::Call(call)) => raw(sql, plan, call),
        (Format::Json, Action::Call(call)) => result(sql, plan, call),
        (Format::Json | Format::Raw(_), _) => sql.push(&json(plan)),
    });
    // The bytes of a function's result are handed on as they come; they are no text that could be measured.
    if let (Format::Raw(_), Action::Call(Call { bytes: true, .. })) = (&plan.accept.format, &plan.action) {
        sql.push(&body);
        return sql.push(" as body");
    }
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

/// What a function returned: one value bare, several in an array; one row as an object, several in an array.
fn result(sql: &mut Sql, plan: &Plan, call: &Call) {
    let rows = match call.outcome {
        Outcome::Object | Outcome::Rows => "pg_catalog.json_agg(plinth_row.*)".to_owned(),
        Outcome::Nothing | Outcome::Value | Outcome::Values => format!("pg_catalog.json_agg({})", value(plan)),
    };
    let rows = if plan.accept.strip_nulls {
        format!("pg_catalog.json_strip_nulls({rows})")
    } else {
        rows
    };
    if plan.accept.singular || !call.outcome.is_set() {
        sql.push(&format!("coalesce(({rows}->0)::text, 'null')"));
    } else {
        sql.push(&format!("coalesce({rows}, '[]')::text"));
    }
}

/// One value as it stands.
fn raw(sql: &mut Sql, plan: &Plan, call: &Call) {
    let value = value(plan);
    if call.bytes {
        sql.push(&format!("pg_catalog.string_agg({value}, ''::bytea)"));
    } else {
        sql.push(&format!("pg_catalog.string_agg({value}::text, '')"));
    }
}

/// The column that a function's values stand in.
fn value(plan: &Plan) -> String {
    let name = plan
        .shown
        .outputs
        .first()
        .map(|output| output.name.quoted().to_string());
    format!("plinth_row.{}", name.as_deref().unwrap_or(SCALAR))
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
