//! Errors as GoTrue says them: the one place where that happens, around all routes of this function.

use axum::Json;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap};
use http::{HeaderName, HeaderValue, StatusCode};
use plinth::error::{Error, ErrorKind};
use plinth::web::{Refusal, problem_status};
use serde_json::{Map, Value, json};

static API_VERSION: HeaderName = HeaderName::from_static("x-supabase-api-version");
static ERROR_CODE: HeaderName = HeaderName::from_static("x-sb-error-code");

/// The one dated version of the dialect.
const DATED: &str = "2024-01-01";

/// Says refusals in GoTrue's shape: with the version header `{"code": name, "message"}`, without it the older
/// `{"code": status, "error_code": name, "msg"}`. The name is also in `x-sb-error-code`.
pub async fn as_gotrue(request: Request, next: Next) -> Response {
    let dated = asks_for_dated(request.headers());
    let mut response = next.run(request).await;
    if let Some(Refusal(error)) = response.extensions().get::<Refusal>().cloned() {
        response = said(response, &error, dated);
    }
    if dated {
        response
            .headers_mut()
            .insert(&API_VERSION, HeaderValue::from_static(DATED));
    }
    response
}

/// Any day from the version's on, as GoTrue reads it.
fn asks_for_dated(headers: &HeaderMap) -> bool {
    let asked = headers.get(&API_VERSION).and_then(|value| value.to_str().ok());
    asked.is_some_and(|day| {
        let shape = |(at, byte): (usize, u8)| {
            if at == 4 || at == 7 {
                byte == b'-'
            } else {
                byte.is_ascii_digit()
            }
        };
        day.len() == DATED.len() && day.bytes().enumerate().all(shape) && day >= DATED
    })
}

fn said(response: Response, error: &Error, dated: bool) -> Response {
    let (name, status) = name_and_status(error);
    let body = Json(body(error, &name, status, dated)).into_response();
    let (mut parts, _) = response.into_parts();
    let (fresh, body) = body.into_parts();
    parts.status = status;
    parts.headers.remove(CONTENT_LENGTH);
    if let Some(kind) = fresh.headers.get(CONTENT_TYPE) {
        parts.headers.insert(CONTENT_TYPE, kind.clone());
    }
    if let Ok(name) = HeaderValue::from_str(&name) {
        parts.headers.insert(&ERROR_CODE, name);
    }
    Response::from_parts(parts, body)
}

fn body(error: &Error, name: &str, status: StatusCode, dated: bool) -> Value {
    let mut body = Map::new();
    if dated {
        body.insert("code".to_owned(), json!(name));
        body.insert("message".to_owned(), json!(error.public()));
    } else {
        body.insert("code".to_owned(), json!(status.as_u16()));
        body.insert("error_code".to_owned(), json!(name));
        body.insert("msg".to_owned(), json!(error.public()));
    }
    let ours = error.kind() == ErrorKind::Internal;
    match error.details() {
        Some(reasons) if name == "weak_password" => {
            let reasons: Vec<_> = reasons.split(',').collect();
            body.insert("weak_password".to_owned(), json!({ "reasons": reasons }));
        }
        Some(details) if !ours => {
            body.insert("details".to_owned(), json!(details));
        }
        _ => {}
    }
    if let Some(hint) = error.hint() {
        body.insert("hint".to_owned(), json!(hint));
    }
    Value::Object(body)
}

/// GoTrue's name where it has one; else ours, spelled its way (`projects/not-found` → `projects_not_found`).
fn name_and_status(error: &Error) -> (String, StatusCode) {
    let status = problem_status(error);
    let (name, status) = match error.code() {
        "http/json" | "http/body" => ("bad_json", StatusCode::BAD_REQUEST),
        "internal" | "vault/sealed" => ("unexpected_failure", status),
        "keys/missing" => ("no_api_key", status),
        "keys/invalid" => ("invalid_api_key", status),
        "projects/not-found" => ("project_not_found", status),
        "database/unavailable" => ("database_unavailable", status),
        "PGRST301" | "PGRST303" => ("bad_jwt", StatusCode::FORBIDDEN),
        other => return (other.replace(['/', '-'], "_"), status),
    };
    (name.to_owned(), status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: &Error, dated: bool) -> String {
        let (name, status) = name_and_status(error);
        format!("{} {}", status.as_u16(), body(error, &name, status, dated))
    }

    #[test]
    fn an_error_has_the_shape_of_its_version() {
        let error = Error::new(ErrorKind::Unprocessable, "weak_password", "Too short.").with_details("length");
        assert_eq!(
            shown(&error, true),
            r#"422 {"code":"weak_password","message":"Too short.","weak_password":{"reasons":["length"]}}"#
        );
        assert_eq!(
            shown(&error, false),
            r#"422 {"code":422,"error_code":"weak_password","msg":"Too short.","weak_password":{"reasons":["length"]}}"#
        );
    }

    #[test]
    fn our_own_errors_get_names_of_gotrues_kind() {
        for (error, expected) in [
            (Error::invalid("http/json", "x"), "400 bad_json"),
            (Error::internal("cause"), "500 unexpected_failure"),
            (
                Error::new(ErrorKind::Unauthorized, "keys/missing", "x"),
                "401 no_api_key",
            ),
            (
                Error::new(ErrorKind::NotFound, "projects/not-found", "x"),
                "404 project_not_found",
            ),
            (
                Error::new(ErrorKind::NotFound, "backend/not-provisioned", "x"),
                "404 backend_not_provisioned",
            ),
            (
                Error::new(ErrorKind::Unavailable, "database/unavailable", "x"),
                "503 database_unavailable",
            ),
            (Error::new(ErrorKind::Unauthorized, "PGRST301", "x"), "403 bad_jwt"),
        ] {
            let (name, status) = name_and_status(&error);
            assert_eq!(format!("{} {name}", status.as_u16()), expected);
        }
    }

    #[test]
    fn only_days_from_the_version_on_ask_for_it() {
        for (day, asks) in [
            ("2024-01-01", true),
            ("2025-12-31", true),
            ("2023-12-31", false),
            ("2024-1-1", false),
            ("newest", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(&API_VERSION, HeaderValue::from_static(day));
            assert_eq!(asks_for_dated(&headers), asks, "{day}");
        }
    }
}
