//! All SQL of external backends in the control database.

use tokio_postgres::{GenericClient, Row};

use super::super::State;
use super::{ExternalBackend, Whole};
use crate::app::App;
use crate::connections::{Class, Health};
use crate::control::{failure, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId};
use crate::query::row_rules::Policies;
use crate::schema::policy::PolicySpec;
use crate::vault::Kept;

/// The project's external backend: the live one, else the one deleted last.
pub(super) async fn of_project(client: &impl GenericClient, project: ProjectId) -> Result<Option<ExternalBackend>> {
    let sql = "
        select b.id, p.ref, b.state, c.provider, c.settings, b.settings, b.created_at, b.deleted_at,
          (select s.envelope from plinth.secrets s where s.id = c.secret_id),
          (select s.envelope from plinth.secrets s where s.project_id = p.id and s.purpose = 'rest'),
          h.last_ok_at, h.last_error_at, h.last_error_class
        from plinth.backends b
        left join plinth.backend_health h on h.backend_id = b.id
        join plinth.projects p on p.id = b.project_id
        join plinth.connections c on c.id = b.connection_id
        where b.tier = 'external' and b.project_id = $1
        order by b.deleted_at desc nulls first limit 1";
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(|row| backend(row, project)).transpose()
}

fn backend(row: &Row, project: ProjectId) -> Result<ExternalBackend> {
    let kept: Option<serde_json::Value> = row.get(8);
    let rest: Option<serde_json::Value> = row.get(9);
    let (provider, class): (String, Option<&str>) = (row.get(3), row.get(12));
    Ok(ExternalBackend {
        id: BackendId(row.get(0)),
        project,
        reference: row.get::<_, &str>(1).parse()?,
        state: State::parse(row.get(2)),
        health: Health::new(&provider, row.get(10), row.get(11), class.and_then(Class::parse)),
        provider,
        connection: row.get(4),
        settings: serde_json::from_value(row.get(5)).map_err(Error::internal)?,
        created_at: row.get(6),
        deleted_at: row.get(7),
        kept: kept.map(serde_json::from_value).transpose().map_err(Error::internal)?,
        sealed_rest: rest.map(serde_json::from_value).transpose().map_err(Error::internal)?,
    })
}

/// Writes a backend down: new, changed or come back.
pub(super) async fn keep(
    app: &App,
    tx: &impl GenericClient,
    project: ProjectId,
    id: BackendId,
    whole: &Whole,
    kept: &Kept,
) -> Result<()> {
    let secret = keep_secret(app, tx, project, kept).await?;
    let now = app.clock.now();
    let settings = serde_json::to_value(&whole.settings).map_err(Error::internal)?;
    let (provider, shown) = (whole.provider.as_str(), whole.shown());
    // The connection goes by its backend's id: there is one for each.
    let sql = "
        insert into plinth.connections (id, project_id, provider, settings, secret_id, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $6, $6)
        on conflict (id) do update set provider = excluded.provider, settings = excluded.settings,
          secret_id = excluded.secret_id, updated_at = excluded.updated_at, deleted_at = null";
    let params = [
        uuid(&id.0),
        uuid(&project.0),
        text(&provider),
        json(&shown),
        uuid(&secret),
        time(&now),
    ];
    tx.query_typed(sql, &params).await.map_err(failure)?;
    let sql = "
        insert into plinth.backends
          (id, project_id, tier, connection_id, state, settings, created_at, updated_at)
        values ($1, $2, 'external', $1, 'ready', $3, $4, $4)
        on conflict (id) do update set state = 'ready', settings = excluded.settings,
          updated_at = excluded.updated_at, deleted_at = null";
    let params = [uuid(&id.0), uuid(&project.0), json(&settings), time(&now)];
    tx.query_typed(sql, &params).await.map_err(failure)?;
    // It has just been tried.
    let tried = serde_json::json!({ id.0.to_string(): { "ok": now.to_string() } });
    let sql = "select plinth.note('{}', $1)";
    tx.query_typed(sql, &[json(&tried)]).await.map_err(failure)?;
    Ok(())
}

