//! A user's own database as a project's backend: its address and its owner's wishes are kept, nothing is made in it and
//! nothing is dropped.

mod input;
mod inventory;
mod policies;
mod probe;
mod relationships;
mod secrets;
mod store;

pub use input::{Change, Provider, Request, Rest};
pub use inventory::{Inventory, InventoryRelationship, InventoryTable};
pub use policies::{TablePolicies, policies, set_policies};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::secrets::{give_up, moved};
use super::{FirstKeys, Outcome, State, provision as managed_provision, store as managed};
use crate::accounts::signing;
use crate::app::App;
use crate::audit::{self, Entry};
use crate::connections::{Health, shown_api};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident, ProjectId, Ref};
use crate::projects::versions::{self, Propagation};
use crate::tenancy::{
    ConnectionSecrets, Credentials, ExternalSettings, Family, ProjectAccess, RestSecrets, RestSettings,
};
use crate::vault::{Envelope, Kept, Owner, SECRET_MISSING};

/// An external backend. Nothing of it is secret but what is sealed.
#[derive(Debug, Clone)]
pub struct ExternalBackend {
    /// Its id: the `databaseId` of the paths.
    pub id: BackendId,
    /// Its project.
    pub project: ProjectId,
    /// The project's ref.
    pub reference: Ref,
    /// Whether it serves.
    pub state: State,
    /// What kind of database it is.
    pub provider: String,
    /// What is shown of the connection: host, port, database, and which secrets there are.
    pub connection: Value,
    /// What its owner decided.
    pub settings: ExternalSettings,
    /// How it fares.
    pub health: Health,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was given up; restorable for 30 days from then.
    pub deleted_at: Option<Timestamp>,
    kept: Option<Kept>,
    /// Of a connection last written when these had a row of their own.
    sealed_rest: Option<Envelope>,
}

/// The answer to [`provision`].
#[derive(Debug, Clone)]
pub struct Provisioned {
    /// The one backend of the project.
    pub backend: ExternalBackend,
    /// How it came about; `Found` is one that was changed.
    pub outcome: Outcome,
    /// The project's first keys, if it had none before.
    pub keys: Option<FirstKeys>,
    /// What is in the database.
    pub found: Inventory,
}

/// Everything a backend is made of, secrets included.
struct Whole {
    provider: Provider,
    settings: ExternalSettings,
    credentials: Credentials,
    secrets: RestSecrets,
}

/// Takes a user's database as the project's backend, or changes the one there is: what the request leaves out stays.
/// The connection is tried first. Needs the role `admin`.
///
/// # Errors
/// `provisioning/exists` (409) when the project has a managed backend; `provisioning/config` (400) without credentials;
/// `external/…` and `outbound/…` for what is wrong with the database or the way to it, see [`probe`].
pub async fn provision(app: &App, access: &ProjectAccess, request: Request) -> Result<Provisioned> {
    managed_provision::require_admin(access)?;
    let known = known(app, access.project()).await?;
    let whole = whole(app, known.as_ref(), request).await?;
    let found = Box::pin(probe::probe(app, access.project(), &whole)).await?;

    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(managed::LIMITS).await.map_err(failure)?;
    managed::lock_project(&tx, access.project()).await?;
    // The transaction decides what is there: another call may have come first.
    let there = store::of_project(&tx, access.project()).await?;
    if managed::has_live_managed(&tx, access.project()).await? {
        return Err(exists());
    }
    let owner = Owner {
        project: access.project(),
        backend: there
            .as_ref()
            .map_or_else(|| BackendId(app.random.uuid()), |there| there.id),
    };
    let secrets = whole.secrets().text()?;
    // While the project is locked, so that row and secret are the same call's.
    let kept = Box::pin(app.credentials.put(&app.random, owner, &secrets)).await?;
    let written = Box::pin(write_down(app, access, tx, there.as_ref(), (owner, &kept), &whole)).await;
    drop(client);
    // What no row refers to is given up; should the commit have happened all the same, it can be restored.
    let left = match (&written, &there) {
        (Ok(_), Some(there)) => there.kept.as_ref().filter(|before| moved(before, &kept)),
        (Err(_), None) => Some(&kept),
        _ => None,
    };
    if let Some(left) = left {
        give_up(app, owner, left).await;
    }
    let (backend, outcome, keys) = written?;
    Box::pin(versions::push(app, access.project())).await?;
    Ok(Provisioned {
        backend,
        outcome,
        keys,
        found,
    })
}

