//! Asking for an erasure: first for its plan, then for what the plan says.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::confirm::{self, Token};
use super::drawn::{Drawn, of_end_user, of_user};
use super::plan::Plan;
use super::store;
use super::{TERM, unconfirmed};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};
use crate::jobs;
use crate::privacy::requests::{self, AskedSubject, Kind, NewRequest, Scope, Who};
use crate::privacy::{ground, map::in_force, people};
use crate::tenancy::{Caller, MemberRole, Project, RequestInfo};
use crate::token::key_hash;

/// Characters of a token: 256 bits.
pub(super) const TOKEN_LENGTH: usize = 43;

/// An erasure that somebody asks for.
#[derive(Debug, Clone)]
pub struct NewErasure {
    /// Whose data.
    pub scope: Scope,
    /// In which project, for an end user's.
    pub project: Option<ProjectId>,
    /// Who it is.
    pub subject: AskedSubject,
    /// Projects of a platform user's that go with them.
    pub erase_projects: Vec<ProjectId>,
}

/// An erasure that will be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Asked {
    /// `GET /api/jobs/{id}` tells how far it is.
    pub job_id: Uuid,
    /// `GET /api/gdpr/receipts/{id}` shows the receipt once it is done.
    pub receipt_id: Uuid,
    /// Lets whoever has it fetch the receipt without an account (`?token=`).
    pub receipt_token: String,
}

/// What of a plan its request's row keeps: nothing personal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct KeptPlan {
    /// What a confirmation binds, as a hash.
    pub binding: String,
    /// The version of the subject map that it follows, for an end user's.
    #[serde(default)]
    pub map_version: Option<i32>,
    /// Projects of a platform user's that go with them.
    #[serde(default)]
    pub erase_projects: Vec<ProjectId>,
}

/// Who is meant, for somebody who may ask.
pub(super) struct Meant {
    pub project: Option<Arc<Project>>,
    pub who: Who,
}

impl NewErasure {
    /// Whether the caller may ask, before anything is looked at.
    ///
    /// # Errors
    /// 400 `privacy/project`; 404 `projects/not-found`, 403 `projects/role`.
    pub(super) async fn allowed(&self, app: &App, caller: &Caller) -> Result<Option<Arc<Project>>> {
        match (self.scope, self.project) {
            (Scope::EndUser, Some(project)) => {
                let access = app.tenancy.require(caller.clone(), project, MemberRole::Admin).await?;
                Ok(Some(app.tenancy.refresh(access.reference()).await?))
            }
            (Scope::PlatformUser, None) => Ok(None),
            (Scope::EndUser, None) => Err(Error::invalid(
                "privacy/project",
                "An end user's erasure needs the projectId",
            )),
            (Scope::PlatformUser, Some(_)) => Err(Error::invalid(
                "privacy/project",
                "A platform user's erasure has no projectId",
            )),
        }
    }

    /// Who is meant.
    ///
    /// # Errors
    /// As [`requests::resolve`] and [`people::named_user`].
    pub(super) async fn meant(&self, app: &App, caller: &Caller, project: Option<Arc<Project>>) -> Result<Meant> {
        let who = match &project {
            Some(project) => {
                let ground = Box::pin(ground(app, project)).await?;
                let map = in_force(app, project, &ground).await?;
                if map.version.is_none() {
                    return Err(unconfirmed());
                }
                requests::resolve(app, project, &ground, &map.map, &self.subject).await?
            }
            None => Who::Id(people::named_user(app, caller, &self.subject).await?.to_string()),
        };
        Ok(Meant { project, who })
    }

    /// What would be done; `by` is whoever asked for the plan.
    ///
    /// # Errors
    /// As [`of_end_user`] and [`of_user`].
    pub(super) async fn drawn(&self, app: &App, meant: &Meant, by: Option<UserId>) -> Result<Drawn> {
        match &meant.project {
            Some(project) => Box::pin(of_end_user(app, project.clone(), &meant.who)).await,
            None => of_user(app, user(&meant.who)?, by, &self.erase_projects).await,
        }
    }
}

/// The platform user whom a request is about.
pub(super) fn user(who: &Who) -> Result<UserId> {
    match who {
        Who::Id(id) => id.parse().map(UserId).map_err(Error::internal),
        Who::Key(_) => Err(Error::internal("a platform user has an id")),
    }
}

