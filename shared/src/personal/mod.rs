//! A platform user's own database: connected, asked, forgotten; the steps that set it up; and the project-management
//! template in it.
//!
//! It is the external backend of one *personal project*, which is made with the first connection. So all that a backend
//! has comes with it (sealed credentials, limits, a catalog that is remembered), and it shows up among the user's projects
//! as `personal`. It counts neither against what they may have nor among the names they have taken, and nobody else can
//! become its member.
//!
//! Rows there are asked for through [`Door::Own`], which adds the caller to every statement.

mod board;
mod input;
mod setup;
mod store;
pub mod template;

pub use board::{Board, create, list};
pub use input::NewConnection;
pub use setup::{Setup, SetupStep, StepView, advance, reset, setup};

use std::sync::Arc;

use http::{HeaderMap, Method};

use crate::app::App;
use crate::backend::Records;
use crate::connections::{self, Class, NewTest, Outcome, Report};
use crate::error::{Error, ErrorKind, Result};
use crate::projects;
use crate::provisioning::{self, external};
use crate::query::{Reply, Request};
use crate::records::{self, Ask, Door, Facts};
pub use crate::tenancy::Connected;
use crate::tenancy::{Caller, MemberRole, PlatformRole, not_configured};

/// Connects the caller's own database, in place of the one before. It is tried first.
///
/// # Errors
/// 403 `connections/guest`; 400 `connections/invalid-string`; 422 or 502 `connections/failed` with the class of the failure
/// and its cause in the details and the fix in the hint.
pub async fn save(app: &App, caller: &Caller, new: &NewConnection) -> Result<()> {
    refuse_guests(caller, "Guests may not connect databases")?;
    let request = new.parse(&app.config.outbound)?;
    // Before anything is made for it.
    let test = NewTest {
        provider: request.provider.as_str().to_owned(),
        credentials: new.credentials().clone(),
        schemas: None,
    };
    passed(&Box::pin(connections::test(app, caller, &test)).await?)?;
    let project = projects::personal(app, caller).await?;
    let access = app.tenancy.require(caller.clone(), project, MemberRole::Admin).await?;
    let provisioned = Box::pin(external::provision(app, &access, request)).await;
    provisioned.map_err(not_taken)?;
    store::note_acknowledged(app, caller).await
}

/// What is connected, without anything secret.
///
/// # Errors
/// When the control database fails.
pub async fn get(app: &App, caller: &Caller) -> Result<Option<Connected>> {
    let personal = app.tenancy.personal(caller.user.id).await?;
    Ok(personal.and_then(|personal| personal.connected))
}

/// Whether a database is connected.
///
/// # Errors
/// As [`get`].
pub async fn has(app: &App, caller: &Caller) -> Result<bool> {
    Ok(get(app, caller).await?.is_some())
}

/// Forgets the connection, credentials included. The database itself is left alone.
///
/// # Errors
/// 404 `connections/not-configured` when there is none.
pub async fn remove(app: &App, caller: &Caller) -> Result<()> {
    let personal = app.tenancy.personal(caller.user.id).await?;
    let personal = personal.filter(|personal| personal.connected.is_some());
    let personal = personal.ok_or_else(not_configured)?;
    let access = app
        .tenancy
        .require(caller.clone(), personal.project, MemberRole::Admin)
        .await?;
    let (backend, _) = Box::pin(provisioning::deprovision(app, &access)).await?;
    // Whoever takes a database away takes its password away: nothing is kept to be restored.
    Box::pin(provisioning::drop_backend(app, personal.project, backend.id(), false)).await?;
    Ok(())
}

/// The connections to the caller's database. What is run on them is not about the caller's rows alone: for what knows
/// whose rows it means.
///
/// # Errors
/// 404 `connections/not-configured`.
pub async fn pool(app: &App, caller: &Caller) -> Result<Arc<dyn Records>> {
    let access = app.tenancy.own_database(caller).await?;
    let backend = access.project().ready_backend()?;
    let target = app.data_target(access.project(), backend).await?;
    app.backends.records(&target)
}

/// Asks the caller's database for rows of theirs, by a request in the common dialect.
///
/// # Errors
/// 404 `connections/not-configured`; as [`records::handle`]; 501 `PGRST127` for what cannot be narrowed to
/// somebody's rows.
pub async fn query(app: &App, caller: &Caller, request: &Request) -> Result<Reply> {
    let headers = HeaderMap::new();
    let verb = if request.method.is_read() {
        Method::GET
    } else {
        Method::POST
    };
    let facts = Facts::new(&verb, &format!("/{}", request.table), &headers);
    let ask = |_: &_| Ok(Ask::Run(request.clone()));
    records::handle(app, &door(caller), &headers, &facts, ask).await
}

/// The way to the caller's rows.
fn door(caller: &Caller) -> Door {
    Door::Own(Box::new(caller.clone()))
}

fn refuse_guests(caller: &Caller, what: &'static str) -> Result<()> {
    if caller.user.role >= PlatformRole::User {
        return Ok(());
    }
    Err(Error::new(ErrorKind::Forbidden, "connections/guest", what)
        .with_hint("Ask an Admin of the platform for the role User"))
}

/// What a connection test says, as an error if it failed.
fn passed(report: &Report) -> Result<()> {
    let Some(step) = report.steps.iter().find(|step| step.outcome == Outcome::Failed) else {
        return Ok(());
    };
    let class = step.class.unwrap_or(Class::Unknown);
    let cause = step
        .cause
        .clone()
        .unwrap_or_else(|| class.cause(report.provider).to_owned());
    let fix = step.fix.clone();
    Err(failed(
        class,
        &cause,
        fix.unwrap_or_else(|| class.fix(report.provider).to_owned()),
    ))
}

/// What the driver or the guard says when it becomes a backend, in the words of a connection test.
fn not_taken(error: Error) -> Error {
    let class = match error.code() {
        "external/credentials" => Class::Auth,
        "external/no-such-database" => Class::DbMissing,
        "external/timeout" => Class::Timeout,
        "external/unreachable" => Class::Refused,
        "external/tls" => Class::TlsUntrusted,
        "external/no-such-schema" => Class::Misconfigured,
        "outbound/forbidden" => Class::NetworkBlocked,
        "outbound/unknown-host" => Class::Dns,
        _ => return error,
    };
    let hint = error.hint().unwrap_or_default().to_owned();
    failed(class, error.public(), hint).with_source(error)
}

fn failed(class: Class, cause: &str, fix: String) -> Error {
    let kind = match class {
        Class::Refused | Class::Timeout | Class::TooManyConnections | Class::Unavailable | Class::RateLimited => {
            ErrorKind::Upstream
        }
        _ => ErrorKind::Unprocessable,
    };
    Error::new(kind, "connections/failed", "Connection failed")
        .with_details(format!("{}: {cause}", class.as_str()))
        .with_hint(fix)
}
