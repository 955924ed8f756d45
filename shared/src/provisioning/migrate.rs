//! What runs on every deploy: logins, control database, cells, platform signing key; secrets that an old master key
//! sealed are sealed with the current one; then every backend is raised to what this version installs. All of it repeatable; mixed versions are served meanwhile.

use serde::Serialize;
use uuid::Uuid;

use super::store;
use crate::accounts::signing;
use crate::app::App;
use crate::config::Migration;
use crate::control::dial::{Trust, dial};
use crate::control::{CELL_DATABASE, FunctionLogins, failure, prepare_cell, prepare_control, register_cell};
use crate::error::Result;
use crate::vault;

/// The number of the cell that shares the control database's server.
const FIRST_CELL: i32 = 1;
/// Backends looked at per query.
const PAGE: i64 = 100;

/// What a deploy did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Backends raised to this version's level.
    pub upgraded: u64,
    /// Backends left as they were; the log says why and the next run tries again.
    pub failed: u64,
    /// What became of the secrets that old master keys sealed.
    pub secrets: vault::Resealed,
}

/// Prepares the platform. `app` has the provisioning function's logins; they need not exist before.
///
/// # Errors
/// The step that failed; a repeat goes on from there.
pub async fn migrate(app: &App, settings: &Migration) -> Result<Report> {
    let trust = Trust::new(app.config.databases.ca_pem.as_deref())?;
    let logins = FunctionLogins {
        control: settings.control.clone(),
        records: settings.records.clone(),
        auth: settings.auth.clone(),
        privacy: settings.privacy.clone(),
        provision: settings.provision.clone(),
        api: settings.api.clone(),
        sql: settings.sql.clone(),
        connect: settings.connect.clone(),
    };
    let mut master = settings.master.clone();
    if let Some(arn) = &settings.master_secret {
        (master.login, master.auth) = vault::database_login(arn).await?;
    }
    let master = &master;
    prepare_control(master, &trust, &logins, &app.random).await?;
    let client = dial(master, &trust).await?;
    close_server(&client).await?;
    let provision = master.with_login("plinth_provision", logins.provision.as_ref(), CELL_DATABASE);
    prepare_cell(&provision, &trust).await?;
    register_cell(&client, FIRST_CELL, master, settings.capacity).await?;
    // Written by the owner of the control database: no function may make a key for the platform.
    signing::ensure(app, &client, None).await?;
    let secrets = vault::reseal(&app.vault, &app.random, &client).await?;
    let report = upgrade_backends(app).await?;
    Ok(Report { secrets, ..report })
}

/// Databases of the server that are nobody's let nobody in but those who make others.
async fn close_server(client: &tokio_postgres::Client) -> Result<()> {
    let sql = "
        do $$ begin
          execute format('grant connect on database postgres to plinth_provision, %I', current_user);
        end $$;
        revoke connect, temp on database postgres, template1 from public";
    client.batch_execute(sql).await.map_err(failure)?;
    // Where the master login does not own them, the revoke only warns: say what an operator must know.
    let sql = "
        select datname from pg_catalog.pg_database d, pg_catalog.aclexplode(coalesce(datacl, acldefault('d', datdba))) a
        where datname in ('postgres', 'template1') and a.grantee = 0 and a.privilege_type = 'CONNECT'";
    for row in client.query_typed(sql, &[]).await.map_err(failure)? {
        tracing::warn!(
            database = row.get::<_, &str>(0),
            "tenants' logins can connect here: its owner must revoke connect from public"
        );
    }
    Ok(())
}

/// Raises every backend to what this version installs, one after the other; a repeat goes on where it stopped.
///
/// # Errors
/// When the control database fails. A backend that cannot be reached is counted and left for the next run.
pub async fn upgrade_backends(app: &App) -> Result<Report> {
    let mut report = Report::default();
    let mut after = Uuid::nil();
    loop {
        let client = app.control.get().await?;
        let page = store::outdated(&*client, after, PAGE).await?;
        drop(client);
        let Some(last) = page.last() else {
            return Ok(report);
        };
        after = last.id.0;
        for backend in &page {
            match upgrade(app, backend).await {
                Ok(()) => report.upgraded += 1,
                Err(error) => {
                    tracing::warn!(%error, backend = %backend.id, "a backend could not be upgraded");
                    report.failed += 1;
                }
            }
        }
    }
}

/// Raises one backend, step by step. There is one version so far: nothing is behind it.
async fn upgrade(app: &App, backend: &super::Backend) -> Result<()> {
    let client = app.control.get().await?;
    store::set_installed(app, &*client, backend.id).await
}
