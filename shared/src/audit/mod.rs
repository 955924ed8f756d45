//! The audit log: one row per change of the control plane, in that change's own transaction.

mod store;

pub use store::{list, record};

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

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
    /// Who, as `user:<id>` or `system:<what>`; kept apart from the chain.
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

/// An entry as its project's owner reads it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its id.
    pub id: Uuid,
    /// Its place in the chain.
    pub sequence: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
    /// `area.verb`.
    pub action: String,
    /// What was changed.
    pub target: Option<String>,
    /// What else was kept.
    pub details: Value,
    /// The request's id.
    pub request_id: Option<String>,
    /// Who; null once the person was erased.
    pub actor: Option<String>,
    /// From where; null once the term is over.
    pub address: Option<String>,
    /// The entry's hash, hex; covers the one before.
    pub hash: String,
}
