//! The JSON façades: the same requests with a table's name and a row's id in place of the PostgREST grammar.

use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Ask, Door, Facts, handle};
use crate::app::App;
use crate::clock::RESTORE_WINDOW;
use crate::error::{Error, ErrorKind, Result};
use crate::query::facade::{self, Document, Keyset};
use crate::query::request::Scoped;
use crate::query::{Method, Reply, Request};
use crate::schema::catalog::Catalog;

/// Rows a query answers when it does not say.
const LIMIT: u64 = 100;

/// What a façade asks for.
#[derive(Debug, Clone)]
pub enum Facade<'a> {
    /// Rows as a document asks for them.
    Query {
        /// The table.
        table: &'a str,
        /// What is wanted of it; 100 rows if not said.
        document: &'a Document,
        /// Behind which row.
        cursor: Option<&'a str>,
        /// Whether deleted rows are meant.
        deleted: bool,
    },
    /// Rows as a PostgREST query asks for them.
    Read {
        /// The query.
        request: &'a Request,
        /// Behind which row.
        cursor: Option<&'a str>,
    },
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
    /// Changes the rows that pass filters, or deletes them.
    Many {
        /// The table.
        table: &'a str,
        /// The filters.
        filters: &'a Value,
        /// An object: the columns that change; without it the rows are deleted.
        json: Option<&'a str>,
    },
    /// Restores the deleted rows that pass filters.
    Restore {
        /// The table.
        table: &'a str,
        /// The filters.
        filters: &'a Value,
    },
    /// A write as a PostgREST query asks for it.
    Write(&'a Request),
}

/// A façade's reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// `{"records":[…]}` or `{"record":{…}}`.
    pub json: String,
}

/// How rows are cut into pages.
#[derive(Debug, Clone)]
struct Paging {
    keyset: Keyset,
    /// Rows of a page.
    limit: u64,
    /// Rows asked for: one more, where the backend answers so many.
    asked: u64,
}

impl Answer {
    /// With its rows under `rows`, or its one row under `row`.
    #[must_use]
    pub fn named(mut self, rows: &str, row: &str) -> Self {
        for (name, given) in [("records", rows), ("record", row)] {
            if let Some(rest) = self.json.strip_prefix(&format!("{{\"{name}\":")) {
                self.json = format!("{{\"{given}\":{rest}");
                break;
            }
        }
        self
    }
}

impl Facade<'_> {
    /// Asks, and wraps the rows.
    ///
    /// # Errors
    /// As [`handle`]; `Table not found` (`PGRST205`), 404 `records/not-found` for a row that is not there or not the
    /// caller's.
    pub async fn answer(&self, app: &App, door: &Door, headers: &HeaderMap, facts: &Facts) -> Result<Answer> {
        let paging = Mutex::new(None);
        let most = app.config.web.max_rows;
        let since = app.clock.now().checked_sub(RESTORE_WINDOW).map_err(Error::internal)?;
        let since = since.to_string();
        let reply = handle(app, door, headers, facts, |catalog| {
            let (request, pages) = self.request(catalog, most, &since)?;
            *paging.lock().unwrap_or_else(PoisonError::into_inner) = pages;
            Ok(Ask::Run(request))
        })
        .await;
        let paging = paging.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.wrap(reply.map_err(table_not_found)?, paging)
    }

    fn request(&self, catalog: &Catalog, most: u64, since: &str) -> Result<(Request, Option<Paging>)> {
        let request = match self {
            Self::Query {
                table,
                document,
                cursor,
                deleted,
            } => {
                let mut request = document.add_to(Request::new(Method::Get, *table), catalog)?;
                request.deleted_since = deleted.then(|| since.to_owned());
                if request.limit.is_empty() {
                    request.limit.push(Scoped::root(LIMIT));
                }
                return paged(request, *cursor, catalog, most);
            }
            Self::Read { request, cursor } => return paged((*request).clone(), *cursor, catalog, most),
            Self::One { table, id } => facade::one(table, key(table, catalog)?, id),
            Self::Create { table, json } => facade::create(table, json.as_bytes())?,
            Self::Update { table, id, json } => facade::update(table, key(table, catalog)?, id, json.as_bytes())?,
            Self::Delete { table, id } => facade::delete(table, key(table, catalog)?, id),
            Self::Many { table, filters, json } => facade::many(table, filters, json.map(str::as_bytes), catalog)?,
            Self::Restore { table, filters } => facade::restore(table, filters, since, catalog)?,
            Self::Write(request) => facade::answering((*request).clone()),
        };
        Ok((request, None))
    }

    fn wrap(&self, reply: Reply, paging: Option<Paging>) -> Result<Answer> {
        let total = total(&reply);
        let rows = reply.body.as_deref().unwrap_or(b"[]");
        let rows = std::str::from_utf8(rows).map_err(Error::internal)?;
        let one = match self {
            Self::Query { .. } | Self::Read { .. } | Self::Many { .. } | Self::Restore { .. } | Self::Write(_) => false,
            Self::Create { json, .. } => json.trim_start().starts_with('{'),
            Self::One { .. } | Self::Update { .. } | Self::Delete { .. } => true,
        };
        let json = match paging {
            _ if one => format!("{{\"record\":{}}}", only(rows)?),
            Some(paging) => page(rows, &paging, total)?,
            None => format!("{{\"records\":{rows}{}}}", member("total", total)),
        };
        Ok(Answer {
            status: if reply.status == 206 { 200 } else { reply.status },
            json,
        })
    }
}

