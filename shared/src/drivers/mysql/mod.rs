#![doc = include_str!("README.md")]

mod bulk;
mod connect;
mod details;
mod error;
mod execute;
mod introspect;
mod text;
mod visible;
mod write;

use std::sync::Arc;

use connect::Pool;

use crate::backend::{
    Bulk, BulkScope, BulkTransaction, Driver, Engine, Fut, Indexes, Place, Probed, Records, Roles, Scope, Snapshot,
    Target,
};
use crate::error::Result;
use crate::ident::Ident;
use crate::query::openapi::Visible;
use crate::query::{self, Counts, Feature, Plan};
use crate::schema::details::Details;

/// The driver, to be registered by a `main.rs`.
pub fn driver() -> Arc<dyn Driver> {
    Arc::new(MySql)
}

/// Speaks to MariaDB and MySQL.
#[derive(Debug)]
struct MySql;

impl Driver for MySql {
    fn engine(&self) -> Engine {
        Engine::MySql
    }

    fn open(&self, target: &Target) -> Result<Arc<dyn Records>> {
        Ok(Arc::new(Pool::new(target)?))
    }

    fn probe<'a>(&'a self, target: &'a Target, schema: &'a Ident) -> Fut<'a, Result<Probed>> {
        Box::pin(introspect::probe(target, schema))
    }
}

impl Records for Pool {
    fn capabilities(&self) -> &'static [Feature] {
        query::mysql::CAPABILITIES
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
        _: &'a Roles,
        deadline: std::time::Duration,
    ) -> Fut<'a, Result<Details>> {
        Box::pin(details::details(self, place, deadline))
    }

    fn check<'a>(&'a self, _: &'a Scope) -> Fut<'a, Result<()>> {
        // There are no versions in a user's own database.
        Box::pin(async { Ok(()) })
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
}

impl Bulk for Pool {
    fn begin<'a>(&'a self, scope: &'a BulkScope) -> Fut<'a, Result<Box<dyn BulkTransaction>>> {
        Box::pin(bulk::begin(self, scope))
    }
}
