//! All SQL of subject maps, and of the designs whose tables they are about.

use jiff::Timestamp;
use tokio_postgres::{GenericClient, Row};
use uuid::Uuid;

use crate::app::App;
use crate::control::{failure, int4, json, time, uuid};
use crate::error::{Error, Result};
use crate::ident::{BackendId, ProjectId, UserId};
use crate::schema::spec::TableSpec;
use crate::subject::{Structure, SubjectMap, Trashed};
use crate::tenancy::not_found;

/// A table's design.
#[derive(Debug)]
pub(in crate::privacy) struct Design {
    id: Uuid,
    /// With all that lies aside.
    pub(in crate::privacy) spec: TableSpec,
    /// What it is called in the trash, if it is there.
    pub(in crate::privacy) trash_name: Option<String>,
}

impl Design {
    /// The table as one that waits in the trash, if it does.
    pub(in crate::privacy) fn trashed(&self) -> Option<Trashed<'_>> {
        Some(Trashed {
            label: format!("trash:{}:{}", self.spec.name, self.id),
            name: self.trash_name.as_deref()?,
            spec: &self.spec,
        })
    }
}

/// The designs of a backend's tables, those of deleted ones too, in the order in which these were deleted.
pub(in crate::privacy) async fn designs(app: &App, backend: BackendId) -> Result<Vec<Design>> {
    let sql = "
        select id, spec, case when deleted_at is not null then trash_name end
        from plinth.tables where backend_id = $1 order by deleted_at, id";
    let client = app.control.get().await?;
    let rows = client.query_typed(sql, &[uuid(&backend.0)]).await.map_err(failure)?;
    let design = |row: &Row| {
        Ok(Design {
            id: row.get(0),
            spec: serde_json::from_value(row.get(1)).map_err(Error::internal)?,
            trash_name: row.get(2),
        })
    };
    rows.iter().map(design).collect()
}

/// A confirmed map.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stored {
    pub(super) version: i32,
    pub(super) map: SubjectMap,
    /// The tables it was confirmed for.
    pub(super) structure: Structure,
    pub(super) author: UserId,
    pub(super) created_at: Timestamp,
}

const COLUMNS: &str = "version, map, structure, author, created_at";

fn stored(row: &Row) -> Result<Stored> {
    Ok(Stored {
        version: row.get(0),
        map: serde_json::from_value(row.get(1)).map_err(Error::internal)?,
        structure: serde_json::from_value(row.get(2)).map_err(Error::internal)?,
        author: UserId(row.get(3)),
        created_at: row.get(4),
    })
}

/// The one in force.
pub(super) async fn latest(app: &App, project: ProjectId) -> Result<Option<Stored>> {
    latest_in(&*app.control.get().await?, project).await
}

/// The same in the caller's transaction.
pub(super) async fn latest_in(executor: &impl GenericClient, project: ProjectId) -> Result<Option<Stored>> {
    let sql = format!("select {COLUMNS} from plinth.subject_maps where project_id = $1 order by version desc limit 1");
    let rows = executor.query_typed(&sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(stored).transpose()
}

/// The one of that version.
pub(super) async fn version(app: &App, project: ProjectId, version: i32) -> Result<Option<Stored>> {
    let sql = format!("select {COLUMNS} from plinth.subject_maps where project_id = $1 and version = $2");
    let client = app.control.get().await?;
    let params = [uuid(&project.0), int4(&version)];
    let rows = client.query_typed(&sql, &params).await.map_err(failure)?;
    rows.first().map(stored).transpose()
}

/// Locks a project that is not deleted until the transaction ends.
pub(super) async fn lock(executor: &impl GenericClient, project: ProjectId) -> Result<()> {
    let sql = "select 1 from plinth.projects where id = $1 and deleted_at is null for no key update";
    let rows = executor.query_typed(sql, &[uuid(&project.0)]).await.map_err(failure)?;
    rows.first().map(|_| ()).ok_or_else(not_found)
}

pub(super) async fn insert(executor: &impl GenericClient, project: ProjectId, new: &Stored) -> Result<()> {
    let sql = "
        insert into plinth.subject_maps (project_id, version, map, structure, author, created_at)
        values ($1, $2, $3, $4, $5, $6)";
    let map = serde_json::to_value(&new.map).map_err(Error::internal)?;
    let structure = serde_json::to_value(&new.structure).map_err(Error::internal)?;
    let params = [
        uuid(&project.0),
        int4(&new.version),
        json(&map),
        json(&structure),
        uuid(&new.author.0),
        time(&new.created_at),
    ];
    executor.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
