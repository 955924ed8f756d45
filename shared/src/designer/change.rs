//! A change from wish to stored design; the order of its steps is told in the [module](super).

use std::time::Duration;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::cell::{Cell, outcome_unknown};
use super::plan::{self, Kind};
use super::site::Site;
use super::steps::{Step, reached};
use super::store::{self, New, Pending};
use super::{Table, Wish, not_found};
use crate::app::App;
use crate::audit;
use crate::control;
use crate::error::{Error, Result};
use crate::ident::BackendId;
use crate::tenancy::ProjectAccess;

/// What of a request's time is kept for writing down its outcome.
const RESERVE: Duration = Duration::from_secs(3);

pub(super) async fn run(app: &App, access: &ProjectAccess, backend: BackendId, wish: Wish<'_>) -> Result<Table> {
    let site = Site::find(app, access, backend).await?;
    let change = Change { app, access, site };
    change.refuse_early(wish).await?;
    let budget = app.config.web.request_timeout.saturating_sub(RESERVE).max(RESERVE);
    let mut connection = change.site.connect(app).await?;
    let cell = Cell::lock(&mut connection, &change.site, budget).await?;
    change.settle(&cell).await?;
    let (pending, up, proof) = change.write_down(wish).await?;
    reached(Step::Planned).await;
    if let Err(error) = cell.run(&app.random, (&up, &proof), pending.id).await {
        return Err(change.abandoned(&pending, error).await);
    }
    reached(Step::Run).await;
    match cell.commit().await {
        Ok(true) => {}
        Ok(false) => return Err(outcome_unknown()),
        Err(error) => return Err(change.abandoned(&pending, error).await),
    }
    reached(Step::Committed).await;
    change.finish(&pending, false).await?;
    change.read(&pending).await
}

struct Change<'a> {
    app: &'a App,
    access: &'a ProjectAccess,
    site: Site,
}

impl Change<'_> {
    /// Plans on what is stored now, so that a bad wish ends before it waits or reaches the backend.
    async fn refuse_early(&self, wish: Wish<'_>) -> Result<()> {
        let client = self.app.control.get().await?;
        if !store::pending(&*client, self.site.id).await?.is_empty() {
            return Ok(());
        }
        let tables = store::tables(&*client, self.access.project(), self.site.id).await?;
        self.plan(wish, &tables).map(drop)
    }

    fn plan(&self, wish: Wish<'_>, tables: &[store::Stored]) -> Result<plan::Planned> {
        let (fresh, now) = (self.app.random.uuid(), self.app.clock.now());
        plan::plan(
            wish,
            tables,
            &self.site,
            self.app.config.designer.max_tables,
            (fresh, now),
        )
    }

    /// Ends what an earlier change left open. The lock is held: nobody is at work on it.
    async fn settle(&self, cell: &Cell<'_>) -> Result<()> {
        let open = {
            let client = self.app.control.get().await?;
            store::pending(&*client, self.site.id).await?
        };
        if open.is_empty() {
            return Ok(());
        }
        let last = cell.last_migration().await?;
        for pending in open {
            tracing::warn!(migration = %pending.id, "settling a change that was cut off");
            if last == Some(pending.id) {
                self.finish(&pending, true).await?;
            } else {
                self.fail(&pending, "tables/cut-off: The change was cut off before it was made")
                    .await?;
            }
        }
        Ok(())
    }

    /// Plans under the lock and writes the migration down as pending.
    async fn write_down(&self, wish: Wish<'_>) -> Result<(Pending, String, Vec<String>)> {
        let mut client = self.app.control.get().await?;
        let transaction = client.transaction().await.map_err(control::failure)?;
        store::lock(&transaction, self.access.project(), self.site.id).await?;
        let tables = store::tables(&transaction, self.access.project(), self.site.id).await?;
        let planned = self.plan(wish, &tables)?;
        let (up, down) = (planned.change.up_sql(), planned.change.down_sql());
        let (id, author) = (self.app.random.uuid(), self.access.caller().user.id.0);
        let new = New {
            id,
            kind: planned.kind,
            table: planned.table,
            up: &up,
            down: &down,
            checksum: &checksum(&up),
            after: &planned.after,
            author,
            at: self.app.clock.now(),
        };
        let sequence = store::insert(&transaction, self.site.id, &new).await?;
        transaction.commit().await.map_err(control::failure)?;
        let pending = Pending {
            id,
            kind: planned.kind,
            table: planned.table,
            sequence,
            after: planned.after,
            author,
        };
        Ok((pending, up, planned.proof))
    }

    /// The change has happened: stores the design, with an audit row. Once only, whoever comes first.
    async fn finish(&self, pending: &Pending, settled: bool) -> Result<()> {
        let mut client = self.app.control.get().await?;
        let transaction = client.transaction().await.map_err(control::failure)?;
        store::lock(&transaction, self.access.project(), self.site.id).await?;
        let now = self.app.clock.now();
        if !store::applied(&transaction, pending.id, now).await? {
            return Ok(());
        }
        let moved = self.site.moved(pending.table)?;
        store::put(&transaction, self.site.id, pending, &moved, now).await?;
        let details = json!({
            "table": pending.after.table.name,
            "migration": pending.id,
            "sequence": pending.sequence,
            "settled": settled,
        });
        let (project, caller) = (self.access.project(), self.access.caller());
        let mut entry = audit::Entry::by(caller, Some(project), action(pending.kind), pending.table).with(details);
        entry.actor = format!("user:{}", pending.author);
        audit::record(self.app, &transaction, &entry).await?;
        transaction.commit().await.map_err(control::failure)
    }

    async fn fail(&self, pending: &Pending, why: &str) -> Result<()> {
        let client = self.app.control.get().await?;
        store::failed(&*client, pending.id, why).await
    }

    /// Notes that the database refused the change; hands the reason on.
    async fn abandoned(&self, pending: &Pending, error: Error) -> Error {
        if let Err(unnoted) = self.fail(pending, &error.to_string()).await {
            // The next change finds it open and settles it.
            tracing::warn!(migration = %pending.id, error = %unnoted, "a refused change could not be noted");
        }
        error
    }

    async fn read(&self, pending: &Pending) -> Result<Table> {
        let client = self.app.control.get().await?;
        let tables = store::tables(&*client, self.access.project(), self.site.id).await?;
        let found = tables.into_iter().find(|stored| stored.table.id == pending.table);
        let now = self.app.clock.now();
        found.map(|stored| stored.table.shown(now)).ok_or_else(not_found)
    }
}

fn action(kind: Kind) -> &'static str {
    match kind {
        Kind::Create => "tables.create",
        Kind::Alter => "tables.alter",
        Kind::Delete => "tables.delete",
        Kind::Restore => "tables.restore",
        Kind::RestoreColumn => "tables.restore-column",
    }
}

fn checksum(up: &str) -> String {
    Sha256::digest(up.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