/// Brings a read into the order of its pages, behind a cursor if there is one. Rows come in the order of their key
/// unless the caller says otherwise, so that pages fit together.
fn paged(
    mut request: Request,
    cursor: Option<&str>,
    catalog: &Catalog,
    most: u64,
) -> Result<(Request, Option<Paging>)> {
    let relation = catalog.relation(&request.table);
    let Some(keyset) = relation.and_then(|relation| Keyset::of(&request, relation)) else {
        // A table that is not there is refused by the planner, in the same words as everywhere.
        return match (cursor, relation) {
            (Some(_), Some(_)) => Err(Error::invalid("records/no-cursor", "These rows have no cursors")
                .with_hint("Cursors need a primary key and an order by the table's own columns; use limit and offset")),
            _ => Ok((request, None)),
        };
    };
    request = keyset.apply(request)?;
    if let Some(cursor) = cursor {
        if request.prefer.count.is_some() || !request.offset.is_empty() {
            return Err(
                Error::invalid("records/invalid-cursor", "A cursor goes with neither count nor offset")
                    .with_hint("Count with the first page; the cursor itself leaves out the rows before it"),
            );
        }
        request.filters.push(Scoped::root(keyset.after(cursor)?));
    }
    let Some(limit) = request.limit.iter_mut().find(|limit| limit.path.is_empty()) else {
        return Ok((request, None));
    };
    let paging = Paging {
        keyset,
        limit: limit.value,
        asked: limit.value.saturating_add(1).min(most),
    };
    if limit.value > 0 {
        limit.value = paging.asked;
    }
    Ok((request, Some(paging)))
}

/// A page of rows, and the cursor of the next one if there is one.
fn page(rows: &str, paging: &Paging, total: Option<String>) -> Result<String> {
    let mut rows: Vec<&RawValue> = serde_json::from_str(rows).map_err(Error::internal)?;
    let count = rows.len() as u64;
    // Where the backend's own maximum cuts a page, nobody knows whether there is more: there may be an empty page.
    let has_next = count > paging.limit || (count == paging.asked && paging.asked <= paging.limit);
    rows.truncate(usize::try_from(paging.limit).unwrap_or(usize::MAX));
    let next = rows
        .last()
        .filter(|_| has_next)
        .and_then(|row| paging.keyset.cursor(row));
    let next = next.map_or_else(|| "null".to_owned(), |cursor| format!("\"{cursor}\""));
    let rows: Vec<&str> = rows.into_iter().map(RawValue::get).collect();
    let total = member("total", total);
    Ok(format!(
        "{{\"records\":[{}],\"nextCursor\":{next}{total}}}",
        rows.join(",\n ")
    ))
}

/// Rows that match, if they were counted.
fn total(reply: &Reply) -> Option<String> {
    let range = reply.headers.iter().find(|(name, _)| name == "content-range")?;
    let total = range.1.rsplit('/').next()?;
    total.parse::<u64>().ok().map(|total| total.to_string())
}

fn member(name: &str, json: Option<String>) -> String {
    json.map_or_else(String::new, |json| format!(",\"{name}\":{json}"))
}

/// The one element of a JSON array, as it was written.
fn only(rows: &str) -> Result<Box<RawValue>> {
    let rows: Vec<Box<RawValue>> = serde_json::from_str(rows).map_err(Error::internal)?;
    rows.into_iter().next().ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "records/not-found", "Record not found")
            .with_hint("It does not exist, or this caller may not see it")
    })
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
