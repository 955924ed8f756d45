//! `/api/projects`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::ident::ProjectId;
use plinth::projects::versions::Propagation;
use plinth::projects::{self, Change, Deleted, NewProject, ProjectView, Settings};
use plinth::tenancy::{MemberRole, not_found};
use plinth::web::least::{Admin, Owner, Viewer};
use plinth::web::{Access, Actor, Json, Path};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::board;
use crate::headers::{Idempotency, IfMatch, Tagged};
use plinth::web::{Paging, Query};

/// A project.
#[derive(Serialize, ToSchema)]
pub struct ProjectReply {
    project: ProjectView,
}

/// A project after a change.
#[derive(Serialize, ToSchema)]
pub struct ChangedProject {
    project: ProjectView,
    #[serde(flatten)]
    propagation: Propagation,
}

/// A page of projects.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProjectList {
    projects: Vec<ProjectView>,
    next_cursor: Option<String>,
}

fn shown(project: ProjectView) -> Tagged<Json<ProjectReply>> {
    Tagged(project.version, Json(ProjectReply { project }))
}

fn changed((project, propagation): (ProjectView, Propagation)) -> Tagged<Json<ChangedProject>> {
    Tagged(project.version, Json(ChangedProject { project, propagation }))
}

/// Makes a project, with the caller as its owner; with `scope=database` a row of the template's table `projects` in the
/// caller's own database.
#[utoipa::path(post, path = "/api/projects", tag = "projects", request_body = NewProject,
    params(Scope, ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses((status = 201, body = ProjectReply), (status = 403), (status = 409)))]
pub async fn create(
    Actor(caller): Actor,
    Idempotency(key): Idempotency,
    State(app): State<App>,
    Query(scope): Query<Scope>,
    Json(body): Json<Box<RawValue>>,
) -> Result<Response> {
    if scope.is_database()? {
        return board::create(&app, &caller, &body, key.as_ref()).await;
    }
    let new: NewProject = serde_json::from_str(body.get()).map_err(|error| {
        Error::invalid("http/body", "The body does not have the expected shape").with_details(error.to_string())
    })?;
    let made = projects::create(&app, &caller, &new, key.as_ref()).await?;
    Ok((StatusCode::CREATED, shown(made)).into_response())
}

/// Which projects are meant.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Scope {
    /// `platform` (the default): projects of this platform. `database`: rows of the caller's own database.
    scope: Option<String>,
}

impl Scope {
    fn is_database(&self) -> Result<bool> {
        match self.scope.as_deref() {
            None | Some("platform") => Ok(false),
            Some("database") => Ok(true),
            Some(_) => Err(Error::invalid("projects/scope", "scope is platform or database")),
        }
    }
}

/// Lists the projects the caller is a member of, newest first; with `scope=database` the rows of the template's table
/// `projects` in the caller's own database that are theirs, which `status` and `offset` narrow.
#[utoipa::path(get, path = "/api/projects", tag = "projects", params(Scope, Paging),
    responses((status = 200, body = ProjectList)))]
pub async fn list(
    Actor(caller): Actor,
    State(app): State<App>,
    Query(scope): Query<Scope>,
    uri: http::Uri,
    paging: Result<Query<Paging>>,
) -> Result<Response> {
    if scope.is_database()? {
        return board::list(&app, &caller, &uri).await;
    }
    let Query(paging) = paging?;
    let found = projects::list(&app, &caller, &paging.page()?).await?;
    let list = ProjectList {
        projects: found.items,
        next_cursor: found.next_cursor,
    };
    Ok(Json(list).into_response())
}

/// Shows a project.
#[utoipa::path(get, path = "/api/projects/{id}", tag = "projects", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = ProjectReply), (status = 404)))]
pub async fn show(access: Access<Viewer>, State(app): State<App>) -> Result<Tagged<Json<ProjectReply>>> {
    Ok(shown(projects::find(&app, &access.0).await?))
}

/// What a PATCH changes; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectPatch {
    name: Option<String>,
    /// Null removes it.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    status: Option<String>,
    /// Each named setting gets its value, or goes when that is null.
    #[schema(value_type = Option<Object>)]
    settings: Option<Map<String, Value>>,
}

/// Tells `null` (given) from absent.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Changes parts of a project.
#[utoipa::path(patch, path = "/api/projects/{id}", tag = "projects", request_body = ProjectPatch,
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag last seen")),
    responses((status = 200, body = ChangedProject), (status = 404), (status = 409)))]
pub async fn patch(
    access: Access<Admin>,
    IfMatch(seen): IfMatch,
    State(app): State<App>,
    Json(patch): Json<ProjectPatch>,
) -> Result<Tagged<Json<ChangedProject>>> {
    let change = Change {
        name: patch.name,
        description: patch.description,
        status: patch.status,
        settings: patch.settings.map(Settings::Merge),
    };
    projects::change(&app, &access.0, &change, seen).await.map(changed)
}

/// Replaces all that can be changed of a project.
#[utoipa::path(put, path = "/api/projects/{id}", tag = "projects", request_body = NewProject,
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The ETag last seen")),
    responses((status = 200, body = ChangedProject), (status = 404), (status = 409)))]
pub async fn put(
    access: Access<Admin>,
    IfMatch(seen): IfMatch,
    State(app): State<App>,
    Json(next): Json<NewProject>,
) -> Result<Tagged<Json<ChangedProject>>> {
    let change = Change {
        name: Some(next.name),
        description: Some(next.description),
        status: Some(next.status),
        settings: Some(Settings::Replace(next.settings)),
    };
    projects::change(&app, &access.0, &change, seen).await.map(changed)
}

/// Deletes a project; its owner can restore it for 30 days.
#[utoipa::path(delete, path = "/api/projects/{id}", tag = "projects", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = Deleted), (status = 404)))]
pub async fn delete(access: Access<Owner>, State(app): State<App>) -> Result<Json<Deleted>> {
    projects::delete(&app, &access.0).await.map(Json)
}

/// Brings a deleted project back.
#[utoipa::path(post, path = "/api/projects/{id}/restore", tag = "projects", params(("id" = uuid::Uuid, Path)),
    responses((status = 200, body = ChangedProject), (status = 404), (status = 409)))]
pub async fn restore(
    Actor(caller): Actor,
    Path(id): Path<String>,
    State(app): State<App>,
) -> Result<Tagged<Json<ChangedProject>>> {
    let id = id.parse().map_err(|_| not_found())?;
    // The one place where a deleted project can still be reached.
    let access = app
        .tenancy
        .require_even_deleted(caller, ProjectId(id), MemberRole::Owner)
        .await?;
    projects::restore(&app, &access).await.map(changed)
}
