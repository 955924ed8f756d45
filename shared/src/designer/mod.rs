//! Changes of a backend's tables, each one migration: in the history, in the database, and in the store of designs.
//!
//! Two databases have a part in a change: the backend's own, where the table is, and the control database, where its
//! design and history are. There is no transaction over both, so:
//!
//! 1. In the backend's database a transaction takes the project's designer lock; everything below happens under it, so
//!    that changes of one backend come one after the other and a lock that is free means that nobody is at work.
//! 2. In the control database the change is planned (a pure function over the designs) and written down as `pending`.
//! 3. In the open transaction the statements run, the backend's version moves and notes the migration; commit.
//! 4. In the control database the migration becomes `applied` and the design is stored, with an audit row.
//!
//! A change that was cut off is settled by the next one, under the lock: a pending migration that the backend's version
//! names has happened and gets its step 4, any other has not and becomes `failed`.
//!
//! **As whom.** The statements run as the owner of the project's objects. In a database of its own that role is taken by
//! the project's own login: there, statements may run what a tenant wrote (the function in a check, say), and such text
//! can take every role that the login may. In the shared database no tenant's text runs, and the provisioning login is
//! used.

mod cell;
mod change;
mod columns;
mod guard;
mod history;
mod plan;
mod purge;
mod refusal;
mod site;
mod steps;
mod store;

pub use columns::{DeletedColumn, Located, deleted_columns};
pub use history::{Migration, Page, history};
pub use purge::purge;
pub use steps::Step;
#[cfg(feature = "testing")]
pub use steps::interrupted;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident};
use crate::schema::spec::{TableSpec, is_restorable};
use crate::tenancy::{DataAccess, ProjectAccess};

/// A table of a backend.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Table {
    /// Its id; keeps through renames.
    pub id: Uuid,
    /// Its name.
    #[schema(value_type = String)]
    pub name: Ident,
    /// Moves with every change; what `If-Match` names.
    pub version: i64,
    /// Its design.
    #[schema(value_type = Object)]
    pub schema: TableSpec,
    /// Columns that were deleted and can be restored for 30 days.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub deleted_columns: Vec<DeletedColumn>,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Timestamp,
    /// When it was deleted; it can be restored for 30 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub deleted_at: Option<Timestamp>,
}

impl Table {
    /// With those of its deleted columns that can still be restored.
    fn shown(mut self, now: Timestamp) -> Self {
        self.deleted_columns
            .retain(|column| is_restorable(column.deleted_at, now));
        self
    }
}

/// What somebody wants to be changed.
#[derive(Debug, Clone, Copy)]
enum Wish<'a> {
    Create(&'a Value),
    Alter {
        table: Uuid,
        version: i64,
        operations: &'a Value,
    },
    Delete {
        table: Uuid,
        version: Option<i64>,
    },
    Restore {
        table: Uuid,
    },
    RestoreColumn {
        table: Uuid,
        column: Uuid,
        said: &'a Map<String, Value>,
    },
}

/// Makes a table from its design.
///
/// # Errors
/// `tables/invalid-schema` with every fault, `tables/quota`, and what [`alter`] meets.
pub async fn create(app: &App, access: &ProjectAccess, backend: BackendId, design: &Value) -> Result<Table> {
    Box::pin(change::run(app, access, backend, Wish::Create(design))).await
}

/// Changes a table that is still at `version`, by a list of [operations](crate::schema::ddl::alter).
///
/// # Errors
/// `tables/stale` with the present version; `tables/invalid-schema` with every fault; `tables/needed` when something
/// else needs what would go; `tables/data` when the rows that are there do not fit; `tables/busy` when the table's
/// traffic leaves no gap. Nothing has changed then.
pub async fn alter(
    app: &App,
    access: &ProjectAccess,
    backend: BackendId,
    table: Uuid,
    version: i64,
    operations: &Value,
) -> Result<Table> {
    let wish = Wish::Alter {
        table,
        version,
        operations,
    };
    Box::pin(change::run(app, access, backend, wish)).await
}

/// Puts a table aside with its rows, at `version` if given. It can be restored for 30 days.
///
/// # Errors
/// `tables/needed` while another table refers to it; what [`alter`] meets.
pub async fn delete(
    app: &App,
    access: &ProjectAccess,
    backend: BackendId,
    table: Uuid,
    version: Option<i64>,
) -> Result<Table> {
    Box::pin(change::run(app, access, backend, Wish::Delete { table, version })).await
}

/// Takes a deleted table back, with its rows.
///
/// # Errors
/// `tables/name-taken` when its name, or that of one of its keys or enums, has been given away; `tables/restore` when
/// what it refers to is gone; `tables/not-deleted`; what [`alter`] meets.
pub async fn restore(app: &App, access: &ProjectAccess, backend: BackendId, table: Uuid) -> Result<Table> {
    Box::pin(change::run(app, access, backend, Wish::Restore { table })).await
}

/// Takes a deleted column back, with its values. `said` may give it another `name`, and say of it anew whether it is
/// `required` or `unique`, its `references` and its `check`.
///
/// # Errors
/// 404 `tables/column-not-found` when there is none, or longer than 30 days ago; `tables/name-taken`; `tables/restore` when
/// what it refers to is gone; `tables/data` when rows that came or changed meanwhile do not fit it; what [`alter`] meets.
pub async fn restore_column(
    app: &App,
    access: &ProjectAccess,
    backend: BackendId,
    (table, column): (Uuid, Uuid),
    said: &Map<String, Value>,
) -> Result<Table> {
    Box::pin(change::run(
        app,
        access,
        backend,
        Wish::RestoreColumn { table, column, said },
    ))
    .await
}

/// A backend's tables by name; with `deleted`, those that wait for their restoration instead.
///
/// # Errors
/// When the database fails.
pub async fn list(app: &App, access: &ProjectAccess, backend: BackendId, deleted: bool) -> Result<Vec<Table>> {
    let tables = store::tables(&*app.control.get().await?, access.project(), backend).await?;
    let now = app.clock.now();
    Ok(tables
        .into_iter()
        .filter(|table| match table.table.deleted_at {
            None => !deleted,
            Some(at) => deleted && is_restorable(at, now),
        })
        .map(|stored| stored.table.shown(now))
        .collect())
}

/// The designs of a backend's tables that are in use, for who describes them.
///
/// # Errors
/// When the database fails.
pub async fn designs(app: &App, access: &DataAccess, backend: BackendId) -> Result<Vec<TableSpec>> {
    let tables = store::tables(&*app.control.get().await?, access.project().id, backend).await?;
    let used = tables.into_iter().map(|stored| stored.table);
    let used = used.filter(|table| table.deleted_at.is_none());
    Ok(used.map(|table| table.schema).collect())
}

/// One table.
///
/// # Errors
/// 404 `tables/not-found`.
pub async fn get(app: &App, access: &ProjectAccess, backend: BackendId, table: Uuid) -> Result<Table> {
    let tables = list(app, access, backend, false).await?;
    tables.into_iter().find(|found| found.id == table).ok_or_else(not_found)
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "tables/not-found", "Table not found")
        .with_hint("GET /api/database/{id}/tables lists the tables and their ids")
}
