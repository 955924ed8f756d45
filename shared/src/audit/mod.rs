//! The audit log: one row per change of the control plane, in that change's own transaction.
//!
//! Entries form a chain per project, and one for the platform: each covers the hash of the one before. Who and from where
//! are kept apart and go into the chain as salted digests, so that a person, or an address past its term, can be
//! forgotten and the chain still [verifies](verify()).

mod export;
mod log;
mod retention;
mod store;
mod verify;

pub(crate) use export::inert;
pub use export::{Export, Format, export};
pub use log::{AuditEntry, Chain, Filter, Listed, list};
pub use retention::forget_addresses;
pub use store::record;
pub use verify::{Anchor, Fault, Verified, verify};

use serde_json::Value;

use crate::ident::ProjectId;
use crate::tenancy::{Caller, RequestInfo};

/// What happened, to what, by whom.
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// The project whose chain it joins; none for the platform's own.
    pub project: Option<ProjectId>,
    /// `area.verb`: `keys.rotate`, `tables.create`.
    pub action: &'static str,
    /// The id or name of what was changed.
    pub target: String,
    /// What else is worth keeping. Never a secret, never personal data.
    pub details: Value,
    /// Who, as `user:<id>`, `end-user:<id>` (of the project), `key:<id>` or `system:<what>`; kept apart from the chain.
    pub actor: String,
    /// In which request.
    pub request: &'a RequestInfo,
}

impl<'a> Entry<'a> {
    /// An entry by a platform user.
    pub fn by(caller: &'a Caller, project: Option<ProjectId>, action: &'static str, target: impl ToString) -> Self {
        Self {
            project,
            action,
            target: target.to_string(),
            details: Value::Null,
            actor: format!("user:{}", caller.user.id),
            request: &caller.request,
        }
    }

    /// An entry by work of the platform's own: `system:purge`.
    pub fn by_system(
        actor: &'static str,
        request: &'a RequestInfo,
        project: Option<ProjectId>,
        action: &'static str,
        target: impl ToString,
    ) -> Self {
        Self {
            project,
            action,
            target: target.to_string(),
            details: Value::Null,
            actor: format!("system:{actor}"),
            request,
        }
    }

    /// Adds details.
    #[must_use]
    pub fn with(mut self, details: Value) -> Self {
        self.details = details;
        self
    }
}
