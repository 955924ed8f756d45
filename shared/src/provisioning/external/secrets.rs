//! What is secret of an external backend: opened, brought back, given up.

use super::{ExternalBackend, Whole};
use crate::app::App;
use crate::error::Result;
use crate::tenancy::ConnectionSecrets;
use crate::vault::{Kept, Owner};

impl Whole {
    /// All that is secret of it, as one thing to keep.
    pub(super) fn secrets(&self) -> ConnectionSecrets {
        ConnectionSecrets {
            credentials: self.credentials.clone(),
            rest: Some(self.secrets.clone()),
        }
    }
}

impl ExternalBackend {
    pub(super) fn owner(&self) -> Owner {
        Owner {
            project: self.project,
            backend: self.id,
        }
    }

    /// What is secret of it, restored if need be.
    pub(super) async fn secrets(&self, app: &App) -> Result<Option<ConnectionSecrets>> {
        let Some(kept) = &self.kept else { return Ok(None) };
        if self.deleted_at.is_some() {
            Box::pin(app.credentials.restore(kept)).await?;
        }
        let opened = ConnectionSecrets::open(&app.credentials, self.owner(), kept, self.sealed_rest.as_ref());
        opened.await.map(Some)
    }
}

/// Whether credentials were kept somewhere else before.
pub(super) fn moved(before: &Kept, now: &Kept) -> bool {
    match (before, now) {
        (Kept::Elsewhere(before), Kept::Elsewhere(now)) => before.secret != now.secret,
        (Kept::Elsewhere(_), Kept::Sealed(_)) => true,
        (Kept::Sealed(_), _) => false,
    }
}

/// Gives credentials up. If that fails they stay where they are, readable by us alone, until they are purged.
pub(super) async fn give_up(app: &App, owner: Owner, kept: &Kept) {
    if let Err(error) = Box::pin(app.credentials.delete(owner, kept)).await {
        let source = std::error::Error::source(&error).map(ToString::to_string);
        tracing::warn!(backend = %owner.backend, %error, source, "credentials could not be given up");
    }
}
