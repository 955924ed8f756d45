//! Every error becomes a reply here: one table from kind to status, one body.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::{Value, json};

use crate::error::{Error, ErrorKind};

/// The status of an error.
pub fn status(error: &Error) -> StatusCode {
    if let Some(status) = error.status().and_then(|status| StatusCode::from_u16(status).ok()) {
        return status;
    }
    match error.kind() {
        ErrorKind::Ambiguous => StatusCode::MULTIPLE_CHOICES,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden | ErrorKind::Quota => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        ErrorKind::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::UnsupportedMedia => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::Range => StatusCode::RANGE_NOT_SATISFIABLE,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        ErrorKind::Upstream => StatusCode::BAD_GATEWAY,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

/// The body of an error: always these four keys, as PostgREST sends them.
fn body(error: &Error) -> Value {
    json!({
        "code": error.code(),
        "message": error.public(),
        "details": error.details(),
        "hint": error.hint(),
    })
}

/// Rides on the response so that the log line of the request can tell the cause.
#[derive(Debug, Clone)]
pub(super) struct Cause(pub String);

/// Rides on the response for those who speak another dialect of errors: the auth function says it as GoTrue does.
#[derive(Debug, Clone)]
pub struct Refusal(pub Arc<Error>);

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let status = status(&self);
        // Internal details (a variable's name, say) are for the log.
        let shown = if self.kind() == ErrorKind::Internal && self.status().is_none() {
            json!({ "code": self.code(), "message": self.public(), "details": null, "hint": self.hint() })
        } else {
            body(&self)
        };
        let mut response = (status, Json(shown)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, challenge(&self));
        }
        if let Some(seconds) = self.retry_after() {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(cause(&self));
        response.extensions_mut().insert(Refusal(Arc::new(self)));
        response
    }
}

/// RFC 6750 section 3: a bad token is named as such.
fn challenge(error: &Error) -> HeaderValue {
    let about_token = ["PGRST301", "PGRST303"].contains(&error.code());
    let text = format!(
        "Bearer error=\"invalid_token\", error_description=\"{}\"",
        error.public()
    );
    HeaderValue::from_str(&text)
        .ok()
        .filter(|_| about_token)
        .unwrap_or(HeaderValue::from_static("Bearer"))
}

fn cause(error: &Error) -> Cause {
    let mut text = error.to_string();
    if let Some(details) = error.details() {
        text = format!("{text} ({details})");
    }
    let mut source = std::error::Error::source(error);
    while let Some(inner) = source {
        text = format!("{text}: {inner}");
        source = inner.source();
    }
    Cause(text)
}
