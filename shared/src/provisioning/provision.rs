//! The use case: one backend per project, whoever asks and however often.

use serde_json::json;

use super::steps::{Step, Steps};
use super::{Backend, FirstKeys, Outcome, Provisioned, Request, State, cell, external, store};
use crate::accounts::signing;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::clock::RESTORE_WINDOW;
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::projects::keys::{self, NewKey};
use crate::projects::versions;
use crate::schema::starter;
use crate::sensitive::Sensitive;
use crate::tenancy::{Isolation, MemberRole, ProjectAccess};
use crate::token::KeyClass;

/// Attempts while another call takes its own failure back.
const ATTEMPTS: usize = 3;

/// Gives the project its managed backend: makes it, restores the one deleted less than 30 days ago with its data, or
/// answers with the one that is there. Needs the role `admin`.
///
/// # Errors
/// `provisioning/exists` (409) when there is one of another isolation; `provisioning/cells-full` (503);
/// `provisioning/busy` (503) while another call works on it for long; `provisioning/failed` when a step failed: nothing
/// is left behind, trying again is safe.
pub async fn provision(app: &App, access: &ProjectAccess, request: Request) -> Result<Provisioned> {
    run(app, access, request, &Steps::default()).await
}

/// [`provision`] with a step that fails or never ends.
///
/// # Errors
/// As [`provision`].
#[cfg(feature = "testing")]
pub async fn provision_disturbed(
    app: &App,
    access: &ProjectAccess,
    request: Request,
    disturb: super::Disturb,
) -> Result<Provisioned> {
    let disturb = Some(disturb);
    run(app, access, request, &Steps { disturb }).await
}

async fn run(app: &App, access: &ProjectAccess, request: Request, steps: &Steps) -> Result<Provisioned> {
    require_admin(access)?;
    for _ in 0..ATTEMPTS {
        let attempt = match Box::pin(reserve(app, access, request)).await? {
            Reserved::Done(done) => return Ok(done),
            Reserved::Build(attempt) => attempt,
        };
        // These hold many other futures: on the heap, so that no caller's stack has to.
        match Box::pin(build(app, access, &attempt, steps)).await {
            Ok(Some(done)) => return Ok(done),
            // The call that had reserved it took its failure back while we waited.
            Ok(None) => {}
            Err(failed) => {
                if failed.take_back {
                    take_back(app, &attempt.backend).await;
                }
                return Err(failed.error);
            }
        }
    }
    Err(busy())
}

/// A backend that is to be built.
struct Attempt {
    backend: Backend,
    /// The project's version when it was reserved.
    version: i64,
    /// Nobody can have begun before.
    fresh: bool,
}

enum Reserved {
    Done(Provisioned),
    Build(Attempt),
}

/// First movement: what there is, or a place for a new one.
async fn reserve(app: &App, access: &ProjectAccess, request: Request) -> Result<Reserved> {
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    let version = store::lock_project(&tx, access.project()).await?;
    if external::is_there(&tx, access.project()).await? {
        return Err(external::exists());
    }
    let mut found = store::of_project(&tx, access.project()).await?;
    if let Some(expired) = found.take_if(|found| is_expired(app, found)) {
        // Names come from the ref: the old one must be gone before there is a new one.
        cell::clear(app, &expired).await?;
        store::remove(&tx, &expired).await?;
    }
    let Some(backend) = found else {
        let cell = store::take_place(&tx).await?;
        let isolation = request.isolation.unwrap_or(Isolation::Schema);
        let backend = store::fresh(app, access.project(), access.reference(), isolation, cell);
        store::insert(app, &tx, &backend).await?;
        tx.commit().await.map_err(failure)?;
        return Ok(Reserved::Build(Attempt {
            backend,
            version,
            fresh: true,
        }));
    };
    refuse_other_isolation(&backend, request)?;
    if backend.deleted_at.is_some() {
        let id = backend.id;
        store::set_deleted(app, &tx, id, false).await?;
        let entry = Entry::by(access.caller(), Some(access.project()), "backend.restore", id);
        audit::record(app, &tx, &entry).await?;
        versions::bump(&tx, access.project()).await?;
        tx.commit().await.map_err(failure)?;
        drop(client);
        Box::pin(versions::push(app, access.project())).await?;
        return Ok(again(backend, version, Outcome::Restored));
    }
    tx.commit().await.map_err(failure)?;
    Ok(again(backend, version, Outcome::Found))
}

