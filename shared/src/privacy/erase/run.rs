//! The job.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::{KeptPlan, user};
use super::data::{Counts, Site};
use super::drawn::{audit_log, end_user};
use super::steps::{Found, Work};
use super::store::{self, Documents};
use super::user::{done, known, values_of};
use super::values::Known;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::ProjectId;
use crate::jobs::Job;
use crate::privacy::receipt::{KeptFor, TableDone};
use crate::privacy::requests::{self, Scope, Who};
use crate::privacy::{identity, people};
use crate::tenancy::Project;

/// The item with the result.
pub(super) const RECEIPT: &str = "receipt";

/// Does such a job. Done twice, it leaves what it left once.
///
/// # Errors
/// `privacy/map-unconfirmed`, `privacy/map-stale`, `privacy/others-hang-on`, `privacy/blocked`: then nothing was done, and it
/// is not tried again; 404 when the project is gone; the engine's, without what it says of values.
pub async fn erase(app: &App, job: &Job) -> Result<Value> {
    let items = job.items(app).await?;
    if let Some(result) = items.get(RECEIPT) {
        return Ok(result.clone());
    }
    let id: Asked = serde_json::from_value(job.payload.clone()).map_err(Error::internal)?;
    let request = {
        let client = app.control.get().await?;
        requests::find(&*client, id.request).await?.ok_or_else(gone)?
    };
    let subject = request.subject.clone();
    let mut work = Work {
        app,
        job,
        request,
        items,
    };
    let done = match subject {
        // Another request's erasure was faster: nothing is left, not even who it was.
        None => Done::default(),
        Some(who) => match work.request.scope {
            Scope::EndUser => Box::pin(end_user_done(&mut work, &who)).await?,
            Scope::PlatformUser => Box::pin(user_done(&mut work, &who)).await?,
        },
    };
    work.receipt(done).await
}

/// What the job is for.
#[derive(Debug, Serialize, Deserialize)]
struct Asked {
    request: Uuid,
}

fn gone() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/request-gone",
        "The request is gone, with its project",
    )
}

/// What was done, for the receipt.
#[derive(Debug, Default)]
pub(super) struct Done {
    pub map_version: Option<i32>,
    pub tables: Vec<TableDone>,
    pub account: Value,
    pub documents: u64,
    pub exports: u64,
    pub audit: u64,
    pub kept: Vec<KeptFor>,
}

/// Trying again is of no use: somebody has to decide something first.
fn final_answer(error: Error) -> Error {
    let decided = matches!(
        error.code(),
        "privacy/map-unconfirmed" | "privacy/map-stale" | "privacy/others-hang-on"
    );
    if !decided {
        return error;
    }
    let hint = error.hint().unwrap_or_default().to_owned();
    Error::new(
        ErrorKind::Unprocessable,
        error.code().to_owned(),
        error.public().to_owned(),
    )
    .with_hint(hint)
}

async fn project(app: &App, id: Option<ProjectId>) -> Result<Arc<Project>> {
    let id = id.ok_or_else(|| Error::internal("an end user of no project"))?;
    let reference = {
        let client = app.control.get().await?;
        store::reference(&*client, id).await?
    };
    app.tenancy.refresh(&reference).await
}

async fn end_user_done(work: &mut Work<'_>, who: &Who) -> Result<Done> {
    let app = work.app;
    let project = project(app, work.request.project).await?;
    let id = project.id;
    work.job.progress(app, 5, "Looking at the tables").await?;
    let site = Box::pin(Site::of(app, project, who)).await?;
    let found = Box::pin(first_look(work, &site, who)).await.map_err(final_answer)?;

    work.job.progress(app, 15, "Signing out").await?;
    Box::pin(work.sign_out(&site)).await?;
    work.job.progress(app, 20, "Scrubbing documents").await?;
    let documents = Box::pin(scrubbed(work, &site, who)).await?;
    work.withdraw_exports(who).await?;
    work.job.progress(app, 40, "Erasing rows").await?;
    let mut counts = Box::pin(work.sweep(&site, "data")).await.map_err(final_answer)?;
    if site.account.is_some() {
        work.job.progress(app, 60, "Removing the account").await?;
        Box::pin(work.remove_account(&site)).await?;
        work.job.progress(app, 75, "Erasing what was written meanwhile").await?;
        let late = Box::pin(work.sweep(&site, "late")).await?;
        for (label, rows) in late {
            // What is emptied is met again; only what goes is new.
            if site.deleted().contains(label.as_str()) {
                *counts.entry(label).or_default() += rows;
            }
        }
    }
    let left = Box::pin(work.renew(&site)).await?;
    work.job.progress(app, 85, "Forgetting who it was").await?;
    let audit = work.forget(end_user(id, who)).await?;
    let tables = tables(&site, &counts);
    let kept = kept(&tables, &left);
    Ok(Done {
        map_version: found.map_version,
        tables,
        account: json!({
            "users": found.users, "identities": found.identities, "sessions": found.sessions,
        }),
        documents,
        exports: found.exports,
        audit,
        kept,
    })
}

