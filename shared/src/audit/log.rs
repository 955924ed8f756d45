//! Reading the log.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::control::page::{decode_cursor, encode_cursor, page_limit};
use crate::error::Result;
use crate::ident::ProjectId;
use crate::tenancy::{Operator, ProjectAccess};

/// Which chain is read. Whoever has one of these may read it.
#[derive(Debug, Clone, Copy)]
pub struct Chain(Option<ProjectId>);

impl Chain {
    /// The project's own.
    pub fn of(access: &ProjectAccess) -> Self {
        Self(Some(access.project()))
    }

    /// The platform's, or any project's, one that is long purged included.
    pub fn as_operator(_: &Operator, project: Option<ProjectId>) -> Self {
        Self(project)
    }

    /// The project, if it is one's.
    pub(super) fn project(self) -> Option<ProjectId> {
        self.0
    }

    /// As the database names it: the nil uuid is the platform's.
    pub(super) fn key(self) -> Uuid {
        self.0.map_or(Uuid::nil(), |project| project.0)
    }
}

/// Which entries are wanted: those that all of it fits.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub struct Filter {
    /// What was done: `keys.rotate`, or all of an area: `keys.*`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Who: `user:<id>`, `end-user:<id>`, `system:<what>`, or a user's id alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// What was changed: its id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// In which request (`x-request-id` of its reply).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// From which address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Not before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub since: Option<Timestamp>,
    /// Before this time (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(value_type = Option<String>, format = DateTime)]
    pub until: Option<Timestamp>,
}

/// An entry as those who may read it see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Its id.
    pub id: Uuid,
    /// Its place in the chain, from 1, without gaps.
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
    /// From where; null once the term is over, and for work of the platform's own.
    pub address: Option<String>,
    /// The entry's hash, hex; covers the one before.
    pub hash: String,
}

/// A page of entries.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// The entries, newest first.
    pub entries: Vec<AuditEntry>,
    /// What the next request sends as `cursor`; null behind the last page.
    pub next_cursor: Option<String>,
}

/// A page of a chain's entries, newest first.
///
/// # Errors
/// `http/limit`, `http/cursor`.
pub async fn list(
    app: &App,
    chain: Chain,
    filter: &Filter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Listed> {
    let limit = page_limit(limit)?;
    let before = cursor.map(decode_cursor).transpose()?;
    let mut entries = store::list(app, chain, filter, before, limit + 1).await?;
    let more = i64::try_from(entries.len()).is_ok_and(|found| found > limit);
    if more {
        entries.pop();
    }
    let next_cursor = entries
        .last()
        .filter(|_| more)
        .map(|entry| encode_cursor(&entry.sequence));
    Ok(Listed { entries, next_cursor })
}
