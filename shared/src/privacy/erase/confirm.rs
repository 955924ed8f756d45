//! Confirming a plan.

use std::sync::Arc;

use serde_json::json;
use subtle::ConstantTimeEq as _;
use tokio_postgres::Transaction;
use uuid::Uuid;

use super::ask::{Asked, KeptPlan, NewErasure, TOKEN_LENGTH, hash, in_time, too_late};
use super::refused::refuse;
use super::store;
use super::{ERASE, plan_changed};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};
use crate::jobs::{self, Key, NewJob};
use crate::privacy::people;
use crate::privacy::requests::{self, Kind, NewRequest, Request, Scope, Who};
use crate::sensitive::Sensitive;
use crate::tenancy::{Caller, Project, RequestInfo};

/// What confirms a plan: `<request>.<256 random bits>`.
pub(super) struct Token {
    pub request: Uuid,
    secret: Sensitive,
}

impl Token {
    pub fn new(app: &App) -> Self {
        Self {
            request: app.random.uuid(),
            secret: app.random.token(TOKEN_LENGTH).into(),
        }
    }

    /// Reads one.
    ///
    /// # Errors
    /// 422 `privacy/confirm`.
    fn parse(text: &str) -> Result<Self> {
        let parts = text.split_once('.').and_then(|(request, secret)| {
            let well_formed = secret.len() == TOKEN_LENGTH && secret.bytes().all(|byte| byte.is_ascii_alphanumeric());
            Some((request.parse().ok()?, well_formed.then_some(secret)?))
        });
        let (request, secret) = parts.ok_or_else(wrong_token)?;
        Ok(Self {
            request,
            secret: Sensitive::new(secret),
        })
    }

    pub fn text(&self) -> String {
        format!("{}.{}", self.request, self.secret.expose())
    }

    pub fn hash(&self) -> Vec<u8> {
        hash(&self.text())
    }

    /// What the receipt is fetched with: follows from this one, so that whoever confirms twice is told the same.
    fn receipt(&self) -> String {
        let hash = hash(&format!("receipt:{}", self.text()));
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn wrong_token() -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "privacy/confirm",
        "The confirmToken does not belong to a plan for this request",
    )
    .with_hint("Send the same request with dryRun: true; its reply has the confirmToken")
}

/// Confirms the plan that the token belongs to.
pub(super) async fn confirm(
    app: &App,
    caller: &Caller,
    new: &NewErasure,
    project: Option<Arc<Project>>,
    token: &str,
) -> Result<Asked> {
    let token = Token::parse(token)?;
    let request = {
        let client = app.control.get().await?;
        // A plan that nobody has confirmed is swept once its hour is over.
        requests::find(&*client, token.request).await?.ok_or_else(too_late)?
    };
    belongs(&request, new, &token)?;
    if let Some(job) = request.job {
        // What was confirmed is confirmed, whatever has become of the person since.
        return Ok(asked(&request, job, &token));
    }
    in_time(request.expires_at, app.clock.now())?;
    let meant = new.meant(app, caller, project).await?;
    if request.subject.as_ref() != Some(&meant.who) {
        return Err(wrong_token());
    }
    let drawn = new.drawn(app, &meant, request.by).await?;
    let kept: KeptPlan = serde_json::from_value(request.plan.clone().unwrap_or_default()).map_err(Error::internal)?;
    if kept.binding != drawn.binding || kept.erase_projects != new.erase_projects {
        return Err(plan_changed());
    }
    refuse(&drawn.plan.others)?;
    people::unblocked(&drawn.plan.blockers)?;

    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let entry = Entry::by(caller, request.project, "privacy.erase", request.id);
    let wanted = Wanted {
        request: request.id,
        scope: request.scope,
        project: request.project,
        by: Some(caller.user.id),
        receipt: token.receipt(),
    };
    let job = begin(app, &transaction, &wanted, &entry).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(asked(&request, job, &token))
}

/// Whether the token is the request's, and the request the one that is asked.
fn belongs(request: &Request, new: &NewErasure, token: &Token) -> Result<()> {
    let known = request.token_hash.as_deref().unwrap_or_default();
    let right = bool::from(token.hash().as_slice().ct_eq(known));
    let same = request.kind == Kind::Erasure && request.scope == new.scope && request.project == new.project;
    (right && same).then_some(()).ok_or_else(wrong_token)
}

fn asked(request: &Request, job: Uuid, token: &Token) -> Asked {
    Asked {
        job_id: job,
        receipt_id: request.id,
        receipt_token: token.receipt(),
    }
}

/// An erasure that begins.
struct Wanted {
    request: Uuid,
    scope: Scope,
    project: Option<ProjectId>,
    by: Option<UserId>,
    /// What its receipt is fetched with.
    receipt: String,
}

/// Makes the job, once, whoever confirms at the same time.
async fn begin(app: &App, transaction: &Transaction<'_>, wanted: &Wanted, entry: &Entry<'_>) -> Result<Uuid> {
    let payload = json!({ "request": wanted.request });
    let job = NewJob {
        kind: ERASE,
        project: wanted.project,
        payload: &payload,
        by: wanted.by,
    };
    let name = wanted.request.to_string();
    let job = jobs::ask_once(app, transaction, &job, Some(Key::Named(&name))).await?;
    if !requests::confirm(transaction, wanted.request, job.id, &hash(&wanted.receipt)).await? {
        // Swept since it was looked at.
        return Err(too_late());
    }
    if job.new {
        let details = json!({ "scope": wanted.scope.as_str(), "job": job.id });
        audit::record(app, transaction, &entry.clone().with(details)).await?;
    }
    Ok(job.id)
}

/// Begins the erasure that a person has asked for themself, or finds the one that has begun.
pub(super) async fn own(app: &App, project: ProjectId, who: &Who, user: Uuid, from: &RequestInfo) -> Result<Asked> {
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let waiting = store::own(&transaction, project, who).await?;
    let id = waiting.unwrap_or_else(|| app.random.uuid());
    if waiting.is_none() {
        let request = NewRequest {
            id,
            kind: Kind::Erasure,
            scope: Scope::EndUser,
            project: Some(project),
            subject: who,
            plan: None,
            token_hash: None,
            receipt_hash: None,
            job: None,
            own: true,
            by: None,
            expires_at: None,
        };
        requests::create(&transaction, &request, app.clock.now()).await?;
    }
    let entry = Entry {
        project: Some(project),
        action: "privacy.erase",
        target: id.to_string(),
        details: serde_json::Value::Null,
        actor: format!("end-user:{user}"),
        request: from,
    };
    let wanted = Wanted {
        request: id,
        scope: Scope::EndUser,
        project: Some(project),
        by: None,
        receipt: app.random.token(TOKEN_LENGTH),
    };
    let job = begin(app, &transaction, &wanted, &entry).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(Asked {
        job_id: job,
        receipt_id: id,
        receipt_token: wanted.receipt,
    })
}
