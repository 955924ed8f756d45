//! Rows of a project's tables: who asks → what was asked → plan over the catalog → run, in the caller's role.
//!
//! A plan may be older than the backend. The driver finds out in the same round trip; then everything is looked up anew,
//! the caller's key included, and done once more.

mod door;
mod facade;
mod facts;

pub use door::Door;
pub use facade::{Answer, Facade};
pub use facts::Facts;

use futures_util::future::join;
use http::HeaderMap;

use crate::app::App;
use crate::backend::{Place, REFUSED, Records, STALE, Scope, Snapshot, Target};
use crate::error::{Error, ErrorKind, Result};
use crate::query::{self, CastRule, Plan, Reply, Request, Rules, SearchConfigRule};
use crate::schema::catalog::Catalog;
use crate::tenancy::{DataAccess, DataRole, Isolation, ProjectBackend};

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
    ask: impl Fn(&Catalog) -> Result<Request>,
) -> Result<Reply> {
    let access = door.open(app, headers).await?;
    let stale = match Box::pin(answer(app, &access, facts, &ask)).await {
        Err(error) if is_stale(&error) => error,
        answered => return answered,
    };
    tracing::debug!(cause = %stale, "planned anew");
    let project = app.tenancy.refresh(&access.project().reference).await?;
    if let Some(backend) = &project.backend {
        app.catalogs.forget(backend.id);
    }
    // The key may be what has changed.
    let access = door.open(app, headers).await?;
    match Box::pin(answer(app, &access, facts, &ask)).await {
        Err(error) if error.code() == STALE && is_stale(&error) => Err(changing(error)),
        answered => answered,
    }
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

async fn answer(
    app: &App,
    access: &DataAccess,
    facts: &Facts,
    ask: &impl Fn(&Catalog) -> Result<Request>,
) -> Result<Reply> {
    app.tenancy.touch(access);
    let backend = access.project().ready_backend()?;
    let target = app.data_target(access.project(), backend).await?;
    let records = app.backends.records(&target)?;
    let outcome = join(
        plan_and_run(app, access, backend, &*records, facts, ask),
        app.tenancy.flush_touched(),
    );
    let (outcome, ()) = outcome.await;
    forget_refused(app, &target, &outcome);
    outcome
}

/// A login that is not let in has no connections worth keeping.
fn forget_refused(app: &App, target: &Target, outcome: &Result<Reply>) {
    if outcome.as_ref().is_err_and(|error| error.code() == REFUSED) {
        app.backends.evict(target);
    }
}

async fn plan_and_run(
    app: &App,
    access: &DataAccess,
    backend: &ProjectBackend,
    records: &dyn Records,
    facts: &Facts,
    ask: &impl Fn(&Catalog) -> Result<Request>,
) -> Result<Reply> {
    let isolation = backend.isolation.unwrap_or(Isolation::Schema);
    let place = place(access, isolation);
    let deadline = app.config.web.request_timeout;
    let (snapshot, remembered) = app.catalogs.get(backend.id, &place, records, deadline).await?;
    let rules = rules(app, isolation);
    let planned = ask(&snapshot.catalog).and_then(|request| query::plan(request, &snapshot.catalog, &rules));
    let scope = scope(app, access, place, &snapshot, facts);
    let plan = match planned {
        Ok(plan) => plan,
        // What an old catalog refuses, the present one may take.
        Err(refused) if remembered => {
            records.check(&scope).await?;
            return Err(refused);
        }
        Err(refused) => return Err(refused),
    };
    let scope = for_plan(scope, &plan);
    let counts = records.run(&scope, &plan).await?;
    query::reply(&plan, counts)
}

fn place(access: &DataAccess, isolation: Isolation) -> Place {
    let names = access.project().names();
    Place {
        reference: access.project().reference.clone(),
        schema: names.schema(isolation),
        extra_search_path: Vec::new(),
        reader: Some(names.service()),
        versioned: true,
        generation: 0,
    }
}

/// At level `schema` tenants share a database, so nothing may be named that looks outside of the project; in a database
/// of its own anything may be.
fn rules(app: &App, isolation: Isolation) -> Rules {
    let mut rules = Rules::managed();
    rules.max_rows = Some(app.config.web.max_rows);
    if isolation == Isolation::Database {
        rules.casts = CastRule::Any;
        rules.search_configs = SearchConfigRule::Any;
    }
    rules
}

fn scope(app: &App, access: &DataAccess, place: Place, snapshot: &Snapshot, facts: &Facts) -> Scope {
    let project = access.project();
    Scope {
        place,
        role: access.database_role().cloned(),
        anonymous: access.role() == DataRole::Anon,
        claims: serde_json::Value::Object(access.claims().clone()).to_string(),
        method: facts.method.clone(),
        path: facts.path.clone(),
        headers: facts.headers.clone(),
        own: None,
        tenant: project.id.to_string(),
        timezone: None,
        versions: (project.version, snapshot.version),
        read_only: true,
        rollback: false,
        marker: app.random.token(24),
        deadline: app.config.web.request_timeout,
    }
}

fn for_plan(scope: Scope, plan: &Plan) -> Scope {
    Scope {
        read_only: plan.method.is_read(),
        rollback: plan.prefer.tx == Some(query::request::TxEnd::Rollback),
        timezone: plan.prefer.timezone.clone(),
        ..scope
    }
}