/// A backend that was there: ready, or to be completed.
fn again(backend: Backend, version: i64, outcome: Outcome) -> Reserved {
    if backend.state == State::Provisioning {
        return Reserved::Build(Attempt {
            backend,
            version,
            fresh: false,
        });
    }
    Reserved::Done(Provisioned {
        backend: Backend {
            deleted_at: None,
            ..backend
        },
        outcome,
        keys: None,
    })
}

fn is_expired(app: &App, backend: &Backend) -> bool {
    backend
        .deleted_at
        .is_some_and(|at| app.clock.now().duration_since(at).unsigned_abs() > RESTORE_WINDOW)
}

fn refuse_other_isolation(backend: &Backend, request: Request) -> Result<()> {
    let has = backend.isolation;
    if request.isolation.is_none_or(|asked| asked == has) {
        return Ok(());
    }
    let error = Error::new(
        ErrorKind::Conflict,
        "provisioning/exists",
        "The project has a backend of another isolation level",
    );
    let deleted = if backend.deleted_at.is_some() {
        "; it was deleted and can be restored"
    } else {
        ""
    };
    Err(error
        .with_details(format!("Its isolation is {}{deleted}", has.as_str()))
        .with_hint("Leave config.isolation out, or ask for what it has; a project has one backend"))
}

/// Why a build ended.
struct Failed {
    error: Error,
    /// Whether what was made must be taken back. Not when the last commit's outcome is unknown: the row tells later.
    take_back: bool,
}

impl Failed {
    fn after(error: Error) -> Self {
        Self {
            error: explained(error),
            take_back: true,
        }
    }
}

/// Second and third movement, under the row's lock. `None`: the row is gone.
async fn build(
    app: &App,
    access: &ProjectAccess,
    attempt: &Attempt,
    steps: &Steps,
) -> Result<Option<Provisioned>, Failed> {
    let kept = |error| Failed {
        error,
        take_back: false,
    };
    if attempt.fresh {
        steps.passed(Step::Reserve).await.map_err(Failed::after)?;
    }
    let mut client = app.control.get().await.map_err(Failed::after)?;
    let tx = client
        .transaction()
        .await
        .map_err(|error| Failed::after(failure(error)))?;
    tx.batch_execute(store::LIMITS)
        .await
        .map_err(|error| Failed::after(failure(error)))?;
    // Waiting too long here means that somebody else is at work on it.
    store::lock_even_deleted(&tx, access.project()).await.map_err(kept)?;
    let Some(backend) = store::lock_backend(&tx, attempt.backend.id).await.map_err(kept)? else {
        return Ok(None);
    };
    if backend.state != State::Provisioning {
        return Ok(Some(Provisioned {
            backend,
            outcome: Outcome::Found,
            keys: None,
        }));
    }
    if !attempt.fresh {
        cell::clear(app, &backend).await.map_err(Failed::after)?;
    }
    let login = Box::pin(cell::create(app, &backend, attempt.version, steps))
        .await
        .map_err(Failed::after)?;
    let recorded = Box::pin(record(app, access, &tx, &backend, login.as_ref())).await;
    let keys = recorded.map_err(Failed::after)?;
    steps.passed(Step::Record).await.map_err(Failed::after)?;
    tx.commit().await.map_err(|error| kept(failure(error)))?;
    drop(client);
    Box::pin(versions::push(app, access.project())).await.map_err(kept)?;
    cell::let_go(app, &backend);
    Ok(Some(Provisioned {
        backend: Backend {
            state: State::Ready,
            ..backend
        },
        outcome: Outcome::Made,
        keys,
    }))
}

