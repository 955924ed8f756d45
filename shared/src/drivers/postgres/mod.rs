#![doc = include_str!("README.md")]

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
    Driver, Engine, Fut, Indexes, Place, Ran, Records, Scope, Script, ScriptScope, Snapshot, Sql, Target,
};
use crate::error::Result;
use crate::query::openapi::Visible;
use crate::query::{Counts, Feature, Plan};

/// The driver, to be registered by a `main.rs`.
pub fn driver() -> Arc<dyn Driver> {
    Arc::new(Postgres)
}

/// Speaks to PostgreSQL.
#[derive(Debug)]
struct Postgres;

impl Driver for Postgres {
    fn engine(&self) -> Engine {
        Engine::Postgres
    }

    fn open(&self, target: &Target) -> Result<Arc<dyn Records>> {
        Ok(Arc::new(Pool::new(target)?))
    }
}

impl Records for Pool {
    fn capabilities(&self) -> &'static [Feature] {
        &Feature::ALL
    }

    fn catalog<'a>(&'a self, place: &'a Place, deadline: std::time::Duration) -> Fut<'a, Result<Snapshot>> {
        Box::pin(introspect::catalog(self, place, deadline))
    }

    fn indexes<'a>(&'a self, place: &'a Place, deadline: std::time::Duration) -> Fut<'a, Result<Indexes>> {
        Box::pin(introspect::indexes(self, place, deadline))
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

    fn sql(&self) -> Option<&dyn Sql> {
        Some(self)
    }
}

impl Sql for Pool {
    fn run<'a>(&'a self, scope: &'a ScriptScope, script: Script<'a>) -> Fut<'a, Result<Ran>> {
        Box::pin(sql::run(self, scope, script))
    }
}
