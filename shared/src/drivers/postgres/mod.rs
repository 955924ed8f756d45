#![doc = include_str!("README.md")]

mod bulk;
mod connect;
mod error;
mod execute;
mod introspect;
mod pipeline;
mod settings;
mod sql;
mod statements;
mod text;
mod visible;

use std::sync::Arc;

use connect::Pool;

use crate::backend::{
    Bulk, BulkScope, BulkTransaction, Driver, Engine, Fut, Indexes, Place, Ran, Records, Roles, Scope, Script,
    ScriptScope, Snapshot, Sql, Target,
};
use crate::error::Result;
use crate::query::openapi::Visible;
use crate::query::postgres::OF_COCKROACH;
use crate::query::{Counts, Feature, Plan};
use crate::schema::details::Details;

/// The driver, to be registered by a `main.rs`.
pub fn driver() -> Arc<dyn Driver> {
    Arc::new(Postgres(Kin::Postgres))
}

/// The same driver for CockroachDB.
pub fn cockroach() -> Arc<dyn Driver> {
    Arc::new(Postgres(Kin::Cockroach))
}

/// Speaks to PostgreSQL, or to what is like it.
#[derive(Debug)]
struct Postgres(Kin);

/// What is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kin {
    Postgres,
    /// Transactions are serializable and may have to be run anew; some of PostgreSQL's settings are not known.
    Cockroach,
}

impl Driver for Postgres {
    fn engine(&self) -> Engine {
        match self.0 {
            Kin::Postgres => Engine::Postgres,
            Kin::Cockroach => Engine::Cockroach,
        }
    }

    fn open(&self, target: &Target) -> Result<Arc<dyn Records>> {
        Ok(Arc::new(Pool::new(target, self.0)?))
    }
}

impl Records for Pool {
    fn capabilities(&self) -> &'static [Feature] {
        match self.kin {
            Kin::Postgres => &Feature::ALL,
            Kin::Cockroach => OF_COCKROACH,
        }
    }

    fn catalog<'a>(&'a self, place: &'a Place, deadline: std::time::Duration) -> Fut<'a, Result<Snapshot>> {
        Box::pin(introspect::catalog(self, place, deadline))
    }

    fn indexes<'a>(&'a self, place: &'a Place, deadline: std::time::Duration) -> Fut<'a, Result<Indexes>> {
        Box::pin(introspect::indexes(self, place, deadline))
    }

    fn details<'a>(
        &'a self,
        place: &'a Place,
        roles: &'a Roles,
        deadline: std::time::Duration,
    ) -> Fut<'a, Result<Details>> {
        match self.kin {
            Kin::Postgres => Box::pin(introspect::details(self, place, roles, deadline)),
            // Its system tables lack half of what is asked for.
            Kin::Cockroach => Box::pin(async { Ok(Details::default()) }),
        }
    }

    fn check<'a>(&'a self, scope: &'a Scope) -> Fut<'a, Result<()>> {
        Box::pin(execute::check(self, scope))
    }

    fn visible<'a>(&'a self, scope: &'a Scope) -> Fut<'a, Result<Visible>> {
        Box::pin(visible::visible(self, scope))
    }

    fn run<'a>(&'a self, scope: &'a Scope, plan: &'a Plan) -> Fut<'a, Result<Counts>> {
        Box::pin(execute::run(self, scope, plan))
    }

    fn bulk(&self) -> Option<&dyn Bulk> {
        Some(self)
    }

    fn sql(&self) -> Option<&dyn Sql> {
        // Scripts are cut and judged by PostgreSQL's own grammar.
        (self.kin == Kin::Postgres).then_some(self as &dyn Sql)
    }
}

impl Bulk for Pool {
    fn begin<'a>(&'a self, scope: &'a BulkScope) -> Fut<'a, Result<Box<dyn BulkTransaction>>> {
        Box::pin(bulk::begin(self, scope))
    }
}

impl Sql for Pool {
    fn run<'a>(&'a self, scope: &'a ScriptScope, script: Script<'a>) -> Fut<'a, Result<Ran>> {
        Box::pin(sql::run(self, scope, script))
    }
}
