//! Every function's routes on one port.

use axum::Router;
use plinth::clock::{SharedClock, SystemRandom};
use plinth::web::{Routes, around, mount};
use std::sync::Arc;

use crate::error::Result;
use crate::platform::{Function, Platform};

/// The functions that answer HTTP, and their routes.
pub fn functions() -> [(Function, Routes); 11] {
    [
        (Function::Projects, projects::routes()),
        (Function::Provision, provision::routes()),
        (Function::Tables, tables::routes()),
        (Function::Records, records::routes()),
        (Function::Sql, sql::routes()),
        (Function::Auth, auth::routes()),
        (Function::Connections, connections::routes()),
        (Function::ConnectionTest, connection_test::routes()),
        (Function::GenerateDocs, generate_docs::routes()),
        (Function::GdprExport, gdpr_export::routes()),
        (Function::GdprDelete, gdpr_delete::routes()),
    ]
}

/// One router of all of them, each with its own logins.
///
/// # Errors
/// As [`Platform::app`].
pub fn router(platform: &Platform, clock: &SharedClock) -> Result<Router> {
    let mut merged = Router::new();
    for (function, routes) in functions() {
        merged = merged.merge(mount(routes, platform.app_at(function, clock.clone())?));
    }
    Ok(around(merged, Arc::new(SystemRandom)))
}
