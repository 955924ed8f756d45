//! What there is of a platform user, counted, and what they alone own.

use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use crate::control::{failure, uuid};
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::people::plan::{Counted, OwnedProject, Rule};

/// A project without another owner.
pub(in super::super) struct Owned {
    pub(in super::super) id: Uuid,
    pub(in super::super) name: String,
    /// Holds their own database.
    pub(in super::super) personal: bool,
    /// Is in the trash, where nobody else could bring it back from.
    pub(in super::super) deleted: bool,
    others: u64,
}

impl Owned {
    /// Whether it goes without being named.
    pub(in super::super) fn goes_by_itself(&self) -> bool {
        self.personal || self.deleted
    }

    pub(in super::super) fn shown(&self) -> OwnedProject {
        let removed = if self.personal {
            "at once"
        } else {
            "removed by the next purge"
        };
        OwnedProject {
            id: self.id,
            name: self.name.clone(),
            removed: removed.to_owned(),
            others: self.others,
        }
    }
}

/// What they own alone, in the order of ids. An owner whose account is deleted is none.
pub(in super::super) async fn owned_alone(executor: &impl GenericClient, user: UserId) -> Result<Vec<Owned>> {
    let sql = "
        select p.id, p.name, p.personal_of is not null, p.deleted_at is not null,
          (select count(*) from plinth.members o
           where o.project_id = p.id and o.user_id <> $1 and o.deleted_at is null)
        from plinth.projects p
        where p.personal_of = $1 or (
          exists (
            select from plinth.members m
            where m.project_id = p.id and m.user_id = $1 and m.role = 'owner' and m.deleted_at is null)
          and not exists (
            select from plinth.members o
            where o.project_id = p.id and o.user_id <> $1 and o.role = 'owner' and o.deleted_at is null
              and not exists (select from plinth.users u where u.id = o.user_id and u.deleted_at is not null)))
        order by p.id";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.iter().map(owned).collect())
}

fn owned(row: &Row) -> Owned {
    Owned {
        id: row.get(0),
        name: row.get(1),
        personal: row.get(2),
        deleted: row.get(3),
        others: row.get::<_, i64>(4).unsigned_abs(),
    }
}

/// Whether they run the platform, and nobody else does.
pub(in super::super) async fn is_last_operator(executor: &impl GenericClient, user: UserId) -> Result<bool> {
    let sql = "
        select coalesce(bool_or(u.id = $1) and count(*) = 1, false)
        from plinth.users u where u.raw_app_meta_data ->> 'role' = 'Admin' and u.deleted_at is null";
    let rows = executor.query_typed(sql, &[uuid(&user.0)]).await.map_err(failure)?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}

/// Tables whose counts do not change by asking: what a confirmation is bound to.
pub(in super::super) const LASTING: &[&str] = &[
    "members",
    "projects",
    "keys",
    "document_versions",
    "migrations",
    "subject_maps",
];

const BY_OTHERS: &str = "It belongs to a project, which forgets who made it";
const LOG: &str = "The entries stay, without who acted and from where";

/// Table, rule, why rows stay, and what counts them; `$1` is the user.
const COUNTS: &[(&str, Rule, Option<&str>, &str)] = &[
    ("users", Rule::Delete, None, "plinth.users where id = $1"),
    ("identities", Rule::Delete, None, "plinth.identities where user_id = $1"),
    ("sessions", Rule::Delete, None, "plinth.sessions where user_id = $1"),
    (
        "refresh_tokens",
        Rule::Delete,
        None,
        "plinth.refresh_tokens where session_id in (select id from plinth.sessions where user_id = $1)",
    ),
    ("members", Rule::Delete, None, "plinth.members where user_id = $1"),
    (
        "database_setups",
        Rule::Delete,
        None,
        "plinth.database_setups where user_id = $1",
    ),
    ("idempotency", Rule::Delete, None, replies!()),
    (
        "jobs",
        Rule::Delete,
        None,
        "plinth.jobs where created_by = $1 and project_id is null",
    ),
    (
        "jobs",
        Rule::Anonymise,
        Some(BY_OTHERS),
        "plinth.jobs where created_by = $1 and project_id is not null",
    ),
    (
        "projects",
        Rule::Anonymise,
        Some(BY_OTHERS),
        "plinth.projects where created_by = $1 and personal_of is null",
    ),
    (
        "keys",
        Rule::Anonymise,
        Some(BY_OTHERS),
        "plinth.keys where created_by = $1",
    ),
    (
        "document_versions",
        Rule::Anonymise,
        Some(BY_OTHERS),
        "plinth.document_versions where author = $1",
    ),
    (
        "migrations",
        Rule::Anonymise,
        Some(BY_OTHERS),
        "plinth.migrations where author = $1",
    ),
    (
        "subject_maps",
        Rule::Anonymise,
        Some(BY_OTHERS),
        "plinth.subject_maps where author = $1",
    ),
    (
        "privacy_requests",
        Rule::Anonymise,
        Some("That it was asked for proves what was done"),
        "plinth.privacy_requests where requested_by = $1",
    ),
    (
        "audit_subjects",
        Rule::Delete,
        Some(LOG),
        "plinth.audit_subjects where actor = 'user:' || $1::text",
    ),
];

pub(in super::super) async fn counts(executor: &impl GenericClient, user: UserId) -> Result<Vec<Counted>> {
    let each: Vec<_> = COUNTS
        .iter()
        .map(|(.., from)| format!("(select count(*) from {from})"))
        .collect();
    let sql = format!("select array[{}]", each.join(", "));
    let rows = executor.query_typed(&sql, &[uuid(&user.0)]).await.map_err(failure)?;
    let counts: Vec<i64> = rows.first().map(|row| row.get(0)).unwrap_or_default();
    let counted = COUNTS.iter().zip(counts).filter(|(_, rows)| *rows > 0);
    Ok(counted
        .map(|((table, rule, reason, _), rows)| Counted {
            table: (*table).to_owned(),
            rule: *rule,
            rows: rows.unsigned_abs(),
            reason: reason.map(str::to_owned),
        })
        .collect())
}
