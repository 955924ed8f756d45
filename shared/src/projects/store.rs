//! All SQL of projects and of remembered requests.

use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_postgres::{GenericClient, Row};

use super::{BackendView, NewProject, ProjectView, name_taken, personal_taken};
use crate::app::App;
use crate::control::page::Page;
use crate::control::{bytes, failure, int8, json, text, time, uuid, violates};
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId, Ref, UserId};
use crate::tenancy::{MemberRole, PlatformUser, not_found};

/// A project's row.
pub(super) struct Stored {
    /// With the least role: [`Stored::shown_to`] fills in the reader's.
    pub view: ProjectView,
    /// None once they are erased.
    pub created_by: Option<UserId>,
    pub deleted_at: Option<Timestamp>,
}

impl Stored {
    /// As somebody with that role sees it.
    pub fn shown_to(self, role: MemberRole) -> ProjectView {
        ProjectView { role, ..self.view }
    }

    /// Unless it is deleted.
    pub fn alive(self) -> Result<Self> {
        if self.deleted_at.is_some() {
            return Err(not_found());
        }
        Ok(self)
    }
}

const COLUMNS: &str = "
    p.id, p.ref, p.name, p.description, p.status, p.settings, p.version, p.created_at, p.updated_at,
    b.id, b.tier, b.isolation, b.state, p.personal_of is not null";
const BACKEND: &str = "left join plinth.backends b on b.project_id = p.id and b.deleted_at is null";

fn view(app: &App, row: &Row, role: MemberRole) -> Result<ProjectView> {
    let reference: Ref = row.get::<_, &str>(1).parse()?;
    Ok(ProjectView {
        id: ProjectId(row.get(0)),
        api_url: app.config.web.project_url(&reference),
        reference,
        name: row.get(2),
        description: row.get(3),
        status: row.get(4),
        settings: match row.get(5) {
            Value::Object(settings) => settings,
            _ => Map::new(),
        },
        role,
        version: row.get(6),
        created_at: row.get(7),
        updated_at: row.get(8),
        personal: row.get(13),
        backend: backend(row)?,
    })
}

fn backend(row: &Row) -> Result<Option<BackendView>> {
    let Some(id) = row.get(9) else {
        return Ok(None);
    };
    let named = |name: &str| Value::String(name.to_owned());
    Ok(Some(BackendView {
        database_id: BackendId(id),
        backend_type: serde_json::from_value(named(row.get(10))).map_err(Error::internal)?,
        isolation: row.get::<_, Option<&str>>(11).map(str::parse).transpose()?,
        status: row.get(12),
    }))
}

/// The project, deleted or not.
pub(super) async fn find(app: &App, executor: &tokio_postgres::Client, project: ProjectId) -> Result<Stored> {
    select(app, executor, project, "").await
}

/// The project, deleted or not, locked against other changes until the transaction ends.
pub(super) async fn locked(app: &App, executor: &impl GenericClient, project: ProjectId) -> Result<Stored> {
    select(app, executor, project, "for no key update of p").await
}

async fn select(app: &App, executor: &impl GenericClient, project: ProjectId, lock: &'static str) -> Result<Stored> {
    let sql =
        format!("select {COLUMNS}, p.created_by, p.deleted_at from plinth.projects p {BACKEND} where p.id = $1 {lock}");
    let rows = executor.query_typed(&sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let row = rows.first().ok_or_else(not_found)?;
    Ok(Stored {
        view: view(app, row, MemberRole::Viewer)?,
        created_by: row.get::<_, Option<uuid::Uuid>>(14).map(UserId),
        deleted_at: row.get(15),
    })
}

pub(super) async fn of_member(app: &App, user: UserId, page: &Page) -> Result<Vec<ProjectView>> {
    let sql = format!(
        "select {COLUMNS}, m.role
         from plinth.members m join plinth.projects p on p.id = m.project_id {BACKEND}
         where m.user_id = $1 and m.deleted_at is null and p.deleted_at is null
           and ($2::timestamptz is null or (p.created_at, p.id) < ($2, $3))
           and not exists (select from plinth.users u where u.id = $1 and (u.deleted_at is not null or u.banned_until > $5))
         order by p.created_at desc, p.id desc limit $4"
    );
    let (at, id) = page.after.map(|place| (place.0, place.1)).unzip();
    let (limit, now) = (page.fetched(), app.clock.now());
    let params = [uuid(&user.0), time(&at), uuid(&id), int8(&limit), time(&now)];
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    rows.iter()
        .map(|row| view(app, row, row.get::<_, &str>(14).parse()?))
        .collect()
}

/// Whether the account is deleted, banned or erased: its tokens may still hold. An outside issuer's user has none at first.
pub(super) async fn barred(executor: &impl GenericClient, user: &PlatformUser, now: Timestamp) -> Result<bool> {
    let sql = "select deleted_at is not null or coalesce(banned_until > $2, false) from plinth.users where id = $1";
    let params = [uuid(&user.id.0), time(&now)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map_or(user.outside.is_none(), |row| row.get(0)))
}

/// One change at a time of what a creator has, so that two requests cannot both take the last place.
pub(super) async fn lock_creator(executor: &impl GenericClient, user: UserId) -> Result<()> {
    let sql = "select pg_advisory_xact_lock(hashtextextended('plinth.projects:' || $1::text, 0))";
    executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(())
}

/// The live personal project of a user.
pub(super) async fn personal_of(executor: &impl GenericClient, user: UserId) -> Result<Option<ProjectId>> {
    let sql = "select id from plinth.projects where personal_of = $1 and deleted_at is null";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.first().map(|row| ProjectId(row.get(0))))
}

