//! Deleted columns, as they are shown.

use jiff::Timestamp;
use serde::Serialize;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store;
use crate::error::Result;
use crate::ident::{Ident, ProjectId};
use crate::schema::spec::{ColumnSpec, RemovedColumn};

/// A column that was deleted and can be restored.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DeletedColumn {
    /// Its id.
    pub id: Uuid,
    /// The name it had.
    #[schema(value_type = String)]
    pub name: Ident,
    /// The column as it was.
    #[schema(value_type = Object)]
    pub column: ColumnSpec,
    /// When it was deleted.
    #[schema(value_type = String, format = DateTime)]
    pub deleted_at: Timestamp,
    /// Until when it can be restored.
    #[schema(value_type = String, format = DateTime)]
    pub restorable_until: Timestamp,
}

impl From<RemovedColumn> for DeletedColumn {
    fn from(removed: RemovedColumn) -> Self {
        Self {
            id: removed.id,
            name: removed.column.name.clone(),
            deleted_at: removed.deleted_at,
            restorable_until: removed.restorable_until(),
            column: removed.column,
        }
    }
}

/// A deleted column with where it is.
#[derive(Debug, Clone)]
pub struct Located {
    /// Its project.
    pub project: ProjectId,
    /// Its backend.
    pub backend: Uuid,
    /// Its table.
    pub table: Uuid,
    /// The table's name.
    pub table_name: Ident,
    /// The column.
    pub column: DeletedColumn,
}

/// The deleted columns of these projects' live tables, the last deleted first, that can be restored at `now`.
///
/// They stand in `plinth.tables.spec -> 'removed'`, an array of `{"id","deletedAt","column":{"name",…},…}`.
///
/// # Errors
/// When the database fails.
pub async fn deleted_columns(
    executor: &impl GenericClient,
    projects: &[ProjectId],
    now: Timestamp,
) -> Result<Vec<Located>> {
    let mut found = store::removed_columns(executor, projects).await?;
    found.retain(|located| crate::schema::spec::is_restorable(located.column.deleted_at, now));
    found.sort_by_key(|located| std::cmp::Reverse((located.column.deleted_at, located.column.id)));
    Ok(found)
}
