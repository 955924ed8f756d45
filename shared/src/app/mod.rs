//! Everything a request may need, made once per process. Building it connects nothing.

mod cells;

pub use cells::Cells;

use std::ops::Deref;
use std::sync::Arc;

use crate::backend::dial::Trust;
use crate::backend::{Address, Catalogs, Driver, Engine, Registry, Target};
use crate::clock::{SharedClock, SharedRandom, SystemClock, SystemRandom};
use crate::config::{Config, Env, Login};
use crate::control::Database;
use crate::error::{Error, Result};
use crate::tenancy::{External, Family, Isolation, Project, ProjectBackend, Tenancy, Tier};
use crate::token::{OpenedKeys, Passwords};
use crate::vault::{CredentialStore, Vault};

/// The parts, shared by every request of a process. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What [`App`] holds.
pub struct Parts {
    /// What the operator decided.
    pub config: Arc<Config>,
    /// Time.
    pub clock: SharedClock,
    /// Chance.
    pub random: SharedRandom,
    /// The control database, with this function's login.
    pub control: Database,
    /// Cells, with this function's login there.
    pub cells: Cells,
    /// Tenants' data.
    pub backends: Registry,
    /// What is known of their tables.
    pub catalogs: Catalogs,
    /// Who calls.
    pub tenancy: Tenancy,
    /// Secrets.
    pub vault: Arc<Vault>,
    /// Credentials of users' own databases.
    pub credentials: Arc<CredentialStore>,
    /// Passwords.
    pub passwords: Passwords,
    /// Signing keys opened lately.
    pub opened_keys: OpenedKeys,
    trust: Trust,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// From the process's environment, with the drivers that `main.rs` names.
    ///
    /// # Errors
    /// `config/invalid`, naming the variable.
    pub fn from_env(drivers: Vec<Arc<dyn Driver>>) -> Result<Self> {
        let config = Config::from_env(&Env::process())?;
        Self::new(config, Arc::new(SystemClock), Arc::new(SystemRandom), drivers)
    }

    /// From its parts.
    ///
    /// # Errors
    /// `config/invalid` for certificates that cannot be read.
    pub fn new(
        config: Config,
        clock: SharedClock,
        random: SharedRandom,
        drivers: Vec<Arc<dyn Driver>>,
    ) -> Result<Self> {
        let config = Arc::new(config);
        let databases = &config.databases;
        let trust = Trust::new(databases.ca_pem.as_deref())?;
        let control = Database::new(
            databases.control.clone(),
            trust.clone(),
            databases.pool_size,
            databases.pool_wait,
        )?;
        let vault = Arc::new(Vault::new(config.master_key.clone(), clock.clone()));
        let credentials = CredentialStore::new(config.credentials.clone(), vault.clone(), clock.clone());
        let credentials = Arc::new(credentials);
        Ok(Self(Arc::new(Parts {
            cells: Cells::new(config.clone(), trust.clone()),
            backends: Registry::new(drivers, databases.pool_targets),
            catalogs: Catalogs::default(),
            tenancy: Tenancy::new(config.clone(), control.clone(), credentials.clone(), clock.clone()),
            vault,
            credentials,
            passwords: Passwords::default(),
            opened_keys: OpenedKeys::default(),
            config,
            clock,
            random,
            control,
            trust,
        })))
    }

    /// Where a project's data requests go, and as which login: the cell's shared one, or at level `database` the
    /// project's own.
    ///
    /// # Errors
    /// When the backend is of a kind this version does not serve, or its password cannot be opened.
    pub async fn data_target(&self, project: &Project, backend: &ProjectBackend) -> Result<Target> {
        if let Some(external) = self.tenancy.external(project).await? {
            return Ok(self.external_target(external, backend));
        }
        let (Tier::Managed, Some(isolation), Some(cell)) = (backend.tier, backend.isolation, &backend.cell) else {
            return Err(Error::new(
                crate::error::ErrorKind::Unsupported,
                "backend/unsupported",
                "This kind of backend is not served yet",
            ));
        };
        let databases = &self.config.databases;
        let address: Address = match isolation {
            Isolation::Schema => self.cells.shared_address(cell)?,
            Isolation::Database => {
                let envelope = backend
                    .login
                    .as_ref()
                    .ok_or_else(|| Error::internal("the backend has no login"))?;
                // Boxed: with a fetch of the key in it, the future has many layers.
                let password = Box::pin(self.vault.open_text(Some(project.id), envelope)).await?;
                let own = project.names().own();
                databases.control.beside(
                    &cell.host,
                    cell.port,
                    own.as_str(),
                    own.as_str(),
                    Login::Password(password),
                )
            }
        };
        Ok(self.own_target(address))
    }

    /// Where a project's catalog is read by work of the platform's own: a cell's system tables tell this function's own cell
    /// login what is there, without a right to any tenant's tables and without a project's password.
    ///
    /// # Errors
    /// As [`App::data_target`].
    pub async fn catalog_target(&self, project: &Project, backend: &ProjectBackend) -> Result<Target> {
        let (Tier::Managed, Some(Isolation::Database), Some(cell)) = (backend.tier, backend.isolation, &backend.cell)
        else {
            // An external one, or the cell's shared database, which is reached with this function's own login.
            return self.data_target(project, backend).await;
        };
        Ok(self.own_target(self.cells.named_address(cell, &project.names().own())?))
    }

    fn own_target(&self, address: Address) -> Target {
        let databases = &self.config.databases;
        Target {
            engine: Engine::Postgres,
            address,
            trust: self.trust.clone(),
            connections: databases.pool_size,
            queue: databases.pool_queue,
            wait: databases.pool_wait,
            pooler: databases.pooler,
            owner: None,
            api: None,
        }
    }

    fn external_target(&self, external: &External, backend: &ProjectBackend) -> Target {
        let databases = &self.config.databases;
        Target {
            engine: engine(external.family),
            address: external.address.clone(),
            trust: external.trust.as_ref().unwrap_or(&self.trust).clone(),
            connections: databases.pool_size,
            queue: databases.pool_queue,
            wait: databases.pool_wait,
            pooler: external.pooler || databases.pooler,
            owner: Some(backend.id),
            api: external.api.clone(),
        }
    }

    /// A database that is tried before it is taken.
    pub(crate) fn tried_target(&self, family: Family, address: Address, trust: Trust) -> Target {
        Target {
            engine: engine(family),
            address,
            trust,
            connections: 1,
            queue: 0,
            wait: self.config.databases.pool_wait,
            pooler: false,
            owner: None,
            api: None,
        }
    }
}

/// Which driver speaks to it.
fn engine(family: Family) -> Engine {
    match family {
        Family::Postgres => Engine::Postgres,
        Family::Cockroach => Engine::Cockroach,
        Family::MySql => Engine::MySql,
        Family::Rest => Engine::Rest,
    }
}
