//! Versions: what they are, how one is made, and how they are read.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::{store, summary};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::page::{Listed, Page, Position};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};
use crate::tenancy::{ProjectAccess, RequestInfo};

/// Bytes that a document has at most. Written out as JSON in the gateway's envelope it stays below Lambda's 6 MB.
pub const LONGEST: usize = 3 << 20;
/// Versions of a project that are not deleted at most.
pub const MOST: i64 = 1_000;

/// Where a version comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A job wrote it from what is there.
    Generated,
    /// Somebody wrote it.
    Edited,
    /// It has an older version's content.
    Reverted,
}

impl Origin {
    /// As the API and the database write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Generated => "generated",
            Self::Edited => "edited",
            Self::Reverted => "reverted",
        }
    }

    /// What the audit log calls the making of it.
    fn action(self) -> &'static str {
        match self {
            Self::Generated => "documents.generate",
            Self::Edited => "documents.edit",
            Self::Reverted => "documents.revert",
        }
    }
}

impl std::str::FromStr for Origin {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Generated, Self::Edited, Self::Reverted]
            .into_iter()
            .find(|origin| origin.as_str() == text)
            .ok_or_else(|| Error::internal(format!("a document of origin {text}")))
    }
}

/// A version to be made.
#[derive(Debug, Clone)]
pub struct NewVersion<'a> {
    /// Of which project.
    pub project: ProjectId,
    /// Markdown, at most [`LONGEST`] bytes, without NUL.
    pub content: &'a str,
    /// Where it comes from.
    pub origin: Origin,
    /// The version it was made of.
    pub based_on: Option<Uuid>,
    /// The platform user who wrote it or asked for it.
    pub author: Option<UserId>,
    /// The job that generated it. A job that is done twice makes one version.
    pub job: Option<Uuid>,
}

/// A version, as lists show it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionView {
    /// Its id.
    pub version_id: Uuid,
    /// Its project.
    #[schema(value_type = Uuid)]
    pub project_id: ProjectId,
    /// Counts from 1 in each project; the highest is the latest. What `If-Match` takes.
    pub number: i32,
    /// `generated`, `edited` or `reverted`.
    pub origin: Origin,
    /// The version it was made of.
    pub based_on: Option<Uuid>,
    /// What is different from the latest version before it.
    pub change_summary: String,
    /// The platform user who asked for it or wrote it.
    #[schema(value_type = Option<Uuid>)]
    pub author: Option<UserId>,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
}

/// A version with its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Version {
    /// What lists show of it.
    #[serde(flatten)]
    pub view: VersionView,
    /// Markdown.
    pub content: String,
}

/// Makes a version in the caller's transaction: compares it with the latest one, gives it the next number, writes the
/// audit row. For a job that has made its version already, that one is returned and nothing is written.
///
/// # Errors
/// 413 `documents/too-large`, 400 `documents/content`; 403 `documents/quota`; 404 for a project that is deleted.
pub async fn save(
    app: &App,
    executor: &impl GenericClient,
    new: &NewVersion<'_>,
    request: &RequestInfo,
) -> Result<Version> {
    save_as(app, executor, None, new, request).await
}

/// The same, under an id that is free.
pub(super) async fn save_as(
    app: &App,
    executor: &impl GenericClient,
    id: Option<Uuid>,
    new: &NewVersion<'_>,
    request: &RequestInfo,
) -> Result<Version> {
    check(new.content)?;
    // First, so that nobody else numbers or compares meanwhile.
    store::lock(executor, new.project).await?;
    if let Some(job) = new.job
        && let Some(made) = store::of_job(executor, new.project, job).await?
    {
        return Ok(made);
    }
    check_quota(store::count(executor, new.project).await?)?;
    let before = store::latest(executor, new.project).await?;
    let view = VersionView {
        version_id: id.unwrap_or_else(|| app.random.uuid()),
        project_id: new.project,
        number: store::next_number(executor, new.project).await?,
        origin: new.origin,
        based_on: new.based_on,
        change_summary: summary::summary(before.as_ref().map(|latest| latest.content.as_str()), new.content),
        author: new.author,
        created_at: app.clock.now(),
    };
    store::insert(executor, &view, new.content, new.job).await?;
    audit::record(app, executor, &entry(new, &view, request)).await?;
    Ok(Version {
        view,
        content: new.content.to_owned(),
    })
}

fn entry<'a>(new: &NewVersion<'_>, view: &VersionView, request: &'a RequestInfo) -> Entry<'a> {
    Entry {
        project: Some(new.project),
        action: new.origin.action(),
        target: view.version_id.to_string(),
        details: json!({ "number": view.number, "bytes": new.content.len(), "job": new.job }),
        actor: new
            .author
            .map_or_else(|| "system:worker".to_owned(), |author| format!("user:{author}")),
        request,
    }
}

fn check(content: &str) -> Result<()> {
    if content.contains('\0') {
        return Err(Error::invalid("documents/content", "A document has no NUL characters"));
    }
    if content.len() > LONGEST {
        return Err(Error::new(
            ErrorKind::TooLarge,
            "documents/too-large",
            "The document is larger than 3 MB",
        )
        .with_details(format!("{} bytes", content.len()))
        .with_hint("Generate fewer sections, or split what you wrote"));
    }
    Ok(())
}

pub(super) fn check_quota(versions: i64) -> Result<()> {
    if versions < MOST {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Quota,
        "documents/quota",
        "The project has as many versions of its documentation as it may have",
    )
    .with_details(format!("{MOST} versions"))
    .with_hint("Delete versions that are no longer needed"))
}

/// The latest version that is not deleted.
///
/// # Errors
/// When the database fails.
pub async fn latest(executor: &impl GenericClient, project: ProjectId) -> Result<Option<Version>> {
    store::latest(executor, project).await
}

/// The latest version, for a member.
///
/// # Errors
/// 404 `documents/none`.
pub async fn read_latest(app: &App, access: &ProjectAccess) -> Result<Version> {
    let client = app.control.get().await?;
    store::latest(&*client, access.project()).await?.ok_or_else(none)
}

/// A version, for a member.
///
/// # Errors
/// 404 `documents/not-found`.
pub async fn read(app: &App, access: &ProjectAccess, version: Uuid) -> Result<Version> {
    let client = app.control.get().await?;
    find(&*client, access.project(), version).await
}

pub(super) async fn find(executor: &impl GenericClient, project: ProjectId, version: Uuid) -> Result<Version> {
    let found = store::find(executor, project, version).await?;
    found.ok_or_else(not_found)
}

/// A page of a project's versions, newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, access: &ProjectAccess, page: &Page) -> Result<Listed<VersionView>> {
    let found = store::versions(app, access.project(), page).await?;
    Ok(page.cut(found, |version| Position(version.created_at, version.version_id)))
}

/// What a project without that version answers.
pub fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "documents/not-found",
        "The project's documentation has no such version",
    )
}

fn none() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "documents/none",
        "The project has no documentation yet",
    )
    .with_hint("POST /api/generate-docs generates it; POST /api/projects/{id}/docs takes one written by hand")
}
