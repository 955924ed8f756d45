//! Who may see a job, and who may decide about it.

use uuid::Uuid;

use super::{Found, JobView, find, not_found};
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::ProjectId;
use crate::tenancy::{Caller, MemberRole, PlatformRole};

/// Proof that a caller may see a job: members of its project, without a project whoever started it, and those who run
/// the platform.
#[derive(Debug, Clone)]
pub struct JobAccess {
    found: Found,
    caller: Caller,
    decides: bool,
}

impl JobAccess {
    /// What the caller sees.
    pub fn into_view(self) -> JobView {
        self.found.view
    }

    pub(super) fn id(&self) -> Uuid {
        self.found.view.job.id
    }

    pub(super) fn project(&self) -> Option<ProjectId> {
        self.found.project
    }

    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Whoever could start such a job may also stop it or start it anew: who did, and the project's developers.
    pub(super) fn decides(&self) -> Result<()> {
        if self.decides {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forbidden,
            "jobs/role",
            "Your role in this project does not allow this",
        )
        .with_hint("Ask a developer of the project, or whoever started the job"))
    }
}

/// Proof that the caller may see the job.
///
/// # Errors
/// 404 `jobs/not-found` for strangers, as if there were no such job.
pub async fn require(app: &App, caller: Caller, id: Uuid) -> Result<JobAccess> {
    let found = find(app, id).await?;
    let started = found.created_by == Some(caller.user.id);
    let operates = caller.user.role == PlatformRole::Admin;
    // Whoever has left a project reads nothing of it, not even what they started.
    let role = match found.project {
        Some(project) => role_in(app, &caller, project).await?,
        None => None,
    };
    let sees = operates || role.is_some() || (started && found.project.is_none());
    if !sees {
        return Err(not_found());
    }
    Ok(JobAccess {
        found,
        caller,
        decides: operates || started || role >= Some(MemberRole::Developer),
    })
}

async fn role_in(app: &App, caller: &Caller, project: ProjectId) -> Result<Option<MemberRole>> {
    match app.tenancy.require(caller.clone(), project, MemberRole::Viewer).await {
        Ok(access) => Ok(Some(access.role())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