/// The row of all that is secret; it takes the place of two.
async fn keep_secret(app: &App, tx: &impl GenericClient, project: ProjectId, kept: &Kept) -> Result<uuid::Uuid> {
    let sql = "delete from plinth.secrets where project_id = $1 and purpose = 'rest'";
    tx.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let sql = "
        insert into plinth.secrets (id, project_id, purpose, envelope, created_at, updated_at)
        values ($1, $2, 'connection', $3, $4, $4)
        on conflict (project_id, purpose) do update set envelope = excluded.envelope, updated_at = excluded.updated_at
        returning id";
    let (id, now) = (app.random.uuid(), app.clock.now());
    let kept = serde_json::to_value(kept).map_err(Error::internal)?;
    let params = [uuid(&id), uuid(&project.0), json(&kept), time(&now)];
    let rows = tx.query_typed(sql, &params).await.map_err(failure)?;
    let row = rows.first().ok_or_else(|| Error::internal("no secret was kept"))?;
    Ok(row.get(0))
}

/// Deletes the rows for good, and with them what is sealed in them.
pub(super) async fn remove(tx: &impl GenericClient, project: ProjectId, id: BackendId) -> Result<()> {
    for sql in [
        "delete from plinth.backends where id = $1 and project_id = $2",
        "delete from plinth.connections where id = $1 and project_id = $2",
        "delete from plinth.secrets where $1::uuid is not null and project_id = $2 and purpose in ('connection', 'rest')",
    ] {
        let params = [uuid(&id.0), uuid(&project.0)];
        tx.query_typed(sql, &params).await.map_err(failure)?;
    }
    Ok(())
}

/// The row rules of a table, and their version.
pub(super) async fn policies(
    client: &impl GenericClient,
    backend: BackendId,
    table: &str,
) -> Result<Option<(Vec<PolicySpec>, i64)>> {
    let sql = "select policies, version from plinth.policies where backend_id = $1 and table_name = $2";
    let rows = client.query_typed(sql, &[uuid(&backend.0), text(&table)]).await;
    let rows = rows.map_err(failure)?;
    let read = |row: &Row| Ok((serde_json::from_value(row.get(0)).map_err(Error::internal)?, row.get(1)));
    rows.first().map(read).transpose()
}

/// The row rules of all tables.
pub(super) async fn all_policies(client: &impl GenericClient, backend: BackendId) -> Result<Policies> {
    let sql = "select table_name, policies from plinth.policies where backend_id = $1";
    let rows = client.query_typed(sql, &[uuid(&backend.0)]).await.map_err(failure)?;
    let read = |row: &Row| Ok((row.get(0), serde_json::from_value(row.get(1)).map_err(Error::internal)?));
    rows.iter().map(read).collect()
}

/// Writes the row rules of a table down, and returns their new version.
pub(super) async fn keep_policies(
    app: &App,
    tx: &impl GenericClient,
    backend: BackendId,
    table: &str,
    policies: &[PolicySpec],
) -> Result<i64> {
    let sql = "
        insert into plinth.policies as p (backend_id, table_name, policies, version, created_at, updated_at)
        values ($1, $2, $3, 1, $4, $4)
        on conflict (backend_id, table_name) do update set policies = excluded.policies, version = p.version + 1,
          updated_at = excluded.updated_at
        returning version";
    let (policies, now) = (
        serde_json::to_value(policies).map_err(Error::internal)?,
        app.clock.now(),
    );
    let params = [uuid(&backend.0), text(&table), json(&policies), time(&now)];
    let rows = tx.query_typed(sql, &params).await.map_err(failure)?;
    let row = rows.first().ok_or_else(|| Error::internal("no policies were kept"))?;
    Ok(row.get(0))
}
