//! What a new row is made of: the template's columns that a person writes, each with a value that goes into it.

use jiff::civil::Date;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::super::template::{Column, Kind, Table, Written};
use crate::connections::shown;
use crate::error::{Error, Result};
use crate::query::plan::nearest;

/// Characters of a text of any shape.
const LONGEST: usize = 20_000;
/// What fits into two decimals of fourteen digits.
const MOST_MONEY: f64 = 1e12;

/// Reads a row: members by the columns' names, or as JavaScript writes them (`projectId`). Null is as left out.
///
/// # Errors
/// 400 `board/body`, with a line for every fault.
pub(super) fn row(table: &Table, body: &Value) -> Result<Map<String, Value>> {
    let Some(members) = body.as_object() else {
        return Err(refused(table, &["body: an object is expected".to_owned()]));
    };
    let mut row = Map::new();
    let mut faults = Vec::new();
    for (given, value) in members {
        let name = snake(given);
        match writable(table).find(|column| column.name == name) {
            None => faults.push(unknown(table, given, &name)),
            Some(column) if row.contains_key(column.name) => {
                faults.push(format!("body.{}: it is given twice", column.name));
            }
            Some(_) if value.is_null() => {}
            Some(column) => match taken(column.kind, value) {
                Ok(value) => drop(row.insert(name, value)),
                Err(expected) => faults.push(format!("body.{}: {expected}", column.name)),
            },
        }
    }
    let required = writable(table).filter(|column| column.written == Written::Required);
    for column in required.filter(|column| !row.contains_key(column.name)) {
        let told = format!("body.{}", column.name);
        if !faults.iter().any(|fault| fault.starts_with(&told)) {
            faults.push(format!("{told}: it is missing"));
        }
    }
    if faults.is_empty() {
        Ok(row)
    } else {
        Err(refused(table, &faults))
    }
}

fn writable(table: &Table) -> impl Iterator<Item = &'static Column> {
    table.columns.iter().filter(|column| column.written != Written::Never)
}

fn refused(table: &Table, faults: &[String]) -> Error {
    let names: Vec<_> = writable(table).map(|column| column.name).collect();
    Error::invalid("board/body", "The body does not have the expected shape")
        .with_details(faults.join("\n"))
        .with_hint(format!("Fields are {}", names.join(", ")))
}

fn unknown(table: &Table, given: &str, name: &str) -> String {
    let path = format!("body.{}", shown(given));
    if table.column(name).is_some() {
        return format!("{path}: it is not yours to set; rows are always the caller's own");
    }
    match nearest(name, writable(table).map(|column| column.name)) {
        Some(near) => format!("{path}: there is no such field; perhaps you meant {near}"),
        None => format!("{path}: there is no such field"),
    }
}