/// Writes down what was taken, secrets by what is kept of them, and commits.
async fn write_down(
    app: &App,
    access: &ProjectAccess,
    tx: tokio_postgres::Transaction<'_>,
    there: Option<&ExternalBackend>,
    (owner, kept): (Owner, &Kept),
    whole: &Whole,
) -> Result<(ExternalBackend, Outcome, Option<FirstKeys>)> {
    let id = owner.backend;
    store::keep(app, &tx, access.project(), id, whole, kept).await?;
    signing::ensure(app, &tx, Some(access.project())).await?;
    let keys = managed_provision::first_keys(app, access, &tx).await?;
    let outcome = match there {
        None => Outcome::Made,
        Some(there) if there.deleted_at.is_some() => Outcome::Restored,
        Some(_) => Outcome::Found,
    };
    let action = match outcome {
        Outcome::Made => "backend.provision",
        Outcome::Restored => "backend.restore",
        Outcome::Found => "backend.update",
    };
    let entry = Entry::by(access.caller(), Some(access.project()), action, id)
        .with(json!({ "tier": "external", "provider": whole.provider.as_str() }));
    audit::record(app, &tx, &entry).await?;
    versions::bump(&tx, access.project()).await?;
    let backend = store::of_project(&tx, access.project()).await?;
    let backend = backend.ok_or_else(|| Error::internal("the backend is not there"))?;
    tx.commit().await.map_err(failure)?;
    Ok((backend, outcome, keys))
}

/// The project's external backend: the live one, else the one deleted last.
pub(super) async fn latest(
    tx: &impl tokio_postgres::GenericClient,
    project: ProjectId,
) -> Result<Option<ExternalBackend>> {
    store::of_project(tx, project).await
}

/// What is known already, deleted or not.
async fn known(app: &App, project: ProjectId) -> Result<Option<ExternalBackend>> {
    let client = app.control.get().await?;
    store::of_project(&*client, project).await
}

/// What is asked for, over what there is.
async fn whole(app: &App, known: Option<&ExternalBackend>, request: Request) -> Result<Whole> {
    let mut settings = known.map(|known| known.settings.clone()).unwrap_or_default();
    let provider_was = known.map(|known| known.provider.clone());
    let opened = match known {
        Some(known) => known.secrets(app).await,
        None => Ok(None),
    };
    let opened = match opened {
        // Taken away by somebody else; there are others now.
        Err(error) if error.code() == SECRET_MISSING && request.credentials.is_some() => None,
        opened => opened?,
    };
    let (known, secrets) = match opened {
        Some(ConnectionSecrets { credentials, rest }) => (Some(credentials), rest),
        None => (None, None),
    };
    let was = provider_was.map(|provider| match &known {
        Some(known) => known.family(&provider),
        None => Family::of(&provider),
    });
    let mut secrets: RestSecrets = secrets.unwrap_or_default();
    settings.require_api_key = request.require_api_key.unwrap_or(settings.require_api_key);
    let has_rest = request.rest.is_some();
    let of_postgres = request
        .rest
        .as_ref()
        .map(|rest| rest.of_postgres.clone())
        .unwrap_or_default();
    if let Some(rest) = request.rest {
        settings.rest = rest.settings;
        rest.jwt_secret.over(&mut secrets.jwt_secret);
        let mut app_settings = Some(secrets.app_settings);
        rest.app_settings.over(&mut app_settings);
        secrets.app_settings = app_settings.unwrap_or_default();
    }
    let credentials = request.credentials.or(known);
    let credentials = credentials.ok_or_else(|| {
        Error::invalid("provisioning/config", "Invalid configuration")
            .with_details("config.credentials: they are missing")
            .with_hint("GET /api/providers has the fields that each kind of database needs")
    })?;
    let family = credentials.family(request.provider.as_str());
    if was.is_some_and(|was| was != family) && !has_rest {
        // Names of another world.
        settings.rest = RestSettings::default();
    }
    if matches!(family, Family::MySql | Family::Rest) {
        if family == Family::MySql && !of_postgres.is_empty() {
            return Err(input::not_of_mysql(&of_postgres));
        }
        // The database is the one schema there is.
        settings.rest.schemas = vec![exposed(&credentials.database)?];
        settings.rest.extra_search_path = Vec::new();
    }
    Ok(Whole {
        provider: request.provider,
        settings,
        credentials,
        secrets,
    })
}

