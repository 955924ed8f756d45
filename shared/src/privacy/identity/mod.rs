//! Who somebody is in the audit log. Entries are never changed: who acted, and from where, is kept apart from the chain as
//! the salt and text behind two digests. Forgetting a person removes those, and every chain still verifies.
//!
//! What an entry is about (`target`) is hashed into the chain and stays. Where that is a person, it is an id that leads
//! nowhere once they are erased; nothing else about people goes into an entry.

mod store;

use serde::Serialize;
use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::Snapshot;
use crate::backend::Sink;
use crate::error::Result;
use crate::ident::{ProjectId, UserId};

/// Entries that are forgotten in one statement.
const BATCH: i64 = 5_000;

/// Somebody who may have acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Person {
    /// A platform user: in the chains of all projects, and in the platform's.
    User(UserId),
    /// An end user: in the chain of their project alone.
    EndUser {
        /// The project.
        project: ProjectId,
        /// The account's id.
        id: Uuid,
    },
}

impl Person {
    /// Their id.
    pub fn id(self) -> Uuid {
        match self {
            Self::User(user) => user.0,
            Self::EndUser { id, .. } => id,
        }
    }

    /// The project whose end user they are.
    pub fn project(self) -> Option<ProjectId> {
        match self {
            Self::User(_) => None,
            Self::EndUser { project, .. } => Some(project),
        }
    }

    /// As an entry names whoever acted: `user:<id>`, `end-user:<id>`.
    pub fn actor(self) -> String {
        match self {
            Self::User(user) => format!("user:{user}"),
            Self::EndUser { id, .. } => format!("end-user:{id}"),
        }
    }
}

/// An entry that a person made, or that is about them.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonalEntry {
    /// When, RFC 3339.
    pub at: String,
    /// In which project's chain; none for the platform's.
    pub project: Option<Uuid>,
    /// `area.verb`.
    pub action: String,
    /// What was changed.
    pub target: Option<String>,
    /// What else was kept.
    pub details: Value,
    /// In which request.
    pub request_id: Option<String>,
    /// Whether they did it themselves. Who else did is not theirs to know.
    pub own: bool,
    /// From where, of their own.
    pub address: Option<String>,
}

/// How many entries name them as who acted.
///
/// # Errors
/// When the database fails.
pub async fn count(executor: &impl GenericClient, person: Person) -> Result<u64> {
    store::count(executor, person).await
}

/// Forgets that it was them, in all entries where they acted: actor and address. How many there were. Reports of the purge,
/// which name accounts that could not be removed, forget them too. For a login of the
/// privacy functions alone, in the caller's transaction.
///
/// # Errors
/// When the database fails.
pub async fn forget(executor: &impl GenericClient, person: Person) -> Result<u64> {
    if let Person::EndUser { id, .. } = person {
        store::forget_in_reports(executor, id).await?;
    }
    let mut forgotten = 0;
    loop {
        let now = store::forget(executor, person, BATCH).await?;
        forgotten += now;
        if now < BATCH.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}

/// Hands all entries that they made or that are about them to `sink`, oldest first: each a [`PersonalEntry`]'s JSON. How many
/// there were.
///
/// # Errors
/// When the database fails; the sink's.
pub async fn entries_of(snapshot: &Snapshot<'_>, person: Person, sink: &mut dyn Sink) -> Result<u64> {
    store::entries_of(snapshot, person, sink).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_user_is_no_platform_user_even_with_the_same_id() {
        let id = Uuid::nil();
        let project = ProjectId(id);
        assert_eq!(Person::User(UserId(id)).actor(), format!("user:{id}"));
        assert_eq!(Person::EndUser { project, id }.actor(), format!("end-user:{id}"));
    }
}
