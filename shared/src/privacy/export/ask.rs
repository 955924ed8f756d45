//! Asking for an export: a request makes a job, the job a file.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tokio_postgres::{GenericClient, Transaction};
use uuid::Uuid;

use super::link::{self, Link};
use super::{EXPORT, store};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};
use crate::jobs::{self, Key, NewJob};
use crate::privacy::identity::Person;
use crate::privacy::requests::{self, AskedSubject, Kind, NewRequest, Request, Scope, Who};
use crate::privacy::{ground, map, people};
use crate::projects::IdempotencyKey;
use crate::tenancy::{Caller, MemberRole, Operator, Project, RequestInfo};

/// How long somebody's own copy is the one they get, even when they have fetched it: each costs the worker minutes that are
/// everybody's.
const NEXT_OWN: Duration = Duration::from_secs(24 * 60 * 60);

/// Whose data somebody wants a copy of.
#[derive(Debug, Clone)]
pub struct NewExport {
    /// Of whom.
    pub scope: Scope,
    /// In which project, for an end user's.
    pub project: Option<ProjectId>,
    /// Who it is.
    pub subject: AskedSubject,
}

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `GET /api/jobs/{id}` tells how far it is.
    pub job_id: Uuid,
    /// The export's id.
    pub request_id: Uuid,
}

/// Asks for a copy of somebody's data. The same key of the same caller gets the same job.
///
/// # Errors
/// 400 `privacy/project`, `privacy/subject`; 403 `projects/role`, `privacy/not-yours`, `privacy/reauthentication`; 404
/// `projects/not-found`, `backend/not-provisioned`, `privacy/subject-not-found`; 422 `http/idempotency-key`; 501
/// `privacy/unsupported`.
pub async fn ask(app: &App, caller: &Caller, new: &NewExport, key: Option<&IdempotencyKey>) -> Result<Asked> {
    let (project, subject) = match (new.scope, new.project) {
        (Scope::EndUser, Some(project)) => {
            let access = app.tenancy.require(caller.clone(), project, MemberRole::Admin).await?;
            let found = app.tenancy.refresh(access.reference()).await?;
            let ground = Box::pin(ground(app, &found)).await?;
            let map = map::in_force(app, &found, &ground).await?;
            let who = requests::resolve(app, &found, &ground, &map.map, &new.subject).await?;
            (Some(project), who)
        }
        (Scope::PlatformUser, None) => {
            let user = people::named_user(app, caller, &new.subject).await?;
            (None, Who::Id(user.to_string()))
        }
        (Scope::EndUser, None) => return Err(wrong_project("An end user's export needs the projectId")),
        (Scope::PlatformUser, Some(_)) => return Err(wrong_project("A platform user's export has no projectId")),
    };
    let wanted = Wanted {
        scope: new.scope,
        project,
        subject: &subject,
        own: false,
        by: Some(caller.user.id),
    };
    let actor = format!("user:{}", caller.user.id);
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    keep(app, transaction, &wanted, key, actor, &caller.request).await
}

fn wrong_project(message: &'static str) -> Error {
    Error::invalid("privacy/project", message)
}

/// [`ask`] for an end user who asks for a copy of their own data, and whose token or password has been found to hold. While
/// one of theirs is being made or waits to be fetched, it is the one, and so is one that they asked for within the last day.
///
/// # Errors
/// 404 `backend/not-provisioned`; 501 `privacy/unsupported`.
pub async fn ask_own(app: &App, project: &Project, user: Uuid, from: &RequestInfo) -> Result<Asked> {
    project.ready_backend()?;
    let subject = Who::Id(user.to_string());
    let wanted = Wanted {
        scope: Scope::EndUser,
        project: Some(project.id),
        subject: &subject,
        own: true,
        by: None,
    };
    let now = app.clock.now();
    let since = now.checked_sub(NEXT_OWN).map_err(Error::internal)?;
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    // Of all who ask at once the first one makes it.
    store::hold_own(&transaction, project.id, user).await?;
    if let Some(waiting) = store::own(&transaction, project.id, &subject, now, since).await? {
        return Ok(waiting);
    }
    keep(app, transaction, &wanted, None, their_name(project, user), from).await
}

fn their_name(project: &Project, id: Uuid) -> String {
    let project = project.id;
    Person::EndUser { project, id }.actor()
}

struct Wanted<'a> {
    scope: Scope,
    project: Option<ProjectId>,
    subject: &'a Who,
    own: bool,
    by: Option<UserId>,
}

async fn keep(
    app: &App,
    transaction: Transaction<'_>,
    wanted: &Wanted<'_>,
    key: Option<&IdempotencyKey>,
    actor: String,
    from: &RequestInfo,
) -> Result<Asked> {
    let id = match (key, wanted.by) {
        (Some(key), Some(by)) => key.id(by, &format!("{EXPORT} {:?}", wanted.project)),
        _ => app.random.uuid(),
    };
    let payload = json!({ "request": id });
    let job = NewJob {
        kind: EXPORT,
        project: wanted.project,
        payload: &payload,
        by: wanted.by,
    };
    let asked = jobs::ask_once(app, &transaction, &job, key.map(Key::OfCaller)).await?;
    if asked.new {
        create(app, &transaction, wanted, id, asked.id).await?;
        let entry = Entry {
            project: wanted.project,
            action: "privacy.export",
            target: id.to_string(),
            details: json!({ "scope": wanted.scope.as_str(), "own": wanted.own }),
            actor,
            request: from,
        };
        audit::record(app, &transaction, &entry).await?;
    } else {
        same(&requests::find(&transaction, id).await?, wanted)?;
    }
    transaction.commit().await.map_err(failure)?;
    Ok(Asked {
        job_id: asked.id,
        request_id: id,
    })
}

