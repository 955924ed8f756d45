//! All SQL of connections in the control database.

use tokio_postgres::GenericClient;

use crate::control::{failure, uuid};
use crate::error::{Error, Result};
use crate::ident::ProjectId;
use crate::tenancy::ExternalSettings;
use crate::vault::Envelope;

/// A project's own database, as it is kept.
pub(super) struct Saved {
    pub(super) provider: String,
    pub(super) settings: ExternalSettings,
    pub(super) sealed: Envelope,
}

/// What a project's backend is.
pub(super) enum Kept {
    /// There is none.
    Nothing,
    /// One of ours.
    Ours,
    /// The user's own database.
    Own(Box<Saved>),
}

/// The backend of a project, as far as a connection test may know it.
pub(super) async fn connection(client: &impl GenericClient, project: ProjectId) -> Result<Kept> {
    let sql = "select tier, provider, settings, envelope from plinth.connection($1)";
    let rows = client.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let Some(row) = rows.first() else {
        return Ok(Kept::Nothing);
    };
    if row.get::<_, &str>(0) != "external" {
        return Ok(Kept::Ours);
    }
    let (provider, sealed): (Option<String>, Option<serde_json::Value>) = (row.get(1), row.get(3));
    let (Some(provider), Some(sealed)) = (provider, sealed) else {
        return Err(Error::internal("the backend has no connection"));
    };
    Ok(Kept::Own(Box::new(Saved {
        provider,
        settings: serde_json::from_value(row.get(2)).map_err(Error::internal)?,
        sealed: serde_json::from_value(sealed).map_err(Error::internal)?,
    })))
}
