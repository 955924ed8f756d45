//! What is asked about a person: a copy of their data, or that it goes.
//!
//! A request's row is the one place that says who a job is about. Jobs, their results, audit entries and receipts name the
//! request, and an erasure empties the row.

mod resolve;
mod store;
mod who;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::ident::{ProjectId, UserId};

pub use who::{AskedSubject, NamedSubject, Who};

pub(crate) use resolve::{not_found, person_of, resolve, subject_of};
pub(crate) use store::{About, confirm, create, find, receipt_hash, sweep};

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A copy of the person's data.
    Export,
    /// That it goes.
    Erasure,
}

impl Kind {
    /// The name in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Export => "export",
            Self::Erasure => "erasure",
        }
    }
}

/// Whose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Somebody who signs in to the platform itself.
    PlatformUser,
    /// Somebody who uses a project's app.
    EndUser,
}

impl Scope {
    /// The name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PlatformUser => "platform-user",
            Self::EndUser => "end-user",
        }
    }
}

/// A request to be kept.
#[derive(Debug, Clone)]
pub struct NewRequest<'a> {
    /// Its id.
    pub id: Uuid,
    /// What is asked for.
    pub kind: Kind,
    /// Whose data.
    pub scope: Scope,
    /// In which project; none for a platform user's.
    pub project: Option<ProjectId>,
    /// Who it is about.
    pub subject: &'a Who,
    /// What an erasure would do; nothing personal.
    pub plan: Option<&'a Value>,
    /// SHA-256 of what confirms it.
    pub token_hash: Option<Vec<u8>>,
    /// SHA-256 of what lets the person fetch what came of it.
    pub receipt_hash: Option<Vec<u8>>,
    /// The job that does it, if it is known already.
    pub job: Option<Uuid>,
    /// Whether the person asked themselves.
    pub own: bool,
    /// The platform user who asked.
    pub by: Option<UserId>,
    /// Until when it may be confirmed; none when it needs no confirmation.
    pub expires_at: Option<Timestamp>,
}

/// A request as it is kept.
#[derive(Debug, Clone)]
pub struct Request {
    /// Its id.
    pub id: Uuid,
    /// What is asked for.
    pub kind: Kind,
    /// Whose data.
    pub scope: Scope,
    /// In which project.
    pub project: Option<ProjectId>,
    /// Who it is about; none once they are erased.
    pub subject: Option<Who>,
    /// What an erasure would do.
    pub plan: Option<Value>,
    /// SHA-256 of what confirms it.
    pub token_hash: Option<Vec<u8>>,
    /// SHA-256 of each token that lets somebody fetch what came of it, one after the other.
    pub receipt_hash: Option<Vec<u8>>,
    /// The job that does it; none before it is confirmed.
    pub job: Option<Uuid>,
    /// Whether the person asked themselves.
    pub own: bool,
    /// The platform user who asked.
    pub by: Option<UserId>,
    /// When.
    pub created_at: Timestamp,
    /// Until when it may be confirmed; none once it is.
    pub expires_at: Option<Timestamp>,
}

impl Request {
    /// All requests about the person that it is about.
    pub(crate) fn about<'a>(&self, who: &'a Who) -> About<'a> {
        About {
            scope: self.scope,
            project: self.project,
            who,
        }
    }
}
