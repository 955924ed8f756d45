//! Every error becomes a reply here: one table from kind to status, one body.

use std::sync::Arc;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
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
        "details": error.details_json().map_or_else(|| json!(error.details()), Clone::clone),
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
        let json = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        override_headers(response.headers_mut(), self.headers());
        response.extensions_mut().insert(cause(&self));
        response.extensions_mut().insert(Refusal(Arc::new(self)));
        response
    }
}

/// Puts the error's own headers in place of ours; of its own, several may share a name.
fn override_headers(headers: &mut HeaderMap, given: &[(String, String)]) {
    let given = given.iter().filter_map(|(name, value)| {
        let name = HeaderName::try_from(name).ok()?;
        Some((name, HeaderValue::try_from(value).ok()?))
    });
    let given: HeaderMap = given.fold(HeaderMap::new(), |mut all, (name, value)| {
        all.append(name, value);
        all
    });
    for name in given.keys() {
        headers.remove(name);
    }
    for (name, value) in &given {
        headers.append(name, value.clone());
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_of_an_error_replace_ours_and_may_repeat() {
        let error = Error::new(ErrorKind::Unauthorized, "x", "y")
            .with_header("WWW-Authenticate", "Basic")
            .with_header("X-Tea", "mint")
            .with_header("x-tea", "black")
            .with_header("bad name", "z")
            .with_header("x-bad-value", "a\r\nb");
        let headers = error.into_response().headers().clone();
        let all = |name: &str| headers.get_all(name).iter().cloned().collect::<Vec<_>>();
        assert_eq!(all("www-authenticate"), ["Basic"]);
        assert_eq!(all("x-tea"), ["mint", "black"]);
        assert_eq!(all("content-type"), ["application/json; charset=utf-8"]);
        assert!(!headers.contains_key("x-bad-value"));
    }
}
