//! The JSON façades: the same requests with a table's name and a row's id in place of the PostgREST grammar.

use http::HeaderMap;
use serde_json::{Map, Value};

use super::{Ask, Door, Facts, handle};
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::query::{Reply, Request, facade};
use crate::schema::catalog::Catalog;

/// Rows a query answers when it does not say.
const LIMIT: u64 = 100;

/// What a façade asks for.
#[derive(Debug, Clone)]
pub enum Facade<'a> {
    /// Rows whose columns equal the filters'.
    Query {
        /// The table.
        table: &'a str,
        /// Column → value.
        filters: &'a Map<String, Value>,
        /// At most so many; 100 if not said.
        limit: Option<u64>,
        /// Rows left out at the beginning.
        offset: Option<u64>,
    },
    /// Rows as a PostgREST query asks for them.
    Read(&'a Request),
    /// One row.
    One {
        /// The table.
        table: &'a str,
        /// Its primary key's value.
        id: &'a str,
    },
    /// A new row, or several.
    Create {
        /// The table.
        table: &'a str,
        /// An object, or an array of objects.
        json: &'a str,
    },
    /// Changes one row.
    Update {
        /// The table.
        table: &'a str,
        /// Its primary key's value.
        id: &'a str,
        /// An object: the columns that change.
        json: &'a str,
    },
    /// Deletes one row.
    Delete {
        /// The table.
        table: &'a str,
        /// Its primary key's value.
        id: &'a str,
    },
}

/// A façade's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `{"records":[…]}` or `{"record":{…}}`.
    pub json: String,
}

impl Facade<'_> {
    /// Asks, and wraps the rows.
    ///
    /// # Errors
    /// As [`handle`]; `Table not found` (`PGRST205`), 404 `records/not-found` for a row that is not there or not the
    /// caller's.
    pub async fn answer(&self, app: &App, door: &Door, headers: &HeaderMap, facts: &Facts) -> Result<Answer> {
        let reply = handle(app, door, headers, facts, |catalog| self.request(catalog).map(Ask::Run)).await;
        self.wrap(reply.map_err(table_not_found)?)
    }

    fn request(&self, catalog: &Catalog) -> Result<Request> {
        match self {
            Self::Query {
                table,
                filters,
                limit,
                offset,
            } => facade::query(table, filters, Some(limit.unwrap_or(LIMIT)), *offset)
                .map(|request| by_key(request, catalog)),
            Self::Read(request) => Ok(by_key((*request).clone(), catalog)),
            Self::One { table, id } => Ok(facade::one(table, key(table, catalog)?, id)),
            Self::Create { table, json } => facade::create(table, json.as_bytes()),
            Self::Update { table, id, json } => facade::update(table, key(table, catalog)?, id, json.as_bytes()),
            Self::Delete { table, id } => Ok(facade::delete(table, key(table, catalog)?, id)),
        }
    }

    fn wrap(&self, reply: Reply) -> Result<Answer> {
        let rows = reply.body.as_deref().unwrap_or(b"[]");
        let rows = std::str::from_utf8(rows).map_err(Error::internal)?;
        let one = match self {
            Self::Query { .. } | Self::Read(_) => false,
            Self::Create { json, .. } => json.trim_start().starts_with('{'),
            Self::One { .. } | Self::Update { .. } | Self::Delete { .. } => true,
        };
        let json = if one {
            format!("{{\"record\":{}}}", only(rows)?)
        } else {
            format!("{{\"records\":{rows}}}")
        };
        Ok(Answer {
            status: if reply.status == 206 { 200 } else { reply.status },
            json,
        })
    }
}

/// The one element of a JSON array, as it was written.
fn only(rows: &str) -> Result<Box<serde_json::value::RawValue>> {
    let rows: Vec<Box<serde_json::value::RawValue>> = serde_json::from_str(rows).map_err(Error::internal)?;
    rows.into_iter().next().ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "records/not-found", "Record not found")
            .with_hint("It does not exist, or this caller may not see it")
    })
}

/// Rows come in the order of their key unless the caller says otherwise, so that pages fit together.
fn by_key(request: Request, catalog: &Catalog) -> Request {
    let relation = catalog.relation(&request.table).filter(|_| request.order.is_empty());
    let Some(relation) = relation.filter(|relation| !relation.primary_key.is_empty()) else {
        return request;
    };
    let columns: Vec<_> = relation
        .primary_key
        .iter()
        .map(|column| (column.as_str(), false))
        .collect();
    facade::ordered(request, &columns)
}

/// The column that a record's id is looked up in.
fn key<'a>(table: &str, catalog: &'a Catalog) -> Result<&'a str> {
    match catalog.relation(table).map(|relation| relation.primary_key.as_slice()) {
        Some([only]) => Ok(only.as_str()),
        Some([_, ..]) => Err(
            Error::invalid("records/composite-key", "The table's primary key has several columns")
                .with_hint("Use /rest/v1 with a filter for each of them"),
        ),
        // A table that is not there is refused by the planner, in the same words as everywhere.
        Some([]) | None => Ok("id"),
    }
}

fn table_not_found(error: Error) -> Error {
    if error.code() != "PGRST205" {
        return error;
    }
    let shown = Error::new(ErrorKind::NotFound, "PGRST205", "Table not found").with_details(error.public().to_owned());
    match error.hint() {
        Some(hint) => shown.with_hint(hint.to_owned()),
        None => shown,
    }
}
