//! All SQL of provisioning in the control database.

use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::{Backend, INSTALLED, State};
use crate::app::App;
use crate::control::{self, int4, int8, json, text, time, uuid};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, ProjectId, Ref};
use crate::schema::spec::TableSpec;
use crate::tenancy::{Cell, Isolation};
use crate::vault::Envelope;

/// Waits for locks of the control database end before the request does.
pub(super) const LIMITS: &str = "set local lock_timeout = '10s'; set local statement_timeout = '15s'";

/// Locks the live project and returns its version. Every change of a backend takes this lock first, and the backend's
/// row second.
pub(super) async fn lock_project(tx: &impl GenericClient, project: ProjectId) -> Result<i64> {
    let sql = "select version from plinth.projects where id = $1 and deleted_at is null for no key update";
    let rows = tx.query_typed(sql, &[uuid(&project.0)]).await.map_err(busy)?;
    let row = rows.first().ok_or_else(crate::tenancy::not_found)?;
    Ok(row.get(0))
}

/// Locks the project, deleted or not.
pub(super) async fn lock_even_deleted(tx: &impl GenericClient, project: ProjectId) -> Result<()> {
    let sql = "select from plinth.projects where id = $1 for no key update";
    tx.query_typed(sql, &[uuid(&project.0)]).await.map_err(busy)?;
    Ok(())
}

/// Locks the project, deleted or not, unless somebody else has.
pub(super) async fn hold_project(tx: &impl GenericClient, project: ProjectId) -> Result<bool> {
    let sql = "select from plinth.projects where id = $1 for no key update skip locked";
    let rows = tx.query_typed(sql, &[uuid(&project.0)]).await.map_err(busy)?;
    Ok(!rows.is_empty())
}

/// When a backend of the locked project was given up, if it was.
pub(super) async fn given_up_at(
    tx: &impl GenericClient,
    project: ProjectId,
    id: BackendId,
) -> Result<Option<jiff::Timestamp>> {
    let sql = "select deleted_at from plinth.backends where id = $1 and project_id = $2";
    let params = [uuid(&id.0), uuid(&project.0)];
    let rows = tx.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(rows.first().and_then(|row| row.get(0)))
}

/// Every backend of a project, given up or not.
pub(super) async fn all_of(tx: &impl GenericClient, project: ProjectId) -> Result<Vec<BackendId>> {
    let sql = "select id from plinth.backends where project_id = $1 order by created_at, id";
    let rows = tx
        .query_typed(sql, &[uuid(&project.0)])
        .await
        .map_err(control::failure)?;
    Ok(rows.iter().map(|row| BackendId(row.get(0))).collect())
}

const BACKEND: &str = "
    select b.id, b.project_id, p.ref, b.isolation, b.state, b.created_at, b.deleted_at, c.id, c.host, c.port, c.database
    from plinth.backends b
    join plinth.projects p on p.id = b.project_id
    join plinth.cells c on c.id = b.cell_id
    where b.tier = 'managed'";

/// The project's backend: the live one, else the one deleted last.
pub(super) async fn of_project(client: &impl GenericClient, project: ProjectId) -> Result<Option<Backend>> {
    let sql = format!("{BACKEND} and b.project_id = $1 order by b.deleted_at desc nulls first limit 1");
    let rows = client
        .query_typed(&sql, &[uuid(&project.0)])
        .await
        .map_err(control::failure)?;
    rows.first().map(backend).transpose()
}

/// The backend of that id, locked until the transaction ends; deleted or not.
pub(super) async fn lock_backend(tx: &impl GenericClient, id: BackendId) -> Result<Option<Backend>> {
    let sql = format!("{BACKEND} and b.id = $1 for update of b");
    let rows = tx.query_typed(&sql, &[uuid(&id.0)]).await.map_err(busy)?;
    rows.first().map(backend).transpose()
}

