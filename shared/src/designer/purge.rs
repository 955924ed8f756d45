//! What is past its 30 days goes for good: deleted tables, deleted columns, deleted rows of tables that keep them.
//!
//! Each thing is removed by itself, in the backend first and then from the designs, and what is gone already is passed over:
//! so a run that is cut off loses nothing, and the next one goes on. It runs under the designer's lock, and as the login that
//! designs tables: to remove rows may run what a tenant wrote, and none of our own logins does that.

mod rows;

use jiff::Timestamp;
use uuid::Uuid;

use super::refusal;
use super::site::{Connection, Site};
use super::store::{self, Due};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control;
use crate::error::Result;
use crate::ident::{BackendId, Ident, Ref};
use crate::purge::Run;
use crate::schema::ddl;
use crate::tenancy::RequestInfo;

/// Tables and columns that are looked up at a time; rows that one statement removes.
const BATCH: i64 = 1_000;

/// Removes the tables, columns and rows that were deleted before [`Run::before`]. What fails is told and keeps nothing else
/// from going.
///
/// # Errors
/// When the control database fails.
pub async fn purge(run: &mut Run<'_>) -> Result<()> {
    loop {
        let client = run.app().control.get().await?;
        // A column may use a type that a table of the same age declares.
        let mut due = store::due_columns(&*client, run.before(), BATCH).await?;
        due.extend(store::due_tables(&*client, run.before(), BATCH).await?);
        drop(client);
        let (mut gone, mut failed) = (false, false);
        for due in due {
            if !run.may_go_on(due.kind()) {
                return Ok(());
            }
            match Box::pin(remove(run.app(), &due, run.before())).await {
                Ok(true) => {
                    run.removed(due.kind(), due.id());
                    gone = true;
                }
                // It came back, or moved.
                Ok(false) => run.passed_over(due.kind()),
                Err(error) => {
                    run.kept(due.kind(), due.id(), &error);
                    failed = true;
                }
            }
        }
        // What could not go stands in front of the next batch.
        if failed || !gone {
            break;
        }
    }
    rows::purge(run, BATCH).await
}

async fn remove(app: &App, due: &Due, before: Timestamp) -> Result<bool> {
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
        return Ok(false);
    }
    cell.run_plain(&statements).await?;
    cell.commit().await?;
    forget(app, due, before).await?;
    Ok(true)
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
    pub(super) reference: Ref,
    pub(super) backend: BackendId,
    pub(super) table: Uuid,
    pub(super) name: Ident,
    pub(super) trashed: bool,
}
