//! The job.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::ask::user;
use super::copies::Unrenewed;
use super::data::{Counts, Site};
use super::drawn::{audit_log, end_user, rows_kept};
use super::steps::{Found, Work};
use super::store::{self, Documents};
use super::user::{done, known, values_of};
use super::values::{Known, Values};
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
/// `privacy/map-unconfirmed`, `privacy/map-stale`, `privacy/plan-changed` when there is another map by now,
/// `privacy/others-hang-on`, `privacy/blocked`: somebody has to decide something, and it is not tried again. Nothing is done by
/// then, but for the person's sessions, which may have ended; unless it is rows that others have hung on what was written while
/// the erasure ran: then all but those are gone, and the job is asked to go on once they are decided about. 404 when the project
/// is gone; the engine's, without what it says of values.
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
        "privacy/map-unconfirmed"
            | "privacy/map-stale"
            | "privacy/plan-changed"
            | "privacy/others-hang-on"
            | "privacy/not-granted"
            | "privacy/rows-stay"
    );
    if !decided {
        return error;
    }
    let told = (error.hint().unwrap_or_default(), error.details().map(str::to_owned));
    let (code, text) = (error.code().to_owned(), error.public().to_owned());
    let answer = Error::new(ErrorKind::Unprocessable, code, text).with_hint(told.0.to_owned());
    match told.1 {
        Some(details) => answer.with_details(details),
        None => answer,
    }
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
    let (site, found) = Box::pin(looked_at(work, project, who)).await.map_err(final_answer)?;

    work.job.progress(app, 15, "Signing out").await?;
    Box::pin(work.sign_out(&site)).await?;
    let words = Box::pin(words(work, &site)).await?;
    work.job.progress(app, 20, "Erasing rows").await?;
    let swept = Box::pin(work.sweep(&site, "data")).await.map_err(final_answer)?;
    // The statements have passed and are not committed: from here on only what passes by is in the way.
    work.job.progress(app, 40, "Scrubbing documents").await?;
    let documents = Box::pin(scrubbed(work, &site, who, words)).await?;
    work.withdraw_exports(who).await?;
    let mut counts = Box::pin(work.keep(swept)).await?;
    if site.account.is_some() {
        work.job.progress(app, 60, "Removing the account").await?;
        Box::pin(work.remove_account(&site)).await?;
        work.job.progress(app, 75, "Erasing what was written meanwhile").await?;
        let swept = Box::pin(work.sweep(&site, "late")).await.map_err(final_answer)?;
        let late = Box::pin(work.keep(swept)).await?;
        for (label, rows) in late {
            // What is emptied is met again; only what goes is new.
            if site.deleted().contains(label.as_str()) {
                *counts.entry(label).or_default() += rows;
            }
        }
    }
    let left = Box::pin(work.renew(&site)).await?;
    let meanwhile = work.withdraw_late_exports(who).await?;
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
        exports: found.exports + meanwhile,
        audit,
        kept,
    })
}

/// The tables, and what there was at the first look. Until the rows are gone the map has to be the one that was confirmed,
/// at every try; from then on that one counts, whatever has become of it.
async fn looked_at(work: &mut Work<'_>, project: Arc<Project>, who: &Who) -> Result<(Site, Found)> {
    let noted: Option<Found> = work.noted("found")?;
    let version = match noted.as_ref().and_then(|found| found.map_version) {
        Some(version) => Some(version),
        None => work.plan()?.and_then(|plan| plan.map_version),
    };
    if let (Some(found), Some(version)) = (&noted, version)
        && work.items.contains_key("data")
    {
        let site = Box::pin(Site::by_version(work.app, project, who, version)).await?;
        return Ok((site, found.clone()));
    }
    let site = Box::pin(Site::of(work.app, project, who)).await?;
    // Whoever asks for their own end has seen no plan: for them it is the map that their first look finds.
    let version = match version {
        Some(version) => version,
        None => site.confirmed()?,
    };
    site.is_by(version)?;
    let found = match noted {
        Some(found) => found,
        None => first_look(work, &site, who, version).await?,
    };
    Ok((site, found))
}

/// Refuses before anything is done, and notes what there is.
async fn first_look(work: &mut Work<'_>, site: &Site, who: &Who, version: i32) -> Result<Found> {
    {
        let mut rows = site.begin().await?;
        super::refused::refuse(&site.others(&mut *rows).await?)?;
    }
    let mut found = Found {
        map_version: Some(version),
        exports: work.exports(who).await?.len() as u64,
        ..Found::default()
    };
    if let Some(person) = &site.person {
        found.users = 1;
        found.identities = person.identities.unsigned_abs();
        found.sessions = person.sessions.unsigned_abs();
    }
    work.note("found", &found).await?;
    Ok(found)
}

/// What they can be recognised by, read before their rows go; none once documents are scrubbed.
async fn words(work: &Work<'_>, site: &Site) -> Result<Option<Values>> {
    if work.items.contains_key("documents") {
        return Ok(None);
    }
    let mut rows = site.begin().await?;
    // Where they asked themselves nobody has seen what their own words would change.
    let known = if work.request.own {
        Known::Confirmed
    } else {
        Known::Said
    };
    site.values(&mut *rows, known).await.map(Some)
}

async fn scrubbed(work: &mut Work<'_>, site: &Site, who: &Who, words: Option<Values>) -> Result<u64> {
    let Some(values) = words else {
        return Ok(work.noted("documents")?.unwrap_or_default());
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
    let entries = site.said.tables.iter();
    entries
        .map(|(label, entry)| TableDone {
            table: label.clone(),
            rule: entry.rule.action().to_owned(),
            rows: counts.get(label).copied().unwrap_or_default(),
            reason: entry.rule.reason().map(str::to_owned),
        })
        .collect()
}

fn kept(tables: &[TableDone], left: &BTreeMap<String, Unrenewed>) -> Vec<KeptFor> {
    let rows = tables
        .iter()
        .filter_map(|table| rows_kept(&table.table, table.rows, table.reason.as_deref()));
    let copies = left.iter().map(|(name, why)| KeptFor {
        what: format!("materialized view {name}"),
        reason: why.reason().to_owned(),
    });
    rows.chain(copies).chain([audit_log()]).collect()
}

async fn user_done(work: &mut Work<'_>, who: &Who) -> Result<Done> {
    let (app, id) = (work.app, user(who)?);
    let plan = work.plan()?;
    let plan = plan.ok_or_else(|| Error::internal("a platform user's erasure without a plan"))?;
    let found = match work.noted::<Found>("found")? {
        Some(found) => found,
        None => {
            let client = app.control.get().await?;
            let now = people::plan_of_user(&*client, id, &plan.erase_projects).await?;
            people::unblocked(&now.blockers)?;
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
    let meanwhile = work.withdraw_late_exports(who).await?;
    let audit = work.forget(Some(identity::Person::User(id))).await?;
    Ok(Done {
        map_version: None,
        tables: counted.iter().map(done).collect(),
        account: Value::Null,
        documents,
        exports: found.exports + meanwhile,
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
