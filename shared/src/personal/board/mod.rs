//! Projects, tasks and team of the template, in the caller's own database: theirs, and nobody else's.

mod body;

use std::borrow::Cow;

use http::{HeaderMap, Method};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::template::{self, Table};
use super::{door, query, refuse_guests};
use crate::app::App;
use crate::connections::shown;
use crate::control::page::page_limit;
use crate::error::{Error, ErrorKind, Result};
use crate::projects::IdempotencyKey;
use crate::query::Request;
use crate::query::plan::nearest;
use crate::query::request::{
    CompareOp, Condition, Field, Logic, Method as Verb, OrderTerm, Prefer, Return, Scoped, Test,
};
use crate::records::{Answer, Facade, Facts};
use crate::tenancy::Caller;

/// What is kept there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Board {
    /// `/api/projects?scope=database`.
    Projects,
    /// `/api/tasks`.
    Tasks,
    /// `/api/team`.
    Team,
}

impl Board {
    fn table(self) -> &'static Table {
        match self {
            Self::Projects => &template::PROJECTS,
            Self::Tasks => &template::TASKS,
            Self::Team => &template::TEAM_MEMBERS,
        }
    }

    /// What rows and a row are called in replies.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Projects => ("projects", "project"),
            Self::Tasks => ("tasks", "task"),
            Self::Team => ("team", "member"),
        }
    }
}

/// Which rows are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Listing {
    /// Of this project; tasks only.
    project: Option<Uuid>,
    /// Of this status.
    status: Option<String>,
    /// At most so many: 1-100, 50 if not said.
    limit: Option<i64>,
    /// Without the first ones.
    offset: Option<u64>,
    /// Behind which row: `nextCursor` of the page before.
    cursor: Option<String>,
}

impl Listing {
    /// Of a query string: `projectId` (of tasks), `status`, `limit`, `offset`, `cursor`, each once.
    fn parse(board: Board, query: &str) -> Result<Self> {
        let known = match board {
            Board::Tasks => &["projectId", "status", "limit", "offset", "cursor"][..],
            Board::Projects => &["scope", "status", "limit", "offset", "cursor"],
            Board::Team => &["status", "limit", "offset", "cursor"],
        };
        let mut listing = Self::default();
        let mut seen = Vec::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if !known.contains(&&*name) {
                return Err(unknown(&name, known));
            }
            if seen.contains(&name) {
                return Err(malformed(format!("{name} is given twice")));
            }
            match &*name {
                "projectId" => listing.project = Some(number(&name, &value, "a project's id")?),
                "status" if value.contains('\0') => return Err(malformed("status holds a NUL character")),
                "status" => listing.status = Some(value.into_owned()),
                "limit" => listing.limit = Some(number(&name, &value, "a number from 1 to 100")?),
                "offset" => listing.offset = Some(number(&name, &value, "a number")?),
                "cursor" => listing.cursor = Some(value.into_owned()),
                _ => {}
            }
            seen.push(name);
        }
        page_limit(listing.limit)?;
        Ok(listing)
    }
}

fn number<T: std::str::FromStr>(name: &str, value: &str, what: &str) -> Result<T> {
    value.parse().map_err(|_| malformed(format!("{name} is {what}")))
}

/// The caller's rows, newest first. `query` is the raw text behind the `?`: `projectId` (of tasks), `status`, `limit`,
/// `offset` and `cursor` say which.
///
/// # Errors
/// 404 `connections/not-configured`; 400 `http/limit`, `http/query`, `records/invalid-cursor`; 409
/// `connections/schema-incomplete` where a table or column is not there; as [`crate::records::handle`].
pub async fn list(app: &App, caller: &Caller, board: Board, query: &str) -> Result<Answer> {
    let listing = &admit(app, caller, Listing::parse(board, query)).await?;
    let request = &asked(board, listing)?;
    let cursor = listing.cursor.as_deref();
    let answer = ask(app, caller, board, Facade::Read { request, cursor }).await?;
    Ok(named(board, answer))
}

/// Makes a row of the caller's: `{"project": {…}}`, `{"task": {…}}`, `{"member": {…}}`. The same key makes it once, and
/// answers the row that is there.
///
/// # Errors
/// As [`list`]; 403 `connections/guest`; 400 `board/body` with a line for every fault; 422 `board/no-such-project`.
pub async fn create(
    app: &App,
    caller: &Caller,
    board: Board,
    body: &Value,
    key: Option<&IdempotencyKey>,
) -> Result<Answer> {
    refuse_guests(caller, "Guests may read rows, not make them")?;
    let row = body::row(board.table(), body);
    let mut row = admit(app, caller, row).await?;
    if let Some(project) = row.get("project_id").and_then(Value::as_str) {
        find_project(app, caller, project).await?;
    }
    // Ours, so that the row can be read back wherever an insert answers nothing.
    let table = board.table().name;
    let id = key.map_or_else(|| app.random.uuid(), |key| key.id(caller.user.id, table));
    let id = id.to_string();
    row.insert("id".to_owned(), Value::from(id.clone()));
    match insert(app, caller, board, row).await {
        Err(error) if key.is_some() && error.code() == "23505" => {}
        made => made?,
    }
    let made = ask(app, caller, board, Facade::One { table, id: &id }).await?;
    Ok(Answer {
        status: 201,
        ..named(board, made)
    })
}

/// Whoever has no database hears of that first.
async fn admit<T>(app: &App, caller: &Caller, read: Result<T>) -> Result<T> {
    if read.is_err() {
        app.tenancy.own_database(caller).await?;
    }
    read
}

