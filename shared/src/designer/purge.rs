//! What is past its 30 days goes for good: deleted tables, deleted columns, deleted rows of tables that keep them.
//!
//! Each thing is removed by itself, in the backend first and then from the designs, and what is gone already is passed over:
//! so a run that is cut off loses nothing, and the next one goes on. It runs under the designer's lock, and as the login that
//! designs tables: to remove rows may run what a tenant wrote, and none of our own logins does that.

mod rows;

use std::collections::BTreeMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::refusal;
use super::site::{Connection, Site};
use super::store::{self, Due};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control;
use crate::error::Result;
use crate::ident::{BackendId, Ident, ProjectId, Ref};
use crate::schema::ddl;
use crate::tenancy::RequestInfo;

/// What a run did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Purged {
    /// Tables and columns that were due: `table` or `column`, its id, and why it is still there, if it is.
    pub items: Vec<(&'static str, Uuid, Option<String>)>,
    /// Rows that are gone.
    pub rows: u64,
    /// Tables whose deleted rows could not all be removed, and why.
    pub failed: BTreeMap<Uuid, String>,
}

/// Removes what was deleted before that moment: `limit` tables and columns at most, and batches of `limit` rows.
/// What fails is told and keeps nothing else from going.
///
/// # Errors
/// When the control database fails.
pub async fn purge(app: &App, before: Timestamp, limit: i64) -> Result<Purged> {
    let mut purged = Purged::default();
    // A column may use a type that a table of the same age declares.
    let mut due = store::due_columns(&*app.control.get().await?, before, limit).await?;
    due.extend(store::due_tables(&*app.control.get().await?, before, limit).await?);
    for due in due {
        let outcome = remove(app, &due, before).await;
        if let Err(error) = &outcome {
            let source = std::error::Error::source(error).map(ToString::to_string);
            tracing::error!(kind = due.kind(), id = %due.id(), %error, source, "could not be purged");
        }
        let error = outcome.err().map(|error| error.to_string());
        purged.items.push((due.kind(), due.id(), error));
    }
    rows::purge(app, before, limit, &mut purged).await?;
    Ok(purged)
}

async fn remove(app: &App, due: &Due, before: Timestamp) -> Result<()> {
    let (site, mut connection) = open(app, &due.reference, due.backend).await?;
    let statements = match &due.column {
        Some(column) => {
            let moved = site.moved(due.table)?;
            let place = match due.trashed {
                true => (&site.trash, &moved),
                false => (site.schema(), &due.spec.name),
            };
            ddl::purge_column(column, place)
        }
        None => ddl::purge_table(&due.spec, &site.trash, &site.moved(due.table)?),
    };
    let cell = super::cell::Cell::lock(&mut connection, &site, app.config.web.request_timeout).await?;
    // It may have come back, or moved, while nobody held the lock.
    if !store::is_due(&*app.control.get().await?, due, before).await? {
        return Ok(());
    }
    cell.run_plain(&statements).await?;
    cell.commit().await?;
    forget(app, due, before).await
}

/// Where a backend's tables are, with a connection there.
async fn open(app: &App, reference: &Ref, backend: BackendId) -> Result<(Site, Connection)> {
    let project = app.tenancy.refresh(reference).await?;
    let site = Site::of(project, backend)?;
    let connection = site.connect(app).await?;
    Ok((site, connection))
}

async fn forget(app: &App, due: &Due, before: Timestamp) -> Result<()> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(control::failure)?;
    let gone = match &due.column {
        Some(column) => store::forget_column(&transaction, due.table, column.id).await?,
        None => store::forget_table(&transaction, due.table, before).await?,
    };
    if gone {
        let request = RequestInfo::default();
        let action = match due.column {
            Some(_) => "tables.purge-column",
            None => "tables.purge",
        };
        let details = serde_json::json!({ "table": due.spec.name });
        let entry = Entry::by_system("purge", &request, Some(due.project), action, due.id()).with(details);
        audit::record(app, &transaction, &entry).await?;
    }
    transaction.commit().await.map_err(control::failure)
}

impl Due {
    fn kind(&self) -> &'static str {
        match self.column {
            Some(_) => "column",
            None => "table",
        }
    }

    fn id(&self) -> Uuid {
        self.column.as_ref().map_or(self.table, |column| column.id)
    }
}

/// A table that keeps deleted rows.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) project: ProjectId,
    pub(super) reference: Ref,
    pub(super) backend: BackendId,
    pub(super) table: Uuid,
    pub(super) name: Ident,
    pub(super) trashed: bool,
}