fn exposed(database: &str) -> Result<Ident> {
    Ident::new(database).map_err(|_| {
        Error::invalid("provisioning/config", "Invalid configuration")
            .with_details("config.credentials.database: a name of 1 to 63 bytes is expected")
    })
}

impl Whole {
    fn family(&self) -> Family {
        self.credentials.family(self.provider.as_str())
    }

    /// What is shown of the connection and the secrets: where it is, and that there are some.
    fn shown(&self) -> Value {
        let app_settings: Vec<&String> = self.secrets.app_settings.keys().collect();
        if let Some(api) = &self.credentials.api {
            return json!({
                "host": self.credentials.host,
                "port": self.credentials.port,
                "sslMode": if self.credentials.plain { "disable" } else { "verify-full" },
                "api": shown_api(api),
                "hasJwtSecret": false,
                "appSettings": app_settings,
            });
        }
        let iam = self.credentials.iam.as_ref();
        // Of the one provider that has several.
        let engine = (self.provider == Provider::AwsRds).then(|| match self.family() {
            Family::MySql => "mysql",
            Family::Postgres | Family::Cockroach | Family::Rest => "postgres",
        });
        json!({
            "host": self.credentials.host,
            "port": self.credentials.port,
            "database": self.credentials.database,
            "sslMode": if self.credentials.plain { "disable" } else { "verify-full" },
            "pooler": self.credentials.pooler,
            "engine": engine,
            "auth": engine.map(|_| if iam.is_some() { "iam" } else { "password" }),
            "region": iam.map(|iam| &iam.region),
            "roleArn": iam.and_then(|iam| iam.role_arn.as_ref()),
            "hasJwtSecret": self.secrets.jwt_secret.is_some(),
            "appSettings": app_settings,
        })
    }
}

impl ExternalBackend {
    /// The `rest` section without its secrets, and which of those there are.
    pub fn rest(&self) -> Value {
        let mut rest = match serde_json::to_value(&self.settings.rest) {
            Ok(Value::Object(rest)) => rest,
            _ => Map::new(),
        };
        if let Some(routine) = &self.settings.rest.pre_request {
            rest.insert("preRequest".to_owned(), Value::from(routine.to_string()));
        }
        for name in ["hasJwtSecret", "appSettings"] {
            rest.insert(name.to_owned(), self.connection[name].clone());
        }
        Value::Object(rest)
    }
}

/// The project's external backend, if it has one.
pub(super) async fn find(app: &App, project: ProjectId) -> Result<Option<ExternalBackend>> {
    Ok(known(app, project)
        .await?
        .filter(|backend| backend.deleted_at.is_none()))
}

/// Gives the backend up: requests stop as soon as they hear of it; the database itself is left alone.
pub(super) async fn deprovision(app: &App, access: &ProjectAccess) -> Result<(ExternalBackend, Propagation)> {
    let action = "backend.deprovision";
    let backend = changed(app, access, action, true).await?;
    let heard = Box::pin(versions::push(app, access.project())).await?;
    let deleted_at = Some(app.clock.now());
    Ok((ExternalBackend { deleted_at, ..backend }, heard))
}

