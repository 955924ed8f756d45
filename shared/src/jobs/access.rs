//! Who may see a job, and who may decide about it.

use uuid::Uuid;

use super::{Found, JobView, find, not_found};
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::ProjectId;
use crate::tenancy::{Caller, MemberRole, PlatformRole};

/// What kinds of jobs about people's data begin with: in a project, admins decide about them.
const PRIVACY: &str = "privacy.";

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

    pub(super) fn kind(&self) -> &str {
        &self.found.view.job.kind
    }

    /// Whoever could start such a job may also stop it or start it anew: who did, and the project's developers; of one about
    /// somebody's data the project's admins alone, be it that they started it.
    pub(super) fn decides(&self) -> Result<()> {
        if self.decides {
            return Ok(());
        }
        let hint = match self.kind().starts_with(PRIVACY) {
            true => "Ask an admin of the project",
            false => "Ask a developer of the project, or whoever started the job",
        };
        Err(Error::new(
            ErrorKind::Forbidden,
            "jobs/role",
            "Your role in this project does not allow this",
        )
        .with_hint(hint))
    }
}

/// Whether it is theirs to decide, by who started it and their role in its project.
fn decides(found: &Found, started: bool, role: Option<MemberRole>) -> bool {
    if found.project.is_some() && found.view.job.kind.starts_with(PRIVACY) {
        return role >= Some(MemberRole::Admin);
    }
    started || role >= Some(MemberRole::Developer)
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
        decides: operates || decides(&found, started, role),
        found,
        caller,
    })
}

async fn role_in(app: &App, caller: &Caller, project: ProjectId) -> Result<Option<MemberRole>> {
    match app.tenancy.require(caller.clone(), project, MemberRole::Viewer).await {
        Ok(access) => Ok(Some(access.role())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
