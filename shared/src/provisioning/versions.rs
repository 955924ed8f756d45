//! Tells a backend's own database that the control plane has moved on.

use super::{Backend, cell, store};
use crate::app::App;
use crate::error::Result;

/// Pushes `version` after the change was committed. When the backend cannot be reached its row in the outbox stays and
/// is pushed later.
pub(super) async fn push(app: &App, backend: &Backend, version: i64) {
    if let Err(error) = try_push(app, backend, version).await {
        tracing::warn!(%error, project = %backend.project, "a backend has still to hear of a change");
    }
}

async fn try_push(app: &App, backend: &Backend, version: i64) -> Result<()> {
    cell::push_version(app, backend, version).await?;
    let client = app.control.get().await?;
    store::heard(app, &*client, backend.project, version).await
}
