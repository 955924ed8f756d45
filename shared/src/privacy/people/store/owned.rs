//! What a platform user alone owns and runs.

use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use crate::control::{failure, uuid};
use crate::error::Result;
use crate::ident::UserId;
use crate::privacy::people::plan::OwnedProject;

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
