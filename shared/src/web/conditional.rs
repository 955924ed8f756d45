//! Conditional requests: `If-Match` and `ETag`.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, header};

use crate::app::App;
use crate::error::{Error, Result};

/// `If-Match`: the version the client has seen, if it says so.
#[derive(Debug, Clone, Copy)]
pub struct IfMatch(pub Option<i64>);

impl FromRequestParts<App> for IfMatch {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Ok(Self(None));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self(None));
        }
        // A proxy that compresses replies weakens their tags; the version inside is the same.
        let tag = text.strip_prefix("W/").unwrap_or(text);
        let version = tag.trim_matches('"').parse();
        version
            .map(|version| Self(Some(version)))
            .map_err(|_| Error::invalid("http/if-match", "If-Match must be the ETag of an earlier reply"))
    }
}

/// A reply with the version as its `ETag`.
#[derive(Debug)]
pub struct Tagged<T>(pub i64, pub T);

impl<T: IntoResponse> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        let mut response = self.1.into_response();
        if let Ok(tag) = HeaderValue::from_str(&format!("\"{}\"", self.0)) {
            response.headers_mut().insert(header::ETAG, tag);
        }
        response
    }
}