/// Refuses before anything is done, and notes what there is.
async fn first_look(work: &mut Work<'_>, site: &Site, who: &Who) -> Result<Found> {
    if let Some(found) = work.noted("found")? {
        return Ok(found);
    }
    let version = site.confirmed()?;
    {
        let mut rows = site.begin().await?;
        super::data::refuse(&site.others(&mut *rows).await?)?;
    }
    let person = site.person(work.app).await?;
    let mut found = Found {
        map_version: Some(version),
        exports: work.exports(who).await?.len() as u64,
        ..Found::default()
    };
    if let Some(person) = person {
        found.users = 1;
        found.identities = person.identities.unsigned_abs();
        found.sessions = person.sessions.unsigned_abs();
    }
    work.note("found", &found).await?;
    Ok(found)
}

async fn scrubbed(work: &mut Work<'_>, site: &Site, who: &Who) -> Result<u64> {
    if let Some(count) = work.noted("documents")? {
        return Ok(count);
    }
    let person = site.person(work.app).await?;
    let values = {
        let mut rows = site.begin().await?;
        // Where they asked themselves nobody has seen what their own words would change.
        let known = if work.request.own {
            Known::Confirmed
        } else {
            Known::Said
        };
        site.values(&mut *rows, person.as_ref(), known).await?
    };
    let id = match who {
        Who::Id(id) => Some(id.clone()),
        Who::Key(_) => None,
    };
    work.scrub(
        Documents::Project(site.project.id),
        &values,
        id.filter(|id| is_uuid(id)),
    )
    .await
}

/// A short number is in too many texts to mean anybody.
fn is_uuid(id: &str) -> bool {
    id.parse::<Uuid>().is_ok()
}

fn tables(site: &Site, counts: &Counts) -> Vec<TableDone> {
    use crate::subject::Rule;
    let entries = site.map.map.tables.iter();
    entries
        .map(|(label, entry)| {
            let (rule, reason) = match &entry.rule {
                Rule::Delete => ("delete", None),
                Rule::Anonymise { .. } => ("anonymise", None),
                Rule::Keep { reason } => ("keep", Some(reason.clone())),
            };
            TableDone {
                table: label.clone(),
                rule: rule.to_owned(),
                rows: counts.get(label).copied().unwrap_or_default(),
                reason,
            }
        })
        .collect()
}

fn kept(tables: &[TableDone], left: &[String]) -> Vec<KeptFor> {
    let rows = tables.iter().filter(|table| table.rows > 0).filter_map(|table| {
        let reason = table.reason.clone()?;
        Some(KeptFor {
            what: table.table.clone(),
            reason,
        })
    });
    let copies = left.iter().map(|name| KeptFor {
        what: format!("materialized view {name}"),
        reason: "Its owner has to refresh it: the login at hand may not".to_owned(),
    });
    rows.chain(copies).chain([audit_log()]).collect()
}

async fn user_done(work: &mut Work<'_>, who: &Who) -> Result<Done> {
    let (app, id) = (work.app, user(who)?);
    let plan: KeptPlan = match &work.request.plan {
        Some(plan) => serde_json::from_value(plan.clone()).map_err(Error::internal)?,
        None => return Err(Error::internal("a platform user's erasure without a plan")),
    };
    let found = match work.noted::<Found>("found")? {
        Some(found) => found,
        None => {
            let client = app.control.get().await?;
            people::plan_of_user(&*client, id, &plan.erase_projects)
                .await?
                .unblocked()?;
            drop(client);
            let found = Found {
                exports: work.exports(who).await?.len() as u64,
                ..Found::default()
            };
            work.note("found", &found).await?;
            found
        }
    };
    work.job.progress(app, 20, "Scrubbing documents").await?;
    let documents = match work.noted("documents")? {
        Some(count) => count,
        None => {
            let values = {
                let client = app.control.get().await?;
                values_of(&*client, id, known(id, work.request.by)).await?
            };
            work.scrub(Documents::Member(id), &values, Some(id.to_string())).await?
        }
    };
    work.withdraw_exports(who).await?;
    work.job
        .progress(app, 50, "Removing the account and what hangs on it")
        .await?;
    let counted = Box::pin(people::erase_user(
        app,
        work.job,
        id,
        work.request.id,
        &plan.erase_projects,
    ))
    .await?;
    let audit = work.forget(Some(identity::Person::User(id))).await?;
    Ok(Done {
        map_version: None,
        tables: counted.iter().map(done).collect(),
        account: Value::Null,
        documents,
        exports: found.exports,
        audit,
        kept: vec![audit_log()],
    })
}

/// The latest notes of a step that several tries have made, with the higher number of each table.
pub(super) fn merged(items: &BTreeMap<String, Value>, name: &str) -> Counts {
    let prefix = format!("{name}:");
    let notes = items.iter().filter(|(item, _)| item.starts_with(&prefix));
    let mut counts = Counts::new();
    for (_, note) in notes {
        for (label, rows) in note.as_object().into_iter().flatten() {
            let rows = rows.as_u64().unwrap_or_default();
            let known = counts.entry(label.clone()).or_default();
            *known = rows.max(*known);
        }
    }
    counts
}