/// Draws up the plan of an erasure, for those who may ask for it: for an end user's owners and admins of the project; for a
/// platform user's that user, and those who run the platform. Nothing is changed, but for the request's own row.
///
/// # Errors
/// 400 `privacy/project`, `privacy/subject`; 403 `projects/role`, `privacy/not-yours`; 404 `projects/not-found`,
/// `backend/not-provisioned`, `privacy/subject-not-found`; 409 `privacy/map-unconfirmed`, `privacy/map-stale`; 501
/// `privacy/unsupported`.
pub async fn plan(app: &App, caller: &Caller, new: &NewErasure) -> Result<Plan> {
    let project = new.allowed(app, caller).await?;
    let meant = new.meant(app, caller, project).await?;
    let drawn = new.drawn(app, &meant, Some(caller.user.id)).await?;
    let token = Token::new(app);
    let kept = serde_json::to_value(KeptPlan {
        binding: drawn.binding,
        map_version: drawn.plan.map_version,
        erase_projects: new.erase_projects.clone(),
    })
    .map_err(Error::internal)?;
    let now = app.clock.now();
    let expires_at = now.checked_add(TERM).map_err(Error::internal)?;
    let request = NewRequest {
        id: token.request,
        kind: Kind::Erasure,
        scope: new.scope,
        project: new.project,
        subject: &meant.who,
        plan: Some(&kept),
        token_hash: Some(token.hash()),
        receipt_hash: None,
        job: None,
        own: false,
        by: Some(caller.user.id),
        expires_at: Some(expires_at),
    };
    let rows: u64 = drawn.plan.tables.iter().map(|table| table.rows).sum();
    let details = json!({ "scope": new.scope.as_str(), "tables": drawn.plan.tables.len(), "rows": rows });
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    requests::create(&transaction, &request, now).await?;
    let entry = Entry::by(caller, new.project, "privacy.erase-plan", token.request);
    audit::record(app, &transaction, &entry.with(details)).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(Plan {
        request_id: token.request,
        confirm_token: token.text(),
        expires_at,
        ..drawn.plan
    })
}

/// Has a plan carried out. The same token again: the same job.
///
/// # Errors
/// As [`plan`]; 409 `privacy/plan-changed`, `privacy/others-hang-on`; 410 `privacy/confirm-expired`; 422 `privacy/confirm`,
/// `privacy/blocked`.
pub async fn ask(app: &App, caller: &Caller, new: &NewErasure, token: &str) -> Result<Asked> {
    let project = new.allowed(app, caller).await?;
    let asked = Box::pin(confirm::confirm(app, caller, new, project, token)).await?;
    wake(app).await;
    Ok(asked)
}

/// Erases an end user who asks for it themself, and whose token and password have been found to hold: without a plan, as
/// there is nobody to show it to. While one of theirs is waiting, it is the one.
///
/// The login that asks may not look at the project's tables. Whether the map still fits them, and whether others' rows hang on
/// what goes, is found by the job, which then does nothing and says so to the project's own people.
///
/// # Errors
/// 404 `backend/not-provisioned`; 409 `privacy/map-unconfirmed`.
pub async fn ask_own(app: &App, project: &Arc<Project>, user: Uuid, from: &RequestInfo) -> Result<Asked> {
    let who = Who::Id(user.to_string());
    project.ready_backend()?;
    if !store::has_map(&*app.control.get().await?, project.id).await? {
        return Err(unconfirmed());
    }
    let asked = confirm::own(app, project.id, &who, user, from).await?;
    wake(app).await;
    Ok(asked)
}

async fn wake(app: &App) {
    // A message that is lost costs time only: the worker's schedule finds the job.
    if let Err(error) = jobs::wake(app).await {
        tracing::warn!(%error, "the worker was not woken");
    }
}

/// Whether a plan may still be confirmed.
pub(super) fn in_time(expires_at: Option<Timestamp>, now: Timestamp) -> Result<()> {
    let in_time = expires_at.is_some_and(|until| now < until);
    in_time.then_some(()).ok_or_else(too_late)
}

/// The plan was there, and is not any more.
pub(super) fn too_late() -> Error {
    let message = "The plan could be confirmed for an hour, which is over";
    Error::new(ErrorKind::Conflict, "privacy/confirm-expired", message)
        .with_status(410)
        .with_hint("Ask for the plan again, with dryRun: true")
}

/// SHA-256 of a token.
pub(super) fn hash(token: &str) -> Vec<u8> {
    key_hash(token)
}
