//! All SQL of designs and migrations in the control database.

use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use super::plan::{After, Kind};
use super::purge::Keeper;
use super::{DeletedColumn, Located, Table};
use crate::control::{self, int8, json, text, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{BackendId, Ident, ProjectId, Ref};
use crate::schema::spec::{RemovedColumn, TableSpec};
use crate::tenancy::not_found;

/// A stored table.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) table: Table,
    /// The design with all that lies aside.
    pub(super) spec: TableSpec,
}

/// A migration to be written down.
#[derive(Debug)]
pub(super) struct New<'a> {
    pub(super) id: Uuid,
    pub(super) kind: Kind,
    pub(super) table: Uuid,
    pub(super) up: &'a str,
    pub(super) down: &'a str,
    pub(super) checksum: &'a str,
    pub(super) after: &'a After,
    pub(super) author: Uuid,
    pub(super) at: Timestamp,
}

/// A migration whose outcome is not known here.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: Uuid,
    pub(super) kind: Kind,
    pub(super) table: Uuid,
    pub(super) sequence: i64,
    pub(super) after: After,
    pub(super) author: Uuid,
}

/// Every table of a backend, deleted ones too, by name.
pub(super) async fn tables(
    executor: &impl GenericClient,
    project: ProjectId,
    backend: BackendId,
) -> Result<Vec<Stored>> {
    let sql = "
        select t.id, t.name, t.version, t.spec, t.created_at, t.updated_at, t.deleted_at
        from plinth.tables t join plinth.backends b on b.id = t.backend_id
        where b.id = $1 and b.project_id = $2 and b.deleted_at is null order by t.name, t.id";
    let rows = executor.query_typed(sql, &[uuid(&backend.0), uuid(&project.0)]).await;
    rows.map_err(control::failure)?.iter().map(stored).collect()
}

fn stored(row: &Row) -> Result<Stored> {
    let spec: TableSpec = serde_json::from_value(row.get(3)).map_err(Error::internal)?;
    let mut schema = spec.clone();
    Ok(Stored {
        table: Table {
            id: row.get(0),
            name: Ident::new(row.get::<_, &str>(1))?,
            version: row.get(2),
            deleted_columns: schema.removed.drain(..).map(DeletedColumn::from).collect(),
            schema,
            created_at: row.get(4),
            updated_at: row.get(5),
            deleted_at: row.get(6),
        },
        spec,
    })
}

/// What lies aside in live tables of these projects.
pub(super) async fn removed_columns(executor: &impl GenericClient, projects: &[ProjectId]) -> Result<Vec<Located>> {
    let sql = "
        select b.project_id, b.id, t.id, t.name, r.value
        from plinth.tables t
        join plinth.backends b on b.id = t.backend_id and b.deleted_at is null
        cross join lateral jsonb_array_elements(t.spec -> 'removed') r
        where b.project_id = any ($1) and t.deleted_at is null";
    let projects: Vec<Uuid> = projects.iter().map(|project| project.0).collect();
    let params = [(&projects as &(dyn ToSql + Sync), Type::UUID_ARRAY)];
    let rows = executor.query_typed(sql, &params).await.map_err(control::failure)?;
    let located = |row: &Row| {
        let removed: RemovedColumn = serde_json::from_value(row.get(4)).map_err(Error::internal)?;
        Ok(Located {
            project: ProjectId(row.get(0)),
            backend: row.get(1),
            table: row.get(2),
            table_name: Ident::new(row.get::<_, &str>(3))?,
            column: removed.into(),
        })
    };
    rows.iter().map(located).collect()
}

/// Takes the backend's row for the rest of the transaction.
pub(super) async fn lock(executor: &impl GenericClient, project: ProjectId, backend: BackendId) -> Result<()> {
    let sql = "select from plinth.backends where id = $1 and project_id = $2 and deleted_at is null for update";
    let rows = executor.query_typed(sql, &[uuid(&backend.0), uuid(&project.0)]).await;
    match rows.map_err(control::failure)?.is_empty() {
        true => Err(not_found()),
        false => Ok(()),
    }
}