/// Third movement: everything the control plane knows of a backend that serves.
async fn record(
    app: &App,
    access: &ProjectAccess,
    tx: &tokio_postgres::Transaction<'_>,
    backend: &Backend,
    login: Option<&Sensitive>,
) -> Result<Option<FirstKeys>> {
    let project = access.project();
    if let Some(password) = login {
        let password = password.expose().as_bytes();
        let envelope = app.vault.seal(&app.random, Some(project), password).await?;
        store::keep_login(app, tx, project, &envelope).await?;
    }
    signing::ensure(app, tx, Some(project)).await?;
    for table in [starter::app_users(), starter::app_data()] {
        store::keep_table(app, tx, backend.id, &table).await?;
    }
    let keys = first_keys(app, access, tx).await?;
    store::set_ready(app, tx, backend.id).await?;
    let entry = Entry::by(access.caller(), Some(project), "backend.provision", backend.id)
        .with(json!({ "isolation": backend.isolation.as_str(), "cell": backend.cell.id }));
    audit::record(app, tx, &entry).await?;
    versions::bump(tx, project).await?;
    Ok(keys)
}

/// A publishable and a secret key, for a project without any.
pub(super) async fn first_keys(
    app: &App,
    access: &ProjectAccess,
    tx: &tokio_postgres::Transaction<'_>,
) -> Result<Option<FirstKeys>> {
    if store::has_keys(tx, access.project()).await? {
        return Ok(None);
    }
    Ok(Some(FirstKeys {
        publishable: first_key(app, access, tx, KeyClass::Publishable).await?,
        secret: first_key(app, access, tx, KeyClass::Secret).await?,
    }))
}

async fn first_key(
    app: &App,
    access: &ProjectAccess,
    tx: &tokio_postgres::Transaction<'_>,
    class: KeyClass,
) -> Result<Sensitive> {
    let new = NewKey {
        class,
        name: "default".to_owned(),
        expires_at: None,
        created_by: Some(access.caller().user.id),
    };
    let made = keys::create(app, tx, access.project(), access.reference(), &new).await?;
    Ok(made.key.text().clone())
}

/// Takes a failed attempt back, unless somebody else has completed it meanwhile. When that fails too, the row stays in
/// state `provisioning` and the next call goes on from there.
async fn take_back(app: &App, backend: &Backend) {
    if let Err(error) = Box::pin(try_take_back(app, backend)).await {
        tracing::warn!(%error, project = %backend.project, "a failed provisioning is left for the next call");
    }
}

async fn try_take_back(app: &App, backend: &Backend) -> Result<()> {
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(store::LIMITS).await.map_err(failure)?;
    store::lock_even_deleted(&tx, backend.project).await?;
    let found = store::lock_backend(&tx, backend.id).await?;
    let Some(found) = found.filter(|found| found.state == State::Provisioning) else {
        return Ok(());
    };
    cell::clear(app, &found).await?;
    store::remove(&tx, &found).await?;
    tx.commit().await.map_err(failure)
}

/// Backends are the business of admins, even where a caller proved less.
pub(super) fn require_admin(access: &ProjectAccess) -> Result<()> {
    if access.role() >= MemberRole::Admin {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Forbidden,
        "projects/role",
        "Your role in this project does not allow this",
    )
    .with_hint("Ask an owner of the project"))
}

fn busy() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "provisioning/busy",
        "The backend is being changed by another request",
    )
    .with_hint("Try again in a moment")
    .with_retry_after(1)
}

/// What a client sees of a failed step.
fn explained(error: Error) -> Error {
    let kind = match error.kind() {
        ErrorKind::Internal => ErrorKind::Internal,
        _ => ErrorKind::Unavailable,
    };
    let cause = if kind == ErrorKind::Internal {
        "A step failed on our side"
    } else {
        "The cell cannot be reached right now"
    };
    Error::new(kind, "provisioning/failed", "Backend provisioning failed")
        .with_details(cause)
        .with_hint("Nothing is left behind; try again")
        .with_retry_after(2)
        .with_source(error)
}
