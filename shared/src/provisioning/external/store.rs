//! All SQL of external backends in the control database.

use tokio_postgres::{GenericClient, Row};

use super::super::State;
use super::{ExternalBackend, Sealed, Whole};
use crate::app::App;
use crate::control::{failure, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId};
use crate::vault::Envelope;

/// The project's external backend: the live one, else the one deleted last.
pub(super) async fn of_project(client: &impl GenericClient, project: ProjectId) -> Result<Option<ExternalBackend>> {
    let sql = "
        select b.id, p.ref, b.state, c.provider, c.settings, b.settings, b.created_at, b.deleted_at,
          (select s.envelope from plinth.secrets s where s.id = c.secret_id),
          (select s.envelope from plinth.secrets s where s.project_id = p.id and s.purpose = 'rest')
        from plinth.backends b
        join plinth.projects p on p.id = b.project_id
        join plinth.connections c on c.id = b.connection_id
        where b.tier = 'external' and b.project_id = $1
        order by b.deleted_at desc nulls first limit 1";
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(|row| backend(row, project)).transpose()
}

fn backend(row: &Row, project: ProjectId) -> Result<ExternalBackend> {
    let envelope = |at: usize| {
        let stored: Option<serde_json::Value> = row.get(at);
        let envelope = stored.map(serde_json::from_value::<Envelope>);
        envelope.transpose().map_err(Error::internal)
    };
    Ok(ExternalBackend {
        id: BackendId(row.get(0)),
        project,
        reference: row.get::<_, &str>(1).parse()?,
        state: State::parse(row.get(2)),
        provider: row.get(3),
        connection: row.get(4),
        settings: serde_json::from_value(row.get(5)).map_err(Error::internal)?,
        created_at: row.get(6),
        deleted_at: row.get(7),
        sealed_connection: envelope(8)?,
        sealed_rest: envelope(9)?,
    })
}

/// Writes a backend down: new, changed or come back.
pub(super) async fn keep(
    app: &App,
    tx: &impl GenericClient,
    project: ProjectId,
    id: BackendId,
    whole: &Whole,
    sealed: &Sealed,
) -> Result<()> {
    let secret = seal(app, tx, project, "connection", &sealed.connection).await?;
    seal(app, tx, project, "rest", &sealed.rest).await?;
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
    Ok(())
}

async fn seal(
    app: &App,
    tx: &impl GenericClient,
    project: ProjectId,
    purpose: &'static str,
    envelope: &Envelope,
) -> Result<uuid::Uuid> {
    let sql = "
        insert into plinth.secrets (id, project_id, purpose, envelope, created_at, updated_at)
        values ($1, $2, $3, $4, $5, $5)
        on conflict (project_id, purpose) do update set envelope = excluded.envelope, updated_at = excluded.updated_at
        returning id";
    let (id, now) = (app.random.uuid(), app.clock.now());
    let envelope = serde_json::to_value(envelope).map_err(Error::internal)?;
    let params = [uuid(&id), uuid(&project.0), text(&purpose), json(&envelope), time(&now)];
    let rows = tx.query_typed(sql, &params).await.map_err(failure)?;
    let row = rows.first().ok_or_else(|| Error::internal("no secret was kept"))?;
    Ok(row.get(0))
}

/// Deletes the rows for good, and with them what was sealed.
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
