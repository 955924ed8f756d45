//! Where a backend's tables are, and the connection that changes them.

use std::ops::{Deref, DerefMut};

use uuid::Uuid;

use crate::app::App;
use crate::control::dial::dial;
use crate::control::{self, Client, unavailable};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident, Ref};
use crate::schema::ddl::{Context, Helpers, Roles};
use crate::schema::known::Known;
use crate::tenancy::{Cell, Isolation, Names, Project, ProjectAccess, ProjectBackend, Tier, not_found};
use std::sync::Arc;

/// Sessions that do not know the project's owner, which one change leaves behind before it goes on with what it has.
const MOST_FORGETFUL: u32 = 5;

/// A managed backend, seen by the designer.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) id: BackendId,
    pub(super) reference: Ref,
    pub(super) trash: Ident,
    schema: Ident,
    roles: Roles,
    helpers: Helpers,
    isolation: Isolation,
    cell: Cell,
    project: Arc<Project>,
}

impl Site {
    /// The project's backend, if it is that one and ready.
    pub(super) async fn find(app: &App, access: &ProjectAccess, id: BackendId) -> Result<Self> {
        let project = app.tenancy.refresh(access.reference()).await?;
        if project.id != access.project() {
            return Err(not_found());
        }
        Self::of(project, id)
    }

    /// That backend of a project, if it is ready.
    pub(super) fn of(project: Arc<Project>, id: BackendId) -> Result<Self> {
        let backend = project.ready_backend()?;
        if backend.id != id {
            return Err(not_found());
        }
        let (Tier::Managed, Some(isolation), Some(cell)) = (backend.tier, backend.isolation, backend.cell.clone())
        else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "backend/unsupported",
                "Tables of this kind of backend cannot be designed yet",
            ));
        };
        let names = Names(&project.reference);
        let auth = match isolation {
            Isolation::Schema => Ident::fixed("plinth"),
            Isolation::Database => names.auth(isolation),
        };
        Ok(Self {
            id,
            reference: project.reference.clone(),
            trash: names.trash(isolation),
            schema: names.schema(isolation),
            roles: Roles {
                owner: names.owner(),
                service: names.service(),
                authenticated: names.authenticated(),
                anon: names.anon(),
            },
            helpers: Helpers {
                auth,
                triggers: Ident::fixed("plinth"),
                trash: names.trash(isolation),
            },
            isolation,
            cell,
            project,
        })
    }

    /// What designs are rendered for.
    pub(super) fn context<'a>(&'a self, known: &'a Known) -> Context<'a> {
        Context {
            schema: &self.schema,
            roles: &self.roles,
            helpers: &self.helpers,
            known,
        }
    }

    /// The schema of the project's tables.
    pub(super) fn schema(&self) -> &Ident {
        &self.schema
    }

    /// The role that owns the project's objects.
    pub(super) fn owner(&self) -> &Ident {
        &self.roles.owner
    }

    /// Where a deleted table waits: a name that no other table ever has.
    pub(super) fn moved(&self, table: Uuid) -> Result<Ident> {
        Ident::new(format!("t_{}", table.simple()))
    }

    /// Whether the session knows that its login may be the tables' owner, see [`control::is_denied`]. Once it does it
    /// always will.
    async fn may_own(&self, client: &mut Client) -> Result<bool> {
        // Rolled back however this ends: others get the session next.
        let transaction = client.transaction().await.map_err(control::failure)?;
        let sql = format!("set local role {}", self.owner().quoted());
        match transaction.batch_execute(&sql).await {
            Ok(()) => Ok(true),
            Err(error) if control::is_denied(&error) => Ok(false),
            Err(error) => Err(control::failure(error)),
        }
    }

    /// A connection to the database that has the tables, with the login that may change them.
    pub(super) async fn connect(&self, app: &App) -> Result<Connection> {
        match self.isolation {
            Isolation::Schema => {
                let database = app.cells.of_project(&self.cell, &self.reference, self.isolation)?;
                let mut client = database.get().await?;
                for _ in 0..MOST_FORGETFUL {
                    if self.may_own(&mut client).await? {
                        break;
                    }
                    client.discard();
                    client = database.get().await?;
                }
                Ok(Connection::Shared(client))
            }
            Isolation::Database => {
                let backend: &ProjectBackend = self.project.ready_backend()?;
                let target = app.data_target(&self.project, backend).await?;
                // A connection of its own: tenants' code may leave a session dirty, and changes are rare.
                let client = dial(&target.address, &target.trust).await.map_err(unavailable)?;
                Ok(Connection::Own(client))
            }
        }
    }
}

/// A connection for one change.
pub(super) enum Connection {
    /// The provisioning login's, in the shared database.
    Shared(Client),
    /// The project's own login's.
    Own(tokio_postgres::Client),
}

impl Deref for Connection {
    type Target = tokio_postgres::Client;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Shared(client) => client,
            Self::Own(client) => client,
        }
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Shared(client) => client,
            Self::Own(client) => client,
        }
    }
}