async fn create(app: &App, executor: &impl GenericClient, wanted: &Wanted<'_>, id: Uuid, job: Uuid) -> Result<()> {
    let now = app.clock.now();
    let request = NewRequest {
        id,
        kind: Kind::Export,
        scope: wanted.scope,
        project: wanted.project,
        subject: wanted.subject,
        plan: None,
        token_hash: None,
        receipt_hash: None,
        job: Some(job),
        own: wanted.own,
        by: wanted.by,
        expires_at: None,
    };
    requests::create(executor, &request, now).await?;
    store::insert(executor, id, &format!("{id}.zip"), now, super::ends(app, now)?).await
}

/// Whether a request that is sent again asks for the same. One whose row is gone by now has nothing to compare.
fn same(before: &Option<Request>, wanted: &Wanted<'_>) -> Result<()> {
    let differs = before.as_ref().is_some_and(|before| {
        before.scope != wanted.scope || before.subject.as_ref().is_some_and(|who| who != wanted.subject)
    });
    if !differs {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unprocessable,
        "http/idempotency-key",
        "This Idempotency-Key was used for another request",
    )
    .with_hint("Use a new key for each thing to be made"))
}

/// How an export stands.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExportState {
    /// Its id.
    pub request_id: Uuid,
    /// The job that makes it.
    pub job_id: Option<Uuid>,
    /// Whether the file is there.
    pub ready: bool,
    /// How many bytes it has.
    pub bytes: Option<i64>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Until when it is kept.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When the last link was used.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fetched_at: Option<Timestamp>,
}

/// How an export stands, for who may have it.
///
/// # Errors
/// 404 `privacy/export-not-found`; 403 `projects/role`.
pub async fn state(app: &App, caller: &Caller, id: Uuid) -> Result<ExportState> {
    let asked = allowed(app, caller, id).await?;
    shown(app, asked).await
}

/// [`state`] of an export that an end user asked for themself.
///
/// # Errors
/// 404 `privacy/export-not-found`.
pub async fn own_state(app: &App, project: &Project, user: Uuid, id: Uuid) -> Result<ExportState> {
    let asked = their_own(app, project, user, id).await?;
    shown(app, asked).await
}

async fn shown(app: &App, asked: Request) -> Result<ExportState> {
    let kept = store::find(&*app.control.get().await?, asked.id).await?;
    let kept = kept.filter(|kept| kept.expires_at > app.clock.now());
    let kept = kept.ok_or_else(not_found)?;
    Ok(ExportState {
        request_id: asked.id,
        job_id: asked.job,
        ready: kept.bytes.is_some(),
        bytes: kept.bytes,
        created_at: kept.created_at,
        expires_at: kept.expires_at,
        fetched_at: kept.fetched_at,
    })
}

/// Makes a link to an export's file; the one before works no more.
///
/// # Errors
/// As [`state`]; 403 `privacy/reauthentication` for who is about to fetch their own data with a sign-in of some time ago; 409
/// `privacy/export-not-ready`; 410 `privacy/export-gone`.
pub async fn link(app: &App, caller: &Caller, id: Uuid) -> Result<Link> {
    let asked = allowed(app, caller, id).await?;
    if is_of(&asked, caller) {
        people::signed_in_lately(app, caller)?;
    }
    link::make(app, &asked, format!("user:{}", caller.user.id), &caller.request).await
}

/// [`link`] to an export that an end user asked for themself, and who has just proved who they are.
///
/// # Errors
/// As [`own_state`] and [`link`].
pub async fn own_link(app: &App, project: &Project, user: Uuid, id: Uuid, from: &RequestInfo) -> Result<Link> {
    let asked = their_own(app, project, user, id).await?;
    link::make(app, &asked, their_name(project, user), from).await
}

/// The request, for who may have what came of it: for an end user's data those who may ask for it, for a platform user's
/// data that user and those who run the platform: whoever asked as one of these and is none any more gets nothing. What an end
/// user asked for about themself is theirs alone, and what was asked about somebody who is erased is nobody's.
async fn allowed(app: &App, caller: &Caller, id: Uuid) -> Result<Request> {
    let asked = requests::find(&*app.control.get().await?, id).await?;
    let asked = asked.filter(|asked| asked.kind == Kind::Export && !asked.own && asked.subject.is_some());
    let asked = asked.ok_or_else(not_found)?;
    match asked.project {
        Some(project) => {
            let access = app.tenancy.require(caller.clone(), project, MemberRole::Admin).await;
            // A stranger hears of no project: there is none in the path.
            access.map_err(|error| {
                if error.kind() == ErrorKind::NotFound {
                    not_found()
                } else {
                    error
                }
            })?;
        }
        None => {
            if !is_of(&asked, caller) && Operator::of(caller.clone()).is_err() {
                return Err(not_found());
            }
        }
    }
    Ok(asked)
}

/// Whether it is the caller's own data.
fn is_of(asked: &Request, caller: &Caller) -> bool {
    asked.scope == Scope::PlatformUser && asked.subject == Some(Who::Id(caller.user.id.to_string()))
}

async fn their_own(app: &App, project: &Project, user: Uuid, id: Uuid) -> Result<Request> {
    let asked = requests::find(&*app.control.get().await?, id).await?;
    let subject = Some(Who::Id(user.to_string()));
    let asked = asked.filter(|asked| {
        asked.kind == Kind::Export && asked.own && asked.project == Some(project.id) && asked.subject == subject
    });
    asked.ok_or_else(not_found)
}

fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/export-not-found",
        "There is no such export",
    )
    .with_hint("Exports are removed when their term is over; ask for another one")
}
