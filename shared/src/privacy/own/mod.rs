//! What end users may do about their own data by themselves, where their project lets them ([`Allowed`]): have a copy made,
//! and be erased. Both need a proof of who asks that is minutes old ([`Proven`]).
//!
//! The login that serves them sees requests that people made about themselves and no others. It reads nothing of the project's
//! tables: whether the map still fits is found by the worker, which refuses as it refuses the project's own people.

mod allowed;
mod store;

pub use allowed::Allowed;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::export::Link;
use super::{erase, export};
use crate::accounts::Proven;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::jobs;
use crate::tenancy::Project;

/// How far a copy is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is being made.
    Preparing,
    /// It waits to be fetched.
    Ready,
    /// It could not be made; asking again begins anew.
    Failed,
}

/// The copy that somebody asked for last.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnExport {
    /// Its id.
    pub id: Uuid,
    /// How far it is.
    pub status: Status,
    /// How many bytes it has.
    pub bytes: Option<i64>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// Until when it is kept.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
    /// When it was fetched last.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub fetched_at: Option<Timestamp>,
    /// Once it is ready, for who has signed in within the last five minutes or sent the password: the way to it, made for this
    /// reply. It works once, from the address that asked, and ends the one before.
    pub link: Option<Link>,
}

/// An erasure that has begun.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnErasure {
    /// `GET /api/gdpr/receipts/{id}` shows what was done, once it is.
    pub receipt_id: Uuid,
    /// What that asks for, as there is no account by then. Shown once.
    pub receipt_token: String,
}

/// Has a copy of their data made, or finds the one that is being made, or that was made within the last day; with a fresh link
/// when it is ready.
///
/// # Errors
/// 403 `privacy/not-allowed`; 404 `backend/not-provisioned`.
pub async fn ask_export(app: &App, by: &Proven) -> Result<OwnExport> {
    let project = project(by)?;
    Allowed::require(Allowed::by(project).export)?;
    export::ask_own(app, project, by.user(), &by.origin().request).await?;
    wake(app).await;
    fetch_export(app, by).await
}

/// The copy they asked for last, with a fresh link when it is ready.
///
/// # Errors
/// 403 `privacy/not-allowed`; 404 `privacy/export-not-found` when there is none, or not any more.
pub async fn fetch_export(app: &App, by: &Proven) -> Result<OwnExport> {
    let project = project(by)?;
    let mut latest = show_export(app, project, by.user()).await?;
    if latest.status == Status::Ready {
        let from = &by.origin().request;
        latest.link = Some(export::own_link(app, project, by.user(), latest.id, from).await?);
    }
    Ok(latest)
}

/// [`fetch_export`] for who has signed in some time ago: how far the copy is, and no link. An access token that was left lying
/// about takes nothing along.
///
/// # Errors
/// As [`fetch_export`].
pub async fn show_export(app: &App, project: &Project, user: Uuid) -> Result<OwnExport> {
    Allowed::require(Allowed::by(project).export)?;
    latest(app, project, user).await
}

/// Erases them: everything that the project's subject map names, and the account.
///
/// # Errors
/// 403 `privacy/not-allowed`; 409 `privacy/map-unconfirmed`.
pub async fn ask_erasure(app: &App, by: &Proven) -> Result<OwnErasure> {
    let project = project(by)?;
    Allowed::require(Allowed::by(project).erase)?;
    let asked = erase::ask_own(app, project, by.user(), &by.origin().request).await?;
    Ok(OwnErasure {
        receipt_id: asked.receipt_id,
        receipt_token: asked.receipt_token,
    })
}

fn project(by: &Proven) -> Result<&std::sync::Arc<Project>> {
    by.project()
        .ok_or_else(|| Error::internal("a platform user is no end user"))
}

async fn latest(app: &App, project: &Project, user: Uuid) -> Result<OwnExport> {
    let found = store::latest(app, project.id, user).await?;
    let found = found.filter(|found| found.expires_at > app.clock.now());
    found.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "privacy/export-not-found",
            "There is no copy of your data",
        )
        .with_hint("Ask for one with POST; copies are removed when their term is over")
    })
}

async fn wake(app: &App) {
    // A message that is lost costs time only: the worker's schedule finds the job.
    if let Err(error) = jobs::wake(app).await {
        tracing::warn!(%error, "the worker was not woken");
    }
}