/// `projectId` is `project_id`.
fn snake(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

/// The value as it is stored, or what was expected.
fn taken(kind: Kind, value: &Value) -> Result<Value, String> {
    let text = |most: usize| {
        let text = value.as_str().filter(|text| !text.contains('\0'));
        let text = text.filter(|text| !text.trim().is_empty() && text.chars().count() <= most);
        text.ok_or_else(|| format!("a text of 1 to {most} characters is expected"))
    };
    match kind {
        Kind::Line(most) => {
            let line = text(most)?;
            if line.chars().any(char::is_control) {
                return Err("one line is expected".to_owned());
            }
            Ok(value.clone())
        }
        Kind::Text => text(LONGEST).map(|_| value.clone()),
        Kind::Id => {
            let id = value.as_str().and_then(|text| text.parse::<Uuid>().ok());
            let id = id.ok_or("an id (UUID) is expected")?;
            Ok(Value::from(id.to_string()))
        }
        Kind::Money => {
            let fits = value.as_f64().is_some_and(|number| (0.0..MOST_MONEY).contains(&number));
            fits.then(|| value.clone())
                .ok_or_else(|| "a number from 0 to below 1000000000000 is expected".to_owned())
        }
        Kind::Whole => {
            let fits = value.as_u64().is_some_and(|number| number <= 1000);
            fits.then(|| value.clone())
                .ok_or_else(|| "a whole number from 0 to 1000 is expected".to_owned())
        }
        Kind::Day | Kind::Moment => {
            let day = value.as_str().filter(|text| text.len() == 10);
            let day = day.and_then(|text| text.parse::<Date>().ok());
            let day = day.filter(|day| day.year() >= 1000);
            let day = day.ok_or("a day like 2026-12-31 is expected")?;
            Ok(Value::from(day.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::template::{PROJECTS, TASKS, TEAM_MEMBERS};
    use super::*;

    #[test]
    fn a_row_is_taken_by_either_spelling_and_null_is_left_out() {
        for (table, body, expected) in [
            (
                &PROJECTS,
                json!({ "name": "A", "budget": 1200.5, "status": "active", "dueDate": "2026-12-31" }),
                json!({ "name": "A", "budget": 1200.5, "status": "active", "due_date": "2026-12-31" }),
            ),
            (
                &TASKS,
                json!({ "title": "T", "projectId": "6B2F6A0E-5F0C-4B57-9F3E-0A1B2C3D4E5F", "assignee": null }),
                json!({ "title": "T", "project_id": "6b2f6a0e-5f0c-4b57-9f3e-0a1b2c3d4e5f" }),
            ),
            (
                &TEAM_MEMBERS,
                json!({ "name": "N", "email": "n@example.com", "workload": 40 }),
                json!({ "name": "N", "email": "n@example.com", "workload": 40 }),
            ),
        ] {
            assert_eq!(Value::Object(row(table, &body).unwrap()), expected);
        }
    }

    #[test]
    fn every_fault_is_told_with_the_nearest_name() {
        let body = json!({
            "titel": "x", "user_id": "another", "id": 1, "created_at": "now", "projectId": "5", "project_id": "6",
            "due_date": "31.12.2026", "status": "", "priority": "a\nb", "zzzzzzzz": 1,
        });
        let error = row(&TASKS, &body).unwrap_err();
        assert_eq!(error.code(), "board/body");
        insta::assert_snapshot!(error.details().unwrap(), @r"
        body.created_at: it is not yours to set; rows are always the caller's own
        body.due_date: a day like 2026-12-31 is expected
        body.id: it is not yours to set; rows are always the caller's own
        body.priority: one line is expected
        body.project_id: an id (UUID) is expected
        body.project_id: an id (UUID) is expected
        body.status: a text of 1 to 40 characters is expected
        body.titel: there is no such field; perhaps you meant title
        body.user_id: it is not yours to set; rows are always the caller's own
        body.zzzzzzzz: there is no such field
        body.title: it is missing
        ");
        for (table, body, fault) in [
            (&PROJECTS, json!([]), "body: an object is expected"),
            (&PROJECTS, json!({ "name": 5 }), "body.name: a text of 1 to 200"),
            (
                &PROJECTS,
                json!({ "name": "x".repeat(201) }),
                "body.name: a text of 1 to 200",
            ),
            (
                &PROJECTS,
                json!({ "name": "a", "budget": -1 }),
                "body.budget: a number from 0",
            ),
            (
                &PROJECTS,
                json!({ "name": "a", "budget": "1" }),
                "body.budget: a number from 0",
            ),
            (
                &PROJECTS,
                json!({ "name": "a", "budget": 1e300 }),
                "body.budget: a number from 0",
            ),
            (&PROJECTS, json!({ "name": "a\u{0}" }), "body.name: a text of 1"),
            (
                &TEAM_MEMBERS,
                json!({ "name": "a", "email": "b", "workload": 1.5 }),
                "body.workload: a whole number",
            ),
        ] {
            let error = row(table, &body).unwrap_err();
            assert!(error.details().unwrap().starts_with(fault), "{:?}", error.details());
        }
    }
}
