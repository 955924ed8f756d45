//! `/openapi.json` and `/reference`, of the platform and of each project: what there is, for programs and for people.

use axum::body::Body;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use plinth::app::App;
use plinth::docgen::openapi::page::{content_security_policy, render};
use plinth::docgen::openapi::{MEDIA_TYPE, platform};
use plinth::error::{Error, Result};
use plinth::ident::Ref;
use plinth::query::Reply;
use plinth::records::{Ask, Door, Facts, Form, handle};
use plinth::web::etag;
use serde_json::Value;

/// What the routers declare; a test holds it to them.
const PLATFORM: &str = include_str!("../../../infra/openapi.json");

/// Describes the platform's API in OpenAPI 3.1.
#[utoipa::path(get, path = "/openapi.json", tag = "documents",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag last seen")),
    responses((status = 200, description = "The description", body = Object), (status = 304)))]
pub async fn platform_document(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    let text = PLATFORM.replace(platform::BASE_URL, &app.config.web.base_url);
    let tag = etag(text.as_bytes());
    respond(&headers, Form::Json, text.into(), vec![("etag".to_owned(), tag)])
}

/// Shows the platform's API as a page for people.
#[utoipa::path(get, path = "/reference", tag = "documents",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag last seen")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), (status = 304)))]
pub async fn platform_page(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    let text = PLATFORM.replace(platform::BASE_URL, &app.config.web.base_url);
    let document: Value = serde_json::from_str(&text).map_err(Error::internal)?;
    let html = render(&document);
    let tag = etag(html.as_bytes());
    respond(&headers, Form::Page, html.into(), vec![("etag".to_owned(), tag)])
}

/// Describes a project's API in OpenAPI 3.1, as far as the caller may use it.
#[utoipa::path(get, path = "/p/{ref}/openapi.json", tag = "documents",
    params(("If-None-Match" = Option<String>, Header, description = "The ETag last seen")),
    responses((status = 200, description = "The description", body = Object), (status = 304)))]
pub async fn project_document(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Result<Response> {
    of_project(&app, &uri, &headers, Form::Json).await
}

/// Shows a project's API as a page for people. A browser sends no headers of ours: the publishable key may be in the query.
#[utoipa::path(get, path = "/p/{ref}/reference", tag = "documents",
    params(("apikey" = Option<String>, Query, description = "A publishable key, where no header holds it"),
        ("If-None-Match" = Option<String>, Header, description = "The ETag last seen")),
    responses((status = 200, description = "The page", body = String, content_type = "text/html"), (status = 304)))]
pub async fn project_page(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    mut headers: HeaderMap,
) -> Result<Response> {
    if let Some(key) = key_in_query(&uri)?.filter(|_| !headers.contains_key("apikey")) {
        headers.insert(HeaderName::from_static("apikey"), key);
    }
    of_project(&app, &uri, &headers, Form::Page).await
}

/// The publishable key in a query. Addresses are kept in histories and logs: no place for a secret.
fn key_in_query(uri: &Uri) -> Result<Option<HeaderValue>> {
    let pairs = uri.query().unwrap_or_default().split('&');
    let Some(key) = pairs.filter_map(|pair| pair.strip_prefix("apikey=")).next() else {
        return Ok(None);
    };
    if key.starts_with("plinth_secret_") {
        return Err(
            Error::invalid("keys/in-address", "A secret key does not belong into an address")
                .with_hint("Send it as the header apikey, and make another: this one may be in a log by now"),
        );
    }
    Ok(HeaderValue::try_from(key).ok())
}

async fn of_project(app: &App, uri: &Uri, headers: &HeaderMap, form: Form) -> Result<Response> {
    let reference: Ref = uri.path().split('/').nth(2).unwrap_or_default().parse()?;
    let facts = Facts::new(&Method::GET, "/", headers);
    let door = Door::Project(reference);
    let reply: Reply = handle(app, &door, headers, &facts, |_| Ok(Ask::Document(form))).await?;
    respond(
        headers,
        form,
        reply.body.map_or_else(Body::empty, Body::from),
        reply.headers,
    )
}

/// The reply, or that it is as it was.
fn respond(asked: &HeaderMap, form: Form, body: Body, headers: Vec<(String, String)>) -> Result<Response> {
    let mut response = Response::new(body);
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        response
            .headers_mut()
            .insert(name, HeaderValue::try_from(value).map_err(Error::internal)?);
    }
    let fixed = [
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (
            header::VARY,
            HeaderValue::from_static("accept, apikey, authorization, accept-profile"),
        ),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    response
        .headers_mut()
        .extend(fixed.map(|(name, value)| (Some(name), value)));
    let kind = match form {
        Form::Json if names_openapi(asked) => HeaderValue::try_from(format!("{MEDIA_TYPE};version=3.1")),
        Form::Json => Ok(HeaderValue::from_static("application/json")),
        Form::Page => {
            let policy = HeaderValue::try_from(content_security_policy()).map_err(Error::internal)?;
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            let nobody = HeaderValue::from_static("no-referrer");
            response.headers_mut().insert(header::REFERRER_POLICY, nobody);
            Ok(HeaderValue::from_static("text/html; charset=utf-8"))
        }
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, kind.map_err(Error::internal)?);
    if is_known(asked, response.headers().get(header::ETAG)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(header::CONTENT_TYPE);
    }
    Ok(response)
}

/// Whether the client asks for the document by its own name.
fn names_openapi(headers: &HeaderMap) -> bool {
    let accepted = headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok());
    accepted
        .flat_map(|value| value.split(','))
        .any(|part| part.trim_start().starts_with(MEDIA_TYPE))
}

/// Whether the client has this version already. A proxy that compresses weakens the tag; what it names is the same.
fn is_known(headers: &HeaderMap, tag: Option<&HeaderValue>) -> bool {
    let Some(tag) = tag.and_then(|tag| tag.to_str().ok()) else {
        return false;
    };
    let seen = headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok());
    seen.flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|seen| seen == "*" || seen.strip_prefix("W/").unwrap_or(seen) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_tag_is_found_among_several_and_weakened() {
        let tag = HeaderValue::from_static("\"1.2-x\"");
        for (seen, known) in [
            ("\"1.2-x\"", true),
            ("\"0\", W/\"1.2-x\"", true),
            ("*", true),
            ("\"1.3-x\"", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_NONE_MATCH, seen.parse().unwrap());
            assert_eq!(is_known(&headers, Some(&tag)), known, "{seen}");
        }
        assert!(!is_known(&HeaderMap::new(), Some(&tag)));
    }

    #[test]
    fn only_a_publishable_key_may_be_in_an_address() {
        let of = |query: &str| key_in_query(&format!("/p/x/reference?{query}").parse().unwrap());
        assert_eq!(
            of("a=b&apikey=plinth_publishable_x_y").unwrap().unwrap(),
            "plinth_publishable_x_y"
        );
        assert_eq!(of("a=b").unwrap(), None);
        assert_eq!(of("apikey=plinth_secret_x_y").unwrap_err().code(), "keys/in-address");
    }
}
