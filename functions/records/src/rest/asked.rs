//! What a request to `/p/{ref}/rest/v1/…` asks for.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, Method, Uri};
use plinth::error::{Error, ErrorKind, Result};
use plinth::query::facade::Document;
use plinth::query::plan::{allowed_on_function, allowed_on_table};
use plinth::query::{self, Reply, Request};
use plinth::records::Ask;
use plinth::schema::catalog::Catalog;

use crate::path;

/// The media type of a query in a body.
const QUERY: &str = "application/vnd.plinth.query+json";

/// What the path names.
pub(super) enum Target {
    Table(String),
    Function(String),
}

impl Target {
    fn of(uri: &Uri) -> Result<Self> {
        match path::behind(uri, "/rest/v1")?.as_slice() {
            [table] => Ok(Self::Table(table.clone())),
            [rpc, function] if rpc == "rpc" => Ok(Self::Function(function.clone())),
            _ => Err(Error::new(
                ErrorKind::NotFound,
                "PGRST125",
                "Invalid path specified in request URL",
            )),
        }
    }

    /// The methods that it takes.
    fn allowed(&self, catalog: &Catalog) -> Result<String> {
        match self {
            Self::Table(table) => allowed_on_table(table, catalog),
            Self::Function(name) => allowed_on_function(name, catalog),
        }
    }
}

/// What is asked of it.
pub(super) enum Asked {
    /// Rows, to be read or written.
    Rows(Box<Request>),
    /// Rows, to be read as a body says: no URL is long enough for it.
    Query(Box<Request>, Box<Document>),
    /// Which methods it takes.
    Methods(Target),
}

impl Asked {
    /// Reads a request.
    pub(super) fn parse(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Result<Self> {
        use query::Method as Verb;

        let target = Target::of(uri)?;
        let verb = match method.as_str() {
            "GET" => Verb::Get,
            "HEAD" => Verb::Head,
            "POST" => Verb::Post,
            "PATCH" => Verb::Patch,
            "PUT" => Verb::Put,
            "DELETE" => Verb::Delete,
            "OPTIONS" => return Ok(Self::Methods(target)),
            other => {
                let other: String = other.chars().take(63).collect();
                let message = format!("Unsupported HTTP method: {other}");
                return Err(Error::new(ErrorKind::MethodNotAllowed, "PGRST117", message));
            }
        };
        match target {
            Target::Table(table) if verb == Verb::Post && is_query(headers) => {
                let query = uri.query().unwrap_or_default();
                let request = query::parse_request(Verb::Get, &table, query, headers, b"")?;
                Ok(Self::Query(Box::new(request), Box::new(Document::read(body)?)))
            }
            Target::Table(table) => {
                let query = uri.query().unwrap_or_default();
                let request = query::parse_request(verb, &table, query, headers, body)?;
                Ok(Self::Rows(Box::new(request)))
            }
            Target::Function(function) => {
                if !matches!(verb, Verb::Get | Verb::Head | Verb::Post) {
                    return Err(query::wrong_method(method.as_str()));
                }
                let query = uri.query().unwrap_or_default();
                let request = query::parse_call(verb, &function, query, headers, body)?;
                Ok(Self::Rows(Box::new(request)))
            }
        }
    }

    /// The path below the API's base.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Rows(request) if request.call.is_some() => format!("/rpc/{}", request.table),
            Self::Rows(request) | Self::Query(request, _) => format!("/{}", request.table),
            Self::Methods(Target::Table(table)) => format!("/{table}"),
            Self::Methods(Target::Function(function)) => format!("/rpc/{function}"),
        }
    }

    /// The parts of the path, if something is read there: that has an address of its own.
    pub(super) fn address(&self) -> Option<Vec<&str>> {
        match self {
            Self::Rows(request) if !request.method.is_read() => None,
            Self::Rows(request) if request.call.is_some() => Some(vec!["rpc", &request.table]),
            Self::Rows(request) => Some(vec![&request.table]),
            Self::Query(..) | Self::Methods(_) => None,
        }
    }

    /// What is to be done about it.
    pub(super) fn ask(&self, catalog: &Catalog) -> Result<Ask> {
        match self {
            Self::Rows(request) => Ok(Ask::Run((**request).clone())),
            Self::Query(request, document) => document.add_to((**request).clone(), catalog).map(Ask::Run),
            Self::Methods(target) => Ok(Ask::Tell(Reply {
                status: 200,
                headers: vec![("allow".to_owned(), target.allowed(catalog)?)],
                body: None,
            })),
        }
    }
}

fn is_query(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(QUERY))
}
