//! Rows of a project's tables: who asks → what was asked → plan over the catalog → run, in the caller's role.
//!
//! A plan may be older than the backend. The driver finds out in the same round trip; then everything is looked up anew,
//! the caller's key included, and done once more.

mod door;
mod facade;
mod facts;
mod look;
mod openapi;
mod reference;
mod site;
mod survey;

pub use door::Door;
pub use facade::{Answer, Facade};
pub use facts::Facts;
pub use look::look;
pub use reference::Form;
pub use survey::{Survey, survey};

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::join;
use http::HeaderMap;

use crate::app::App;
use crate::backend::{REFUSED, Records, STALE, Scope, Snapshot, Target};
use crate::connections;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::query::row_rules::{RowCaller, RowRules};
use crate::query::{self, Action, Feature, Owner, Plan, Reply, Request, RowAccess};
use crate::schema::catalog::Catalog;
use crate::schema::policy::Grantee;
use crate::tenancy::{DataAccess, DataRole, ProjectBackend};

use site::Site;

/// What somebody asks for, once there is a catalog to look at.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant, reason = "there is one per request")]
pub enum Ask {
    /// What the database is to answer.
    Run(Request),
    /// What the catalog alone has answered.
    Tell(Reply),
    /// The API's description in OpenAPI 2.0, as far as the caller may use it.
    Describe,
    /// The project's description in OpenAPI 3.1, accounts included, as far as the caller may use it.
    Document(Form),
}

/// Answers a request. `ask` makes it, given the catalog that it will be planned on.
///
/// # Errors
/// What `ask` and the planner refuse; what the database refuses, as the client may see it; 401 and 404 as the door says;
/// 503 `PGRST001`, `PGRST003` and `backend/refused` while the database cannot be reached, `records/changing` while it keeps
/// changing under the request; 504 `records/deadline` and `records/outcome-unknown`.
pub async fn handle(
    app: &App,
    door: &Door,
    headers: &HeaderMap,
    facts: &Facts,
    ask: impl Fn(&Catalog) -> Result<Ask> + Sync,
) -> Result<Reply> {
    let began = Instant::now();
    let access = Box::pin(door.open(app, headers)).await?;
    let request = Asked {
        facts,
        headers,
        owner: door.owner(),
        ask: &ask,
    };
    let stale = match Box::pin(answer(app, &access, &request, Try::First)).await {
        Err(error) if is_stale(&error) => error,
        answered => return answered,
    };
    tracing::debug!(cause = %stale, "planned anew");
    let project = app.tenancy.refresh(&access.project().reference).await?;
    if let Some(backend) = &project.backend {
        app.catalogs.forget_older(backend.id, began);
    }
    // The key may be what has changed.
    let access = Box::pin(door.open(app, headers)).await?;
    match Box::pin(answer(app, &access, &request, Try::Last)).await {
        Err(error) if error.code() == STALE && is_stale(&error) => Err(changing(error)),
        answered => answered,
    }
}

/// A request, as it came.
struct Asked<'a> {
    facts: &'a Facts,
    headers: &'a HeaderMap,
    /// Whose rows alone it is about.
    owner: Option<Owner>,
    ask: &'a (dyn Fn(&Catalog) -> Result<Ask> + Sync),
}

/// An [`Ask`], planned.
#[allow(clippy::large_enum_variant, reason = "there is one per request")]
enum Planned {
    Run(Plan),
    Tell(Reply),
    Describe,
    Document(Form),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Try {
    First,
    Last,
}

/// Whether what was known of the project is out of date: its versions, or its login.
fn is_stale(error: &Error) -> bool {
    error.kind() == ErrorKind::Unavailable && [STALE, REFUSED].contains(&error.code())
}

fn changing(error: Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "records/changing",
        "The project changed while the request ran",
    )
    .with_hint("Nothing was written; try again")
    .with_retry_after(0)
    .with_source(error)
}

