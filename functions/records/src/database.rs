//! `/api/database/{id}/records`: rows as plain JSON, for keys of the project and for its members.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{OriginalUri, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use plinth::app::App;
use plinth::error::{Error, Result};
use plinth::query::facade::Document;
use plinth::records::{Answer, Door, Facade, Facts};
use plinth::tenancy::{MemberRole, RequestInfo};
use plinth::web::Json;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::path;
use crate::rest::unreadable;

/// Rows to find.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wanted {
    table_name: String,
    #[serde(default)]
    filters: Value,
    #[serde(default)]
    select: Value,
    #[serde(default)]
    sort: Value,
    limit: Option<u64>,
    offset: Option<u64>,
    count: Option<String>,
    cursor: Option<String>,
    /// Deleted rows that can be restored, instead of the others.
    #[serde(default)]
    deleted: bool,
}

/// Rows to change or delete.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Meant {
    table_name: String,
    #[serde(default)]
    filters: Value,
    data: Option<Box<RawValue>>,
}

/// Deleted rows to restore.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Missed {
    table_name: String,
    #[serde(default)]
    filters: Value,
}

/// A row to write.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Given {
    table_name: Option<String>,
    data: Box<RawValue>,
}

/// The table, where the body does not name it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Named {
    table_name: Option<String>,
}

/// Who asks for what, as every operation here takes it.
pub(crate) struct Asked {
    pub(crate) app: App,
    pub(crate) door: Door,
    pub(crate) headers: HeaderMap,
    pub(crate) method: Method,
}

impl Asked {
    /// What was parsed; but who asks comes first: a stranger learns nothing about the request.
    pub(crate) async fn admit<T>(&self, parsed: Result<T>) -> Result<T> {
        match parsed {
            Ok(parsed) => Ok(parsed),
            Err(error) => {
                self.door.open(&self.app, &self.headers).await?;
                Err(error)
            }
        }
    }

    /// Asks for it.
    pub(crate) async fn answer(self, table: &str, facade: Facade<'_>) -> Result<Response> {
        let facts = Facts::new(&self.method, &format!("/{table}"), &self.headers);
        let answer = facade.answer(&self.app, &self.door, &self.headers, &facts).await?;
        respond(answer)
    }
}

fn respond(answer: Answer) -> Result<Response> {
    let status = StatusCode::from_u16(answer.status).map_err(Error::internal)?;
    Ok((status, [(CONTENT_TYPE, "application/json")], answer.json).into_response())
}

/// Finds rows: `{"tableName","filters","select","sort","limit","offset","count","cursor","deleted"}`.
#[utoipa::path(post, path = "/api/database/{id}/records/query", responses((status = 200, description = "The rows")))]
pub(crate) async fn query(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    wanted: Result<Json<Wanted>, Error>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::POST, headers, MemberRole::Viewer)?;
    let Json(wanted) = asked.admit(wanted).await?;
    let document = Document {
        select: wanted.select,
        filters: wanted.filters,
        sort: wanted.sort,
        limit: wanted.limit,
        offset: wanted.offset,
        count: wanted.count,
    };
    let facade = Facade::Query {
        table: &wanted.table_name,
        document: &document,
        cursor: wanted.cursor.as_deref(),
        deleted: wanted.deleted,
    };
    asked.answer(&wanted.table_name, facade).await
}

/// Changes every row that passes the filters: `{"tableName","filters","data"}`.
#[utoipa::path(post, path = "/api/database/{id}/records/update", responses((status = 200, description = "The rows")))]
pub(crate) async fn update_many(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    meant: Result<Json<Meant>, Error>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::POST, headers, MemberRole::Developer)?;
    let Json(meant) = asked.admit(meant).await?;
    let data = meant.data.ok_or_else(|| {
        Error::invalid("records/data-missing", "The request says nothing about the rows")
            .with_hint("Send data: an object of the columns that change")
    });
    let data = asked.admit(data).await?;
    let facade = Facade::Many {
        table: &meant.table_name,
        filters: &meant.filters,
        json: Some(data.get()),
    };
    asked.answer(&meant.table_name, facade).await
}

