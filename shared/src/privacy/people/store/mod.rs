//! All SQL about what the control database holds of people.

/// Remembered replies that name them: theirs, and what others were told within a day. `$1` is the user.
macro_rules! replies {
    () => {
        r"plinth.idempotency
         where caller = $1 or strpos(reply::text, $1::text) > 0
           or exists (
             select from (
               select email from plinth.users where id = $1 and email_confirmed_at is not null
               union
               select email from plinth.identities where user_id = $1 and provider <> 'email') known
             where email like '%_@_%' and lower(reply::text) ~ (
               '(?<![a-z0-9._%+-])' || regexp_replace(lower(email), '([].^$*+?(){}|\\[-])', '\\\1', 'g')
               || '(?![a-z0-9_-])(?!\.[a-z0-9])'))"
    };
}

mod facts;
mod held;
mod jobs;
mod owned;

pub(super) use facts::{SECTIONS, read};
pub(super) use held::{counts, forget_references, lasts};
pub(super) use jobs::{JobTexts, jobs_with, put_texts};
pub(super) use owned::{Owned, is_last_operator, owned_alone};

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::GenericClient;

use super::erase::counted;
use super::plan::{Counted, Rule};
use crate::control::{failure, text, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};

pub(super) async fn user(executor: &impl GenericClient, id: UserId) -> Result<Option<UserId>> {
    let sql = "select id from plinth.users where id = $1";
    let rows = executor.query_typed(sql, &[uuid(&id.0)]).await.map_err(failure)?;
    Ok(rows.first().map(|row| UserId(row.get(0))))
}

pub(super) async fn user_by_address(executor: &impl GenericClient, address: &str) -> Result<Option<UserId>> {
    let sql =
        "select id from plinth.users where lower(email) = lower($1) order by deleted_at desc nulls first, id limit 1";
    let rows = executor.query_typed(sql, &[text(&address)]).await.map_err(failure)?;
    if let Some(row) = rows.first() {
        return Ok(Some(UserId(row.get(0))));
    }
    // Outside issuers' addresses are their word alone, and two may say the same.
    let sql = "select distinct user_id from plinth.identities where lower(email) = lower($1) limit 2";
    let rows = executor.query_typed(sql, &[text(&address)]).await.map_err(failure)?;
    Ok(match rows.as_slice() {
        [one] => Some(UserId(one.get(0))),
        _ => None,
    })
}

/// Projects they are or were a member of, and their own, held against changes until the transaction ends.
pub(super) async fn lock_projects(executor: &impl GenericClient, user: UserId) -> Result<Vec<ProjectId>> {
    let sql = "
        select p.id from plinth.projects p
        where p.personal_of = $1 or exists (
          select from plinth.members m where m.project_id = p.id and m.user_id = $1)
        order by p.id for no key update of p";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.iter().map(|row| ProjectId(row.get(0))).collect())
}

/// Projects that hold their own database. One in which they also made a managed backend, which is not for this login to
/// remove, is nobody's from now on and left to the purge.
pub(super) async fn personal_of(executor: &impl GenericClient, user: UserId) -> Result<Vec<ProjectId>> {
    let sql = "
        update plinth.projects p set personal_of = null
        where p.personal_of = $1 and exists (
          select from plinth.backends b where b.project_id = p.id and b.tier <> 'external')
        returning 1";
    changed(executor, sql, user).await?;
    let sql = "select id from plinth.projects where personal_of = $1 order by id";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.iter().map(|row| ProjectId(row.get(0))).collect())
}

pub(super) async fn delete_project(executor: &impl GenericClient, project: ProjectId, at: Timestamp) -> Result<()> {
    let sql = "update plinth.projects set deleted_at = least(deleted_at, $2) where id = $1";
    let params = [uuid(&project.0), time(&at)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn leave_projects(executor: &impl GenericClient, user: UserId) -> Result<u64> {
    changed(
        executor,
        "delete from plinth.members where user_id = $1 returning 1",
        user,
    )
    .await
}

pub(super) async fn end_sessions(executor: &impl GenericClient, user: UserId) -> Result<u64> {
    let sql = "select plinth.end_sessions($1)";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// Removes the account with all that hangs on it.
pub(super) async fn erase_account(executor: &impl GenericClient, user: UserId) -> Result<Vec<Counted>> {
    let sql = "select plinth.erase_account($1)";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    let counts: Value = rows.first().map_or(Value::Null, |row| row.get(0));
    let rows = |table: &str| counts.get(table).and_then(Value::as_u64).unwrap_or(0);
    let tables = ["users", "identities", "sessions", "refresh_tokens"];
    Ok(counted(&tables.map(|table| (table, Rule::Delete, rows(table)))))
}

async fn changed(executor: &impl GenericClient, sql: &str, user: UserId) -> Result<u64> {
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.len() as u64)
}
