//! Around every router: request id, one log line, CORS, limits, JSON for what no route takes.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use http::{HeaderName, HeaderValue, Method, header};
use lambda_http::request::RequestContext;
use lambda_http::{Adapter, RequestExt};
use serde_json::json;
use tower::ServiceExt;
use tower_http::cors::{Any, CorsLayer};

use super::gateway::tidy;
use super::problem::Cause;
use super::{BODY_LIMIT, Routes};
use crate::app::App;
use crate::clock::SharedRandom;
use crate::error::{Error, ErrorKind};
use crate::tenancy::RequestInfo;

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The other end of a socket, put on the request by a server that has sockets (the local stack).
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// A function's routes as a service: [`mount`] with everything [`around`] it.
pub fn finish(routes: Routes, app: App) -> Router {
    let random = app.random.clone();
    around(mount(routes, app), random)
}

/// A function's bare routes, so that the local stack can merge several functions' before it goes [`around`] them.
pub fn mount(routes: Routes, app: App) -> Router {
    let (router, _) = routes.split_for_parts();
    router.with_state(app)
}

/// What stands around bare routes, `GET /health`, and JSON for everything no route takes.
pub fn around(router: Router, random: SharedRandom) -> Router {
    let bare = router
        .route("/health", axum::routing::get(health))
        .fallback(no_such_path)
        .method_not_allowed_fallback(wrong_method);
    let edge = Edge {
        bare: bare.clone(),
        random,
    };
    // One layer of two: axum clones each layer of a route, with all that is inside of it, for every request.
    bare.layer((from_fn_with_state(edge, admit), cors()))
}

/// Serves a function's routes to the Lambda runtime until it ends the process.
///
/// # Errors
/// When the runtime cannot be reached.
pub async fn run(routes: Routes, app: App) -> Result<(), lambda_http::Error> {
    let function = Adapter::from(finish(routes, app));
    lambda_runtime::run(function.map_request(tidy)).await
}

async fn health() -> Json<serde_json::Value> {
    Json(json!({ "status": "ok" }))
}

async fn no_such_path() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "http/no-such-path",
        "There is nothing at this path",
    )
    .with_hint("Check the path: /api, /auth/v1 and /p/{ref} are where things are")
}

async fn wrong_method(method: Method) -> Error {
    Error::new(
        ErrorKind::MethodNotAllowed,
        "http/method",
        format!("{method} is not possible at this path"),
    )
    .with_hint("The Allow header lists what is")
}

/// What [`admit`] needs.
#[derive(Clone)]
struct Edge {
    /// The routes without CORS.
    bare: Router,
    random: SharedRandom,
}

/// The first and last to see a request: limits its body, gives it its id, logs it.
async fn admit(State(edge): State<Edge>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    DefaultBodyLimit::max(BODY_LIMIT).apply(&mut request);
    let info = identify(&request, &edge.random);
    let id = info.id.clone();
    request.extensions_mut().insert(info);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = if inquires(&request) {
        inquire(edge.bare, request).await
    } else {
        next.run(request).await
    };
    log(&id, &method, route.as_ref(), &response, started.elapsed());
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(&REQUEST_ID, id);
    }
    response
}

/// The request's id and where it came from: from the gateway's context, never from a client's header.
fn identify(request: &Request, random: &SharedRandom) -> RequestInfo {
    let mut info = RequestInfo::default();
    if let Some(RequestContext::ApiGatewayV2(context)) = request.request_context_ref() {
        info.id = context.request_id.clone().unwrap_or_default();
        info.address = context.http.source_ip.clone();
    }
    if let Some(Peer(address)) = request.extensions().get::<Peer>() {
        info.address = Some(address.to_string());
    }
    if info.id.is_empty() {
        info.id = random.uuid().to_string();
    }
    info
}

/// An `OPTIONS` that is no preflight asks what a path can do; the layer for CORS would answer it by itself.
fn inquires(request: &Request) -> bool {
    let preflight = request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    request.method() == Method::OPTIONS && !preflight
}

async fn inquire(bare: Router, request: Request) -> Response {
    let mut response = bare.oneshot(request).await.into_response();
    let anyone = HeaderValue::from_static("*");
    response
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anyone);
    response
}

/// One line per request. The route is logged as declared, not as asked: paths and queries hold people's data.
fn log(request_id: &str, method: &Method, route: Option<&MatchedPath>, response: &Response, took: Duration) {
    let route = route.map_or("(none)", MatchedPath::as_str);
    let status = response.status().as_u16();
    let duration_ms = took.as_secs_f64() * 1000.0;
    let cause = response.extensions().get::<Cause>();
    let cause = cause.map(|cause| cause.0.as_str()).unwrap_or_default();
    if status >= 500 {
        tracing::error!(request_id, %method, route, status, duration_ms, cause, "request failed");
    } else {
        tracing::info!(request_id, %method, route, status, duration_ms, cause, "request");
    }
}

fn cors() -> CorsLayer {
    let headers = [
        "authorization",
        "apikey",
        "x-client-info",
        "content-type",
        "x-supabase-api-version",
        "accept-profile",
        "content-profile",
        "prefer",
        "range",
        "range-unit",
        "x-retry-count",
        "x-region",
        "x-upsert",
        "cache-control",
        "if-match",
        "idempotency-key",
    ];
    let exposed = [
        "content-location",
        "content-range",
        "link",
        "x-total-count",
        "x-supabase-api-version",
        "location",
        "retry-after",
        "preference-applied",
        "etag",
        "x-request-id",
        "content-profile",
        "x-sb-error-code",
        "www-authenticate",
    ];
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(headers.map(HeaderName::from_static))
        .expose_headers(exposed.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600))
        .vary([
            header::ORIGIN,
            header::ACCESS_CONTROL_REQUEST_METHOD,
            header::ACCESS_CONTROL_REQUEST_HEADERS,
        ])
}

/// A reply made by a layer or an extractor outside of our handlers, as one of ours.
pub(super) fn rejected(error: impl IntoResponse) -> Error {
    let status = error.into_response().status();
    let error = Error::invalid("http/bad-request", "The request could not be read")
        .with_hint("Paths and headers must be valid UTF-8, percent-encoded where they are not plain");
    if status.is_client_error() {
        error.with_status(status.as_u16())
    } else {
        error
    }
}
