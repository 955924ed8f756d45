//! End users deleted more than 30 days ago go for good: the account with its identities and sessions, and the profile row
//! as far as the app's own rows let it.

use jiff::Timestamp;
use uuid::Uuid;

use super::audience::place;
use super::profile::{self, Profile};
use super::store::{self, Store};
use super::{Audience, Origin};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{ErrorKind, Result};
use crate::ident::{ProjectId, Ref};
use crate::purge::Run;
use crate::tenancy::Isolation;

const KIND: &str = "end-user";
/// Projects, and users of one, that are looked up at a time.
const BATCH: i64 = 100;

/// Looks wherever a deletion was noted that is old enough. A database that cannot be reached keeps the others from nothing.
///
/// # Errors
/// When the control database fails.
pub async fn purge(run: &mut Run<'_>) -> Result<()> {
    let mut after = None;
    loop {
        let found = {
            let client = run.app().control.get().await?;
            store::noted(&*client, run.before(), after, BATCH).await?
        };
        for (_, project, reference) in &found {
            if !run.may_go_on(KIND) {
                return Ok(());
            }
            if let Err(error) = Box::pin(of_project(run, *project, reference)).await {
                run.kept(KIND, project.0, &error);
            }
        }
        after = match found.last() {
            Some((since, project, _)) if found.len() as i64 == BATCH => Some((*since, *project)),
            _ => return Ok(()),
        };
    }
}

async fn of_project(run: &mut Run<'_>, project: ProjectId, reference: &Ref) -> Result<()> {
    let app = run.app();
    let found = app.tenancy.refresh(reference).await?;
    let audience = Audience::of(found.clone());
    let mut after = None;
    loop {
        let due = due(app, &audience, run.before(), after).await?;
        for (_, user) in &due {
            if !run.may_go_on(KIND) {
                return Ok(());
            }
            match Box::pin(remove(app, &audience, project, *user, run.before())).await {
                Ok(true) => run.counted(KIND, 1),
                Ok(false) => run.passed_over(KIND),
                Err(error) => run.kept(KIND, *user, &error),
            }
        }
        after = due.last().copied();
        if (due.len() as i64) < BATCH {
            break;
        }
    }
    settle(app, &audience, project, run.before()).await?;
    let (cell, isolation) = place(&found)?;
    if isolation == Isolation::Database {
        // Nobody here needs it again soon.
        app.cells.forget(cell, &found.names().own());
    }
    Ok(())
}

async fn due(
    app: &App,
    audience: &Audience,
    before: Timestamp,
    after: Option<(Timestamp, Uuid)>,
) -> Result<Vec<(Timestamp, Uuid)>> {
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    let due = store.due(before, after, BATCH).await?;
    store.commit().await?;
    Ok(due)
}

/// Whether there was anybody, whom nobody else is at work on.
async fn remove(app: &App, audience: &Audience, project: ProjectId, user: Uuid, before: Timestamp) -> Result<bool> {
    let mut client = audience.connect(app).await?;
    let store = Store::begin(audience, &mut client).await?;
    if !store.hold_due(user, before).await? {
        return Ok(false);
    }
    match profile::change(app, audience, &store, &Profile::Forget(user)).await {
        // The app's own code may keep its own rows; the account is ours.
        Err(error) if error.kind() == ErrorKind::Unprocessable => {
            tracing::warn!(%project, %user, %error, "a profile stays behind its account");
        }
        changed => changed?,
    }
    store.remove(user).await?;
    let origin = Origin::default();
    let entry = Entry::by_system("purge", &origin.request, Some(project), "users.purge", user);
    let control = app.control.get().await?;
    audit::record(app, &*control, &entry).await?;
    drop(control);
    store.commit().await?;
    Ok(true)
}

async fn settle(app: &App, audience: &Audience, project: ProjectId, before: Timestamp) -> Result<()> {
    let mut control = app.control.get().await?;
    let tx = control.transaction().await.map_err(failure)?;
    let mut client = audience.connect(app).await?;
    let cell = Store::begin(audience, &mut client).await?;
    store::settle(&tx, project, before, &cell).await?;
    cell.commit().await?;
    tx.commit().await.map_err(failure)
}
