#![doc = include_str!("README.md")]

mod connect;
mod error;
mod execute;
mod introspect;

use std::sync::Arc;
use std::time::Duration;

use connect::Site;

use crate::backend::{Driver, Engine, Fut, Place, Probed, Records, Scope, Snapshot, Target};
use crate::error::Result;
use crate::ident::Ident;
use crate::query::openapi::Visible;
use crate::query::{self, Counts, Feature, Plan};

/// The driver, to be registered by a `main.rs`.
pub fn driver() -> Arc<dyn Driver> {
    Arc::new(Rest)
}

/// Speaks to REST APIs.
#[derive(Debug)]
struct Rest;

impl Driver for Rest {
    fn engine(&self) -> Engine {
        Engine::Rest
    }

    fn open(&self, target: &Target) -> Result<Arc<dyn Records>> {
        Ok(Arc::new(Site::new(target).map_err(error::read)?))
    }

    fn probe<'a>(&'a self, target: &'a Target, _: &'a Ident) -> Fut<'a, Result<Probed>> {
        Box::pin(introspect::probe(target))
    }
}

impl Records for Site {
    fn capabilities(&self) -> &'static [Feature] {
        query::rest::CAPABILITIES
    }

    fn catalog<'a>(&'a self, place: &'a Place, deadline: Duration) -> Fut<'a, Result<Snapshot>> {
        Box::pin(introspect::catalog(self, place, deadline))
    }

    fn check<'a>(&'a self, _: &'a Scope) -> Fut<'a, Result<()>> {
        // There are no versions in a user's own API.
        Box::pin(async { Ok(()) })
    }

    fn visible<'a>(&'a self, scope: &'a Scope) -> Fut<'a, Result<Visible>> {
        Box::pin(introspect::visible(self, scope))
    }

    fn run<'a>(&'a self, scope: &'a Scope, plan: &'a Plan) -> Fut<'a, Result<Counts>> {
        Box::pin(execute::run(self, scope, plan))
    }
}
