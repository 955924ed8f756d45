//! Writes: which columns the body sets, what a duplicate does, and the filters that guard an update or a delete.

use std::collections::BTreeSet;

use super::super::parse::keys_differ;
use super::super::request::{Body, CompareOp, Condition, Logic, Missing, Request, Resolution, Test};
use super::columns::Scope;
use super::{Action, Conflict, NewColumn, Predicate, Rows, root, types};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;

/// Plans a POST.
pub(super) fn insert(scope: &Scope<'_>, request: &Request) -> Result<Action> {
    let body = body(request)?;
    let columns = columns(scope, request, request.columns.as_deref(), body)?;
    let conflict = match request.prefer.resolution {
        Some(resolution) => conflict(scope, request, resolution)?,
        None => None,
    };
    Ok(Action::Insert {
        columns,
        rows: rows(body),
        conflict,
        only: None,
    })
}

/// Plans a PUT: the filters name one row by its whole primary key, and the body must be that row.
pub(super) fn put(scope: &Scope<'_>, request: &Request) -> Result<Action> {
    if root(&request.limit).is_some() || root(&request.offset).is_some() {
        return Err(Error::invalid(
            "PGRST114",
            "limit/offset querystring parameters are not allowed for PUT",
        ));
    }
    let filtered: Option<BTreeSet<&str>> = request.filters.iter().map(|filter| eq_column(&filter.value)).collect();
    let key: BTreeSet<&str> = scope.relation.primary_key.iter().map(Ident::as_str).collect();
    if key.is_empty() || filtered.as_ref() != Some(&key) || request.filters.len() != key.len() {
        return Err(Error::new(
            ErrorKind::MethodNotAllowed,
            "PGRST105",
            "Filters must include all and only primary key columns with 'eq' operators",
        ));
    }
    let body = body(request)?;
    if body.rows != 1 {
        return Err(put_mismatch());
    }
    let columns = columns(scope, request, None, body)?;
    if !scope
        .relation
        .primary_key
        .iter()
        .all(|key| columns.iter().any(|column| column.name == *key))
    {
        return Err(put_mismatch().with_hint("Put the primary key into the body too"));
    }
    let conflict = Conflict {
        target: scope.relation.primary_key.clone(),
        resolution: Resolution::Merge,
    };
    let only = scope.predicate(&request.filters)?;
    Ok(Action::Insert {
        columns,
        rows: rows(body),
        conflict: Some(conflict),
        only: Some(only),
    })
}

/// Plans a PATCH.
pub(super) fn update(scope: &Scope<'_>, request: &Request) -> Result<Action> {
    let filter = guarded_filter(scope, request, "UPDATE")?;
    let body = body(request)?;
    if body.rows > 1 {
        return Err(Error::invalid("PGRST102", "An update takes one object")
            .with_details(format!("the body has {} objects", body.rows)));
    }
    Ok(Action::Update {
        columns: columns(scope, request, request.columns.as_deref(), body)?,
        rows: rows(body),
        filter,
    })
}

/// Plans a DELETE.
pub(super) fn delete(scope: &Scope<'_>, request: &Request) -> Result<Action> {
    let filter = guarded_filter(scope, request, "DELETE")?;
    Ok(match scope.relation.hidden.rows {
        true => Action::Mark { filter, deleted: true },
        false => Action::Delete { filter },
    })
}

/// `PGRST115`.
pub(in crate::query) fn put_mismatch() -> Error {
    Error::invalid("PGRST115", "Payload values do not match URL in primary key column(s)")
}

fn guarded_filter(scope: &Scope<'_>, request: &Request, verb: &str) -> Result<Predicate> {
    let filter = scope.predicate(&request.filters)?;
    if filter.is_everything() && !scope.rules.allow_unfiltered_writes {
        return Err(
            Error::invalid("21000", format!("{verb} requires a WHERE clause")).with_hint(
                "Add a filter, for example id=eq.1; to touch every row, filter by a column that is never null",
            ),
        );
    }
    Ok(filter)
}

fn eq_column(logic: &Logic) -> Option<&str> {
    match logic {
        Logic::Condition(Condition {
            field,
            negated: false,
            test: Test::Compare(CompareOp::Eq, None, _),
        }) if field.path.is_empty() => Some(&field.name),
        _ => None,
    }
}

fn body(request: &Request) -> Result<&Body> {
    request
        .body
        .as_ref()
        .ok_or_else(|| Error::invalid("PGRST102", "Empty or invalid json"))
}

fn rows(body: &Body) -> Rows {
    Rows {
        json: body.json.clone(),
        is_array: body.is_array,
        count: body.rows,
    }
}

/// The columns a body sets: those `columns` names, or the keys that all its objects share.
fn columns(scope: &Scope<'_>, request: &Request, chosen: Option<&[String]>, body: &Body) -> Result<Vec<NewColumn>> {
    let names = match chosen {
        Some(names) => names,
        None if body.uniform => &body.keys,
        None => {
            return Err(keys_differ());
        }
    };
    // Without the parameter every object has every key, and nothing is missing.
    let defaults = request.prefer.missing == Some(Missing::Default) && chosen.is_some();
    let mut columns: Vec<NewColumn> = Vec::with_capacity(names.len());
    for name in names {
        let column = scope.body_column(name)?;
        if columns.iter().all(|other| other.name != column.name) {
            columns.push(NewColumn {
                name: column.name.clone(),
                data_type: types::column(&column.data_type, scope.catalog),
                default: column.default.clone().filter(|_| defaults && !column.generated),
            });
        }
    }
    Ok(columns)
}

fn conflict(scope: &Scope<'_>, request: &Request, resolution: Resolution) -> Result<Option<Conflict>> {
    let target = match &request.on_conflict {
        Some(names) if !names.is_empty() => names
            .iter()
            .map(|name| Ok(scope.column(name)?.name.clone()))
            .collect::<Result<_>>()?,
        _ => scope.relation.primary_key.clone(),
    };
    // Without a key nothing can be a duplicate: a plain insert, as upstream.
    Ok((!target.is_empty()).then_some(Conflict { target, resolution }))
}
