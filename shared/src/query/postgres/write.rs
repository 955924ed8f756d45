//! Inserts, updates and deletes: the write in a CTE that returns the columns the reply needs, and no others, so that
//! `return=minimal` asks for no right to select.

use super::super::plan::{Action, Conflict, NewColumn, Plan, Predicate, Rows};
use super::super::request::Resolution;
use super::sql::Sql;
use super::{ROW, assertion, body, filter, read, settings, wants_location};
use crate::ident::literal;
use crate::schema::hidden;

/// The alias of the body's rows.
const NEW: &str = "plinth_new";

/// How far rows were counted that an upsert really inserted: up per row given, down per row updated. A setting, because
/// looking at system columns in `returning` would ask for the right to select.
const COUNTER: &str = "coalesce(nullif(pg_catalog.current_setting('plinth.inserted', true), ''), '0')::bigint";

/// Renders a write.
pub(super) fn render(sql: &mut Sql, plan: &Plan, marker: &str) {
    sql.push("with ");
    if matches!(plan.action, Action::Mark { deleted: true, .. }) {
        // Postgres itself refuses those who have no right to delete.
        sql.push("plinth_right as (delete from ");
        sql.table(plan);
        sql.push(" where false), ");
    }
    sql.push("plinth_source as (");
    match &plan.action {
        Action::Read | Action::Call(_) => {}
        Action::Mark { filter, deleted } => mark(sql, plan, filter, *deleted),
        Action::Insert {
            columns,
            rows,
            conflict,
            only,
        } => {
            insert(sql, plan, columns, rows, conflict.as_ref(), only.as_ref());
        }
        Action::Update { columns, rows, filter } => update(sql, plan, columns, rows, filter),
        Action::Delete { filter } => delete(sql, plan, filter),
    }
    sql.push(") select ");
    body(sql, plan, marker);
    sql.push(", ");
    assertion::counted(sql, plan, marker);
    sql.push(" as page_rows, ");
    sql.push(if plan.prefer.count.is_some() {
        "pg_catalog.count(*)"
    } else {
        "null::bigint"
    });
    sql.push(" as total_rows, ");
    if merges(plan) {
        sql.push(COUNTER);
    } else {
        sql.push("null::bigint");
    }
    sql.push(" as inserted, ");
    if wants_location(plan) {
        sql.push("case when pg_catalog.count(*) = 1 then (pg_catalog.json_agg(plinth_row.*)->0)::text end as location");
    } else {
        sql.push("null::text as location");
    }
    settings(sql);
    sql.push(" from (");
    representation(sql, plan);
    sql.push(") as plinth_row");
}

fn representation(sql: &mut Sql, plan: &Plan) {
    if plan.shows_rows() && !wants_location(plan) {
        return read::rows(sql, &plan.shown);
    }
    sql.push("select ");
    if wants_location(plan) {
        sql.list(&plan.primary_key, |sql, column| {
            sql.column(ROW, column);
            sql.push("::text as ");
            sql.ident(column);
        });
    } else {
        sql.push("1");
    }
    sql.push(&format!(" from plinth_source as {ROW}"));
}

fn insert(
    sql: &mut Sql,
    plan: &Plan,
    columns: &[NewColumn],
    rows: &Rows,
    conflict: Option<&Conflict>,
    only: Option<&Predicate>,
) {
    sql.push("insert into ");
    sql.table(plan);
    sql.push(&format!(" as {ROW} "));
    if columns.is_empty() {
        // `{}` inserts a row of defaults, `[]` none.
        sql.push("select from pg_catalog.generate_series(1, ");
        sql.bind_as(rows.count.to_string(), "bigint");
        sql.push(")");
    } else {
        sql.push("(");
        sql.list(columns, |sql, column| sql.ident(&column.name));
        sql.push(") select ");
        sql.list(columns, |sql, column| sql.column(NEW, &column.name));
        sql.push(" from ");
        new_rows(sql, columns, rows);
    }
    let counted = merges(plan);
    if let Some(only) = only {
        filter::where_clause(sql, NEW, only);
    }
    if counted {
        sql.push(if only.is_some() { " and " } else { " where " });
        count(sql, "+ 1");
    }
    if let Some(conflict) = conflict {
        on_conflict(sql, columns, conflict, counted);
    }
    returning(sql, plan);
}

fn merges(plan: &Plan) -> bool {
    match &plan.action {
        Action::Insert {
            conflict: Some(conflict),
            ..
        } => conflict.resolution == Resolution::Merge,
        _ => false,
    }
}

