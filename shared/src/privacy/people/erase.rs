//! Removing a platform user, step by step: each in one transaction with its note, so that a job that was cut off goes on
//! behind the last one.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::plan::{Counted, Rule, plan_of_user, unblocked};
use super::store;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::RESTORE_WINDOW;
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};
use crate::jobs::Job;
use crate::privacy::identity::{self, Person};
use crate::projects::versions;
use crate::purge::{self, Outcome};
use crate::tenancy::RequestInfo;

const PROJECTS: &str = "people:projects";
const PERSONAL: &str = "people:personal";
const REFERENCES: &str = "people:references";
const ACCOUNT: &str = "people:account";
const IDENTITY: &str = "people:identity";

/// Removes all that the control database has of a platform user, but for who the requests about them are about: the job
/// that calls this still needs it. Repeatable, on its job's items. What was done, table by table.
///
/// # Errors
/// 422 `privacy/blocked` when something has come in the way since the plan, `privacy/erase-projects`: then nothing is
/// done; 409 `jobs/lost`.
pub async fn erase_user(
    app: &App,
    job: &Job,
    user: UserId,
    request: Uuid,
    projects: &[ProjectId],
) -> Result<Vec<Counted>> {
    let done = job.items(app).await?;
    let mut work = Work {
        app,
        job,
        user,
        request: RequestInfo {
            id: request.to_string(),
            address: None,
        },
        done,
        counted: Vec::new(),
    };
    work.give_up(projects).await?;
    work.personal().await?;
    work.step(REFERENCES).await?;
    work.step(ACCOUNT).await?;
    work.step(IDENTITY).await?;
    Ok(work.counted)
}

struct Work<'a> {
    app: &'a App,
    job: &'a Job,
    user: UserId,
    request: RequestInfo,
    done: BTreeMap<String, Value>,
    counted: Vec<Counted>,
}

impl Work<'_> {
    /// Whether an earlier try has done it.
    fn was_done(&mut self, item: &str) -> Result<bool> {
        let Some(outcome) = self.done.get(item) else {
            return Ok(false);
        };
        let counted = outcome.get("tables").cloned().unwrap_or_default();
        let counted: Vec<Counted> = serde_json::from_value(counted).map_err(Error::internal)?;
        self.counted.extend(counted);
        Ok(true)
    }

    async fn note(&mut self, tx: Transaction<'_>, item: &'static str, counted: Vec<Counted>) -> Result<()> {
        self.job
            .done(self.app, &tx, item, &json!({ "tables": counted }))
            .await?;
        tx.commit().await.map_err(failure)?;
        self.counted.extend(counted);
        Ok(())
    }

    /// Their projects and memberships. First, since it alone may be refused.
    async fn give_up(&mut self, projects: &[ProjectId]) -> Result<()> {
        if !self.was_done(PROJECTS)? {
            let mut client = self.app.control.get().await?;
            let tx = client.transaction().await.map_err(failure)?;
            // Whoever changes members holds the project's row: owners stay what they are until the end.
            let member_of = store::lock_projects(&tx, self.user).await?;
            let plan = plan_of_user(&tx, self.user, projects).await?;
            unblocked(&plan.blockers)?;
            for project in member_of {
                if plan.projects.iter().any(|goes| goes.id == project.0) {
                    self.delete_project(&tx, project).await?;
                }
                self.record(&tx, project, "members.erase").await?;
            }
            let removed = store::leave_projects(&tx, self.user).await?;
            let sessions = store::end_sessions(&tx, self.user).await?;
            let counted = counted(&[("members", Rule::Delete, removed), ("sessions", Rule::Delete, sessions)]);
            self.note(tx, PROJECTS, counted).await?;
        }
        // Also when the try before was cut off here: what is told twice does no harm.
        for project in projects {
            versions::push(self.app, *project).await?;
        }
        Ok(())
    }

    /// As if so long ago that nobody can bring it back.
    async fn delete_project(&self, tx: &Transaction<'_>, project: ProjectId) -> Result<()> {
        let window = RESTORE_WINDOW + Duration::from_secs(1);
        let over = self.app.clock.now().checked_sub(window).map_err(Error::internal)?;
        store::delete_project(tx, project, over).await?;
        versions::bump(tx, project).await?;
        self.record(tx, project, "projects.erase").await
    }

    async fn record(&self, tx: &Transaction<'_>, project: ProjectId, action: &'static str) -> Result<()> {
        let entry = Entry::by_system("privacy", &self.request, Some(project), action, &self.request.id);
        audit::record(self.app, tx, &entry).await
    }

    /// Their own database: the credentials are gone before anything else is said to be.
    async fn personal(&mut self) -> Result<()> {
        if self.was_done(PERSONAL)? {
            return Ok(());
        }
        let found = {
            let client = self.app.control.get().await?;
            store::personal_of(&*client, self.user).await?
        };
        for project in found {
            let now = self
                .app
                .clock
                .now()
                .checked_sub(RESTORE_WINDOW)
                .map_err(Error::internal)?;
            if Box::pin(purge::erase_project(self.app, project, now)).await? == Outcome::Held {
                return Err(at_work());
            }
        }
        let mut client = self.app.control.get().await?;
        let tx = client.transaction().await.map_err(failure)?;
        self.note(tx, PERSONAL, Vec::new()).await
    }

    async fn step(&mut self, item: &'static str) -> Result<()> {
        if self.was_done(item)? {
            return Ok(());
        }
        let mut client = self.app.control.get().await?;
        let tx = client.transaction().await.map_err(failure)?;
        let counted = match item {
            REFERENCES => store::forget_references(&tx, self.user, self.job.id).await?,
            ACCOUNT => store::erase_account(&tx, self.user).await?,
            _ => {
                let forgotten = identity::forget(&tx, Person::User(self.user)).await?;
                counted(&[("audit_subjects", Rule::Delete, forgotten)])
            }
        };
        self.note(tx, item, counted).await
    }
}

pub(super) fn counted(rows: &[(&str, Rule, u64)]) -> Vec<Counted> {
    let some = rows.iter().filter(|(_, _, rows)| *rows > 0);
    some.map(|(table, rule, rows)| Counted {
        table: (*table).to_owned(),
        rule: *rule,
        rows: *rows,
        reason: None,
    })
    .collect()
}

fn at_work() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "privacy/at-work",
        "Somebody else is at work on a project that goes",
    )
}
