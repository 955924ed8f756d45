//! `/api/projects/{id}/members`.

use axum::extract::State;
use http::StatusCode;
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::ident::UserId;
use plinth::projects::members::{self, MemberView, NewMember};
use plinth::tenancy::MemberRole;
use plinth::web::least::{Admin, Viewer};
use plinth::web::{Access, Json, Path};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use plinth::web::{Paging, Query};

/// A member.
#[derive(Serialize, ToSchema)]
pub struct MemberReply {
    member: MemberView,
}

/// A page of members.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberList {
    members: Vec<MemberView>,
    next_cursor: Option<String>,
}

/// Lists a project's members.
#[utoipa::path(get, path = "/api/projects/{id}/members", tag = "members", params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = MemberList), (status = 404)))]
pub async fn list(
    access: Access<Viewer>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<MemberList>> {
    let found = members::list(&app, &access.0, &paging.page()?).await?;
    Ok(Json(MemberList {
        members: found.items,
        next_cursor: found.next_cursor,
    }))
}

/// Makes a platform user a member.
#[utoipa::path(post, path = "/api/projects/{id}/members", tag = "members", request_body = NewMember,
    params(("id" = uuid::Uuid, Path)),
    responses((status = 201, body = MemberReply), (status = 403), (status = 404), (status = 409)))]
pub async fn add(
    access: Access<Admin>,
    State(app): State<App>,
    Json(new): Json<NewMember>,
) -> Result<(StatusCode, Json<MemberReply>)> {
    let member = members::add(&app, &access.0, &new).await?;
    Ok((StatusCode::CREATED, Json(MemberReply { member })))
}

/// Another role.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberPatch {
    /// `owner`, `admin`, `developer` or `viewer`.
    #[schema(value_type = String)]
    role: MemberRole,
}

/// Gives a member another role.
#[utoipa::path(patch, path = "/api/projects/{id}/members/{userId}", tag = "members", request_body = MemberPatch,
    params(("id" = uuid::Uuid, Path), ("userId" = uuid::Uuid, Path)),
    responses((status = 200, body = MemberReply), (status = 403), (status = 404), (status = 409)))]
pub async fn change(
    access: Access<Admin>,
    Path((_, user)): Path<(String, String)>,
    State(app): State<App>,
    Json(patch): Json<MemberPatch>,
) -> Result<Json<MemberReply>> {
    let member = members::change(&app, &access.0, named(&user)?, patch.role).await?;
    Ok(Json(MemberReply { member }))
}

/// Takes a member out; every member may take themself out.
#[utoipa::path(delete, path = "/api/projects/{id}/members/{userId}", tag = "members",
    params(("id" = uuid::Uuid, Path), ("userId" = uuid::Uuid, Path)),
    responses((status = 204), (status = 403), (status = 404), (status = 409)))]
pub async fn remove(
    access: Access<Viewer>,
    Path((_, user)): Path<(String, String)>,
    State(app): State<App>,
) -> Result<StatusCode> {
    members::remove(&app, &access.0, named(&user)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Brings a member back who was taken out less than 30 days ago, with the role they had.
#[utoipa::path(post, path = "/api/projects/{id}/members/{userId}/restore", tag = "members",
    params(("id" = uuid::Uuid, Path), ("userId" = uuid::Uuid, Path)),
    responses((status = 200, body = MemberReply), (status = 403), (status = 404)))]
pub async fn restore(
    access: Access<Admin>,
    Path((_, user)): Path<(String, String)>,
    State(app): State<App>,
) -> Result<Json<MemberReply>> {
    let member = members::restore(&app, &access.0, named(&user)?).await?;
    Ok(Json(MemberReply { member }))
}

fn named(user: &str) -> Result<UserId> {
    let malformed = || {
        Error::new(
            ErrorKind::NotFound,
            "members/not-found",
            "They are no member of this project",
        )
    };
    user.parse().map(UserId).map_err(|_| malformed())
}
