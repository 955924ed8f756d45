//! `/p/{ref}/rest/v1`: tables in the PostgREST dialect.

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::header::{CONTENT_LOCATION, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode, utf8_percent_encode};
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::query::{self, Reply, Request};
use plinth::records::{Door, Facts, handle};

use crate::path;

/// The API's description; not there yet.
#[utoipa::path(method(get, head), path = "/p/{ref}/rest/v1", responses((status = 501, description = "Not there yet")))]
pub(crate) async fn root(State(app): State<App>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Error {
    refuse_after_identifying(&app, &uri, &headers, not_implemented("The root's OpenAPI document")).await
}

/// The API's description; not there yet.
#[utoipa::path(method(get, head), path = "/p/{ref}/rest/v1/", responses((status = 501, description = "Not there yet")))]
pub(crate) async fn root_with_slash(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Error {
    refuse_after_identifying(&app, &uri, &headers, not_implemented("The root's OpenAPI document")).await
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
        .and_then(|body| parse(&method, &uri, &headers, &body));
    let request = match parsed {
        Ok(request) => request,
        // Who asks comes first: a stranger learns nothing about the request.
        Err(error) => return Err(refuse_after_identifying(&app, &uri, &headers, error).await),
    };
    let door = Door::Project(path::reference(&uri)?);
    let below = if request.call.is_some() { "/rpc/" } else { "/" };
    let facts = Facts::new(&method, &format!("{below}{}", request.table), &headers);
    let reply = handle(&app, &door, &headers, &facts, |_| Ok(request.clone())).await?;
    let mut response = respond(reply)?;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("accept, prefer, range"));
    if request.method.is_read() {
        let location = content_location(below, &request.table, uri.query().unwrap_or_default());
        headers.insert(
            CONTENT_LOCATION,
            HeaderValue::try_from(location).map_err(Error::internal)?,
        );
    }
    Ok(response)
}

/// The read's canonical address: its parameters sorted by name, encoded in one way.
fn content_location(below: &str, name: &str, query: &str) -> String {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    let decode = |text: &str| percent_decode_str(&text.replace('+', " ")).collect::<Vec<u8>>();
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (decode(name), decode(value)))
        .collect();
    pairs.sort_by(|(one, _), (other, _)| one.cmp(other));
    let mut location = format!("{below}{}", utf8_percent_encode(name, KEPT));
    for (at, (name, value)) in pairs.iter().enumerate() {
        location.push(if at == 0 { '?' } else { '&' });
        location.extend(percent_encode(name, KEPT));
        location.push('=');
        location.extend(percent_encode(value, KEPT));
    }
    location
}

async fn refuse_after_identifying(app: &App, uri: &Uri, headers: &HeaderMap, refusal: Error) -> Error {
    let identified = async { Door::Project(path::reference(uri)?).open(app, headers).await };
    identified.await.err().unwrap_or(refusal)
}

fn parse(method: &Method, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Request> {
    use query::Method as Verb;

    let parts = path::behind(uri, "/rest/v1")?;
    let table = match parts.as_slice() {
        [table] => table,
        [] => return Err(not_implemented("The root's OpenAPI document")),
        [rpc, function] if rpc == "rpc" => return parse_call(method, function, uri, headers, body),
        _ => {
            return Err(Error::new(
                ErrorKind::NotFound,
                "PGRST125",
                "Invalid path specified in request URL",
            ));
        }
    };
    let verb = match method.as_str() {
        "GET" => Verb::Get,
        "HEAD" => Verb::Head,
        "POST" => Verb::Post,
        "PATCH" => Verb::Patch,
        "PUT" => Verb::Put,
        "DELETE" => Verb::Delete,
        other => {
            let message = format!("Unsupported HTTP method: {other}");
            return Err(Error::new(ErrorKind::MethodNotAllowed, "PGRST117", message));
        }
    };
    query::parse_request(verb, table, uri.query().unwrap_or_default(), headers, body)
}

fn parse_call(method: &Method, function: &str, uri: &Uri, headers: &HeaderMap, body: &Bytes) -> Result<Request> {
    let verb = match method.as_str() {
        "GET" => query::Method::Get,
        "HEAD" => query::Method::Head,
        "POST" => query::Method::Post,
        other => return Err(query::wrong_method(other)),
    };
    query::parse_call(verb, function, uri.query().unwrap_or_default(), headers, body)
}

fn not_implemented(feature: &'static str) -> Error {
    Error::new(ErrorKind::Unsupported, "PGRST127", "Feature not implemented").with_details(feature)
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
    for (name, value) in reply.headers {
        let name = HeaderName::try_from(name).map_err(Error::internal)?;
        let value = HeaderValue::try_from(value).map_err(Error::internal)?;
        response.headers_mut().append(name, value);
    }
    Ok(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_location_is_sorted_and_encoded_in_one_way() {
        for (query, location) in [
            ("", "/my%20t"),
            (
                "select=id,name&b=eq.x+y&a=gt.%31",
                "/my%20t?a=gt.1&b=eq.x%20y&select=id%2Cname",
            ),
            ("a=2&a=1&&b", "/my%20t?a=2&a=1&b="),
            ("a=%ff%0d", "/my%20t?a=%FF%0D"),
        ] {
            assert_eq!(content_location("/", "my t", query), location);
        }
    }
}
