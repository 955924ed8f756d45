//! Predicates.

use super::super::plan::{Class, Place, Predicate};
use super::super::request::{CompareOp, Quantifier, SearchKind};
use super::sql::{Sql, class_behind};

/// Adds ` where …`, or nothing if every row satisfies the predicate, of rows that nothing is embedded in.
pub(super) fn where_clause(sql: &mut Sql, alias: &str, predicate: &Predicate) {
    if !predicate.is_everything() {
        sql.push(" where ");
        render(sql, alias, &|sql, _| sql.push("true"), predicate);
    }
}

/// Adds the condition that there are rows in the embed at a position.
pub(super) type Has<'a> = &'a dyn Fn(&mut Sql, usize);

/// Adds a predicate over the columns of `alias`.
pub(super) fn render(sql: &mut Sql, alias: &str, has: Has<'_>, predicate: &Predicate) {
    match predicate {
        Predicate::All(parts) => joined(sql, alias, has, parts, " and ", "true"),
        Predicate::Any(parts) => joined(sql, alias, has, parts, " or ", "false"),
        Predicate::Not(inner) => {
            sql.push("not (");
            render(sql, alias, has, inner);
            sql.push(")");
        }
        Predicate::Compare(place, op, quantifier, value) => compare(sql, alias, place, *op, *quantifier, value),
        Predicate::Relate(place, op, value) => {
            sql.place(alias, place);
            sql.push(&format!(" {} ", op.sql()));
            sql.bind(value.as_str());
        }
        Predicate::In(place, values) => is_in(sql, alias, place, values),
        Predicate::Is(place, value) => {
            sql.place(alias, place);
            sql.push(" is ");
            sql.push(value.sql());
        }
        Predicate::IsDistinct(place, value) => {
            sql.place(alias, place);
            sql.push(" is distinct from ");
            sql.bind(value.as_str());
        }
        Predicate::Has(at) => has(sql, *at),
        Predicate::Search(place, kind, config, query) => search(sql, alias, place, *kind, config.as_deref(), query),
    }
}

fn joined(sql: &mut Sql, alias: &str, has: Has<'_>, parts: &[Predicate], word: &str, empty: &str) {
    if parts.is_empty() {
        return sql.push(empty);
    }
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            sql.push(word);
        }
        let grouped = matches!(part, Predicate::All(_) | Predicate::Any(_));
        if grouped {
            sql.push("(");
        }
        render(sql, alias, has, part);
        if grouped {
            sql.push(")");
        }
    }
}

fn compare(sql: &mut Sql, alias: &str, place: &Place, op: CompareOp, quantifier: Option<Quantifier>, value: &str) {
    sql.place(alias, place);
    sql.push(&format!(" {} ", op.sql()));
    let value = match op {
        CompareOp::Like | CompareOp::Ilike => value.replace('*', "%"),
        _ => value.to_owned(),
    };
    match quantifier {
        None => sql.bind(value),
        Some(quantifier) => {
            sql.push(if quantifier == Quantifier::Any { "any(" } else { "all(" });
            sql.bind(value);
            sql.push(")");
        }
    }
}

fn is_in(sql: &mut Sql, alias: &str, place: &Place, values: &[String]) {
    // There is no array of arrays, so `= any` has no type for an array column.
    if class_behind(place) == Class::Array {
        if values.is_empty() {
            return sql.push("false");
        }
        sql.place(alias, place);
        sql.push(" in (");
        sql.list(values, |sql, value| sql.bind(value.as_str()));
        return sql.push(")");
    }
    sql.place(alias, place);
    sql.push(" = any(");
    sql.bind(array_literal(values));
    sql.push(")");
}

/// `{"a","b"}`: every element quoted, so that none is taken for null or for a nested array.
pub(super) fn array_literal(values: &[String]) -> String {
    let mut literal = String::from("{");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            literal.push(',');
        }
        literal.push('"');
        for c in value.chars() {
            if matches!(c, '"' | '\\') {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push('"');
    }
    literal.push('}');
    literal
}

fn search(sql: &mut Sql, alias: &str, place: &Place, kind: SearchKind, config: Option<&str>, query: &str) {
    if matches!(class_behind(place), Class::Text | Class::Json) {
        sql.push("pg_catalog.to_tsvector(");
        search_config(sql, config);
        sql.place(alias, place);
        sql.push(")");
    } else {
        sql.place(alias, place);
    }
    sql.push(&format!(" @@ pg_catalog.{}(", kind.sql()));
    search_config(sql, config);
    sql.bind(query);
    sql.push(")");
}

fn search_config(sql: &mut Sql, config: Option<&str>) {
    if let Some(config) = config {
        sql.bind_as(config, "pg_catalog.regconfig");
        sql.push(", ");
    }
}