/// Opens a deleted backend's credentials, brought back if need be, and commits what was written about it.
pub(super) async fn commit_restored(
    app: &App,
    tx: tokio_postgres::Transaction<'_>,
    backend: ExternalBackend,
) -> Result<ExternalBackend> {
    match Box::pin(backend.secrets(app)).await {
        Ok(Some(_)) => {}
        Ok(None) => return Err(credentials_gone()),
        Err(error) if error.code() == SECRET_MISSING => return Err(credentials_gone()),
        Err(error) => return Err(error),
    }
    if let Err(error) = tx.commit().await {
        if let Some(kept) = &backend.kept {
            give_up(app, backend.owner(), kept).await;
        }
        return Err(failure(error));
    }
    Ok(ExternalBackend {
        deleted_at: None,
        ..backend
    })
}

fn credentials_gone() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "provisioning/credentials-gone",
        "The credentials of this backend are gone",
    )
    .with_hint("POST /api/projects/{id}/backend/provision with credentials takes the database back")
}

/// Makes every process forget what it knows of the database's tables.
pub(super) async fn reload(app: &App, access: &ProjectAccess) -> Result<ExternalBackend> {
    let backend = changed(app, access, "backend.reload", false).await?;
    Box::pin(versions::push(app, access.project())).await?;
    Ok(backend)
}

async fn changed(app: &App, access: &ProjectAccess, action: &'static str, delete: bool) -> Result<ExternalBackend> {
    let project = access.project();
    let mut client = app.control.get().await?;
    let tx = client.transaction().await.map_err(failure)?;
    tx.batch_execute(managed::LIMITS).await.map_err(failure)?;
    managed::lock_project(&tx, project).await?;
    let backend = store::of_project(&tx, project).await?;
    let backend = backend.filter(|backend| backend.deleted_at.is_none());
    let backend = backend.ok_or_else(super::manage::not_provisioned)?;
    if delete {
        managed::set_deleted(app, &tx, backend.id, true).await?;
    }
    let given_up = backend.kept.as_ref().filter(|_| delete);
    let entry = Entry::by(access.caller(), Some(project), action, backend.id);
    audit::record(app, &tx, &entry).await?;
    versions::bump(&tx, project).await?;
    // While the project is locked: nobody restores them in between.
    if let Some(kept) = given_up {
        give_up(app, backend.owner(), kept).await;
    }
    if let Err(error) = tx.commit().await {
        if let Some(kept) = given_up {
            Box::pin(app.credentials.restore(kept)).await?;
        }
        return Err(failure(error));
    }
    Ok(backend)
}

/// Forgets a backend for good, its secrets included, wherever they are. Says whether there was one.
pub(super) async fn remove(
    app: &App,
    tx: &impl tokio_postgres::GenericClient,
    project: ProjectId,
    id: BackendId,
    even_live: bool,
) -> Result<bool> {
    let Some(backend) = store::of_project(tx, project).await?.filter(|backend| backend.id == id) else {
        return Ok(false);
    };
    if backend.deleted_at.is_none() && !even_live {
        return Err(super::manage::in_use());
    }
    store::remove(tx, project, id).await?;
    // Before the commit: what is gone already is passed over by the next try.
    if let Some(kept) = &backend.kept {
        Box::pin(app.credentials.purge(backend.owner(), kept)).await?;
    }
    Ok(true)
}

/// The project has a backend of another kind.
pub(super) fn exists() -> Error {
    Error::new(
        ErrorKind::Conflict,
        "provisioning/exists",
        "The project has a backend of another kind",
    )
    .with_hint("A project has one backend: DELETE …/backend/provision first, or use another project")
}

/// Whether the project has a live external backend.
pub(super) async fn is_there(tx: &impl tokio_postgres::GenericClient, project: ProjectId) -> Result<bool> {
    let found = store::of_project(tx, project).await?;
    Ok(found.is_some_and(|backend| backend.deleted_at.is_none()))
}
