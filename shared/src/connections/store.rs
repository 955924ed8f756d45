//! All SQL of connections in the control database.

use tokio_postgres::GenericClient;

use crate::control::{failure, uuid};
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId};
use crate::tenancy::ExternalSettings;
use crate::vault::Kept;

/// A project's own database, as it is kept.
pub(super) struct Saved {
    pub(super) id: BackendId,
    pub(super) provider: String,
    pub(super) settings: ExternalSettings,
    /// Where its secrets are.
    pub(super) kept: Kept,
}

/// What a project's backend is.
pub(super) enum Backend {
    /// There is none.
    Nothing,
    /// One of ours.
    Ours,
    /// The user's own database.
    Own(Box<Saved>),
}

/// The backend of a project, as far as a connection test may know it.
pub(super) async fn connection(client: &impl GenericClient, project: ProjectId) -> Result<Backend> {
    let sql = "select id, tier, provider, settings, envelope from plinth.connection($1)";
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let Some(row) = rows.first() else {
        return Ok(Backend::Nothing);
    };
    if row.get::<_, &str>(1) != "external" {
        return Ok(Backend::Ours);
    }
    let (provider, kept): (Option<String>, Option<serde_json::Value>) = (row.get(2), row.get(4));
    let (Some(provider), Some(kept)) = (provider, kept) else {
        return Err(Error::internal("the backend has no connection"));
    };
    Ok(Backend::Own(Box::new(Saved {
        id: BackendId(row.get(0)),
        provider,
        settings: serde_json::from_value(row.get(3)).map_err(Error::internal)?,
        kept: serde_json::from_value(kept).map_err(Error::internal)?,
    })))
}
