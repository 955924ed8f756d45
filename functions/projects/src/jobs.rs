//! `/api/jobs`, `/api/projects/{id}/jobs`.

use axum::extract::State;
use plinth::app::App;
use plinth::control::page::Listed;
use plinth::error::{Error, Result};
use plinth::jobs::{self, Filter, JobAccess, JobSummary, JobView};
use plinth::tenancy::{Caller, Operator};
use plinth::web::least::Viewer;
use plinth::web::{Access, Actor, Json, Paging, Path, Query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of jobs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobList {
    jobs: Vec<JobSummary>,
    next_cursor: Option<String>,
}

impl From<Listed<JobSummary>> for JobList {
    fn from(found: Listed<JobSummary>) -> Self {
        Self {
            jobs: found.items,
            next_cursor: found.next_cursor,
        }
    }
}

/// Lists a project's jobs, newest first, without their results.
#[utoipa::path(get, path = "/api/projects/{id}/jobs", tag = "jobs",
    params(("id" = uuid::Uuid, Path), Filter, Paging),
    responses((status = 200, body = JobList), (status = 400), (status = 404)))]
pub async fn list_of_project(
    access: Access<Viewer>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Json<JobList>> {
    let found = jobs::list(&app, &access.0, &filter, &paging.page()?).await?;
    Ok(Json(found.into()))
}

/// Whose jobs are listed.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Scope {
    /// `own`, as if left out: the jobs that the caller has started; `platform`: all, for admins of the platform.
    scope: Option<String>,
}

/// Lists the jobs that the caller has started, newest first, without their results; with `scope=platform` everybody's.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(Scope, Filter, Paging),
    responses((status = 200, body = JobList), (status = 400), (status = 403)))]
pub async fn list(
    Actor(caller): Actor,
    State(app): State<App>,
    Query(scope): Query<Scope>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Json<JobList>> {
    let page = paging.page()?;
    let found = match scope.scope.as_deref() {
        None | Some("own") => jobs::list_own(&app, &caller, &filter, &page).await?,
        Some("platform") => jobs::list_all(&app, &Operator::of(caller)?, &filter, &page).await?,
        Some(_) => return Err(Error::invalid("jobs/scope", "scope is own or platform")),
    };
    Ok(Json(found.into()))
}

/// Shows how far a job is, to whoever started it and to the members of its project.
#[utoipa::path(get, path = "/api/jobs/{id}", tag = "jobs", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = JobView), (status = 404)))]
pub async fn show(Actor(caller): Actor, Path(id): Path<String>, State(app): State<App>) -> Result<Json<JobView>> {
    Ok(Json(named(&app, caller, &id).await?.into_view()))
}

/// Cancels a job: at once if it waits; if it runs, it is told to stop and is `cancelling` until it has. Repeating it
/// changes nothing.
#[utoipa::path(post, path = "/api/jobs/{id}/cancel", tag = "jobs", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = JobView), (status = 403), (status = 404), (status = 409)))]
pub async fn cancel(Actor(caller): Actor, Path(id): Path<String>, State(app): State<App>) -> Result<Json<JobView>> {
    let access = named(&app, caller, &id).await?;
    jobs::cancel(&app, &access).await.map(Json)
}

/// Starts a job anew that has failed or was cancelled; what it had finished is not done again. Repeating it changes
/// nothing.
#[utoipa::path(post, path = "/api/jobs/{id}/retry", tag = "jobs", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = JobView), (status = 403), (status = 404), (status = 409)))]
pub async fn retry(Actor(caller): Actor, Path(id): Path<String>, State(app): State<App>) -> Result<Json<JobView>> {
    let access = named(&app, caller, &id).await?;
    jobs::retry(&app, &access).await.map(Json)
}

async fn named(app: &App, caller: Caller, id: &str) -> Result<JobAccess> {
    let id = id.parse().map_err(|_| jobs::not_found())?;
    jobs::require(app, caller, id).await
}
