//! `/api/v1/{table}`: the project's key names the project, the path the table and the row.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{OriginalUri, State};
use axum::response::Response;
use http::{HeaderMap, Method, Uri};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::query;
use plinth::records::{Door, Facade};

use crate::database::{Asked, Made, Row, Rows};
use crate::path;
use crate::rest::unreadable;

/// Lists rows; the query is PostgREST's (`age=gte.18&order=name&limit=10`), and `cursor` may name the page.
#[utoipa::path(get, path = "/api/v1/{table}", tag = "records",
    params(("cursor" = Option<String>, Query, description = "`nextCursor` of the page before")),
    responses((status = 200, description = "The rows", body = Rows)))]
pub(crate) async fn list(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let asked = asked(app, method, headers);
    let parts = asked.admit(parts(&uri)).await?;
    let (raw, cursor) = without_cursor(uri.query().unwrap_or_default());
    // Neither `Accept` nor `Prefer` shapes this reply.
    let request = query::parse_request(query::Method::Get, &parts.table, &raw, &HeaderMap::new(), b"");
    let request = &asked.admit(request).await?;
    asked.answer(&parts.table, Facade::Read { request, cursor }).await
}

/// The query without its cursor. A filter on a column of that name has an operator, and so a dot, which no cursor has.
fn without_cursor(raw: &str) -> (String, Option<&str>) {
    let is_cursor = |part: &&str| part.strip_prefix("cursor=").is_some_and(|value| !value.contains('.'));
    let (cursors, rest): (Vec<_>, Vec<_>) = raw.split('&').partition(is_cursor);
    let cursor = cursors.first().and_then(|part| part.strip_prefix("cursor="));
    (rest.join("&"), cursor)
}

/// Changes every row that passes the query's filters: the columns that are given.
#[utoipa::path(patch, path = "/api/v1/{table}", tag = "records", request_body = Object,
    responses((status = 200, description = "The rows as they are now", body = Rows)))]
pub(crate) async fn update_many(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    write_many(app, &uri, method, headers, query::Method::Patch, text(body)).await
}

/// Deletes every row that passes the query's filters.
#[utoipa::path(delete, path = "/api/v1/{table}", tag = "records",
    responses((status = 200, description = "What they were", body = Rows)))]
pub(crate) async fn delete_many(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    write_many(app, &uri, method, headers, query::Method::Delete, Ok(String::new())).await
}

async fn write_many(
    app: App,
    uri: &Uri,
    method: Method,
    headers: HeaderMap,
    verb: query::Method,
    body: Result<String>,
) -> Result<Response> {
    let asked = asked(app, method, headers);
    let parts = asked.admit(parts(uri)).await?;
    let body = asked.admit(body).await?;
    let raw = uri.query().unwrap_or_default();
    let request = query::parse_request(verb, &parts.table, raw, &HeaderMap::new(), body.as_bytes());
    let request = asked.admit(request).await?;
    asked.answer(&parts.table, Facade::Write(&request)).await
}

/// Creates a row, or several.
#[utoipa::path(post, path = "/api/v1/{table}", tag = "records", request_body = Value,
    responses((status = 201, description = "The row, or the rows", body = Made)))]
pub(crate) async fn create(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    let asked = asked(app, method, headers);
    let parts = asked.admit(parts(&uri)).await?;
    let json = &asked.admit(text(body)).await?;
    let table = &parts.table;
    asked.answer(table, Facade::Create { table, json }).await
}

/// Reads one row.
#[utoipa::path(get, path = "/api/v1/{table}/{recordId}", tag = "records",
    responses((status = 200, description = "The row", body = Row)))]
pub(crate) async fn read(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let asked = asked(app, method, headers);
    let Parts { table, id } = &asked.admit(parts(&uri)).await?;
    asked.answer(table, Facade::One { table, id }).await
}

/// Changes one row: the columns that are given.
#[utoipa::path(put, path = "/api/v1/{table}/{recordId}", tag = "records", request_body = Object,
    responses((status = 200, description = "The row as it is now", body = Row)))]
pub(crate) async fn update(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    let asked = asked(app, method, headers);
    let Parts { table, id } = &asked.admit(parts(&uri)).await?;
    let json = &asked.admit(text(body)).await?;
    asked.answer(table, Facade::Update { table, id, json }).await
}

/// Deletes one row.
#[utoipa::path(delete, path = "/api/v1/{table}/{recordId}", tag = "records",
    responses((status = 200, description = "What it was", body = Row)))]
pub(crate) async fn delete(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    method: Method,
    headers: HeaderMap,
) -> Result<Response> {
    let asked = asked(app, method, headers);
    let Parts { table, id } = &asked.admit(parts(&uri)).await?;
    asked.answer(table, Facade::Delete { table, id }).await
}

fn asked(app: App, method: Method, headers: HeaderMap) -> Asked {
    Asked {
        app,
        door: Door::Key,
        headers,
        method,
    }
}

/// Table and row of a path.
struct Parts {
    table: String,
    id: String,
}

fn parts(uri: &Uri) -> Result<Parts> {
    let mut parts = path::behind(uri, "/api/v1")?.into_iter();
    Ok(Parts {
        table: parts.next().unwrap_or_default(),
        id: parts.next().unwrap_or_default(),
    })
}

fn text(body: Result<Bytes, BytesRejection>) -> Result<String> {
    let body = body.map_err(unreadable)?;
    String::from_utf8(body.into())
        .map_err(|error| Error::invalid("PGRST102", "The body is not valid UTF-8").with_details(error.to_string()))
}
