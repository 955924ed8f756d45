//! Writes, and what they answer.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row, Value};

use super::execute::{Failure, rows, warned};
use super::text::{param, params};
use crate::error::{Error, Result};
use crate::query::answer::Answer;
use crate::query::mysql::{self, Flavour, Insert, MOST_KEYS, Param, Statement, check_affected, too_large};
use crate::query::{Counts, Plan};

/// What an insert's statements returned.
struct Returned {
    answer: Answer,
    keys: Vec<Vec<Param>>,
    locations: Vec<String>,
    /// Rows that were there already.
    found: u64,
}

/// Runs an insert.
pub(super) async fn insert(conn: &mut Conn, flavour: Flavour, plan: &Plan) -> Result<Counts, Failure> {
    let insert = mysql::insert(plan, flavour)?;
    let mut returned = Returned {
        answer: Answer::of(plan),
        keys: Vec::new(),
        locations: Vec::new(),
        found: 0,
    };
    for statement in &insert.statements {
        let result: Vec<Row> = conn.exec(statement.sql.as_str(), params(&statement.params)).await?;
        warned(conn).await?;
        for row in result {
            returned.take(row, &insert, plan)?;
        }
    }
    if insert.upsert {
        let asked = format!("select {}, {}", mysql::FOUND, mysql::DENIED);
        let found: Option<(u64, u64)> = conn.query_first(asked).await?;
        let (found, denied) = found.unwrap_or_default();
        if denied > 0 {
            return Err(mysql::refused_row(plan, denied & 1 == 0).into());
        }
        returned.found = found;
    }
    let kept = if insert.ignores { returned.found } else { 0 };
    let touched = insert.count.saturating_sub(kept);
    check_affected(plan, touched)?;
    let answer = match plan.shows_rows() && !insert.shown {
        true => by_keys(conn, plan, &returned.keys).await?,
        false => returned.answer,
    };
    let merges = insert.upsert && !insert.ignores;
    let inserted = i64::try_from(insert.count.saturating_sub(returned.found)).unwrap_or(i64::MAX);
    Ok(Counts {
        inserted: merges.then_some(inserted),
        location: match returned.locations.as_slice() {
            [only] => Some(only.clone()),
            _ => None,
        },
        ..counts(plan, &answer, touched)?
    })
}

impl Returned {
    fn take(&mut self, row: Row, insert: &Insert, plan: &Plan) -> Result<()> {
        let mut values = row.unwrap().into_iter();
        let mut next = || values.next().unwrap_or(Value::NULL);
        let shown = insert.shown.then(&mut next);
        let location = insert.located.then(&mut next);
        let key: Vec<Param> = (0..insert.keys).map(|_| param(next())).collect();
        let mut was_there = false;
        if insert.upsert {
            let found = whole(&next());
            was_there = found > self.found;
            self.found = self.found.max(found);
        }
        let (inserts, updates) = match (insert.checked, insert.merges()) {
            (false, _) => (true, true),
            (true, false) => (whole(&next()) == 1, true),
            (true, true) => (whole(&next()) == 1, whole(&next()) == 1),
        };
        if was_there && insert.ignores {
            return Ok(());
        }
        if !(if was_there { updates } else { inserts }) {
            return Err(mysql::refused_row(plan, false));
        }
        if let Some(shown) = shown {
            self.answer.add(bytes(shown))?;
        }
        if let Some(location) = location.and_then(bytes).and_then(|text| String::from_utf8(text).ok()) {
            self.locations.push(location);
        }
        if !key.is_empty() {
            self.keys.push(key);
        }
        Ok(())
    }
}

fn whole(value: &Value) -> u64 {
    match value {
        Value::Int(number) => u64::try_from(*number).unwrap_or_default(),
        Value::UInt(number) => *number,
        _ => 0,
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

/// Runs an update.
pub(super) async fn update(conn: &mut Conn, plan: &Plan) -> Result<Counts, Failure> {
    let update = mysql::update(plan)?;
    let mut keys = match &update.keys {
        Some(statement) => keys(conn, statement).await?,
        None => Vec::new(),
    };
    let touched = match &update.change {
        Some(change) => change_rows(conn, change).await?,
        None => 0,
    };
    check_affected(plan, touched)?;
    let found = keys.len() as u64;
    for key in &mut keys {
        for (at, value) in &update.moved {
            if let Some(part) = key.get_mut(*at) {
                part.clone_from(value);
            }
        }
    }
    if update.checked && (found > 0 || touched > 0) {
        let allowed: Option<u64> = match keys.as_slice() {
            [] => None,
            keys => {
                let asked = mysql::allowed_of(plan, keys)?;
                conn.exec_first(asked.sql.as_str(), params(&asked.params)).await?
            }
        };
        // A row that came in between was not looked at.
        if touched != found || allowed != Some(found) {
            return Err(mysql::refused_row(plan, false).into());
        }
    }
    let answer = match plan.shows_rows() {
        true => by_keys(conn, plan, &keys).await?,
        false => Answer::of(plan),
    };
    Ok(counts(plan, &answer, touched)?)
}

/// Runs a delete.
pub(super) async fn delete(conn: &mut Conn, plan: &Plan) -> Result<Counts, Failure> {
    let delete = mysql::delete(plan)?;
    let answer = match &delete.rows {
        Some(statement) => rows(conn, plan, statement).await?,
        None => Answer::of(plan),
    };
    let touched = change_rows(conn, &delete.change).await?;
    check_affected(plan, touched)?;
    Ok(counts(plan, &answer, touched)?)
}

async fn change_rows(conn: &mut Conn, statement: &Statement) -> Result<u64, Failure> {
    conn.exec_drop(statement.sql.as_str(), params(&statement.params))
        .await?;
    Ok(conn.affected_rows())
}

async fn keys(conn: &mut Conn, statement: &Statement) -> Result<Vec<Vec<Param>>, Failure> {
    let found: Vec<Row> = conn.exec(statement.sql.as_str(), params(&statement.params)).await?;
    if found.len() > MOST_KEYS {
        return Err(too_large(0).into());
    }
    let key = |row: Row| row.unwrap().into_iter().map(param).collect();
    Ok(found.into_iter().map(key).collect())
}

async fn by_keys(conn: &mut Conn, plan: &Plan, keys: &[Vec<Param>]) -> Result<Answer, Failure> {
    if keys.is_empty() {
        return Ok(Answer::of(plan));
    }
    if keys.len() > MOST_KEYS {
        return Err(too_large(0).into());
    }
    rows(conn, plan, &mysql::by_keys(plan, keys)?).await
}

fn counts(plan: &Plan, answer: &Answer, touched: u64) -> Result<Counts, Error> {
    Ok(Counts {
        body: answer.body(plan)?,
        page_rows: touched,
        total_rows: plan.prefer.count.map(|_| touched),
        ..Counts::default()
    })
}
