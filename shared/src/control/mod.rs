//! The control database, and every other Postgres that is ours: connections, parameters, migrations.
//!
//! Tenants' data is never touched from here; that is the drivers' work.

pub mod api;
#[cfg(feature = "aws")]
pub mod aws;
mod certificate;
mod cluster;
pub mod dial;
pub mod fetch;
pub mod iam;
mod migrations;
#[cfg(feature = "mysql")]
pub mod mysql;
pub mod outbound;
pub mod page;
mod param;
mod pool;
mod scram;
pub mod staged;
mod trust;

pub use cluster::{CELL_DATABASE, CELL_TEMPLATE, FunctionLogins, prepare_cell, prepare_control, register_cell};
pub use migrations::{accounts_ddl, cell_ddl, migrate_control};
pub use param::{Param, bytes, int4, int8, json, text, texts, time, uuid};
pub use pool::{Client, Database, NoClient};
pub use scram::scram_verifier;

use tokio_postgres::error::SqlState;

use crate::error::{Error, ErrorKind};

/// What a failed statement of ours means: trouble reaching the database is a 503, the rest is our fault.
///
/// Where a constraint has a meaning to the caller, the store asks [`violates`] first.
pub fn failure(error: tokio_postgres::Error) -> Error {
    let away = match error.code() {
        None => error.is_closed() || error.as_db_error().is_none(),
        Some(state) => {
            matches!(&state.code()[..2], "08" | "53")
                || [
                    SqlState::ADMIN_SHUTDOWN,
                    SqlState::CRASH_SHUTDOWN,
                    SqlState::CANNOT_CONNECT_NOW,
                ]
                .contains(state)
        }
    };
    if away {
        unavailable(error)
    } else {
        Error::internal(error)
    }
}

/// The control database (or a cell) cannot be reached just now.
pub fn unavailable(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        "database/unavailable",
        "The database cannot be reached right now",
    )
    .with_hint("Try again in a moment")
    .with_retry_after(1)
    .with_source(source)
}

/// Whether the statement failed on that constraint or unique index.
pub fn violates(error: &tokio_postgres::Error, constraint: &str) -> bool {
    error.as_db_error().and_then(|db| db.constraint()) == Some(constraint)
}

/// Whether the login may not do that, or not take that role.
///
/// Of a role that was granted it says nothing for good: a session that looks up its login's roles while a grant is
/// committed remembers them as they were before, until roles are changed again. A new session knows better.
pub fn is_denied(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE)
}
