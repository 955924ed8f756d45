//! `/api/projects/{id}/docs`: the versions of a project's documentation.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use plinth::app::App;
use plinth::docs::{self, DeletedVersion, Edit, Version, VersionView};
use plinth::error::Result;
use plinth::projects::IdempotencyKey;
use plinth::web::least::{Developer, Viewer};
use plinth::web::{Access, IfMatch, Json, Paging, Path, Query, Tagged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::format::{self, Asked};

/// A page of versions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VersionList {
    versions: Vec<VersionView>,
    next_cursor: Option<String>,
}

/// Lists the versions of a project's documentation, newest first.
#[utoipa::path(get, path = "/api/projects/{id}/docs", tag = "documents", params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = VersionList), (status = 404)))]
pub async fn list(
    access: Access<Viewer>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<VersionList>> {
    let found = docs::list(&app, &access.0, &paging.page()?).await?;
    Ok(Json(VersionList {
        versions: found.items,
        next_cursor: found.next_cursor,
    }))
}

/// A document as somebody wrote it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Markdown.
    content: String,
}

/// A version just made, with its number as the `ETag`.
type Made = (StatusCode, Tagged<Json<VersionView>>);

fn made(view: VersionView) -> Made {
    (StatusCode::CREATED, Tagged(view.number.into(), Json(view)))
}

/// Makes a version of what somebody wrote, from nothing. With `If-Match` only while the latest is that one.
#[utoipa::path(post, path = "/api/projects/{id}/docs", tag = "documents", request_body = Written,
    params(("id" = uuid::Uuid, Path), ("If-Match" = Option<String>, Header, description = "The number of the latest version seen"),
        ("Idempotency-Key" = Option<String>, Header, description = "Makes a repetition safe")),
    responses((status = 201, body = VersionView), (status = 403), (status = 404), (status = 409), (status = 413)))]
pub async fn create(
    access: Access<Developer>,
    IfMatch(seen): IfMatch,
    State(app): State<App>,
    headers: HeaderMap,
    Json(written): Json<Written>,
) -> Result<Made> {
    let key = IdempotencyKey::of(&headers)?;
    let edit = Edit {
        based_on: None,
        seen,
        key: key.as_ref(),
    };
    docs::write(&app, &access.0, &written.content, &edit).await.map(made)
}

/// Reads the latest version: as JSON, Markdown or a web page.
#[utoipa::path(get, path = "/api/projects/{id}/docs/latest", tag = "documents", params(("id" = uuid::Uuid, Path), Asked),
    responses((status = 200, content((Version = "application/json"), (String = "text/markdown"), (String = "text/html"))),
        (status = 404), (status = 406), (status = 413)))]
pub async fn latest(
    access: Access<Viewer>,
    State(app): State<App>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let format = asked.format(&headers)?;
    let version = docs::read_latest(&app, &access.0).await?;
    format::send(&app, version, format).await
}

/// Reads a version: as JSON, Markdown or a web page.
#[utoipa::path(get, path = "/api/projects/{id}/docs/{versionId}", tag = "documents",
    params(("id" = uuid::Uuid, Path), ("versionId" = uuid::Uuid, Path), Asked),
    responses((status = 200, content((Version = "application/json"), (String = "text/markdown"), (String = "text/html"))),
        (status = 404), (status = 406), (status = 413)))]
pub async fn read(
    access: Access<Viewer>,
    Path((_, version)): Path<(String, String)>,
    State(app): State<App>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let format = asked.format(&headers)?;
    let version = docs::read(&app, &access.0, named(&version)?).await?;
    format::send(&app, version, format).await
}

/// Edits a version: what is sent becomes a new version, based on this one. This one must still be the latest, unless
/// `If-Match` names the latest.
#[utoipa::path(put, path = "/api/projects/{id}/docs/{versionId}", tag = "documents", request_body = Written,
    params(("id" = uuid::Uuid, Path), ("versionId" = uuid::Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The number of the latest version seen")),
    responses((status = 201, body = VersionView), (status = 403), (status = 404), (status = 409), (status = 413)))]
pub async fn edit(
    access: Access<Developer>,
    Path((_, version)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
    State(app): State<App>,
    Json(written): Json<Written>,
) -> Result<Made> {
    let edit = Edit {
        based_on: Some(named(&version)?),
        seen,
        key: None,
    };
    docs::write(&app, &access.0, &written.content, &edit).await.map(made)
}

/// Goes back to a version: a new one with its content. With `If-Match` only while the latest is that one.
#[utoipa::path(post, path = "/api/projects/{id}/docs/{versionId}/revert", tag = "documents",
    params(("id" = uuid::Uuid, Path), ("versionId" = uuid::Uuid, Path),
        ("If-Match" = Option<String>, Header, description = "The number of the latest version seen")),
    responses((status = 201, body = VersionView), (status = 403), (status = 404), (status = 409)))]
pub async fn revert(
    access: Access<Developer>,
    Path((_, version)): Path<(String, String)>,
    IfMatch(seen): IfMatch,
    State(app): State<App>,
) -> Result<Made> {
    docs::revert(&app, &access.0, named(&version)?, seen).await.map(made)
}

/// Deletes a version; it can be restored for 30 days.
#[utoipa::path(delete, path = "/api/projects/{id}/docs/{versionId}", tag = "documents",
    params(("id" = uuid::Uuid, Path), ("versionId" = uuid::Uuid, Path)),
    responses((status = 200, body = DeletedVersion), (status = 403), (status = 404)))]
pub async fn delete(
    access: Access<Developer>,
    Path((_, version)): Path<(String, String)>,
    State(app): State<App>,
) -> Result<Json<DeletedVersion>> {
    docs::delete(&app, &access.0, named(&version)?).await.map(Json)
}

/// Brings a deleted version back, with its old number.
#[utoipa::path(post, path = "/api/projects/{id}/docs/{versionId}/restore", tag = "documents",
    params(("id" = uuid::Uuid, Path), ("versionId" = uuid::Uuid, Path)),
    responses((status = 200, body = VersionView), (status = 403), (status = 404)))]
pub async fn restore(
    access: Access<Developer>,
    Path((_, version)): Path<(String, String)>,
    State(app): State<App>,
) -> Result<Tagged<Json<VersionView>>> {
    let view = docs::restore(&app, &access.0, named(&version)?).await?;
    Ok(Tagged(view.number.into(), Json(view)))
}

/// A version of a path. One that is no id is one that does not exist.
pub(crate) fn named(version: &str) -> Result<Uuid> {
    version.parse().map_err(|_| docs::not_found())
}
