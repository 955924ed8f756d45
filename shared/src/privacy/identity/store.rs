//! All SQL about who somebody is in the audit log.

use tokio_postgres::{GenericClient, Row};

use super::{Person, PersonalEntry};
use crate::control::{failure, int8, text, uuid};
use crate::error::Result;

pub(super) async fn count(executor: &impl GenericClient, person: Person) -> Result<u64> {
    let sql = "
        select count(*) from plinth.audit_subjects s join plinth.audit_log l on l.id = s.audit_id
        where s.actor = $1 and ($2::uuid is null or l.project_id = $2)";
    let (actor, project) = (person.actor(), person.project().map(|project| project.0));
    let params = [text(&actor), uuid(&project)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map_or(0, number))
}

pub(super) async fn forget(executor: &impl GenericClient, person: Person, most: i64) -> Result<u64> {
    let (id, project) = (person.id(), person.project().map(|project| project.0));
    let params = [uuid(&id), uuid(&project), int8(&most)];
    let sql = "select plinth.forget_identity($1, $2, $3)";
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.first().map_or(0, number))
}

pub(super) async fn entries_of(
    executor: &impl GenericClient,
    person: Person,
    after: Option<&str>,
    most: i64,
) -> Result<Vec<PersonalEntry>> {
    // By two indexes, so that a person's few entries are found among everybody's.
    let sql = "
        with theirs as (
          select s.audit_id as id from plinth.audit_subjects s where s.actor = $1
          union
          select l.id from plinth.audit_log l where l.target = $2
        ), placed as (
          select l.*, s.address, coalesce(s.actor = $1, false) as own,
            to_char(l.at at time zone 'UTC', 'YYYYMMDDHH24MISSUS') || l.id as place
          from theirs t
          join plinth.audit_log l on l.id = t.id
          left join plinth.audit_subjects s on s.audit_id = l.id
          where $3::uuid is null or l.project_id = $3
        )
        select place, to_char(at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), project_id, action, target,
          details, request_id, own, case when own then address end
        from placed where $4::text is null or place > $4 collate \"C\"
        order by place collate \"C\" limit $5";
    let (actor, target) = (person.actor(), person.id().to_string());
    let project = person.project().map(|project| project.0);
    let params = [text(&actor), text(&target), uuid(&project), text(&after), int8(&most)];
    let rows = executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(rows.iter().map(entry).collect())
}

fn entry(row: &Row) -> PersonalEntry {
    PersonalEntry {
        place: row.get(0),
        at: row.get(1),
        project: row.get(2),
        action: row.get(3),
        target: row.get(4),
        details: row.get(5),
        request_id: row.get(6),
        own: row.get(7),
        address: row.get(8),
    }
}

fn number(row: &Row) -> u64 {
    row.get::<_, i64>(0).unsigned_abs()
}
