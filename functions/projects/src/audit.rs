//! `/api/projects/{id}/audit` and, for those who run the platform, `/api/audit`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use plinth::app::App;
use plinth::audit::{self, Anchor, Chain, Export, Filter, Format, Listed, Verified};
use plinth::error::{Error, Result};
use plinth::ident::ProjectId;
use plinth::tenancy::Operator;
use plinth::web::least::Admin;
use plinth::web::{Access, Json, Paging, Query};
use serde::Deserialize;
use uuid::Uuid;

/// Which project's log an operator reads.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct OfProject {
    /// A project's id, of a purged one too; the platform's own log without.
    project_id: Option<Uuid>,
}

impl OfProject {
    fn chain(&self, operator: &Operator) -> Chain {
        Chain::as_operator(operator, self.project_id.map(ProjectId))
    }
}

/// How an export is written, and where it goes on.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AsFile {
    /// `ndjson` (the default) or `csv`.
    format: Option<String>,
    /// `x-next-cursor` of the file before.
    cursor: Option<String>,
}

/// What is judged.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Judged {
    /// With `hash`, an entry that must still be there.
    sequence: Option<i64>,
    /// Its hash.
    hash: Option<String>,
    /// `nextCursor` of the reply before.
    cursor: Option<String>,
}

impl Judged {
    fn anchor(&self) -> Result<Option<Anchor>> {
        match (self.sequence, &self.hash) {
            (None, None) => Ok(None),
            (Some(sequence), Some(hash)) => Ok(Some(Anchor {
                sequence,
                hash: hash.clone(),
            })),
            _ => Err(Error::invalid(
                "audit/anchor",
                "sequence and hash name an entry together",
            )),
        }
    }
}

/// Lists what was changed in a project, by whom, newest first.
#[utoipa::path(get, path = "/api/projects/{id}/audit", tag = "audit", params(("id" = Uuid, Path), Filter, Paging),
    responses((status = 200, body = Listed), (status = 400), (status = 403), (status = 404)))]
pub async fn list(
    access: Access<Admin>,
    State(app): State<App>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listed>> {
    page(&app, Chain::of(&access.0), &filter, &paging).await
}

/// Lists what was changed on the platform, or in any project.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(OfProject, Filter, Paging),
    responses((status = 200, body = Listed), (status = 400), (status = 403)))]
pub async fn list_platform(
    operator: Operator,
    State(app): State<App>,
    Query(of): Query<OfProject>,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listed>> {
    page(&app, of.chain(&operator), &filter, &paging).await
}

async fn page(app: &App, chain: Chain, filter: &Filter, paging: &Paging) -> Result<Json<Listed>> {
    let found = audit::list(app, chain, filter, paging.limit, paging.cursor.as_deref()).await?;
    Ok(Json(found))
}

/// The log as a file, oldest first; that it was taken is an entry of its own. `x-next-cursor`, if there is one, makes the
/// next file.
#[utoipa::path(get, path = "/api/projects/{id}/audit/export", tag = "audit",
    params(("id" = Uuid, Path), AsFile, Filter),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 400), (status = 403), (status = 404)))]
pub async fn export(
    access: Access<Admin>,
    State(app): State<App>,
    Query(file): Query<AsFile>,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let (chain, format) = (Chain::of(&access.0), Format::parse(file.format.as_deref())?);
    let caller = access.0.caller();
    let made = audit::export(&app, caller, chain, &filter, format, file.cursor.as_deref()).await?;
    Ok(attached(made, format))
}

/// The platform's log, or any project's, as a file.
#[utoipa::path(get, path = "/api/audit/export", tag = "audit", params(OfProject, AsFile, Filter),
    responses((status = 200, content((String = "application/x-ndjson"), (String = "text/csv"))),
        (status = 400), (status = 403)))]
pub async fn export_platform(
    operator: Operator,
    State(app): State<App>,
    Query(of): Query<OfProject>,
    Query(file): Query<AsFile>,
    Query(filter): Query<Filter>,
) -> Result<Response> {
    let (chain, format) = (of.chain(&operator), Format::parse(file.format.as_deref())?);
    let caller = operator.caller();
    let made = audit::export(&app, caller, chain, &filter, format, file.cursor.as_deref()).await?;
    Ok(attached(made, format))
}

fn attached(made: Export, format: Format) -> Response {
    let name = format!("attachment; filename=\"audit.{}\"", format.extension());
    let mut reply = ([(CONTENT_TYPE, format.media_type())], made.content).into_response();
    let headers = reply.headers_mut();
    headers.extend(name.parse().map(|name| (CONTENT_DISPOSITION, name)));
    let cursor = made.next_cursor.and_then(|cursor| cursor.parse().ok());
    headers.extend(cursor.map(|cursor| (http::HeaderName::from_static("x-next-cursor"), cursor)));
    reply
}

/// Judges a project's log: whether each entry is what was written and none is missing.
#[utoipa::path(get, path = "/api/projects/{id}/audit/verify", tag = "audit", params(("id" = Uuid, Path), Judged),
    responses((status = 200, body = Verified), (status = 400), (status = 403), (status = 404)))]
pub async fn verify(
    access: Access<Admin>,
    State(app): State<App>,
    Query(judged): Query<Judged>,
) -> Result<Json<Verified>> {
    let (chain, anchor) = (Chain::of(&access.0), judged.anchor()?);
    Ok(Json(
        audit::verify(&app, chain, anchor, judged.cursor.as_deref()).await?,
    ))
}

/// Judges the platform's log, or any project's.
#[utoipa::path(get, path = "/api/audit/verify", tag = "audit", params(OfProject, Judged),
    responses((status = 200, body = Verified), (status = 400), (status = 403)))]
pub async fn verify_platform(
    operator: Operator,
    State(app): State<App>,
    Query(of): Query<OfProject>,
    Query(judged): Query<Judged>,
) -> Result<Json<Verified>> {
    let (chain, anchor) = (of.chain(&operator), judged.anchor()?);
    Ok(Json(
        audit::verify(&app, chain, anchor, judged.cursor.as_deref()).await?,
    ))
}
