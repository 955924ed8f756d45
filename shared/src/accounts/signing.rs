//! Signing keys: one for the platform and one per project; the one that is not retired signs, all of them verify.

use std::sync::Arc;

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::app::App;
use crate::control::{self, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::token::SigningKey;

/// Makes sure that a project, or with none the platform, has a key to sign with. `executor` is the control database.
///
/// Repeatable; of two at once, one makes the key.
///
/// # Errors
/// When the vault or the database fails.
pub async fn ensure(app: &App, executor: &impl GenericClient, project: Option<ProjectId>) -> Result<()> {
    let id: Option<Uuid> = project.map(|project| project.0);
    let sql = "select 1 from plinth.signing_keys where project_id is not distinct from $1 and retired_at is null";
    let found = executor
        .query_typed(sql, &[uuid(&id)])
        .await
        .map_err(control::failure)?;
    if !found.is_empty() {
        return Ok(());
    }
    let key = SigningKey::generate(&app.random)?;
    let envelope = app.vault.seal(&app.random, project, key.der()).await?;
    let envelope = serde_json::to_value(envelope).map_err(Error::internal)?;
    let public = serde_json::to_value(key.public_jwk()?).map_err(Error::internal)?;
    let (kid, now) = (key.kid(), app.clock.now());
    let sql = "
        insert into plinth.signing_keys (kid, project_id, public_jwk, envelope, created_at)
        values ($1, $2, $3, $4, $5) on conflict do nothing";
    let params = [text(&kid), uuid(&id), json(&public), json(&envelope), time(&now)];
    executor.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(())
}

/// The key that signs now. Which one that is is asked each time, so that a rotation acts at once; opened keys are
/// remembered. Takes a connection of the control database: ask before holding one.
pub(super) async fn current(app: &App, project: Option<ProjectId>) -> Result<Arc<SigningKey>> {
    let id: Option<Uuid> = project.map(|project| project.0);
    let sql = "
        select kid, envelope from plinth.signing_keys
        where project_id is not distinct from $1 and retired_at is null";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&id)]).await.map_err(control::failure)?;
    drop(client);
    let row = rows.first().ok_or_else(|| Error::internal("there is no signing key"))?;
    let kid: String = row.get(0);
    if let Some(key) = app.opened_keys.get(&kid) {
        return Ok(key);
    }
    let envelope = serde_json::from_value(row.get::<_, Value>(1)).map_err(Error::internal)?;
    let key = Arc::new(SigningKey::from_der(kid, app.vault.open(project, &envelope).await?));
    app.opened_keys.put(key.clone());
    Ok(key)
}
