//! A revoked key works again, with the text it had.

use tokio_postgres::GenericClient;

use super::lifetime::{entry, locked, not_found};
use super::{KeyView, check_room, store};
use crate::app::App;
use crate::audit;
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::KeyId;
use crate::projects::restorable_since;
use crate::projects::versions::{self, Propagation};
use crate::tenancy::ProjectAccess;

/// Takes a revocation back that is not older than 30 days. A key that is not revoked stays as it is. What was revoked
/// because it had leaked must stay revoked, so nothing brings a key back but this call, and the audit log has it.
///
/// # Errors
/// 404 `keys/not-found`, also when it was revoked longer ago; 409 `keys/over` when it has expired meanwhile,
/// `keys/rotated` when another one has taken its place; 403 `keys/quota`.
pub async fn restore(app: &App, access: &ProjectAccess, key: KeyId) -> Result<(KeyView, Propagation)> {
    let Some(restored) = commit_restoration(app, access, key).await? else {
        let client = app.control.get().await?;
        let present = store::find(&*client, access.project(), key).await?;
        return Ok((present.ok_or_else(not_found)?, Propagation::Done));
    };
    Ok((restored, versions::push(app, access.project()).await?))
}

/// `None`: it is not revoked.
async fn commit_restoration(app: &App, access: &ProjectAccess, id: KeyId) -> Result<Option<KeyView>> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let key = locked(app, &transaction, access, id).await?;
    let Some(revoked_at) = key.revoked_at else {
        return Ok(None);
    };
    if revoked_at < restorable_since(app)? {
        return Err(not_found());
    }
    check_restorable(app, &transaction, access, &key).await?;
    if !store::restore(&transaction, id).await? {
        // Purged at this very moment.
        return Err(not_found());
    }
    versions::bump(&transaction, access.project()).await?;
    audit::record(app, &transaction, &entry(access, "keys.restore", id)).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(Some(KeyView {
        revoked_at: None,
        ..key
    }))
}

async fn check_restorable(
    app: &App,
    executor: &impl GenericClient,
    access: &ProjectAccess,
    key: &KeyView,
) -> Result<()> {
    let now = app.clock.now();
    if let Some(successor) = key.replaced_by {
        return Err(Error::new(
            ErrorKind::Conflict,
            "keys/rotated",
            "Another key has taken this one's place",
        )
        .with_details(format!("Its successor is {successor}"))
        .with_hint("Use that one"));
    }
    if key.expires_at.is_some_and(|expiry| expiry <= now) {
        return Err(Error::new(
            ErrorKind::Conflict,
            "keys/over",
            "The key has expired since it was revoked",
        )
        .with_hint("POST /api/projects/{id}/keys makes a new one"));
    }
    check_room(executor, access.project(), now).await
}
