//! Inserts, updates and deletes.

use std::collections::HashMap;

use serde_json::value::RawValue;

use super::super::Feature;
use super::super::plan::{Action, Conflict, NewColumn, Plan, Predicate, RowAccess, Rows, put_mismatch};
use super::super::request::{CompareOp, Resolution, Return};
use super::rule::{self, Checks, Piece, Row};
use super::sql::Sql;
use super::value::{Bound, plain, same, written};
use super::{DENIED, FOUND, Flavour, Param, Statement, object, read, unsupported};
use crate::error::{Error, Result};
use crate::ident::Ident;
use crate::query::row_rules::Clause;

/// Parameters that one statement takes at most, with room for those of what it returns.
const MOST_PARAMS: usize = 60_000;

/// The statements of an insert.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Insert {
    /// Each returns, as far as the flags say, for each row: its JSON, its location, its key, [`FOUND`], and whether the
    /// rules let it be: as a new row, and of an upsert that merges also as a changed one.
    pub statements: Vec<Statement>,
    /// Whether the JSON of the row comes first.
    pub shown: bool,
    /// Whether the location comes next.
    pub located: bool,
    /// How many columns of a key come next.
    pub keys: usize,
    /// Whether rows may be there already: then [`FOUND`] is counted, and comes next if anything is returned.
    pub upsert: bool,
    /// Whether rules are asked; what they say comes last.
    pub checked: bool,
    /// Whether rows that are there stay as they are.
    pub ignores: bool,
    /// Rows given.
    pub count: u64,
}

/// The statements of an update.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The keys of the rows that match, locked, where rows are shown.
    pub keys: Option<Statement>,
    /// The change; nothing where nothing is set.
    pub change: Option<Statement>,
    /// What it sets of the key: position and value.
    pub moved: Vec<(usize, Param)>,
    /// Whether rules must be asked about the rows that it leaves, by their keys.
    pub checked: bool,
}

/// The statements of a delete.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The rows as they were, where they are shown.
    pub rows: Option<Statement>,
    /// The delete.
    pub change: Statement,
}

/// An object of the body.
type Given<'a> = HashMap<String, &'a RawValue>;

fn given(rows: &Rows) -> Result<Vec<Given<'_>>> {
    let unreadable = |_| Error::invalid("PGRST102", "Empty or invalid json");
    if rows.is_array {
        serde_json::from_str(&rows.json).map_err(unreadable)
    } else {
        Ok(vec![serde_json::from_str(&rows.json).map_err(unreadable)?])
    }
}

fn value(column: &NewColumn, row: &Given<'_>) -> Result<Bound> {
    match row.get(column.name.as_str()) {
        Some(json) => written(column.data_type.class(), json),
        None if column.default.is_some() => Ok(Bound::default()),
        None => Ok(Bound::null()),
    }
}

/// Renders an insert.
///
/// # Errors
/// A value that its column cannot have; `PGRST115`.
pub fn insert(plan: &Plan, flavour: Flavour) -> Result<Insert> {
    let Action::Insert {
        columns,
        rows,
        conflict,
        only,
    } = &plan.action
    else {
        return Err(Error::internal("not an insert"));
    };
    let given = given(rows)?;
    if let Some(only) = only {
        put(columns, &given, only)?;
    }
    let returns = flavour == Flavour::MariaDb;
    let located = returns && plan.prefer.representation == Some(Return::HeadersOnly) && !plan.primary_key.is_empty();
    let direct = plan.shown.embeds.is_empty() && plan.shown.order.is_empty();
    let shown = returns && plan.shows_rows() && direct;
    let checks = checks(plan, conflict.as_ref(), located)?;
    if checks.any() && !returns {
        return Err(unsupported(
            Feature::ReturnInserted,
            "an insert whose rows a policy checks, without RETURNING",
        ));
    }
    let mut insert = Insert {
        statements: Vec::new(),
        shown,
        located,
        keys: if returns && plan.shows_rows() && !direct {
            plan.primary_key.len()
        } else {
            0
        },
        upsert: conflict.is_some(),
        checked: checks.any(),
        ignores: conflict
            .as_ref()
            .is_some_and(|conflict| conflict.resolution == Resolution::Ignore),
        count: given.len() as u64,
    };
    let chunk = (MOST_PARAMS / columns.len().max(1)).max(1);
    for rows in given.chunks(chunk) {
        insert
            .statements
            .push(one(plan, columns, rows, conflict.as_ref(), &insert, &checks)?);
    }
    Ok(insert)
}

