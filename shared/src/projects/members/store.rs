//! All SQL of members.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row};

use super::MemberView;
use crate::app::App;
use crate::control::page::Page;
use crate::control::{failure, int8, text, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};
use crate::tenancy::MemberRole;

const COLUMNS: &str = "
    m.user_id, u.email, coalesce(u.raw_user_meta_data ->> 'full_name', u.raw_user_meta_data ->> 'name'), m.role,
    m.created_at";

fn view(row: &Row) -> Result<MemberView> {
    Ok(MemberView {
        user_id: UserId(row.get(0)),
        email: row.get(1),
        name: row.get(2),
        role: row.get::<_, &str>(3).parse()?,
        created_at: row.get(4),
    })
}

pub(super) async fn list(app: &App, project: ProjectId, page: &Page) -> Result<Vec<MemberView>> {
    let sql = format!(
        "select {COLUMNS}
         from plinth.members m left join plinth.users u on u.id = m.user_id and u.deleted_at is null
         where m.project_id = $1 and m.deleted_at is null
           and ($2::timestamptz is null or (m.created_at, m.user_id) > ($2, $3))
         order by m.created_at, m.user_id limit $4"
    );
    let (at, id) = page.after.map(|place| (place.0, place.1)).unzip();
    let limit = page.fetched();
    let params = [uuid(&project.0), time(&at), uuid(&id), int8(&limit)];
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    rows.iter().map(view).collect()
}

pub(super) async fn find(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
) -> Result<Option<MemberView>> {
    let sql = format!(
        "select {COLUMNS}
         from plinth.members m left join plinth.users u on u.id = m.user_id and u.deleted_at is null
         where m.project_id = $1 and m.user_id = $2 and m.deleted_at is null"
    );
    let params = [uuid(&project.0), uuid(&user.0)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(view).transpose()
}

pub(super) async fn role(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
) -> Result<Option<MemberRole>> {
    let sql = "select role from plinth.members where project_id = $1 and user_id = $2 and deleted_at is null";
    let params = [uuid(&project.0), uuid(&user.0)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    rows.first().map(|row| row.get::<_, &str>(0).parse()).transpose()
}

pub(super) async fn count_owners(executor: &impl GenericClient, project: ProjectId) -> Result<i64> {
    let sql = "
        select count(*) from plinth.members where project_id = $1 and role = 'owner' and deleted_at is null";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

pub(super) async fn find_user(
    executor: &impl GenericClient,
    id: Option<UserId>,
    email: Option<&str>,
) -> Result<Option<UserId>> {
    let sql = "
        select id from plinth.users where deleted_at is null and (id = $1 or lower(email) = lower(trim($2)))";
    let id = id.map(|id| id.0);
    let params = [uuid(&id), text(&email)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(|row| UserId(row.get(0))))
}

/// Adds a member, brings one back who had gone, or changes the role of one who is there.
pub(super) async fn put(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
    role: MemberRole,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.members as m (project_id, user_id, role, created_at, updated_at)
        values ($1, $2, $3, $4, $4)
        on conflict (project_id, user_id) do update set role = excluded.role, updated_at = excluded.updated_at,
          created_at = case when m.deleted_at is null then m.created_at else excluded.created_at end, deleted_at = null";
    let role = role.as_str();
    let params = [uuid(&project.0), uuid(&user.0), text(&role), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn remove(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        update plinth.members set deleted_at = $3, updated_at = $3
        where project_id = $1 and user_id = $2 and deleted_at is null";
    let params = [uuid(&project.0), uuid(&user.0), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

/// The role of somebody who was taken out, not before `since`.
pub(super) async fn removed_since(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
    since: Timestamp,
) -> Result<Option<MemberRole>> {
    let sql = "select role from plinth.members where project_id = $1 and user_id = $2 and deleted_at >= $3";
    let params = [uuid(&project.0), uuid(&user.0), time(&since)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    rows.first().map(|row| row.get::<_, &str>(0).parse()).transpose()
}

/// Whether there was anybody to bring back.
pub(super) async fn restore(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
    now: Timestamp,
) -> Result<bool> {
    let sql = "
        update plinth.members set deleted_at = null, updated_at = $3
        where project_id = $1 and user_id = $2 and deleted_at is not null returning true";
    let params = [uuid(&project.0), uuid(&user.0), time(&now)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(!rows.is_empty())
}
