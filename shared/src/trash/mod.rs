//! What was deleted and can be brought back: one list over all kinds, latest first.
//!
//! Nearly everything is in the control database and comes by one statement. End users are in their project's own
//! database: they are listed when the project is named, and when that database cannot be reached the reply says so and
//! lists the rest. What is in a project or backend that was deleted itself comes back with it and is not listed.

mod kind;
mod store;

pub use kind::{Kind, Restore};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::accounts;
use crate::app::App;
use crate::clock::RESTORE_WINDOW;
use crate::control::page::{decode_cursor, encode_cursor, page_limit};
use crate::error::Result;
use crate::ident::ProjectId;
use crate::projects::restorable_since;
use crate::tenancy::{Caller, MemberRole, ProjectAccess};

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of one project only.
    pub project: Option<ProjectId>,
    /// Of one kind only.
    pub kind: Option<Kind>,
    /// Items at most.
    pub limit: Option<i64>,
    /// Behind this one.
    pub after: Option<Position>,
}

/// Where an item is in the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position(Timestamp, String, Uuid, String);

/// Something deleted that the caller can bring back.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trashed {
    /// What it is.
    pub kind: Kind,
    /// Its id.
    pub id: String,
    /// Its name, or what it can be recognised by.
    pub name: String,
    /// The project it is in, or is.
    #[schema(value_type = Uuid)]
    pub project_id: ProjectId,
    /// When it was deleted.
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
    /// Until when it can be restored.
    #[schema(value_type = String, format = DateTime)]
    pub restorable_until: Timestamp,
    /// Who deleted it, `user:<id>` or `key:<id>`, as far as the audit log knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_by: Option<String>,
    /// The request that brings it back.
    pub restore: Restore,
}

impl Trashed {
    fn position(&self) -> Position {
        let kind = self.kind.as_str().to_owned();
        Position(self.deleted_at, kind, self.project_id.0, self.id.clone())
    }
}

/// A kind that this list leaves out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Missing {
    /// Which.
    pub kind: Kind,
    /// `trash/needs-project` or `trash/unreachable`.
    pub code: &'static str,
    /// In words.
    pub message: &'static str,
}

/// A page of the trash.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Trash {
    /// Latest first.
    pub items: Vec<Trashed>,
    /// What the next request sends as `cursor`.
    pub next_cursor: Option<String>,
    /// What is not among the items although it may be in the trash.
    pub missing: Vec<Missing>,
}

/// What the caller may bring back.
///
/// # Errors
/// 404 for a project that the caller is no member of; `http/limit`.
pub async fn list(app: &App, caller: &Caller, wanted: &Wanted) -> Result<Trash> {
    let limit = page_limit(wanted.limit)?;
    let access = match wanted.project {
        None => None,
        Some(project) => {
            let least = MemberRole::Viewer;
            Some(app.tenancy.require_even_deleted(caller.clone(), project, least).await?)
        }
    };
    let since = restorable_since(app)?;
    // One more than the page holds, to know whether there is another.
    let mut items = store::items(app, caller.user.id, wanted, since, limit + 1).await?;
    let mut missing = Vec::new();
    if wanted.kind.is_none_or(|kind| kind == Kind::EndUser) {
        match end_users(app, access.as_ref(), wanted, limit + 1).await {
            Ok(users) => items.extend(users),
            Err(left_out) => missing.push(left_out),
        }
    }
    items.sort_by_key(|item| std::cmp::Reverse(item.position()));
    let whole = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = items.len() > whole;
    items.truncate(whole);
    store::name_who(app, &mut items).await?;
    let next_cursor = items
        .last()
        .filter(|_| more)
        .map(|last| encode_cursor(&last.position()));
    Ok(Trash {
        items,
        next_cursor,
        missing,
    })
}

/// The project's deleted end users behind the place asked for.
async fn end_users(
    app: &App,
    access: Option<&ProjectAccess>,
    wanted: &Wanted,
    limit: i64,
) -> Result<Vec<Trashed>, Missing> {
    let Some(access) = access else {
        return Err(Missing {
            kind: Kind::EndUser,
            code: "trash/needs-project",
            message: "End users are listed with projectId only",
        });
    };
    let own = |kind: &str, project: Uuid| {
        (kind.as_bytes(), project).cmp(&(Kind::EndUser.as_str().as_bytes(), access.project().0))
    };
    let after = wanted.after.as_ref().map(|Position(at, kind, project, id)| {
        // The list goes down: what comes behind a greater place of the same moment has every id, behind a lesser none.
        let id = match own(kind, *project) {
            std::cmp::Ordering::Equal => id.parse().unwrap_or(Uuid::nil()),
            std::cmp::Ordering::Greater => Uuid::max(),
            std::cmp::Ordering::Less => Uuid::nil(),
        };
        (*at, id)
    });
    let found = Box::pin(accounts::deleted_users(app, access, after, limit)).await;
    let found = found.map_err(|error| {
        tracing::warn!(project = %access.project(), %error, "deleted end users could not be listed");
        Missing {
            kind: Kind::EndUser,
            code: "trash/unreachable",
            message: "The project's end users cannot be listed right now",
        }
    })?;
    let reference = access.reference().as_str();
    let shown = found.into_iter().map(|user| {
        let id = user.id.to_string();
        let place = kind::Place {
            id: &id,
            project: access.project().0,
            reference,
            backend: None,
            table: None,
        };
        Trashed {
            kind: Kind::EndUser,
            name: user.name.unwrap_or_else(|| id.clone()),
            project_id: access.project(),
            deleted_at: user.deleted_at,
            restorable_until: until(user.deleted_at),
            deleted_by: None,
            restore: Restore::of(Kind::EndUser, &place),
            id,
        }
    });
    Ok(shown.collect())
}

fn until(deleted_at: Timestamp) -> Timestamp {
    deleted_at.checked_add(RESTORE_WINDOW).unwrap_or(Timestamp::MAX)
}

/// A cursor of this list.
///
/// # Errors
/// `http/cursor`.
pub fn position(cursor: &str) -> Result<Position> {
    decode_cursor(cursor)
}
