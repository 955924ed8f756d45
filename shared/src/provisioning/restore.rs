//! A backend that was given up serves again.

use super::manage::{Found, not_provisioned};
use super::provision::require_admin;
use super::{external, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::BackendId;
use crate::projects::versions::{self, Propagation};
use crate::tenancy::ProjectAccess;

/// Brings back the backend that was given up last, or the named one, less than 30 days ago: a managed one with its data,
/// an external one with its credentials. One that serves already stays as it is. Needs the role `admin`.
///
/// # Errors
/// 404 `backend/not-provisioned` when there is none to bring back; 409 `provisioning/exists` when another one has taken
/// its place, `provisioning/credentials-gone` when the secret of an external one was removed by somebody else.
pub async fn restore(app: &App, access: &ProjectAccess, which: Option<BackendId>) -> Result<(Found, Propagation)> {
    require_admin(access)?;
    let project = access.project();
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    store::lock_project(&tx, project).await?;
    let managed = store::of_project(&tx, project).await?.map(Found::Managed);
    let external = external::latest(&tx, project).await?;
    let external = external.map(|backend| Found::External(Box::new(backend)));
    let found = match choose(app, [managed, external], which)? {
        Chosen::Serving(found) => return Ok((found, Propagation::Done)),
        Chosen::Deleted(found) => found,
    };
    store::set_deleted(app, &tx, found.id(), false).await?;
    let entry = Entry::by(access.caller(), Some(project), "backend.restore", found.id());
    audit::record(app, &tx, &entry).await?;
    versions::bump(&tx, project).await?;
    let found = match found {
        Found::Managed(backend) => {
            tx.commit().await.map_err(failure)?;
            Found::Managed(super::Backend {
                deleted_at: None,
                ..backend
            })
        }
        // The project is locked still: nobody gives the credentials up in between.
        Found::External(backend) => Found::External(Box::new(external::commit_restored(app, tx, *backend).await?)),
    };
    drop(client);
    let heard = Box::pin(versions::push(app, project)).await?;
    Ok((found, heard))
}

enum Chosen {
    Serving(Found),
    Deleted(Found),
}

fn choose(app: &App, there: [Option<Found>; 2], which: Option<BackendId>) -> Result<Chosen> {
    let since = crate::projects::restorable_since(app)?;
    let (serving, deleted): (Vec<_>, Vec<_>) = there
        .into_iter()
        .flatten()
        .partition(|found| found.deleted_at().is_none());
    let serving = serving.into_iter().next();
    let meant = |found: &Found| which.is_none_or(|id| id == found.id());
    let deleted = deleted
        .into_iter()
        .filter(|found| meant(found) && found.deleted_at() >= Some(since))
        .max_by_key(Found::deleted_at);
    match (serving, deleted) {
        (None, Some(deleted)) => Ok(Chosen::Deleted(deleted)),
        (Some(serving), None) if meant(&serving) => Ok(Chosen::Serving(serving)),
        (Some(serving), Some(_)) if which == Some(serving.id()) => Ok(Chosen::Serving(serving)),
        (Some(_), Some(_)) => Err(Error::new(
            ErrorKind::Conflict,
            "provisioning/exists",
            "Another backend has taken its place",
        )
        .with_hint("A project has one backend: DELETE …/backend/provision gives the present one up first")),
        (_, None) => Err(not_provisioned()),
    }
}
