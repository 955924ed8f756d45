//! `GET /api/gdpr/exports/{id}/file`

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::privacy::export::{self, Fetched, SHOWN_AS};
use plinth::tenancy::RequestInfo;
use plinth::web::{Path, Query};
use serde::Deserialize;

use crate::export::named;

/// What a link has beside its path.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Key {
    /// What makes it a link; whoever knows it needs nothing else.
    token: String,
}

/// Hands an export's file over, to whoever has its link: once. `HEAD` tells its length and uses nothing up.
#[utoipa::path(get, path = "/api/gdpr/exports/{id}/file", tag = "privacy", params(("id" = uuid::Uuid, Path), Key),
    responses(
        (status = 200, description = "The file, a zip", body = Vec<u8>, content_type = "application/zip"),
        (status = 303, description = "The file is fetched from where `Location` says, within a minute"),
        (status = 403, description = "`privacy/link-address`: the link was made for another address; it still works there"),
        (status = 404, description = "`privacy/link-not-found`"),
        (status = 410, description = "`privacy/link-used`, `privacy/link-expired`, `privacy/export-gone`"),
    ))]
pub async fn fetch(
    method: Method,
    from: RequestInfo,
    Path(id): Path<String>,
    State(app): State<App>,
    Query(key): Query<Key>,
) -> Response {
    let mut response = match handed_over(&method, &app, &id, &key, &from).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn handed_over(method: &Method, app: &App, id: &str, key: &Key, from: &RequestInfo) -> Result<Response> {
    let id = named(id)?;
    if *method == Method::HEAD {
        let bytes = export::look(app, id, &key.token, from).await?;
        return Ok((zip_of(bytes)?, Body::empty()).into_response());
    }
    match export::fetch(app, id, &key.token, from).await? {
        Fetched::Elsewhere(address) => {
            let mut headers = HeaderMap::new();
            headers.insert(
                header::LOCATION,
                HeaderValue::try_from(address).map_err(Error::internal)?,
            );
            Ok((StatusCode::SEE_OTHER, headers).into_response())
        }
        Fetched::Here(bytes, content) => Ok((zip_of(bytes)?, Body::from_stream(content)).into_response()),
    }
}

fn zip_of(bytes: u64) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes));
    let disposition = format!("attachment; filename=\"{SHOWN_AS}\"");
    let disposition = HeaderValue::try_from(disposition).map_err(Error::internal)?;
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    Ok(headers)
}
