//! All SQL of erasures in the control database.

use serde_json::{Map, Value};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use crate::control::{failure, json, text, uuid};
use crate::error::{Error, Result};
use crate::ident::{ProjectId, Ref, UserId};
use crate::privacy::requests::Who;
use crate::tenancy::not_found;

/// The ref of a project that is not deleted.
pub(super) async fn reference(executor: &impl GenericClient, project: ProjectId) -> Result<Ref> {
    let sql = "select ref from plinth.projects where id = $1 and deleted_at is null";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    let row = rows.first().ok_or_else(not_found)?;
    row.get::<_, &str>(0).parse()
}

/// Whose documents are meant: one project's, or those of all that a platform user is a member of, and what they wrote in any.
#[derive(Debug, Clone, Copy)]
pub(super) enum Documents {
    Project(ProjectId),
    Member(UserId),
}

impl Documents {
    const OF: &str = "
        (d.project_id = $2 or d.author = $3
          or d.project_id in (select m.project_id from plinth.members m where m.user_id = $3))
        and (d.content ~* $1 or d.change_summary ~* $1)";

    fn ids(self) -> (Option<Uuid>, Option<Uuid>) {
        match self {
            Self::Project(project) => (Some(project.0), None),
            Self::Member(user) => (None, Some(user.0)),
        }
    }
}

/// How many versions of documents, deleted ones too, hold what the pattern means.
pub(super) async fn mentioning(executor: &impl GenericClient, documents: Documents, pattern: &str) -> Result<u64> {
    let sql = format!(
        "select count(*) from plinth.document_versions d where {}",
        Documents::OF
    );
    let (project, user) = documents.ids();
    let params = [text(&pattern), uuid(&project), uuid(&user)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.first().map_or(0, |row| row.get::<_, i64>(0).unsigned_abs()))
}

/// Takes what the pattern means out of them; how many versions there were.
pub(super) async fn scrub(
    executor: &impl GenericClient,
    documents: Documents,
    pattern: &str,
    replacement: &str,
) -> Result<u64> {
    let sql = format!(
        "update plinth.document_versions d set content = regexp_replace(d.content, $1, $4, 'gi'),
           change_summary = regexp_replace(d.change_summary, $1, $4, 'gi')
         where {} returning 1",
        Documents::OF
    );
    let (project, user) = documents.ids();
    let params = [text(&pattern), uuid(&project), uuid(&user), text(&replacement)];
    let rows = executor.query_typed(&sql, &params).await.map_err(failure)?;
    Ok(rows.len() as u64)
}

/// What a platform user is known by: in their account, or by word of an issuer.
pub(super) struct Account {
    pub email: Option<String>,
    pub phone: Option<String>,
    pub email_confirmed: bool,
    pub phone_confirmed: bool,
    pub metadata: Map<String, Value>,
}

/// A platform user's account, and what outside issuers vouch for: their users' addresses are there alone.
pub(super) async fn accounts_of(executor: &impl GenericClient, id: UserId) -> Result<Vec<Account>> {
    let sql = "
        select email, phone, email_confirmed_at is not null, phone_confirmed_at is not null, raw_user_meta_data
        from plinth.users where id = $1
        union all
        select email, null, true, false, identity_data from plinth.identities where user_id = $1 and provider <> 'email'";
    let rows = executor.query_typed(sql, &[uuid(&id.0)]).await.map_err(failure)?;
    let account = |row: &tokio_postgres::Row| Account {
        email: row.get(0),
        phone: row.get(1),
        email_confirmed: row.get(2),
        phone_confirmed: row.get(3),
        metadata: match row.get::<_, Value>(4) {
            Value::Object(map) => map,
            _ => Map::new(),
        },
    };
    Ok(rows.iter().map(account).collect())
}

/// The erasure that a person has asked for themself and that is not done yet; it is not before the transaction ends.
pub(super) async fn own(executor: &impl GenericClient, project: ProjectId, who: &Who) -> Result<Option<Uuid>> {
    let sql = "
        select r.id from plinth.privacy_requests r join plinth.jobs j on j.id = r.job_id
        where r.kind = 'erasure' and r.self and r.project_id = $1 and r.subject = $2
          and j.state in ('queued', 'running')
        order by r.created_at desc limit 1 for no key update of r";
    let subject = serde_json::to_value(who).map_err(Error::internal)?;
    let params = [uuid(&project.0), json(&subject)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map(|row| row.get(0)))
}

/// Whether anybody has confirmed which rows are whose.
pub(super) async fn has_map(executor: &impl GenericClient, project: ProjectId) -> Result<bool> {
    let sql = "select plinth.has_subject_map($1)";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    Ok(rows.first().is_some_and(|row| row.get(0)))
}
