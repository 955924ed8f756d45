//! The port to tenants' data. Services speak to these traits; a driver implements what its engine can; only a `main.rs`
//! names a driver.

mod bulk;
mod catalogs;
pub mod failure;
mod registry;
mod sql;

pub use bulk::{Bound, Bulk, BulkScope, BulkTransaction, Intake, Sink, Taker, TextRow};
pub use catalogs::Catalogs;
pub use registry::{Registry, Target};
pub use sql::{Column, Ran, Script, ScriptScope, Sql};

/// How drivers of the Postgres family open and keep connections.
pub use crate::config::{Address, Login, Tls};
pub use crate::control::{Client, Database, NoClient, api, dial, iam, is_denied, outbound};
pub use crate::tenancy::Routine;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, Ref};
use crate::query::openapi::Visible;
use crate::query::{Counts, Feature, Plan};
use crate::schema::catalog::{Catalog, Declared, Settings};
use crate::schema::details::Details;
use crate::sensitive::Sensitive;

/// A boxed future, which keeps the port usable as `dyn`.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of database server, by the language it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// PostgreSQL and what speaks its protocol.
    Postgres,
    /// CockroachDB: PostgreSQL's protocol, where any transaction may have to be run anew.
    Cockroach,
    /// MySQL and MariaDB.
    MySql,
    /// HTTP and JSON, as a map of resources tells.
    Rest,
}

/// Makes [`Records`] for one engine.
pub trait Driver: Send + Sync {
    /// What it speaks.
    fn engine(&self) -> Engine;

    /// A handle on one target. Connects nothing yet.
    ///
    /// # Errors
    /// When the target's settings make no sense to this driver.
    fn open(&self, target: &Target) -> Result<Arc<dyn Records>>;

    /// Tries a connection that is kept for nobody, and looks at what is in that schema.
    ///
    /// Errors: `outbound/forbidden` (403), `outbound/unknown-host` (422), `external/timeout` (504),
    /// `external/unreachable` and `external/tls` (502), `external/credentials` and `external/no-such-database` (422).
    fn probe<'a>(&'a self, _target: &'a Target, _schema: &'a Ident) -> Fut<'a, Result<Probed>> {
        Box::pin(async {
            let message = "This kind of database cannot be tried by its driver";
            Err(Error::new(ErrorKind::Unsupported, "backend/no-probe", message))
        })
    }
}

/// What was found in a database that was tried.
#[derive(Debug, Clone, Default)]
pub struct Probed {
    /// What is there.
    pub catalog: Catalog,
    /// The server's own guess at the rows of each table.
    pub rows: BTreeMap<String, i64>,
}

/// Where in a database a project's tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project.
    pub reference: Ref,
    /// The exposed schema.
    pub schema: Ident,
    /// Schemas that names are looked up in after the exposed one.
    pub extra_search_path: Vec<Ident>,
    /// A role that may use the schema: the catalog is read as this one; `None`: as the login itself.
    pub reader: Option<Ident>,
    /// Whether the database carries our version row (managed and dedicated backends do).
    pub versioned: bool,
    /// Where it does not: the project's version. What was remembered at another one is forgotten.
    pub generation: i64,
    /// What the database does not say itself.
    pub declared: Declared,
}

/// Whom callers are in the database.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// A publishable key alone; `None`: it is not let in.
    pub anyone: Option<Ident>,
    /// A signed-in user.
    pub signed_in: Option<Ident>,
    /// A secret key; `None`: the login itself.
    pub secret: Option<Ident>,
}

/// The columns of each index, by table.
pub type Indexes = BTreeMap<String, Vec<Vec<String>>>;

/// A catalog and the schema version it was read at (0 where there is none).
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What is there.
    pub catalog: Catalog,
    /// The version of the tables; it moves with every change we make.
    pub version: i64,
}

/// As whom, with which settings and until when a plan runs. All of it is local to one transaction.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Where.
    pub place: Place,
    /// The database role to take; `None`: the login's own.
    pub role: Option<Ident>,
    /// Whether nobody is signed in: a refused right is then 401, not 403.
    pub anonymous: bool,
    /// `request.jwt.claims`, JSON.
    pub claims: String,
    /// `request.method`.
    pub method: String,
    /// `request.path`.
    pub path: String,
    /// `request.headers`, JSON; without credentials where tenants' code is not alone.
    pub headers: String,
    /// What a user's own database is told beside.
    pub own: Option<OwnSettings>,
    /// `app.tenant_id`.
    pub tenant: String,
    /// What the database's owner has set for the role and the function at work.
    pub defaults: Settings,
    /// `timezone`, when the client asks for one.
    pub timezone: Option<String>,
    /// The control and schema versions the plan was made on; checked at the end where the place is versioned.
    pub versions: (i64, i64),
    /// Whether the transaction may not write.
    pub read_only: bool,
    /// Whether it is rolled back at the end although nothing failed (`Prefer: tx=rollback`).
    pub rollback: bool,
    /// A random text that marks what the SQL itself asserts.
    pub marker: String,
    /// Longest time the statements may take.
    pub deadline: Duration,
}

