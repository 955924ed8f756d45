//! A backend after its birth: found, reloaded, given up, removed.

use super::provision::require_admin;
use super::{Backend, ExternalBackend, cell, external, store};
use jiff::Timestamp;
use tokio_postgres::Transaction;

use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, ProjectId};
use crate::projects::versions::{self, Propagation};
use crate::purge::Outcome;
use crate::tenancy::{ProjectAccess, RequestInfo};

/// A project's backend, of whichever kind.
#[derive(Debug, Clone)]
pub enum Found {
    /// One of ours.
    Managed(Backend),
    /// The user's own database.
    External(Box<ExternalBackend>),
}

impl Found {
    /// Its id.
    pub fn id(&self) -> BackendId {
        match self {
            Self::Managed(backend) => backend.id,
            Self::External(backend) => backend.id,
        }
    }

    /// When it was given up.
    pub fn deleted_at(&self) -> Option<Timestamp> {
        match self {
            Self::Managed(backend) => backend.deleted_at,
            Self::External(backend) => backend.deleted_at,
        }
    }
}

/// The project's backend, if it has one.
///
/// # Errors
/// When the control database fails.
pub async fn find(app: &App, access: &ProjectAccess) -> Result<Option<Found>> {
    if let Some(found) = external::find(app, access.project()).await? {
        return Ok(Some(Found::External(Box::new(found))));
    }
    let client = app.control.get().await?;
    let found = store::of_project(&*client, access.project()).await?;
    let found = found.filter(|backend| backend.deleted_at.is_none());
    Ok(found.map(Found::Managed))
}

async fn is_external(app: &App, access: &ProjectAccess) -> Result<bool> {
    Ok(external::find(app, access.project()).await?.is_some())
}

/// Gives the backend up: data requests stop at once, what is known of it (of a managed one, its data) is kept for 30 days,
/// and provisioning again brings it back. Needs the role `admin`. Says whether the backend has heard of it.
///
/// # Errors
/// `backend/not-provisioned` (404) when there is none.
pub async fn deprovision(app: &App, access: &ProjectAccess) -> Result<(Found, Propagation)> {
    require_admin(access)?;
    if is_external(app, access).await? {
        let (backend, heard) = external::deprovision(app, access).await?;
        return Ok((Found::External(Box::new(backend)), heard));
    }
    let project = access.project();
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    store::lock_project(&tx, project).await?;
    let backend = live(store::of_project(&tx, project).await?)?;
    store::set_deleted(app, &tx, backend.id, true).await?;
    let entry = Entry::by(access.caller(), Some(project), "backend.deprovision", backend.id);
    audit::record(app, &tx, &entry).await?;
    versions::bump(&tx, project).await?;
    tx.commit().await.map_err(failure)?;
    drop(client);
    // The backend is told although it is given up: requests that were planned before end there.
    let heard = Box::pin(versions::push(app, project)).await?;
    let backend = Backend {
        deleted_at: Some(app.clock.now()),
        ..backend
    };
    Ok((Found::Managed(backend), heard))
}

/// Makes every process forget what it knows of the backend's tables and settings.
///
/// # Errors
/// `backend/not-provisioned` (404); 503 when the backend cannot be reached.
pub async fn reload(app: &App, access: &ProjectAccess) -> Result<Found> {
    if is_external(app, access).await? {
        let backend = external::reload(app, access).await?;
        return Ok(Found::External(Box::new(backend)));
    }
    let project = access.project();
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    store::lock_project(&tx, project).await?;
    let backend = live(store::of_project(&tx, project).await?)?;
    let entry = Entry::by(access.caller(), Some(project), "backend.reload", backend.id);
    audit::record(app, &tx, &entry).await?;
    versions::bump(&tx, project).await?;
    tx.commit().await.map_err(failure)?;
    drop(client);
    Box::pin(cell::move_schema(app, &backend)).await?;
    Box::pin(versions::push(app, project)).await?;
    Ok(Found::Managed(backend))
}

/// Removes a backend and everything in it for good: tables, accounts, roles, database, secret. Repeatable: what is gone
/// already is passed over. Says whether there was anything. For purging; the audit row is the caller's.
///
/// # Errors
/// `provisioning/not-deleted` (409) for a backend that serves, unless `even_live`; 503 when its cell cannot be reached
/// (a repeat goes on from there).
pub async fn drop_backend(app: &App, project: ProjectId, id: BackendId, even_live: bool) -> Result<bool> {
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    store::lock_even_deleted(&tx, project).await?;
    let found = store::lock_backend(&tx, id).await?;
    let Some(backend) = found.filter(|backend| backend.project == project) else {
        let removed = external::remove(app, &tx, project, id, even_live).await?;
        tx.commit().await.map_err(failure)?;
        return Ok(removed);
    };
    if backend.deleted_at.is_none() && !even_live {
        return Err(in_use());
    }
    Box::pin(cell::clear(app, &backend)).await?;
    store::remove(&tx, &backend).await?;
    tx.commit().await.map_err(failure)?;
    Ok(true)
}

/// Removes a backend for good that was given up before a moment, with its audit row.
///
/// # Errors
/// As [`drop_backend`].
pub async fn purge_backend(app: &App, project: ProjectId, id: BackendId, before: Timestamp) -> Result<Outcome> {
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    if !store::hold_project(&tx, project).await? {
        return Ok(Outcome::Held);
    }
    if store::given_up_at(&tx, project, id)
        .await?
        .is_none_or(|at| at >= before)
    {
        return Ok(Outcome::Nothing);
    }
    take_away(app, &tx, project, id).await?;
    let request = RequestInfo::default();
    let entry = Entry::by_system("purge", &request, Some(project), "backend.purge", id);
    audit::record(app, &tx, &entry).await?;
    tx.commit().await.map_err(failure)?;
    Ok(Outcome::Gone)
}

/// Removes all that a project has or had of backends, in the transaction that holds the project and removes it.
///
/// # Errors
/// As [`drop_backend`].
pub async fn drop_backends(app: &App, tx: &Transaction<'_>, project: ProjectId) -> Result<()> {
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    for id in store::all_of(tx, project).await? {
        take_away(app, tx, project, id).await?;
    }
    Ok(())
}

/// Of a project that is held.
async fn take_away(app: &App, tx: &Transaction<'_>, project: ProjectId, id: BackendId) -> Result<()> {
    match store::lock_backend(tx, id).await? {
        Some(backend) => {
            Box::pin(cell::clear(app, &backend)).await?;
            store::remove(tx, &backend).await
        }
        None => external::remove(app, tx, project, id, true).await.map(drop),
    }
}

fn live(found: Option<Backend>) -> Result<Backend> {
    let live = found.filter(|backend| backend.deleted_at.is_none());
    live.ok_or_else(not_provisioned)
}

pub(super) fn not_provisioned() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "backend/not-provisioned",
        "The project has no backend",
    )
    .with_hint("POST /api/projects/{id}/backend/provision")
}

pub(super) fn in_use() -> Error {
    Error::new(ErrorKind::Conflict, "provisioning/not-deleted", "The backend is in use")
}
