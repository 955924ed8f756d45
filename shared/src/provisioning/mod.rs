//! Makes, restores and removes managed backends.
//!
//! A backend is born in three movements. *Reserve*, one control transaction: a cell with room is chosen, its counter
//! moved, a row written in state `provisioning`. *Build*, in the cell: at level `schema` one transaction, at level
//! `database` a few steps, because `create database` has no transaction. *Record*, one control transaction that holds
//! the row's lock since before the build: signing key, first keys, tables, audit, state `ready`.
//!
//! What fails is taken back. What dies half-way leaves a row in state `provisioning`: nobody was ever let in, so the next
//! call clears the ruins and builds again. Two calls at once wait for each other on the row.
//!
//! **The login decides**, here too: no session of our logins ever runs what a tenant wrote. After a database of its own
//! is open to its tenant, the provisioning login only drops it or changes what is ours in it.

mod cell;
pub mod external;
mod manage;
mod migrate;
mod provision;
mod render;
mod restore;
mod steps;
mod store;

pub use external::ExternalBackend;
pub use manage::{Found, deprovision, drop_backend, drop_backends, find, purge_backend, reload};
pub use migrate::{Report, migrate, upgrade_backends};
pub use provision::provision;
#[cfg(feature = "testing")]
pub use provision::provision_disturbed;
pub use restore::restore;
pub use steps::Step;
#[cfg(feature = "testing")]
pub use steps::{Disturb, Disturbance};

use jiff::Timestamp;

use crate::ident::{BackendId, ProjectId, Ref};
use crate::sensitive::Sensitive;
use crate::tenancy::{Cell, Isolation, Names};

/// What of ours a backend made now carries; older ones are raised to it by [`upgrade_backends`].
pub const INSTALLED: i32 = 1;

/// What is asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Request {
    /// How the backend is to be kept apart; `None` takes what there is, or `schema`.
    pub isolation: Option<Isolation>,
}

/// Whether a backend serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Being made, or given up half-way by a process that died; provisioning again completes it.
    Provisioning,
    /// Serves.
    Ready,
    /// Cannot be used; an operator must look.
    Failed,
}

impl State {
    /// The name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Provisioning => "provisioning",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "provisioning" => Self::Provisioning,
            "ready" => Self::Ready,
            _ => Self::Failed,
        }
    }
}

/// A managed backend.
#[derive(Debug, Clone)]
pub struct Backend {
    /// Its id: the `databaseId` of the paths.
    pub id: BackendId,
    /// Its project.
    pub project: ProjectId,
    /// The project's ref.
    pub reference: Ref,
    /// How it is kept apart.
    pub isolation: Isolation,
    /// Whether it serves.
    pub state: State,
    /// Where it lives.
    pub cell: Cell,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was given up; restorable for 30 days from then.
    pub deleted_at: Option<Timestamp>,
}

impl Backend {
    fn names(&self) -> Names<'_> {
        Names(&self.reference)
    }
}

/// How a call to [`provision`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A new backend.
    Made,
    /// The one that was deleted, with its data.
    Restored,
    /// It was there already.
    Found,
}

/// The answer to [`provision`].
#[derive(Debug, Clone)]
pub struct Provisioned {
    /// The one backend of the project.
    pub backend: Backend,
    /// How it came about.
    pub outcome: Outcome,
    /// The project's first keys, if it had none before. Only their hashes are kept: this is the one time they are seen.
    pub keys: Option<FirstKeys>,
}

/// A publishable and a secret key.
#[derive(Debug, Clone)]
pub struct FirstKeys {
    /// For browsers.
    pub publishable: Sensitive,
    /// For servers.
    pub secret: Sensitive,
}