fn count(sql: &mut Sql, step: &str) {
    sql.push(&format!(
        "pg_catalog.set_config('plinth.inserted', ({COUNTER} {step})::text, true) is not null"
    ));
}

fn on_conflict(sql: &mut Sql, columns: &[NewColumn], conflict: &Conflict, counted: bool) {
    sql.push(" on conflict (");
    sql.list(&conflict.target, |sql, column| sql.ident(column));
    sql.push(") do ");
    if conflict.resolution == Resolution::Ignore || columns.is_empty() {
        return sql.push("nothing");
    }
    sql.push("update set ");
    sql.list(columns, |sql, column| {
        sql.ident(&column.name);
        sql.push(" = excluded.");
        sql.ident(&column.name);
    });
    if counted {
        sql.push(" where ");
        count(sql, "- 1");
    }
}

fn update(sql: &mut Sql, plan: &Plan, columns: &[NewColumn], rows: &Rows, filter: &Predicate) {
    if columns.is_empty() {
        // `{}` changes nothing.
        sql.push("select ");
        sources(sql, plan);
        sql.push(" from ");
        sql.table(plan);
        return sql.push(&format!(" as {ROW} where false"));
    }
    sql.push("update ");
    sql.table(plan);
    sql.push(&format!(" as {ROW} set "));
    sql.list(columns, |sql, column| {
        sql.ident(&column.name);
        sql.push(" = ");
        sql.column(NEW, &column.name);
    });
    sql.push(" from ");
    new_rows(sql, columns, rows);
    filter::where_clause(sql, ROW, filter);
    returning(sql, plan);
}

fn delete(sql: &mut Sql, plan: &Plan, filter: &Predicate) {
    sql.push("delete from ");
    sql.table(plan);
    sql.push(&format!(" as {ROW}"));
    filter::where_clause(sql, ROW, filter);
    returning(sql, plan);
}

/// The moment of a deletion is that of its transaction: the table's policies let such a row through, and it tells rows that
/// were deleted together.
fn mark(sql: &mut Sql, plan: &Plan, filter: &Predicate, deleted: bool) {
    sql.push("update ");
    sql.table(plan);
    sql.push(&format!(" as {ROW} set "));
    sql.ident(&hidden::deleted_at());
    sql.push(if deleted { " = pg_catalog.now()" } else { " = null" });
    filter::where_clause(sql, ROW, filter);
    returning(sql, plan);
}

/// The body as a relation named [`NEW`].
fn new_rows(sql: &mut Sql, columns: &[NewColumn], rows: &Rows) {
    let set = if rows.is_array { "set" } else { "" };
    if columns.iter().any(|column| column.default.is_some()) {
        sql.push(&format!("pg_catalog.jsonb_to_record{set}("));
        with_defaults(sql, columns, rows);
    } else {
        sql.push(&format!("pg_catalog.json_to_record{set}("));
        sql.bind_as(&*rows.json, "json");
    }
    sql.push(&format!(") as {NEW}("));
    sql.list(columns, |sql, column| {
        sql.ident(&column.name);
        sql.push(" ");
        sql.column_type(&column.data_type);
    });
    sql.push(")");
}

/// The body with the defaults of absent keys put in, computed anew for each row.
fn with_defaults(sql: &mut Sql, columns: &[NewColumn], rows: &Rows) {
    let defaults: Vec<String> = columns
        .iter()
        .filter_map(|column| {
            Some(format!(
                "{}, ({})",
                literal(column.name.as_str()),
                column.default.as_ref()?
            ))
        })
        .collect();
    let defaults = format!("pg_catalog.jsonb_build_object({})", defaults.join(", "));
    if rows.is_array {
        sql.push(&format!(
            "(select pg_catalog.jsonb_agg({defaults} || plinth_given.value) "
        ));
        sql.push("from pg_catalog.jsonb_array_elements(");
        sql.bind_as(&*rows.json, "jsonb");
        sql.push(") as plinth_given)");
    } else {
        sql.push(&format!("{defaults} || "));
        sql.bind_as(&*rows.json, "jsonb");
    }
}

fn returning(sql: &mut Sql, plan: &Plan) {
    sql.push(" returning ");
    sources(sql, plan);
}

/// What the reply is made of.
fn sources(sql: &mut Sql, plan: &Plan) {
    if wants_location(plan) {
        sql.list(&plan.primary_key, |sql, column| sql.column(ROW, column));
    } else if plan.shows_rows() {
        read::sources(sql, ROW, &plan.shown);
    } else {
        sql.push("1");
    }
}