/// Managed backends that carry less than this version installs, a page of them.
pub(super) async fn outdated(client: &impl GenericClient, after: Uuid, limit: i64) -> Result<Vec<Backend>> {
    let sql = format!("{BACKEND} and b.state = 'ready' and b.installed < $1 and b.id > $2 order by b.id limit $3");
    let params = [int4(&INSTALLED), uuid(&after), int8(&limit)];
    let rows = client.query_typed(&sql, &params).await.map_err(control::failure)?;
    rows.iter().map(backend).collect()
}

fn backend(row: &Row) -> Result<Backend> {
    Ok(Backend {
        id: BackendId(row.get(0)),
        project: ProjectId(row.get(1)),
        reference: row.get::<_, &str>(2).parse()?,
        isolation: row.get::<_, &str>(3).parse()?,
        state: State::parse(row.get(4)),
        created_at: row.get(5),
        deleted_at: row.get(6),
        cell: Cell {
            id: row.get(7),
            host: row.get(8),
            port: u16::try_from(row.get::<_, i32>(9)).map_err(Error::internal)?,
            database: row.get(10),
        },
    })
}

/// Takes a place in the open cell with the least load. Callers queue on the cells' rows: no place is given twice.
pub(super) async fn take_place(tx: &impl GenericClient) -> Result<Cell> {
    let sql = "
        with locked as (
          select id, backends, capacity from plinth.cells where open order by id for update
        ), chosen as (
          select id from locked where backends < capacity order by backends::numeric / capacity, id limit 1
        )
        update plinth.cells c set backends = c.backends + 1 from chosen where c.id = chosen.id
        returning c.id, c.host, c.port, c.database";
    let rows = tx.query_typed(sql, &[]).await.map_err(busy)?;
    let row = rows.first().ok_or_else(|| {
        Error::new(
            ErrorKind::Unavailable,
            "provisioning/cells-full",
            "Backend provisioning failed: there is no room for another backend",
        )
        .with_hint("The operator must add a cell; nothing was changed")
    })?;
    Ok(Cell {
        id: row.get(0),
        host: row.get(1),
        port: u16::try_from(row.get::<_, i32>(2)).map_err(Error::internal)?,
        database: row.get(3),
    })
}

/// Gives a place back.
pub(super) async fn give_place(tx: &impl GenericClient, cell: &Cell) -> Result<()> {
    let sql = "update plinth.cells set backends = greatest(backends - 1, 0) where id = $1";
    tx.query_typed(sql, &[int4(&cell.id)]).await.map_err(busy)?;
    Ok(())
}

