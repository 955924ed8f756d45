//! Users that were deleted, and where in the control database it is noted that there are some.

use jiff::Timestamp;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::users::USER;
use super::{Store, User, failed};
use crate::accounts::deletion::DeletedUser;
use crate::accounts::refusal::unprocessable;
use crate::control::{int8, time, uuid, violates};
use crate::error::Result;
use crate::ident::{ProjectId, Ref};

impl Store<'_> {
    /// A page of the users that are not deleted, newest first, and how many there are.
    pub async fn users(&self, limit: i64, offset: i64) -> Result<(Vec<User>, i64)> {
        let sql = format!(
            "select {USER} from {}.users where deleted_at is null order by created_at desc, id desc limit $1 offset $2",
            self.schema
        );
        let params = [int8(&limit), int8(&offset)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        let users: Result<Vec<_>> = rows.iter().map(User::read).collect();
        let count = format!("select count(*) from {}.users where deleted_at is null", self.schema);
        let rows = self.tx.query_typed(&count, &[]).await.map_err(failed)?;
        Ok((users?, rows.first().map_or(0, |row| row.get(0))))
    }

    pub async fn set_deleted(&self, user: Uuid, now: Timestamp) -> Result<()> {
        let sql = format!("update {}.users set deleted_at = $2 where id = $1", self.schema);
        let params = [uuid(&user), time(&now)];
        self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(())
    }

    /// Takes the deletion of a user back that is not older than `since`.
    ///
    /// # Errors
    /// 422 `email_exists`, `phone_exists`.
    pub async fn undelete(&self, user: Uuid, since: Timestamp) -> Result<Option<User>> {
        let sql = format!(
            "update {}.users set deleted_at = null where id = $1 and deleted_at >= $2 returning {USER}",
            self.schema
        );
        let params = [uuid(&user), time(&since)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(|error| {
            if violates(&error, "users_email_key") {
                let taken = "A user with this email address has already been registered";
                unprocessable("email_exists", taken).with_hint("Delete or rename that one first")
            } else if violates(&error, "users_phone_key") {
                let taken = "A user with this phone number has already been registered";
                unprocessable("phone_exists", taken).with_hint("Delete or rename that one first")
            } else {
                failed(error)
            }
        })?;
        rows.first().map(User::read).transpose()
    }

    /// Users deleted not before `since`, latest first, from a place in the list on.
    pub async fn deleted(
        &self,
        since: Timestamp,
        (at, id): (Option<Timestamp>, Option<Uuid>),
        limit: i64,
    ) -> Result<Vec<DeletedUser>> {
        // The control plane may see these columns and no others.
        let sql = format!(
            "select id, coalesce(email, phone), deleted_at from {}.users
             where deleted_at >= $1 and ($2::timestamptz is null or (deleted_at, id) < ($2, $3))
             order by deleted_at desc, id desc limit $4",
            self.schema
        );
        let params = [time(&since), time(&at), uuid(&id), int8(&limit)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        let read = |row: &tokio_postgres::Row| DeletedUser {
            id: row.get(0),
            name: row.get(1),
            deleted_at: row.get(2),
        };
        Ok(rows.iter().map(read).collect())
    }

    /// Users deleted before a moment, those of the earliest deletions first.
    pub async fn due(
        &self,
        before: Timestamp,
        after: Option<(Timestamp, Uuid)>,
        limit: i64,
    ) -> Result<Vec<(Timestamp, Uuid)>> {
        let sql = format!(
            "select deleted_at, id from {}.users
             where deleted_at < $1 and ($2::timestamptz is null or (deleted_at, id) > ($2, $3))
             order by deleted_at, id limit $4",
            self.schema
        );
        let (at, id) = after.unzip();
        let params = [time(&before), time(&at), uuid(&id), int8(&limit)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(rows.iter().map(|row| (row.get(0), row.get(1))).collect())
    }

    /// Holds a user deleted before a moment, unless somebody else does.
    pub async fn hold_due(&self, user: Uuid, before: Timestamp) -> Result<bool> {
        let sql = format!(
            "select 1 from {}.users where id = $1 and deleted_at < $2 for update skip locked",
            self.schema
        );
        let params = [uuid(&user), time(&before)];
        let rows = self.tx.query_typed(&sql, &params).await.map_err(failed)?;
        Ok(!rows.is_empty())
    }

    /// Removes a held user for good, with identities and sessions.
    pub async fn remove(&self, user: Uuid) -> Result<()> {
        let sql = format!("delete from {}.users where id = $1", self.schema);
        self.tx.query_typed(&sql, &[uuid(&user)]).await.map_err(failed)?;
        Ok(())
    }

    /// When the first of those was deleted that still are.
    pub async fn first_deletion(&self) -> Result<Option<Timestamp>> {
        let sql = format!("select min(deleted_at) from {}.users", self.schema);
        let rows = self.tx.query_typed(&sql, &[]).await.map_err(failed)?;
        Ok(rows.first().and_then(|row| row.get(0)))
    }
}

/// Notes that a project is about to have a deleted user.
pub(in crate::accounts) async fn note_deletion(
    executor: &impl GenericClient,
    project: ProjectId,
    at: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.end_user_deletions as noted (project_id, since, latest) values ($1, $2, $2)
        on conflict (project_id) do update
        set since = least(noted.since, excluded.since), latest = greatest(noted.latest, excluded.latest)";
    let params = [uuid(&project.0), time(&at)];
    executor.query_typed(sql, &params).await.map_err(failed)?;
    Ok(())
}

/// Projects that may have users deleted before a moment, from a place on. What is in the trash itself is passed over: it
/// goes as a whole, or comes back and is looked at then.
pub(in crate::accounts) async fn noted(
    executor: &impl GenericClient,
    before: Timestamp,
    after: Option<(Timestamp, ProjectId)>,
    limit: i64,
) -> Result<Vec<(Timestamp, ProjectId, Ref)>> {
    let sql = "
        select n.since, n.project_id, p.ref
        from plinth.end_user_deletions n
        join plinth.projects p on p.id = n.project_id and p.deleted_at is null
        join plinth.backends b on b.project_id = p.id and b.deleted_at is null and b.tier = 'managed' and b.state = 'ready'
        where n.since < $1 and ($2::timestamptz is null or (n.since, n.project_id) > ($2, $3))
        order by n.since, n.project_id limit $4";
    let (at, id) = after.map(|(at, id)| (at, id.0)).unzip();
    let params = [time(&before), time(&at), uuid(&id), int8(&limit)];
    let rows = executor.query_typed(sql, &params).await.map_err(failed)?;
    rows.iter()
        .map(|row| Ok((row.get(0), ProjectId(row.get(1)), row.get::<_, &str>(2).parse()?)))
        .collect()
}

/// Notes what is left in a project, under a lock: a deletion is noted before it happens, so one that was noted lately may
/// still be on its way and is not forgotten.
pub(in crate::accounts) async fn settle(
    executor: &impl GenericClient,
    project: ProjectId,
    before: Timestamp,
    cell: &Store<'_>,
) -> Result<()> {
    let sql = "select latest from plinth.end_user_deletions where project_id = $1 for update";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failed)?;
    let Some(latest) = rows.first().map(|row| row.get::<_, Timestamp>(0)) else {
        return Ok(());
    };
    let first = cell.first_deletion().await?;
    if first.is_none() && latest < before {
        let sql = "delete from plinth.end_user_deletions where project_id = $1";
        executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failed)?;
        return Ok(());
    }
    let since = first.map_or(latest, |first| first.min(latest));
    let sql = "update plinth.end_user_deletions set since = $2 where project_id = $1";
    let params = [uuid(&project.0), time(&since)];
    executor.query_typed(sql, &params).await.map_err(failed)?;
    Ok(())
}
