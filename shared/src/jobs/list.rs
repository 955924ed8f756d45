//! Lists of jobs, newest first.

use serde::Deserialize;

use super::{JobSummary, store};
use crate::app::App;
use crate::control::page::{Listed, Page, Position};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, UserId};
use crate::tenancy::{Caller, Operator, ProjectAccess};

/// Which jobs are wanted.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// `queued`, `running`, `succeeded`, `failed` (those that were given up) or `cancelled`.
    pub state: Option<String>,
    /// A kind, as `docs.generate`.
    pub kind: Option<String>,
}

impl Filter {
    fn check(&self) -> Result<()> {
        const STATES: [&str; 5] = ["queued", "running", "succeeded", "failed", "cancelled"];
        if self.state.as_deref().is_none_or(|state| STATES.contains(&state)) {
            return Ok(());
        }
        Err(Error::invalid(
            "jobs/state",
            "state is queued, running, succeeded, failed or cancelled",
        ))
    }
}

/// Whose jobs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Project(ProjectId),
    /// Started by them and still theirs to see.
    Creator(UserId),
    Everybody,
}

/// A project's jobs.
///
/// # Errors
/// 400 `jobs/state`.
pub async fn list(app: &App, access: &ProjectAccess, filter: &Filter, page: &Page) -> Result<Listed<JobSummary>> {
    of(app, Of::Project(access.project()), filter, page).await
}

/// The jobs that the caller has started, in projects and outside of them.
///
/// # Errors
/// 400 `jobs/state`.
pub async fn list_own(app: &App, caller: &Caller, filter: &Filter, page: &Page) -> Result<Listed<JobSummary>> {
    of(app, Of::Creator(caller.user.id), filter, page).await
}

/// Every job of the platform, for those who run it.
///
/// # Errors
/// 400 `jobs/state`.
pub async fn list_all(app: &App, _: &Operator, filter: &Filter, page: &Page) -> Result<Listed<JobSummary>> {
    of(app, Of::Everybody, filter, page).await
}

async fn of(app: &App, whose: Of, filter: &Filter, page: &Page) -> Result<Listed<JobSummary>> {
    filter.check()?;
    let found = store::list(app, whose, filter, page).await?;
    Ok(page.cut(found, |job| Position(job.created_at, job.id)))
}
