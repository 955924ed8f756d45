//! All SQL about who somebody is in the audit log.

use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::{Person, PersonalEntry};
use crate::backend::Sink;
use crate::control::{failure, int8, text, uuid};
use crate::error::{Error, Result};
use crate::privacy::Snapshot;

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

/// Takes an end user's id out of the reports of the purge.
pub(super) async fn forget_in_reports(executor: &impl GenericClient, id: Uuid) -> Result<()> {
    let sql = r#"
        update plinth.purge_runs r set report = jsonb_set(r.report, '{items}', (
          select jsonb_agg(case when i ->> 'kind' = 'end-user' and i ->> 'id' = $1
            then i || '{"id": "00000000-0000-0000-0000-000000000000"}' else i end order by n)
          from jsonb_array_elements(r.report -> 'items') with ordinality e (i, n)))
        where r.report -> 'items' @> jsonb_build_array(jsonb_build_object('kind', 'end-user', 'id', $1))"#;
    let id = id.to_string();
    executor.query_typed(sql, &[text(&id)]).await.map_err(failure)?;
    Ok(())
}

pub(super) async fn entries_of(snapshot: &Snapshot<'_>, person: Person, sink: &mut dyn Sink) -> Result<u64> {
    // By two indexes, so that a person's few entries are found among everybody's.
    let sql = "
        with theirs as (
          select s.audit_id as id from plinth.audit_subjects s where s.actor = $1
          union
          select l.id from plinth.audit_log l where l.target = $2
        )
        select to_char(l.at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), l.project_id, l.action, l.target,
          l.details, l.request_id, coalesce(s.actor = $1, false), case when s.actor = $1 then s.address end
        from theirs t
        join plinth.audit_log l on l.id = t.id
        left join plinth.audit_subjects s on s.audit_id = l.id
        where $3::uuid is null or l.project_id = $3
        order by l.at, l.id";
    let (actor, target) = (person.actor(), person.id().to_string());
    let project = person.project().map(|project| project.0);
    let params = [text(&actor), text(&target), uuid(&project)];
    let entry = |row: &Row| serde_json::to_string(&entry(row)).map_err(Error::internal);
    snapshot.read(sql, &params, entry, sink).await
}

fn entry(row: &Row) -> PersonalEntry {
    PersonalEntry {
        at: row.get(0),
        project: row.get(1),
        action: row.get(2),
        target: row.get(3),
        details: row.get(4),
        request_id: row.get(5),
        own: row.get(6),
        address: row.get(7),
    }
}

fn number(row: &Row) -> u64 {
    row.get::<_, i64>(0).unsigned_abs()
}