/// A new backend in state `provisioning`.
pub(super) async fn insert(app: &App, tx: &impl GenericClient, backend: &Backend) -> Result<()> {
    let sql = "
        insert into plinth.backends (id, project_id, tier, isolation, cell_id, state, created_at, updated_at)
        values ($1, $2, 'managed', $3, $4, 'provisioning', $5, $5)";
    let (now, isolation) = (app.clock.now(), backend.isolation.as_str());
    let params = [
        uuid(&backend.id.0),
        uuid(&backend.project.0),
        text(&isolation),
        int4(&backend.cell.id),
        time(&now),
    ];
    tx.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// The backend serves from this transaction's commit on.
pub(super) async fn set_ready(app: &App, tx: &impl GenericClient, id: BackendId) -> Result<()> {
    let sql = "update plinth.backends set state = 'ready', installed = $2, updated_at = $3 where id = $1";
    let now = app.clock.now();
    let params = [uuid(&id.0), int4(&INSTALLED), time(&now)];
    tx.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// Notes that a backend carries what this version installs.
pub(super) async fn set_installed(app: &App, client: &impl GenericClient, id: BackendId) -> Result<()> {
    let sql = "update plinth.backends set installed = $2, updated_at = $3 where id = $1 and installed < $2";
    let now = app.clock.now();
    let params = [uuid(&id.0), int4(&INSTALLED), time(&now)];
    client.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// Deletes softly, or takes that back.
pub(super) async fn set_deleted(app: &App, tx: &impl GenericClient, id: BackendId, deleted: bool) -> Result<()> {
    let sql = "update plinth.backends set deleted_at = $2, updated_at = $3 where id = $1";
    let now = app.clock.now();
    let at = deleted.then_some(now);
    let params = [uuid(&id.0), time(&at), time(&now)];
    tx.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// Deletes the row for good, with what hangs on it, the login's secret included, and gives its place back.
pub(super) async fn remove(tx: &impl GenericClient, backend: &Backend) -> Result<()> {
    let sql = "delete from plinth.backends where id = $1";
    tx.query_typed(sql, &[uuid(&backend.id.0)])
        .await
        .map_err(control::failure)?;
    let sql = "delete from plinth.secrets where project_id = $1 and purpose = 'login'";
    tx.query_typed(sql, &[uuid(&backend.project.0)])
        .await
        .map_err(control::failure)?;
    give_place(tx, &backend.cell).await
}

/// Keeps the sealed password of the project's own login.
pub(super) async fn keep_login(
    app: &App,
    tx: &impl GenericClient,
    project: ProjectId,
    envelope: &Envelope,
) -> Result<()> {
    let sql = "
        insert into plinth.secrets (id, project_id, purpose, envelope, created_at, updated_at)
        values ($1, $2, 'login', $3, $4, $4)
        on conflict (project_id, purpose) do update set envelope = excluded.envelope, updated_at = excluded.updated_at";
    let (id, now) = (app.random.uuid(), app.clock.now());
    let envelope = serde_json::to_value(envelope).map_err(Error::internal)?;
    let params = [uuid(&id), uuid(&project.0), json(&envelope), time(&now)];
    tx.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// Whether the project has a key that is not revoked.
pub(super) async fn has_keys(tx: &impl GenericClient, project: ProjectId) -> Result<bool> {
    let sql = "select 1 from plinth.keys where project_id = $1 and revoked_at is null limit 1";
    let rows = tx
        .query_typed(sql, &[uuid(&project.0)])
        .await
        .map_err(control::failure)?;
    Ok(!rows.is_empty())
}

/// Whether the project has a managed backend that serves or is being made.
pub(super) async fn has_live_managed(tx: &impl GenericClient, project: ProjectId) -> Result<bool> {
    let found = of_project(tx, project).await?;
    Ok(found.is_some_and(|backend| backend.deleted_at.is_none()))
}

/// Registers a default table with the designer.
pub(super) async fn keep_table(app: &App, tx: &impl GenericClient, id: BackendId, spec: &TableSpec) -> Result<()> {
    let sql = "
        insert into plinth.tables (id, backend_id, name, spec, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)";
    let (table, now) = (app.random.uuid(), app.clock.now());
    let (name, spec) = (spec.name.as_str(), serde_json::to_value(spec).map_err(Error::internal)?);
    let params = [uuid(&table), uuid(&id.0), text(&name), json(&spec), time(&now)];
    tx.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// Somebody else works on the same backend for too long.
fn busy(error: tokio_postgres::Error) -> Error {
    if error.code() == Some(&tokio_postgres::error::SqlState::LOCK_NOT_AVAILABLE) {
        return Error::new(
            ErrorKind::Unavailable,
            "provisioning/busy",
            "The backend is being changed by another request",
        )
        .with_hint("Try again in a moment")
        .with_retry_after(1)
        .with_source(error);
    }
    control::failure(error)
}

/// A backend about to be made.
pub(super) fn fresh(app: &App, project: ProjectId, reference: &Ref, isolation: Isolation, cell: Cell) -> Backend {
    Backend {
        id: BackendId(app.random.uuid()),
        project,
        reference: reference.clone(),
        isolation,
        state: State::Provisioning,
        cell,
        created_at: app.clock.now(),
        deleted_at: None,
    }
}
