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
use utoipa::ToSchema;

use crate::path;
use crate::rest::unreadable;

/// Rows to find.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Wanted {
    /// The table's or view's name.
    table_name: String,
    /// `{"done": false, "n": {"gt": 3}}`; `or`, `and` and `not` nest.
    #[serde(default)]
    filters: Value,
    /// Columns: a list of names, or PostgREST's text.
    #[serde(default)]
    select: Value,
    /// `[{"column": "n", "direction": "desc"}]`, or PostgREST's text.
    #[serde(default)]
    sort: Value,
    /// Rows at most.
    limit: Option<u64>,
    /// Rows to leave out at the beginning.
    offset: Option<u64>,
    /// `exact`, `planned` or `estimated`: the reply has a `total`.
    count: Option<String>,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
    /// Deleted rows that can be restored, instead of the others.
    #[serde(default)]
    deleted: bool,
}

/// Rows to change or delete.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Meant {
    /// The table's or view's name.
    table_name: String,
    /// Which rows, as in a query.
    #[serde(default)]
    filters: Value,
    /// The columns that change; of an update only.
    #[schema(value_type = Option<Object>)]
    data: Option<Box<RawValue>>,
}

/// Deleted rows to restore.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Missed {
    /// The table's name.
    table_name: String,
    /// Which rows, as in a query.
    #[serde(default)]
    filters: Value,
}

/// A row to write.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Given {
    /// The table's or view's name, where the query does not say it.
    table_name: Option<String>,
    /// A row; to create several, a list of them.
    #[schema(value_type = Value)]
    data: Box<RawValue>,
}

/// Rows.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the reply, which the database writes")]
pub(crate) struct Rows {
    /// The rows, each an object of its columns.
    records: Vec<Value>,
    /// Where a page may follow, what leads there; null on the last.
    next_cursor: Option<String>,
    /// How many rows there are in all, where it is asked for.
    total: Option<u64>,
}

/// One row.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes the reply, which the database writes")]
pub(crate) struct Row {
    /// The row, an object of its columns.
    record: Value,
}

/// What was made: one row, or several if a list was sent.
#[derive(ToSchema)]
#[schema(as = RowOrRows, rename_all = "camelCase")]
#[expect(dead_code, reason = "it describes the reply, which the database writes")]
pub(crate) enum Made {
    /// One.
    Record(Value),
    /// Several.
    Records(Vec<Value>),
}

/// The table, where the body does not name it.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Named {
    table_name: Option<String>,
}

/// The table, in the query.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it describes the query, which is read where the body names no table"
)]
pub(crate) struct TableName {
    /// The table's or view's name, where the body does not say it.
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
#[utoipa::path(post, path = "/api/database/{id}/records/query", tag = "records", request_body = Wanted,
    responses((status = 200, description = "The rows", body = Rows)))]
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
#[utoipa::path(post, path = "/api/database/{id}/records/update", tag = "records", request_body = Meant,
    responses((status = 200, description = "The rows as they are now", body = Rows)))]
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
#[utoipa::path(post, path = "/api/database/{id}/records/delete", tag = "records", request_body = Meant,
    responses((status = 200, description = "What they were", body = Rows)))]
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
#[utoipa::path(post, path = "/api/database/{id}/records/restore", tag = "records", request_body = Missed,
    responses((status = 200, description = "The rows", body = Rows)))]
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
#[utoipa::path(post, path = "/api/database/{id}/records/create", tag = "records", request_body = Given, params(TableName),
    responses((status = 201, description = "The row, or the rows", body = Made)))]
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
#[utoipa::path(put, path = "/api/database/{id}/records/{recordId}", tag = "records", request_body = Given, params(TableName),
    responses((status = 200, description = "The row as it is now", body = Row)))]
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
#[utoipa::path(delete, path = "/api/database/{id}/records/{recordId}", tag = "records", params(TableName),
    responses((status = 200, description = "What it was", body = Row)))]
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