impl Scope {
    /// The value of the setting `role`.
    pub fn role_setting(&self) -> &str {
        self.role.as_ref().map_or(NO_ROLE, Ident::as_str)
    }
}

/// The value of the setting `role` that leaves the login itself at work. No role can have this name.
pub const NO_ROLE: &str = "none";

/// What PostgREST tells a database that is the user's own, and the function it calls before each query.
#[derive(Debug, Clone, Default)]
pub struct OwnSettings {
    /// `request.cookies`, JSON.
    pub cookies: String,
    /// The project's own settings: a JSON object of texts. They may hold secrets.
    pub app: Sensitive,
    /// Runs in the request's transaction, as its role, before the query; what it raises is the request's error.
    pub pre_request: Option<Routine>,
}

/// The code of the error that a plan made on an older version ends with. Nothing has happened then: plan anew, run once
/// more.
pub const STALE: &str = "PL001";

/// The code of the error when the server does not let the target's login in, or has no such database: what is known of
/// the target is out of date, or somebody changed its password.
pub const REFUSED: &str = "backend/refused";

/// Reads catalogs and runs plans.
pub trait Records: Send + Sync {
    /// What this kind of database can do. All else is refused with [`Feature::refused`] before anything is sent.
    fn capabilities(&self) -> &'static [Feature];

    /// What is there now, with its version, read together, within `deadline`.
    fn catalog<'a>(&'a self, place: &'a Place, deadline: Duration) -> Fut<'a, Result<Snapshot>>;

    /// Whether a plan made on `scope.versions` would still be one on the present state. For what the plan alone
    /// refuses: a table that is not in a remembered catalog may be there by now.
    ///
    /// Errors: [`STALE`] when keys, settings or tables have moved on; else as [`Records::run`]. A place without versions
    /// is always current.
    fn check<'a>(&'a self, scope: &'a Scope) -> Fut<'a, Result<()>>;

    /// What the scope's role may use of the exposed schema.
    ///
    /// Errors: as [`Records::run`] for a read.
    fn visible<'a>(&'a self, scope: &'a Scope) -> Fut<'a, Result<Visible>>;

    /// Runs a plan in one transaction. No byte of the outcome is handed on before the commit has succeeded.
    ///
    /// Errors: [`STALE`] when the plan is older than the backend; nothing has happened then. The engine's errors as the
    /// client may see them, in a versioned place only when the plan was current. `PGRST003` when no connection comes free
    /// in time, `PGRST001` when there is none to be had, [`REFUSED`]. `records/deadline` when a read takes too long,
    /// `records/outcome-unknown` when nobody heard whether a write was committed.
    fn run<'a>(&'a self, scope: &'a Scope, plan: &'a Plan) -> Fut<'a, Result<Counts>>;

    /// The columns of each index of the place's tables, by table; an index over expressions or some of the rows is left
    /// out. Asked for to verify a design, not by requests.
    ///
    /// Errors: as [`Records::catalog`]; `backend/no-indexes` for an engine that does not tell.
    fn indexes<'a>(&'a self, _place: &'a Place, _deadline: Duration) -> Fut<'a, Result<Indexes>> {
        Box::pin(async {
            let message = "This kind of database does not tell its indexes";
            Err(Error::new(ErrorKind::Unsupported, "backend/no-indexes", message))
        })
    }

    /// What the catalog leaves out, as far as the engine tells, with what those roles are allowed. Asked for to describe a
    /// backend, not by requests.
    ///
    /// Errors: as [`Records::catalog`].
    fn details<'a>(&'a self, _place: &'a Place, _roles: &'a Roles, _deadline: Duration) -> Fut<'a, Result<Details>> {
        Box::pin(async { Ok(Details::default()) })
    }

    /// What runs statements of our own making there, over any number of rows.
    fn bulk(&self) -> Option<&dyn Bulk> {
        None
    }

    /// What runs scripts there, where the engine has a language for them.
    fn sql(&self) -> Option<&dyn Sql> {
        None
    }
}