pub(super) async fn count_created(executor: &impl GenericClient, user: UserId) -> Result<i64> {
    let sql = "
        select count(*) from plinth.projects where created_by = $1 and deleted_at is null and personal_of is null";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.first().map_or(0, |row| row.get(0)))
}

pub(super) async fn insert(
    executor: &impl GenericClient,
    id: ProjectId,
    reference: &Ref,
    new: &NewProject,
    user: UserId,
    personal: bool,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.projects
          (id, ref, name, description, status, settings, created_by, personal_of, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)";
    let personal_of = personal.then_some(user.0);
    let (reference, settings) = (reference.as_str(), Value::Object(new.settings.clone()));
    let params = [
        uuid(&id.0),
        text(&reference),
        text(&new.name),
        text(&new.description),
        text(&new.status),
        json(&settings),
        uuid(&user.0),
        uuid(&personal_of),
        time(&now),
    ];
    executor.query_typed(sql, &params).await.map_err(named)?;
    Ok(())
}

pub(super) async fn insert_owner(
    executor: &impl GenericClient,
    project: ProjectId,
    user: UserId,
    now: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.members (project_id, user_id, role, created_at, updated_at)
        values ($1, $2, 'owner', $3, $3)";
    let params = [uuid(&project.0), uuid(&user.0), time(&now)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn update(executor: &impl GenericClient, project: &ProjectView, now: Timestamp) -> Result<()> {
    let sql = "
        update plinth.projects set name = $2, description = $3, status = $4, settings = $5, updated_at = $6
        where id = $1";
    let settings = Value::Object(project.settings.clone());
    let params = [
        uuid(&project.id.0),
        text(&project.name),
        text(&project.description),
        text(&project.status),
        json(&settings),
        time(&now),
    ];
    executor.query_typed(sql, &params).await.map_err(named)?;
    Ok(())
}

pub(super) async fn set_deleted(
    executor: &impl GenericClient,
    project: ProjectId,
    at: Option<Timestamp>,
) -> Result<()> {
    let sql = "update plinth.projects set deleted_at = $2 where id = $1";
    executor
        .query_typed(sql, &[uuid(&project.0), time(&at)])
        .await
        .map_err(named)?;
    Ok(())
}

fn named(error: tokio_postgres::Error) -> Error {
    if violates(&error, "projects_name_key") {
        return name_taken();
    }
    if violates(&error, "projects_personal_key") {
        return personal_taken();
    }
    failure(error)
}

/// Whether the request is the first with its key.
pub(super) async fn remember_request(
    executor: &impl GenericClient,
    caller: UserId,
    key: &String,
    fingerprint: &Vec<u8>,
    now: Timestamp,
) -> Result<bool> {
    let sql = "
        insert into plinth.idempotency (caller, key, fingerprint, created_at) values ($1, $2, $3, $4)
        on conflict do nothing returning true";
    let params = [uuid(&caller.0), text(key), bytes(fingerprint), time(&now)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(!rows.is_empty())
}

pub(super) async fn remembered_reply(
    executor: &impl GenericClient,
    caller: UserId,
    key: &String,
) -> Result<(Vec<u8>, Value)> {
    let sql = "select fingerprint, reply from plinth.idempotency where caller = $1 and key = $2";
    let params = [uuid(&caller.0), text(key)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    // Purged between the two statements: as good as never sent, but this transaction cannot tell any more.
    let row = rows
        .first()
        .ok_or_else(|| crate::control::unavailable("the remembered request has just been purged"))?;
    Ok((row.get(0), row.get::<_, Option<Value>>(1).unwrap_or_default()))
}

pub(super) async fn remember_reply(
    executor: &impl GenericClient,
    caller: UserId,
    key: &String,
    reply: &Value,
) -> Result<()> {
    let sql = "update plinth.idempotency set reply = $3 where caller = $1 and key = $2";
    let params = [uuid(&caller.0), text(key), json(reply)];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
