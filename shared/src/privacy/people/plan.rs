//! What an erasure of a platform user would do, and what is in its way.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};

/// What becomes of a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// They go.
    Delete,
    /// They stay without the person.
    Anonymise,
}

/// So many rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Counted {
    /// The table of the control database.
    pub table: String,
    /// What becomes of them.
    pub rule: Rule,
    /// How many.
    pub rows: u64,
    /// Why they stay, where they do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// A project that goes with its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnedProject {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it is gone: `at once` for somebody's own database, else `removed by the next purge`.
    pub removed: String,
    /// Members beside the person. They lose it too.
    pub others: u64,
}

/// Why somebody cannot be erased yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlockerKind {
    /// A project has no other owner.
    Project,
    /// Nobody else runs the platform.
    Operator,
}

/// What is in the way, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Blocker {
    /// Of what kind.
    pub kind: BlockerKind,
    /// The project's id.
    pub id: Option<Uuid>,
    /// The project's name.
    pub name: Option<String>,
    /// What to do.
    pub remedy: String,
}

impl Blocker {
    /// In words, for who reads no JSON.
    fn in_words(&self) -> String {
        match self.id {
            Some(id) => format!("nobody else owns project {id}"),
            None => "nobody else runs the platform".to_owned(),
        }
    }
}

/// What an erasure of a platform user would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UserPlan {
    /// Table by table, those without rows left out.
    pub tables: Vec<Counted>,
    /// Projects that go too.
    pub projects: Vec<OwnedProject>,
    /// What is in the way. With any, nothing is erased.
    pub blockers: Vec<Blocker>,
}

impl UserPlan {
    /// Rows of one table.
    pub fn rows(&self, table: &str) -> u64 {
        let counted = self.tables.iter().filter(|counted| counted.table == table);
        counted.map(|counted| counted.rows).sum()
    }

    /// What a confirmation binds: which projects go, what is in the way, and how much of other people's work forgets its
    /// author. Sessions, remembered replies, jobs, requests and entries of the log come and go by asking alone.
    pub fn binding(&self) -> Value {
        let lasting = |counted: &&Counted| store::lasts(&counted.table);
        let tables: Vec<_> = self.tables.iter().filter(lasting).collect();
        json!({ "tables": tables, "projects": self.projects, "blockers": self.blockers })
    }
}

/// Refuses while something is in the way.
///
/// # Errors
/// 422 `privacy/blocked`, with the blockers in the details.
pub fn unblocked(blockers: &[Blocker]) -> Result<()> {
    if blockers.is_empty() {
        return Ok(());
    }
    let details = serde_json::to_value(blockers).map_err(Error::internal)?;
    let words: Vec<_> = blockers.iter().map(Blocker::in_words).collect();
    Err(Error::new(
        ErrorKind::Unprocessable,
        "privacy/blocked",
        "Something is in the way of this erasure",
    )
    .with_details(words.join("; "))
    .with_details_json(details)
    .with_hint("Do what each of the details names as its remedy, then ask for the plan again"))
}

/// What an erasure would do. `projects` are those of theirs that go too.
///
/// # Errors
/// 422 `privacy/erase-projects` for one that they do not own, or not alone.
pub async fn plan_of_user(executor: &impl GenericClient, user: UserId, projects: &[ProjectId]) -> Result<UserPlan> {
    let owned = store::owned_alone(executor, user).await?;
    for project in projects {
        if !owned.iter().any(|owned| owned.id == project.0 && !owned.personal) {
            return Err(not_theirs(*project));
        }
    }
    let goes = |owned: &&store::Owned| owned.goes_by_itself() || projects.contains(&ProjectId(owned.id));
    let mut blockers: Vec<_> = owned.iter().filter(|owned| !goes(owned)).map(in_the_way).collect();
    if store::is_last_operator(executor, user).await? {
        blockers.push(last_operator());
    }
    Ok(UserPlan {
        tables: store::counts(executor, user).await?,
        projects: owned.iter().filter(goes).map(store::Owned::shown).collect(),
        blockers,
    })
}

fn in_the_way(owned: &store::Owned) -> Blocker {
    Blocker {
        kind: BlockerKind::Project,
        id: Some(owned.id),
        name: Some(owned.name.clone()),
        remedy: format!(
            "Make somebody else an owner (PATCH /api/projects/{0}/members/{{userId}} {{\"role\": \"owner\"}}), or name {0} in \
             eraseProjects: it is deleted too, for everybody and for good",
            owned.id
        ),
    }
}

fn last_operator() -> Blocker {
    Blocker {
        kind: BlockerKind::Operator,
        id: None,
        name: None,
        remedy:
            "Nobody else has the platform role Admin. Name somebody else's address as PLINTH_FIRST_ADMIN and let them \
                 sign up first"
                .to_owned(),
    }
}

fn not_theirs(project: ProjectId) -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "privacy/erase-projects",
        "Only projects that nobody else owns can be erased with their owner",
    )
    .with_details(project.to_string())
    .with_hint("Leave it out of eraseProjects: the person merely leaves it")
}