async fn answer(app: &App, access: &DataAccess, request: &Asked<'_>, attempt: Try) -> Result<Reply> {
    app.tenancy.touch(access);
    let backend = access.project().ready_backend()?;
    // Boxed, as below: futures of many layers.
    let site = Box::pin(Site::of(app, access, backend, request.facts, request.headers)).await?;
    let target = app.data_target(access.project(), backend).await?;
    let records = app.backends.records(&target)?;
    let outcome = join(
        Box::pin(plan_and_run(app, access, backend, &*records, site, request, attempt)),
        app.tenancy.flush_notes(),
    );
    let (outcome, ()) = outcome.await;
    forget_refused(app, &target, &outcome);
    if target.owner.is_some() {
        note_health(app, backend, &outcome).await;
    }
    outcome
}

/// Whether a user's own database answered. What was refused without asking it says nothing.
async fn note_health(app: &App, backend: &ProjectBackend, outcome: &Result<Reply>) {
    match outcome {
        Ok(_) => app.tenancy.fared(backend.id, None).await,
        Err(error) => {
            if let Some(class) = connections::class_of(error) {
                app.tenancy.fared(backend.id, Some(class.as_str())).await;
            }
        }
    }
}

/// A login that is not let in has no connections worth keeping; its password may be another by now.
pub(crate) fn forget_refused<T>(app: &App, target: &Target, outcome: &Result<T>) {
    if outcome.as_ref().is_err_and(|error| error.code() == REFUSED) {
        app.backends.evict(target);
        if let Some(backend) = target.owner {
            app.credentials.forget(backend);
        }
    }
}

async fn plan_and_run(
    app: &App,
    access: &DataAccess,
    backend: &ProjectBackend,
    records: &dyn Records,
    site: Site,
    request: &Asked<'_>,
    attempt: Try,
) -> Result<Reply> {
    let deadline = app.config.web.request_timeout;
    let (snapshot, remembered) = app.catalogs.get(backend.id, &site.place, records, deadline).await?;
    let catalog = &snapshot.catalog;
    // Without versions, what is refused on a remembered catalog may be what has changed.
    let doubted = |refused: &Error| {
        let doubtful = remembered && attempt == Try::First && !site.place.versioned && betrays_age(refused);
        doubtful && app.catalogs.doubt(backend.id)
    };
    let rows = match &request.owner {
        Some(owner) => RowAccess::Owned(owner.clone()),
        None => rows(app, access, backend, &site, &snapshot),
    };
    let planned = (request.ask)(catalog).and_then(|ask| match ask {
        Ask::Run(asked) => {
            may_see(access, &site, &asked)?;
            query::plan(asked, catalog, &site.rules, rows.clone()).map(Planned::Run)
        }
        Ask::Tell(reply) => Ok(Planned::Tell(reply)),
        Ask::Describe => Ok(Planned::Describe),
        Ask::Document(form) => Ok(Planned::Document(form)),
    });
    let scope = scope(app, access, &site, &snapshot, request.facts);
    let plan = match planned {
        Err(refused) if refused.code() == "PGRST202" && !records.capabilities().contains(&Feature::Functions) => {
            return Err(Feature::Functions.refused("this kind of database", "a function"));
        }
        Err(refused) if refused.code() == "PGRST200" && !records.capabilities().contains(&Feature::Embeds) => {
            return Err(Feature::Embeds.refused("this kind of database", "an embed"));
        }
        Ok(Planned::Run(plan)) => plan,
        Ok(Planned::Describe) => {
            return Box::pin(openapi::describe(
                app,
                records,
                &site,
                (catalog, &rows),
                &scope,
                request.headers,
            ))
            .await;
        }
        Ok(Planned::Document(form)) => {
            let seen = reference::Seen {
                access,
                backend,
                records,
                site: &site,
                snapshot: &snapshot,
                rows: &rows,
            };
            return Box::pin(reference::document(app, &seen, &scope, form)).await;
        }
        Ok(Planned::Tell(reply)) => {
            if remembered {
                records.check(&scope).await?;
            }
            return Ok(reply);
        }
        Err(refused) if doubted(&refused) => return Err(aged(refused)),
        // What an old catalog refuses, the present one may take.
        Err(refused) if remembered => {
            records.check(&scope).await?;
            return Err(refused);
        }
        Err(refused) => return Err(refused),
    };
    let scope = for_plan(scope, &plan);
    let counts = match records.run(&scope, &plan).await {
        // The transaction failed as a whole: nothing was written.
        Err(refused) if doubted(&refused) => return Err(aged(refused)),
        ran => ran?,
    };
    let mut reply = query::reply(&plan, counts)?;
    if let Some(profile) = site.profile {
        reply.headers.push(("content-profile".to_owned(), profile));
    }
    Ok(reply)
}