/// What the rules ask of an insert. Whose rows are returned, or found by a key, must also be seen.
fn checks(plan: &Plan, conflict: Option<&Conflict>, located: bool) -> Result<Checks> {
    let reads = plan.shows_rows() || located || conflict.is_some();
    let clauses = |clause| [Some(clause), reads.then_some(Clause::Select)];
    let ask = |clause, row: &Row| {
        let clauses: Vec<Clause> = clauses(clause).into_iter().flatten().collect();
        rule::both(plan, &clauses, row)
    };
    let own = Row::Of(plan.table.backticked().to_string());
    let merges = conflict.is_some_and(|conflict| conflict.resolution == Resolution::Merge);
    let mut checks = Checks {
        inserted: ask(Clause::Insert, &own)?,
        ..Checks::default()
    };
    if conflict.is_some() {
        checks.proposed = ask(Clause::Insert, &Row::Proposed)?;
    }
    if merges {
        checks.updated = ask(Clause::Updated, &own)?;
        checks.existing = ask(Clause::Update, &own)?;
    }
    Ok(checks)
}

/// What the rules ask of a row that an update leaves.
pub(super) fn updated(plan: &Plan, row: &Row) -> Result<Option<Piece>> {
    let Action::Update { filter, .. } = &plan.action else {
        return Ok(None);
    };
    let reads = !filter.is_everything() || plan.shows_rows();
    let clauses = [Some(Clause::Updated), reads.then_some(Clause::Select)];
    let clauses: Vec<Clause> = clauses.into_iter().flatten().collect();
    rule::both(plan, &clauses, row)
}