/// The backend's migrations whose outcome is open; never more than one, while the designer's lock is held.
pub(super) async fn pending(executor: &impl GenericClient, backend: BackendId) -> Result<Vec<Pending>> {
    let sql = "
        select id, kind, table_id, sequence, spec, author from plinth.migrations
        where backend_id = $1 and state = 'pending' order by sequence";
    let rows = executor.query_typed(sql, &[uuid(&backend.0)]).await;
    rows.map_err(control::failure)?.iter().map(pending_row).collect()
}

fn pending_row(row: &Row) -> Result<Pending> {
    let kind: &str = row.get(1);
    let after: Option<Value> = row.get(4);
    Ok(Pending {
        id: row.get(0),
        kind: Kind::from_text(kind).ok_or_else(|| Error::internal(format!("no kind of migration: {kind}")))?,
        table: row.get(2),
        sequence: row.get(3),
        after: serde_json::from_value(after.unwrap_or_default()).map_err(Error::internal)?,
        author: row.get(5),
    })
}

/// Writes a migration down; returns its place in the backend's history. The backend's row is locked.
pub(super) async fn insert(executor: &impl GenericClient, backend: BackendId, new: &New<'_>) -> Result<i64> {
    let sql = "
        insert into plinth.migrations
          (id, backend_id, table_id, sequence, kind, up, down, checksum, spec, author, created_at)
        select $1, $2, $3, coalesce(max(m.sequence), 0) + 1, $4, $5, $6, $7, $8, $9, $10
        from plinth.migrations m where m.backend_id = $2
        returning sequence";
    let after = serde_json::to_value(new.after).map_err(Error::internal)?;
    let kind = new.kind.as_str();
    let params = [
        uuid(&new.id),
        uuid(&backend.0),
        uuid(&new.table),
        text(&kind),
        text(&new.up),
        text(&new.down),
        text(&new.checksum),
        json(&after),
        uuid(&new.author),
        time(&new.at),
    ];
    let rows = executor.query_typed(sql, &params).await.map_err(control::failure)?;
    let row = rows.first().ok_or_else(|| Error::internal("no sequence"))?;
    Ok(row.get(0))
}

/// Ends a pending migration as applied. `false` when somebody else has.
pub(super) async fn applied(executor: &impl GenericClient, migration: Uuid, at: Timestamp) -> Result<bool> {
    let sql = "
        update plinth.migrations set state = 'applied', applied_at = $2 where id = $1 and state = 'pending'
        returning id";
    let rows = executor.query_typed(sql, &[uuid(&migration), time(&at)]).await;
    Ok(!rows.map_err(control::failure)?.is_empty())
}

/// Ends a pending migration as failed.
pub(super) async fn failed(executor: &impl GenericClient, migration: Uuid, why: &str) -> Result<()> {
    let sql = "update plinth.migrations set state = 'failed', error = $2 where id = $1 and state = 'pending'";
    let done = executor.query_typed(sql, &[uuid(&migration), text(&why)]).await;
    done.map(drop).map_err(control::failure)
}

