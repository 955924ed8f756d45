//! The port to tenants' data. Services speak to these traits; a driver implements what its engine can; only a `main.rs`
//! names a driver.

mod registry;

pub use registry::{Registry, Target};

/// How drivers of the Postgres family open connections.
pub use crate::config::{Address, Login, Tls};
pub use crate::control::dial;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::error::Result;
use crate::ident::{Ident, Ref};
use crate::query::Plan;
use crate::schema::catalog::Catalog;

/// A boxed future, which keeps the port usable as `dyn`.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A kind of database server, by the language it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Engine {
    /// PostgreSQL and what speaks its protocol.
    Postgres,
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
}

/// Where in a database a project's tables are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The project.
    pub reference: Ref,
    /// The exposed schema.
    pub schema: Ident,
    /// Whether the database carries our version row (managed and dedicated backends do).
    pub versioned: bool,
}

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
    /// The database role to take.
    pub role: Ident,
    /// Whether nobody is signed in: a refused right is then 401, not 403.
    pub anonymous: bool,
    /// `request.jwt.claims`, JSON.
    pub claims: String,
    /// `request.method`.
    pub method: String,
    /// `request.path`.
    pub path: String,
    /// `request.headers`, JSON, without credentials.
    pub headers: String,
    /// `app.tenant_id`.
    pub tenant: String,
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

/// What a plan came to: the reply's body, built in the database, and the numbers its status and headers need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// The body, JSON text.
    pub body: String,
    /// Rows in it, or rows written.
    pub page_rows: i64,
    /// Rows in all, where a count was asked for.
    pub total_rows: Option<i64>,
    /// Rows an upsert inserted rather than updated, where that is known.
    pub inserted: Option<i64>,
    /// The `Location` query of a created row, where asked for.
    pub location: Option<String>,
    /// `response.status`, as a database function set it.
    pub response_status: Option<String>,
    /// `response.headers`, as a database function set it.
    pub response_headers: Option<String>,
}

/// The code of the error that a plan made on an older version ends with. Nothing has happened then: plan anew, run once
/// more.
pub const STALE: &str = "PL001";

/// Reads catalogs and runs plans.
pub trait Records: Send + Sync {
    /// What is there now, with its version, read together.
    fn catalog<'a>(&'a self, place: &'a Place) -> Fut<'a, Result<Snapshot>>;

    /// Runs a plan in one transaction. No byte of the outcome is handed on before the commit has succeeded.
    ///
    /// Errors: [`STALE`] when the plan is older than the backend; the engine's errors as the client may see them;
    /// `PGRST003` when no connection comes free in time, `PGRST001` when there is none to be had; a write whose commit was
    /// not confirmed in time says that its outcome is unknown.
    fn run<'a>(&'a self, scope: &'a Scope, plan: &'a Plan) -> Fut<'a, Result<Rows>>;
}