/// Deletes every row that passes the filters: `{"tableName","filters"}`.
#[utoipa::path(post, path = "/api/database/{id}/records/delete", responses((status = 200, description = "What they were")))]
pub(crate) async fn delete_many(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    meant: Result<Json<Meant>, Error>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::POST, headers, MemberRole::Developer)?;
    let Json(meant) = asked.admit(meant).await?;
    let facade = Facade::Many {
        table: &meant.table_name,
        filters: &meant.filters,
        json: None,
    };
    asked.answer(&meant.table_name, facade).await
}

/// Restores every deleted row that passes the filters: `{"tableName","filters"}`.
#[utoipa::path(post, path = "/api/database/{id}/records/restore", responses((status = 200, description = "The rows")))]
pub(crate) async fn restore_many(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    meant: Result<Json<Missed>, Error>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::POST, headers, MemberRole::Developer)?;
    let Json(meant) = asked.admit(meant).await?;
    let facade = Facade::Restore {
        table: &meant.table_name,
        filters: &meant.filters,
    };
    asked.answer(&meant.table_name, facade).await
}

/// Creates a row, or several: `{"tableName","data"}`.
#[utoipa::path(post, path = "/api/database/{id}/records/create", responses((status = 201, description = "The row")))]
pub(crate) async fn create(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    given: Result<Json<Given>, Error>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::POST, headers, MemberRole::Developer)?;
    let Json(given) = asked.admit(given).await?;
    let table = asked.admit(table(given.table_name, &uri)).await?;
    let json = given.data.get();
    asked.answer(&table, Facade::Create { table: &table, json }).await
}

/// Changes a row: `{"tableName","data"}`.
#[utoipa::path(put, path = "/api/database/{id}/records/{recordId}", responses((status = 200, description = "The row")))]
pub(crate) async fn update(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    given: Result<Json<Given>, Error>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::PUT, headers, MemberRole::Developer)?;
    let Json(given) = asked.admit(given).await?;
    let table = asked.admit(table(given.table_name, &uri)).await?;
    let id = asked.admit(record_id(&uri)).await?;
    let json = given.data.get();
    let facade = Facade::Update {
        table: &table,
        id: &id,
        json,
    };
    asked.answer(&table, facade).await
}

/// Deletes a row: `?tableName=`, or `{"tableName"}`.
#[utoipa::path(delete, path = "/api/database/{id}/records/{recordId}", responses((status = 200, description = "What it was")))]
pub(crate) async fn delete(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    info: RequestInfo,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response> {
    let asked = asked(app, &uri, info, Method::DELETE, headers, MemberRole::Developer)?;
    let body = asked.admit(body.map_err(unreadable)).await?;
    let given: Named = serde_json::from_slice(&body).unwrap_or_default();
    let table = asked.admit(table(given.table_name, &uri)).await?;
    let id = asked.admit(record_id(&uri)).await?;
    asked.answer(&table, Facade::Delete { table: &table, id: &id }).await
}

fn asked(
    app: App,
    uri: &Uri,
    info: RequestInfo,
    method: Method,
    headers: HeaderMap,
    least: MemberRole,
) -> Result<Asked> {
    Ok(Asked {
        app,
        door: Door::Backend(path::backend(uri)?, info, least),
        headers,
        method,
    })
}

fn table(given: Option<String>, uri: &Uri) -> Result<String> {
    let named = || Query::<Named>::try_from_uri(uri).ok()?.0.table_name;
    given.or_else(named).ok_or_else(|| {
        Error::invalid("records/table-missing", "The request names no table")
            .with_hint("Send tableName in the body or in the query")
    })
}

fn record_id(uri: &Uri) -> Result<String> {
    path::decode(uri.path().rsplit('/').next().unwrap_or_default())
}