/// Stores the design that a migration leaves.
pub(super) async fn put(
    executor: &impl GenericClient,
    backend: BackendId,
    done: &Pending,
    trash_name: &Ident,
    at: Timestamp,
) -> Result<()> {
    let sql = "
        insert into plinth.tables (id, backend_id, name, spec, version, trash_name, created_at, updated_at, deleted_at)
        values ($1, $2, $3, $4, 1, $5, $6, $6, $7)
        on conflict (id) do update set name = excluded.name, spec = excluded.spec, version = tables.version + 1,
          trash_name = excluded.trash_name, updated_at = excluded.updated_at, deleted_at = excluded.deleted_at";
    let spec = serde_json::to_value(&done.after.table).map_err(Error::internal)?;
    let is_deleted = done.kind == Kind::Delete;
    let (trash_name, deleted_at) = (is_deleted.then(|| trash_name.as_str()), is_deleted.then_some(at));
    let name = done.after.table.name.as_str();
    let params = [
        uuid(&done.table),
        uuid(&backend.0),
        text(&name),
        json(&spec),
        text(&trash_name),
        time(&at),
        time(&deleted_at),
    ];
    executor.query_typed(sql, &params).await.map_err(control::failure)?;
    for also in &done.after.also {
        let sql = "
            update plinth.tables set spec = $3, version = version + 1, updated_at = $4
            where backend_id = $1 and name = $2 and deleted_at is null";
        let (name, spec) = (also.name.as_str(), serde_json::to_value(also).map_err(Error::internal)?);
        let params = [uuid(&backend.0), text(&name), json(&spec), time(&at)];
        executor.query_typed(sql, &params).await.map_err(control::failure)?;
    }
    Ok(())
}