/// Which rows the caller may touch, as far as the statement must see to it: where the database does not, everybody but the
/// project's own secret keys and members meets the row rules.
fn rows(app: &App, access: &DataAccess, backend: &ProjectBackend, site: &Site, snapshot: &Arc<Snapshot>) -> RowAccess {
    let grantee = match access.role() {
        DataRole::Service => return RowAccess::All,
        _ if site.guards_rows => return RowAccess::All,
        DataRole::Anon => Grantee::Anon,
        DataRole::Authenticated => Grantee::Authenticated,
    };
    let caller = RowCaller {
        grantee,
        claims: access.claims().clone(),
    };
    let book = app.catalogs.rule_book(backend.id, snapshot, backend.policies());
    RowAccess::Only(Arc::new(RowRules::new(book, caller)))
}

/// Deleted rows are for those who may do everything with a project's rows: its secret keys and members.
fn may_see(access: &DataAccess, site: &Site, asked: &Request) -> Result<()> {
    if asked.deleted_since.is_none() {
        return Ok(());
    }
    if access.role() != DataRole::Service {
        let message = "Deleted rows are shown to secret keys and members only";
        return Err(Error::new(ErrorKind::Forbidden, "records/deleted-rows", message)
            .with_hint("Ask from your own server, with a secret key"));
    }
    if !site.place.versioned {
        let message = "Deleted rows are kept in managed backends only";
        return Err(Error::new(ErrorKind::Unsupported, "backend/unsupported", message));
    }
    Ok(())
}

/// Whether an error is what a catalog that is too old would cause: a name that is not there (any more).
fn betrays_age(error: &Error) -> bool {
    match error.code() {
        "PGRST200" | "PGRST202" | "PGRST204" | "PGRST205" | "42P01" | "42703" | "42883" | "42704" => true,
        "0A000" => error.public().starts_with("cached plan must not"),
        _ => false,
    }
}

/// To be planned anew.
fn aged(refused: Error) -> Error {
    Error::new(ErrorKind::Unavailable, STALE, "The backend has changed").with_source(refused)
}

fn scope(app: &App, access: &DataAccess, site: &Site, snapshot: &Snapshot, facts: &Facts) -> Scope {
    let project = access.project();
    Scope {
        place: site.place.clone(),
        role: access.database_role().cloned(),
        anonymous: access.role() == DataRole::Anon,
        claims: serde_json::to_string(access.claims()).unwrap_or_default(),
        method: facts.method.clone(),
        path: facts.path.clone(),
        headers: site.headers.clone(),
        own: site.own.clone(),
        tenant: project.id.to_string(),
        defaults: snapshot.catalog.session.of(access.database_role().map(Ident::as_str)),
        timezone: None,
        versions: (project.version, snapshot.version),
        read_only: true,
        rollback: false,
        marker: app.random.token(24),
        deadline: app.config.web.request_timeout,
    }
}

fn for_plan(mut scope: Scope, plan: &Plan) -> Scope {
    if let Action::Call(call) = &plan.action {
        let settings = call.settings.iter();
        scope
            .defaults
            .extend(settings.map(|(name, value)| (name.clone(), value.clone())));
    }
    Scope {
        read_only: plan.is_read_only(),
        rollback: plan.prefer.tx == Some(query::request::TxEnd::Rollback),
        timezone: plan.prefer.timezone.clone(),
        ..scope
    }
}
