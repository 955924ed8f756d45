//! `/p/{ref}/rest/v1`: tables in the PostgREST dialect.

mod address;
mod asked;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::header::{CONTENT_LOCATION, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::query::Reply;
use plinth::records::{Ask, Door, Facts, handle};

use crate::path;
use asked::Asked;

/// Describes the API in OpenAPI 2.0, as far as the caller may use it.
#[utoipa::path(method(get, head), path = "/p/{ref}/rest/v1", responses((status = 200, description = "The description")))]
pub(crate) async fn root(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let door = Door::Project(path::reference(&uri)?);
    let facts = Facts::new(&method, "/", &headers);
    respond(handle(&app, &door, &headers, &facts, |_| Ok(Ask::Describe)).await?)
}

/// As [`root`]: many clients write the slash.
#[utoipa::path(method(get, head), path = "/p/{ref}/rest/v1/", responses((status = 200, description = "The description")))]
pub(crate) async fn root_with_slash(
    app: State<App>,
    uri: OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    root(app, uri, method, headers).await
}

/// Reads and writes a table's rows.
#[utoipa::path(
    method(get, head, post, patch, put, delete),
    path = "/p/{ref}/rest/v1/{*path}",
    responses((status = 200, description = "The rows"), (status = 201, description = "Created"),
        (status = 204, description = "Done"))
)]
pub(crate) async fn table(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    let parsed = body
        .map_err(unreadable)
        .and_then(|body| Asked::parse(&method, &uri, &headers, &body));
    let asked = match parsed {
        Ok(asked) => asked,
        // Who asks comes first: a stranger learns nothing about the request.
        Err(error) => return Err(refuse_after_identifying(&app, &uri, &headers, error).await),
    };
    let door = Door::Project(path::reference(&uri)?);
    let facts = Facts::new(&method, &asked.path(), &headers);
    let reply = handle(&app, &door, &headers, &facts, |catalog| asked.ask(catalog)).await?;
    let mut response = respond(reply)?;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept, prefer, range"));
    if let Some(parts) = asked.address() {
        let location = address::canonical(&parts, uri.query().unwrap_or_default());
        let location = HeaderValue::try_from(location).map_err(Error::internal)?;
        headers.insert(CONTENT_LOCATION, location);
    }
    Ok(response)
}

async fn refuse_after_identifying(app: &App, uri: &Uri, headers: &HeaderMap, refusal: Error) -> Error {
    let identified = async { Door::Project(path::reference(uri)?).open(app, headers).await };
    identified.await.err().unwrap_or(refusal)
}

/// The error for a body that did not arrive.
pub(crate) fn unreadable(rejection: BytesRejection) -> Error {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        Error::new(ErrorKind::TooLarge, "http/too-large", "The body is larger than 6 MB")
            .with_hint("Send fewer rows at a time")
    } else {
        Error::invalid("PGRST102", "The body could not be read").with_details(rejection.body_text())
    }
}

fn respond(reply: Reply) -> Result<Response> {
    let mut response = Response::new(reply.body.map_or_else(Body::empty, Body::from));
    *response.status_mut() = StatusCode::from_u16(reply.status).map_err(Error::internal)?;
    // Room for what the layers add: growing is dearer than anything else about a header.
    response.headers_mut().reserve(12);
    for (name, value) in reply.headers {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        let value = HeaderValue::try_from(value).map_err(Error::internal)?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}
