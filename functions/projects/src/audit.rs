//! `GET /api/projects/{id}/audit`.

use axum::extract::State;
use plinth::app::App;
use plinth::audit::{self, AuditEntry};
use plinth::control::page::{decode_cursor, encode_cursor, page_limit};
use plinth::error::Result;
use plinth::web::least::Admin;
use plinth::web::{Access, Json};
use serde::Serialize;
use utoipa::ToSchema;

use plinth::web::{Paging, Query};

/// A page of the audit log.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditList {
    entries: Vec<AuditEntry>,
    next_cursor: Option<String>,
}

/// Lists what was changed in a project, by whom, newest first.
#[utoipa::path(get, path = "/api/projects/{id}/audit", tag = "audit", params(("id" = uuid::Uuid, Path), Paging),
    responses((status = 200, body = AuditList), (status = 403), (status = 404)))]
pub async fn list(
    access: Access<Admin>,
    State(app): State<App>,
    Query(paging): Query<Paging>,
) -> Result<Json<AuditList>> {
    let limit = page_limit(paging.limit)?;
    let before = paging.cursor.as_deref().map(decode_cursor).transpose()?;
    let entries = audit::list(&app, &access.0, before, limit).await?;
    // Sequences have no gaps: the entry numbered 1 is the last.
    let next_cursor = entries
        .last()
        .filter(|entry| entry.sequence > 1)
        .map(|entry| encode_cursor(&entry.sequence));
    Ok(Json(AuditList { entries, next_cursor }))
}