/// One page of the history, newest first: rows below `before`, as JSON has them.
pub(super) async fn history(
    executor: &impl GenericClient,
    (project, backend): (ProjectId, BackendId),
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<super::Migration>> {
    let sql = "
        select m.id, m.sequence, m.kind, m.table_id, coalesce(m.spec #>> '{table,name}', t.name), m.up, m.down,
          m.checksum, m.state, m.error, m.author, m.created_at, m.applied_at
        from plinth.migrations m
        join plinth.backends b on b.id = m.backend_id
        left join plinth.tables t on t.id = m.table_id
        where b.id = $1 and b.project_id = $2 and b.deleted_at is null
          and m.sequence < coalesce($3, 9223372036854775807)
        order by m.sequence desc limit $4";
    let params = [uuid(&backend.0), uuid(&project.0), int8(&before), int8(&limit)];
    let rows = executor.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(rows
        .iter()
        .map(|row| super::Migration {
            id: row.get(0),
            sequence: row.get(1),
            kind: row.get(2),
            table_id: row.get(3),
            table: row.get(4),
            up: row.get(5),
            down: row.get(6),
            checksum: row.get(7),
            state: row.get(8),
            error: row.get(9),
            author: row.get(10),
            at: row.get(11),
            applied_at: row.get(12),
        })
        .collect())
}

/// A table or a column that is past its time.
#[derive(Debug)]
pub(super) struct Due {
    pub(super) project: ProjectId,
    pub(super) reference: Ref,
    pub(super) backend: BackendId,
    pub(super) table: Uuid,
    pub(super) spec: TableSpec,
    /// Whether the table lies aside.
    pub(super) trashed: bool,
    /// The column; none: the table itself.
    pub(super) column: Option<RemovedColumn>,
}

/// Where the tables of projects that are alive are.
const ALIVE: &str = "
    from plinth.tables t
    join plinth.backends b on b.id = t.backend_id and b.deleted_at is null and b.state = 'ready' and b.tier = 'managed'
    join plinth.projects p on p.id = b.project_id and p.deleted_at is null";

/// Columns that were deleted before that moment, the oldest first.
pub(super) async fn due_columns(executor: &impl GenericClient, before: Timestamp, limit: i64) -> Result<Vec<Due>> {
    let sql = format!(
        "select p.id, p.ref, b.id, t.id, t.spec, t.deleted_at is not null, r.value {ALIVE}
         cross join lateral jsonb_array_elements(t.spec -> 'removed') r
         where (r.value ->> 'deletedAt')::timestamptz < $1 order by (r.value ->> 'deletedAt')::timestamptz limit $2"
    );
    due(executor, &sql, before, limit).await
}

/// Tables that were deleted before that moment, the oldest first.
pub(super) async fn due_tables(executor: &impl GenericClient, before: Timestamp, limit: i64) -> Result<Vec<Due>> {
    let sql = format!(
        "select p.id, p.ref, b.id, t.id, t.spec, true, null::jsonb {ALIVE}
         where t.deleted_at < $1 order by t.deleted_at limit $2"
    );
    due(executor, &sql, before, limit).await
}

async fn due(executor: &impl GenericClient, sql: &str, before: Timestamp, limit: i64) -> Result<Vec<Due>> {
    let rows = executor.query_typed(sql, &[time(&before), int8(&limit)]).await;
    let one = |row: &Row| {
        let column: Option<Value> = row.get(6);
        Ok(Due {
            project: ProjectId(row.get(0)),
            reference: row.get::<_, &str>(1).parse()?,
            backend: BackendId(row.get(2)),
            table: row.get(3),
            spec: serde_json::from_value(row.get(4)).map_err(Error::internal)?,
            trashed: row.get(5),
            column: column
                .map(serde_json::from_value)
                .transpose()
                .map_err(Error::internal)?,
        })
    };
    rows.map_err(control::failure)?.iter().map(one).collect()
}

/// Whether it is where it was, and past its time.
pub(super) async fn is_due(executor: &impl GenericClient, due: &Due, before: Timestamp) -> Result<bool> {
    let sql = "
        select from plinth.tables t
        where t.id = $1 and t.name = $2 and (t.deleted_at is not null) = $3
          and case when $4::uuid is null then t.deleted_at < $5
            else exists (select from jsonb_array_elements(t.spec -> 'removed') r where (r.value ->> 'id')::uuid = $4) end";
    let (name, column) = (due.spec.name.as_str(), due.column.as_ref().map(|column| column.id));
    let params = [
        uuid(&due.table),
        text(&name),
        (&due.trashed as &(dyn ToSql + Sync), Type::BOOL),
        (&column as &(dyn ToSql + Sync), Type::UUID),
        time(&before),
    ];
    let rows = executor.query_typed(sql, &params).await.map_err(control::failure)?;
    Ok(!rows.is_empty())
}

/// Takes a column that is gone out of its table's design. `false` when somebody else has.
pub(super) async fn forget_column(executor: &impl GenericClient, table: Uuid, column: Uuid) -> Result<bool> {
    let sql = "
        update plinth.tables t set spec = jsonb_set(t.spec, '{removed}', (
          select coalesce(jsonb_agg(r.value order by r.ordinality), '[]')
          from jsonb_array_elements(t.spec -> 'removed') with ordinality r where (r.value ->> 'id')::uuid <> $2))
        where t.id = $1 and exists (
          select from jsonb_array_elements(t.spec -> 'removed') r where (r.value ->> 'id')::uuid = $2)";
    let done = executor.execute_typed(sql, &[uuid(&table), uuid(&column)]).await;
    Ok(done.map_err(control::failure)? > 0)
}

/// Takes a table out whose rows are gone. `false` when somebody else has.
pub(super) async fn forget_table(executor: &impl GenericClient, table: Uuid, before: Timestamp) -> Result<bool> {
    let sql = "delete from plinth.tables where id = $1 and deleted_at < $2";
    let done = executor.execute_typed(sql, &[uuid(&table), time(&before)]).await;
    Ok(done.map_err(control::failure)? > 0)
}

/// The tables that keep deleted rows, those of a backend together; the backends in an order of that moment's own.
pub(super) async fn keepers(executor: &impl GenericClient, moment: Timestamp) -> Result<Vec<Keeper>> {
    let sql = format!(
        "select p.ref, b.id, t.id, t.name, t.deleted_at is not null {ALIVE}
         where t.spec -> 'softDelete' = 'true' order by md5(b.id::text || $1::text), b.id, t.id"
    );
    let rows = executor
        .query_typed(&sql, &[time(&moment)])
        .await
        .map_err(control::failure)?;
    let one = |row: &Row| {
        Ok(Keeper {
            reference: row.get::<_, &str>(0).parse()?,
            backend: BackendId(row.get(1)),
            table: row.get(2),
            name: Ident::new(row.get::<_, &str>(3))?,
            trashed: row.get(4),
        })
    };
    rows.iter().map(one).collect()
}
