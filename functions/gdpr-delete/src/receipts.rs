//! `GET /api/gdpr/receipts/{id}`, `GET /api/gdpr/keys`

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::privacy::receipt::{self, Reader, Receipt};
use plinth::tenancy::{Caller, RequestInfo};
use plinth::web::{Json, Path, Query};
use serde::Deserialize;

/// For who has no account.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ByToken {
    /// `receiptToken` of the reply that told of the receipt.
    token: Option<String>,
}

/// Shows what proves an erasure. For owners and admins of the project, those who run the platform, and whoever has the
/// token. `verify-receipt` judges it offline, by the keys of `/api/gdpr/keys`.
#[utoipa::path(get, path = "/api/gdpr/receipts/{id}", tag = "privacy", params(("id" = uuid::Uuid, Path), ByToken),
    responses((status = 200, description = "The receipt", body = Receipt), (status = 401),
        (status = 404, description = "`privacy/receipt-not-found`")))]
pub async fn receipt(
    State(app): State<App>,
    request: RequestInfo,
    headers: HeaderMap,
    Path(id): Path<String>,
    Query(by): Query<ByToken>,
) -> Result<Response> {
    let reader = match by.token {
        Some(token) => Reader::Token(token, request),
        None => Reader::Caller(Caller {
            user: app.tenancy.platform_user(&headers).await?,
            request,
        }),
    };
    let id = id.parse().map_err(|_| not_found())?;
    let receipt = receipt::read(&app, &reader, id).await?;
    let mut response = Json(receipt).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    // The address may hold a token.
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Ok(response)
}

fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/receipt-not-found",
        "There is no such receipt",
    )
}

/// Shows the public keys that receipts are signed with (RFC 7517), retired ones too.
#[utoipa::path(get, path = "/api/gdpr/keys", tag = "privacy",
    responses((status = 200, description = "The set of keys", body = Object)))]
pub async fn keys(State(app): State<App>) -> Result<Response> {
    let mut response = Json(receipt::public_keys(&app).await?).into_response();
    let value = HeaderValue::from_static("public, max-age=300");
    response.headers_mut().insert(header::CACHE_CONTROL, value);
    Ok(response)
}