fn asked(board: Board, listing: &Listing) -> Result<Request> {
    let mut request = Request::new(Verb::Get, board.table().name);
    if let Some(project) = &listing.project {
        request.filters.push(equal("project_id", project.to_string()));
    }
    if let Some(status) = &listing.status {
        request.filters.push(equal("status", status.clone()));
    }
    let limit = u64::try_from(page_limit(listing.limit)?).unwrap_or_default();
    request.limit.push(Scoped::root(limit));
    request.offset.extend(listing.offset.map(Scoped::root));
    let by = |name: &str, descending| OrderTerm {
        relation: None,
        field: field(name),
        descending,
        nulls_first: None,
    };
    request
        .order
        .push(Scoped::root(vec![by("created_at", true), by("id", false)]));
    Ok(request)
}

fn field(name: &str) -> Field {
    Field {
        name: name.to_owned(),
        path: Vec::new(),
    }
}

fn equal(column: &str, value: String) -> Scoped<Logic> {
    Scoped::root(Logic::Condition(Condition {
        field: field(column),
        negated: false,
        test: Test::Compare(CompareOp::Eq, None, value),
    }))
}

async fn ask(app: &App, caller: &Caller, board: Board, facade: Facade<'_>) -> Result<Answer> {
    let headers = HeaderMap::new();
    let facts = Facts::new(&Method::GET, &format!("/{}", board.table().name), &headers);
    let answer = Box::pin(facade.answer(app, &door(caller), &headers, &facts)).await;
    answer.map_err(not_there)
}

async fn insert(app: &App, caller: &Caller, board: Board, row: Map<String, Value>) -> Result<()> {
    let json = Value::Object(row).to_string();
    let mut request = Request::new(Verb::Post, board.table().name);
    request.body = Some(crate::query::parse::body(json.as_bytes())?);
    request.prefer = Prefer {
        representation: Some(Return::Minimal),
        ..Prefer::default()
    };
    Box::pin(query(app, caller, &request)).await.map_err(not_there)?;
    Ok(())
}

/// A task's project is one of the caller's own; another's looks as if there were none.
async fn find_project(app: &App, caller: &Caller, id: &str) -> Result<()> {
    let table = template::PROJECTS.name;
    match ask(app, caller, Board::Projects, Facade::One { table, id }).await {
        Err(error) if error.code() == "records/not-found" => Err(Error::new(
            ErrorKind::Unprocessable,
            "board/no-such-project",
            "There is no such project",
        )
        .with_details("body.project_id: none of your projects has this id")
        .with_hint("GET /api/projects?scope=database lists them")),
        other => other.map(|_| ()),
    }
}

fn named(board: Board, answer: Answer) -> Answer {
    let (rows, row) = board.names();
    answer.named(rows, row)
}

/// A table or column that is not there is a matter of the setup.
fn not_there(error: Error) -> Error {
    if error.code() == "42501" && error.hint().is_none() {
        return error.with_hint(
            "Grant the connection's login its rights, and see whether the table has all of its columns: POST \
             /api/user/database-connection/setup {\"step\": \"schema\"}",
        );
    }
    if !["PGRST204", "PGRST205", "42P01", "42703"].contains(&error.code()) {
        return error;
    }
    let details = error.details().unwrap_or(error.public()).to_owned();
    Error::new(
        ErrorKind::Conflict,
        "connections/schema-incomplete",
        "The template's tables are not all there",
    )
    .with_details(details)
    .with_hint("POST /api/user/database-connection/setup {\"step\": \"schema\"} tells what is missing")
    .with_source(error)
}

fn unknown(name: &str, known: &[&str]) -> Error {
    let error = malformed(format!("There is no filter {}", shown(name)));
    match nearest(name, known.iter().copied()) {
        Some(near) => error.with_details(format!("Perhaps you meant {near}")),
        None => error,
    }
}

fn malformed(what: impl Into<Cow<'static, str>>) -> Error {
    Error::invalid("http/query", what)
        .with_hint("Filters are projectId (of tasks) and status, with limit, offset and cursor")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "6b2f6a0e-5f0c-4b57-9f3e-0a1b2c3d4e5f";

    #[test]
    fn filters_become_conditions_and_pages_have_an_order() {
        let query = format!("projectId={}&status=in%20work&offset=5", ID.to_uppercase());
        let listing = Listing::parse(Board::Tasks, &query).unwrap();
        let request = asked(Board::Tasks, &listing).unwrap();
        assert_eq!(request.filters[0], equal("project_id", ID.to_owned()));
        assert_eq!(request.filters[1], equal("status", "in work".to_owned()));
        assert_eq!((request.limit[0].value, request.offset[0].value), (50, 5));
        assert_eq!(request.order[0].value.len(), 2);
        assert_eq!(
            Listing::parse(Board::Projects, "scope=database").unwrap(),
            Listing::default()
        );
    }

    #[test]
    fn what_no_list_has_is_refused() {
        for (board, query, code) in [
            (
                Board::Team,
                "projectId=6b2f6a0e-5f0c-4b57-9f3e-0a1b2c3d4e5f",
                "http/query",
            ),
            (Board::Tasks, "user_id=eq.another", "http/query"),
            (Board::Tasks, "select=*", "http/query"),
            (Board::Tasks, "projectId=1%20or%201=1", "http/query"),
            (Board::Tasks, "status=a&status=b", "http/query"),
            (Board::Tasks, "status=%00", "http/query"),
            (Board::Tasks, "offset=-1", "http/query"),
            (Board::Projects, "limit=101", "http/limit"),
            (Board::Projects, "limit=0", "http/limit"),
            (Board::Projects, "limit=x", "http/query"),
        ] {
            assert_eq!(Listing::parse(board, query).unwrap_err().code(), code, "{query}");
        }
        let error = Listing::parse(Board::Tasks, "projectID=5").unwrap_err();
        assert_eq!(error.details(), Some("Perhaps you meant projectId"));
    }
}
