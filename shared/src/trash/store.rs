//! All SQL of the trash.

use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use super::kind::Place;
use super::{Restore, Trashed, Wanted, until};
use crate::app::App;
use crate::control::{failure, int8, text, texts, time, uuid};
use crate::error::Result;
use crate::ident::{ProjectId, UserId};

/// Each kind with the role that may bring it back. `$1` the caller, `$2` a project, `$3` since when, `$4` now. Texts are
/// compared byte by byte, as the places of a page are.
const ITEMS: &str = "
    with mine as (
      select p.id, p.ref, p.name, p.deleted_at, m.role, m.role in ('owner', 'admin') as admin,
        m.role in ('owner', 'admin', 'developer') as developer
      from plinth.members m join plinth.projects p on p.id = m.project_id
      where m.user_id = $1 and m.deleted_at is null and ($2::uuid is null or p.id = $2)
        and (p.deleted_at is null or p.deleted_at >= $3)
        and not exists (
          select from plinth.users u where u.id = $1 and (u.deleted_at is not null or u.banned_until > $4))
    ), living as (
      select * from mine where deleted_at is null
    ), items as (
      select 'project' as kind, p.id::text as id, p.name, p.id as project, p.ref, null::uuid as backend,
        null::uuid as of_table, p.deleted_at as at
      from mine p where p.role = 'owner' and p.deleted_at is not null
      union all
      select 'backend', b.id::text, concat_ws(' ', b.tier, coalesce(b.isolation, c.provider)), p.id, p.ref, b.id, null,
        b.deleted_at
      from living p join plinth.backends b on b.project_id = p.id left join plinth.connections c on c.id = b.connection_id
      where p.admin and b.deleted_at >= $3
      union all
      select 'table', t.id::text, t.name, p.id, p.ref, b.id, null, t.deleted_at
      from living p join plinth.backends b on b.project_id = p.id and b.deleted_at is null
      join plinth.tables t on t.backend_id = b.id
      where p.developer and t.deleted_at >= $3
      union all
      select 'column', r.value ->> 'id', concat(t.name, '.', r.value #>> '{column,name}'), p.id, p.ref, b.id, t.id,
        (r.value ->> 'deletedAt')::timestamptz
      from living p join plinth.backends b on b.project_id = p.id and b.deleted_at is null
      join plinth.tables t on t.backend_id = b.id and t.deleted_at is null
      cross join lateral jsonb_array_elements(t.spec -> 'removed') r
      where p.developer and (r.value ->> 'deletedAt')::timestamptz >= $3
      union all
      select 'key', k.id::text, k.name, p.id, p.ref, null, null, k.revoked_at
      from living p join plinth.keys k on k.project_id = p.id
      where p.admin and k.revoked_at >= $3 and k.replaced_by is null and (k.expires_at is null or k.expires_at > $4)
      union all
      select 'member', m.user_id::text, coalesce(u.raw_user_meta_data ->> 'full_name', u.email, m.user_id::text), p.id,
        p.ref, null, null, m.deleted_at
      from living p join plinth.members m on m.project_id = p.id
      join plinth.users u on u.id = m.user_id and u.deleted_at is null
      where p.admin and m.deleted_at >= $3 and (m.role <> 'owner' or p.role = 'owner')
      union all
      select 'document', d.id::text, concat('Version ', d.number, ': ', left(d.change_summary, 100)), p.id, p.ref, null, null,
        d.deleted_at
      from living p join plinth.document_versions d on d.project_id = p.id
      where p.developer and d.deleted_at >= $3
    )";

pub(super) async fn items(
    app: &App,
    user: UserId,
    wanted: &Wanted,
    since: Timestamp,
    limit: i64,
) -> Result<Vec<Trashed>> {
    let sql = format!(
        "{ITEMS}
         select kind, id, name, project, ref, backend, at, of_table from items
         where ($5::text is null or kind = $5)
           and ($6::timestamptz is null
             or (at, kind collate \"C\", project, id collate \"C\") < ($6, $7 collate \"C\", $8, $9 collate \"C\"))
         order by at desc, kind collate \"C\" desc, project desc, id collate \"C\" desc limit $10"
    );
    let now = app.clock.now();
    let (project, kind) = (wanted.project.map(|id| id.0), wanted.kind.map(super::Kind::as_str));
    let after = wanted.after.as_ref();
    let at = after.map(|place| place.0);
    let (after_kind, after_id) = after.map(|place| (place.1.as_str(), place.3.as_str())).unzip();
    let after_project = after.map(|place| place.2);
    let params = [
        uuid(&user.0),
        uuid(&project),
        time(&since),
        time(&now),
        text(&kind),
        time(&at),
        text(&after_kind),
        uuid(&after_project),
        text(&after_id),
        int8(&limit),
    ];
    let client = app.control.get().await?;
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    rows.iter().map(item).collect()
}

fn item(row: &Row) -> Result<Trashed> {
    let kind = row.get::<_, &str>(0).parse()?;
    let (id, project, deleted_at): (String, Uuid, Timestamp) = (row.get(1), row.get(3), row.get(6));
    let place = Place {
        id: &id,
        project,
        reference: row.get(4),
        backend: row.get(5),
        table: row.get(7),
    };
    Ok(Trashed {
        kind,
        name: row.get(2),
        project_id: ProjectId(project),
        deleted_at,
        restorable_until: until(deleted_at),
        deleted_by: None,
        restore: Restore::of(kind, &place),
        id,
    })
}

/// What in the audit log put something into the trash.
const DELETIONS: &[&str] = &[
    "projects.delete",
    "backend.deprovision",
    "tables.delete",
    "keys.revoke",
    "members.remove",
    "documents.delete",
    "users.delete",
];

/// Fills in who deleted each item.
pub(super) async fn name_who(app: &App, items: &mut [Trashed]) -> Result<()> {
    let sql = "
        select i.place, (
          select s.actor from plinth.audit_log l join plinth.audit_subjects s on s.audit_id = l.id
          where l.project_id = i.project::uuid and l.target = i.target and l.action = any($3)
          order by l.sequence desc limit 1)
        from unnest($1::text[], $2::text[]) with ordinality as i (project, target, place)";
    if items.is_empty() {
        return Ok(());
    }
    let projects: Vec<String> = items.iter().map(|item| item.project_id.to_string()).collect();
    let targets: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
    let actions: Vec<String> = DELETIONS.iter().map(ToString::to_string).collect();
    let params = [texts(&projects), texts(&targets), texts(&actions)];
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &params).await.map_err(failure)?;
    for row in &rows {
        let place = usize::try_from(row.get::<_, i64>(0) - 1).unwrap_or(usize::MAX);
        if let Some(item) = items.get_mut(place) {
            item.deleted_by = row.get(1);
        }
    }
    Ok(())
}