fn one(
    plan: &Plan,
    columns: &[NewColumn],
    rows: &[Given<'_>],
    conflict: Option<&Conflict>,
    insert: &Insert,
    checks: &Checks,
) -> Result<Statement> {
    let mut sql = Sql::of(plan);
    sql.push("insert into ");
    sql.qualified(plan.schema.as_ref(), &plan.table);
    sql.push(" (");
    sql.idents(columns.iter().map(|column| &column.name));
    sql.push(") values ");
    sql.list(rows, |sql, row| {
        sql.push("(");
        sql.list(columns, |sql, column| {
            sql.bound(value(column, row)?);
            Ok(())
        })?;
        sql.push(")");
        Ok(())
    })?;
    if let Some(conflict) = conflict {
        on_duplicate(&mut sql, (plan, columns), conflict, checks)?;
    }
    returning(&mut sql, plan, insert, checks)?;
    Ok(sql.finish())
}

/// These engines update the row that any unique key finds. Where it is not the key that was meant, the first assignment
/// asks for one row of two and so fails the statement (error 1242).
fn on_duplicate(
    sql: &mut Sql,
    (plan, columns): (&Plan, &[NewColumn]),
    conflict: &Conflict,
    checks: &Checks,
) -> Result<()> {
    let Some(first) = conflict.target.first() else {
        return Ok(());
    };
    let is_set = |name: &Ident| columns.iter().any(|column| column.name == *name);
    let merges = conflict.resolution == Resolution::Merge;
    sql.push(" on duplicate key update ");
    sql.ident(first);
    sql.push(" = if(");
    for (at, column) in conflict.target.iter().enumerate() {
        sql.push(if at > 0 { " and " } else { "" });
        sql.ident(column);
        sql.push(" <=> values(");
        sql.ident(column);
        sql.push(")");
    }
    sql.push(&format!(", if(({FOUND} := {FOUND} + 1) > 0"));
    for (check, mark) in [(&checks.proposed, 1), (&checks.existing, 2)] {
        if let Some(check) = check {
            rule::remember(sql, &plan.table, check)?;
            sql.push(&format!(" and ({DENIED} := {DENIED} | if("));
            sql.piece(check.clone());
            sql.push(&format!(", 0, {mark})) >= 0"));
        }
    }
    sql.push(", ");
    let takes = merges && is_set(first);
    sql.push(if takes { "values(" } else { "" });
    sql.ident(first);
    sql.push(if takes { ")" } else { "" });
    sql.push(", null), (select 1 union select 2))");
    for column in columns.iter().filter(|column| merges && column.name != *first) {
        sql.push(", ");
        sql.ident(&column.name);
        sql.push(" = values(");
        sql.ident(&column.name);
        sql.push(")");
    }
    Ok(())
}

fn returning(sql: &mut Sql, plan: &Plan, insert: &Insert, checks: &Checks) -> Result<()> {
    if !(insert.shown || insert.located || insert.keys > 0 || insert.checked) {
        return Ok(());
    }
    sql.push(" returning ");
    let mut comma = "";
    if insert.shown {
        object::object(sql, &plan.shown, "")?;
        comma = ", ";
    }
    if insert.located {
        sql.push(comma);
        sql.push("json_object(");
        sql.list(&plan.primary_key, |sql, column| {
            sql.bind(Param::Text(column.to_string()));
            sql.push(", cast(");
            sql.ident(column);
            sql.push(" as char)");
            Ok(())
        })?;
        sql.push(")");
        comma = ", ";
    }
    if insert.keys > 0 {
        sql.push(comma);
        sql.idents(&plan.primary_key);
        comma = ", ";
    }
    if insert.upsert {
        sql.push(comma);
        sql.push(FOUND);
        comma = ", ";
    }
    if insert.checked {
        for check in [Some(&checks.inserted), insert.merges().then_some(&checks.updated)]
            .into_iter()
            .flatten()
        {
            sql.push(comma);
            comma = ", ";
            match check {
                Some(check) => {
                    sql.push("(");
                    sql.piece(check.clone());
                    sql.push(" is true)");
                }
                None => sql.push("1"),
            }
        }
    }
    Ok(())
}

impl Insert {
    /// Whether rows that are there are changed.
    pub fn merges(&self) -> bool {
        self.upsert && !self.ignores
    }
}

/// The one row of a PUT must be the one that its filters name.
fn put(columns: &[NewColumn], given: &[Given<'_>], only: &Predicate) -> Result<()> {
    let Predicate::All(parts) = only else {
        return Err(put_mismatch());
    };
    for part in parts {
        let Predicate::Compare(place, CompareOp::Eq, None, expected) = part else {
            return Err(put_mismatch());
        };
        let class = columns.iter().find(|column| column.name == place.column);
        let class = class.map_or(place.class, |column| column.data_type.class());
        let fits = |row: &Given<'_>| {
            let json = row.get(place.column.as_str());
            json.is_some_and(|json| same(class, &plain(json), expected))
        };
        if !given.iter().all(fits) {
            return Err(put_mismatch());
        }
    }
    Ok(())
}

/// Renders an update.
///
/// # Errors
/// A value that its column cannot have.
pub fn update(plan: &Plan) -> Result<Update> {
    let Action::Update { columns, rows, filter } = &plan.action else {
        return Err(Error::internal("not an update"));
    };
    let given = given(rows)?;
    let (Some(row), false) = (given.first(), columns.is_empty()) else {
        return Ok(Update {
            keys: None,
            change: None,
            moved: Vec::new(),
            checked: false,
        });
    };
    let mut moved = Vec::new();
    let mut sql = Sql::of(plan);
    let alias = sql.alias();
    sql.push("update ");
    sql.qualified(plan.schema.as_ref(), &plan.table);
    sql.push(" as ");
    sql.push(&alias);
    sql.push(" set ");
    sql.list(columns, |sql, column| {
        let bound = value(column, row)?;
        if let (Some(at), Some(param)) = (
            plan.primary_key.iter().position(|key| *key == column.name),
            &bound.param,
        ) {
            moved.push((at, param.clone()));
        }
        sql.column(&alias, &column.name);
        sql.push(" = ");
        sql.bound(bound);
        Ok(())
    })?;
    super::filter::where_clause(&mut sql, plan, &alias, (Clause::Update, filter))?;
    let checked = updated(plan, &Row::Proposed)?.is_some();
    if checked && plan.primary_key.is_empty() {
        return Err(unsupported(
            Feature::ReturnUpdated,
            "an update whose rows a policy checks, without a primary key",
        ));
    }
    Ok(Update {
        keys: (checked || plan.shows_rows()).then(|| keys(plan, filter)).transpose()?,
        change: Some(sql.finish()),
        moved,
        checked,
    })
}

fn keys(plan: &Plan, filter: &Predicate) -> Result<Statement> {
    let mut sql = Sql::of(plan);
    let alias = sql.alias();
    sql.push("select ");
    sql.list(&plan.primary_key, |sql, column| {
        sql.column(&alias, column);
        Ok(())
    })?;
    sql.push(" from ");
    sql.qualified(plan.schema.as_ref(), &plan.table);
    sql.push(" as ");
    sql.push(&alias);
    super::filter::where_clause(&mut sql, plan, &alias, (Clause::Update, filter))?;
    sql.push(" limit ");
    // One more tells that there are too many.
    sql.number(super::MOST_KEYS as u64 + 1);
    sql.push(" for update");
    Ok(sql.finish())
}

/// Renders a delete.
///
/// # Errors
/// A value that its column cannot have.
pub fn delete(plan: &Plan) -> Result<Delete> {
    let Action::Delete { filter } = &plan.action else {
        return Err(Error::internal("not a delete"));
    };
    let mut sql = Sql::of(plan);
    sql.push("delete from ");
    sql.qualified(plan.schema.as_ref(), &plan.table);
    // There are no other names for its rows; a rule's subqueries have columns of their own.
    let alias = match &plan.rows {
        RowAccess::Only(_) => plan.table.backticked().to_string(),
        _ => String::new(),
    };
    super::filter::where_clause(&mut sql, plan, &alias, (Clause::Delete, filter))?;
    Ok(Delete {
        rows: plan.shows_rows().then(|| read::locked(plan, filter)).transpose()?,
        change: sql.finish(),
    })
}
