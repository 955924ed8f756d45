//! What a wish comes to: statements up and down, and the designs after them. A pure function over the stored designs.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::site::Site;
use super::store::Stored;
use super::{Wish, guard, not_found};
use crate::error::{Error, ErrorKind, Result};
use crate::schema::ddl::{self, Change};
use crate::schema::fault::{Fault, Faults};
use crate::schema::known::Known;
use crate::schema::spec::{self, TableSpec, is_restorable};

/// The kind of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Create,
    Alter,
    Delete,
    Restore,
    RestoreColumn,
}

impl Kind {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Alter => "alter",
            Self::Delete => "delete",
            Self::Restore => "restore",
            Self::RestoreColumn => "restore_column",
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        [
            Self::Create,
            Self::Alter,
            Self::Delete,
            Self::Restore,
            Self::RestoreColumn,
        ]
        .into_iter()
        .find(|kind| kind.as_str() == text)
    }
}

/// The designs after a change; kept with the migration, so that it can be finished by somebody else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct After {
    /// The table.
    pub(super) table: TableSpec,
    /// Other tables whose designs mention a name that changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) also: Vec<TableSpec>,
}

/// A planned change.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) kind: Kind,
    pub(super) table: Uuid,
    pub(super) change: Change,
    pub(super) after: After,
    /// Statements that must be possible afterwards, and are not to happen.
    pub(super) proof: Vec<String>,
}

/// Plans a wish. `fresh` is the id of what it makes, or puts aside.
pub(super) fn plan(
    wish: Wish<'_>,
    tables: &[Stored],
    site: &Site,
    max_tables: usize,
    (fresh, now): (Uuid, Timestamp),
) -> Result<Planned> {
    let live = || tables.iter().filter(|stored| stored.table.deleted_at.is_none());
    let find = |id: Uuid| live().find(|stored| stored.table.id == id).ok_or_else(not_found);
    let known = Known::new(live().map(|stored| stored.spec.clone()));
    let context = site.context(&known);
    let room = || match live().count() < max_tables && tables.len() < max_tables.saturating_mul(2) {
        true => Ok(()),
        false => Err(quota(max_tables)),
    };
    let planned = |kind, table, change, spec, also| {
        Ok(Planned {
            kind,
            table,
            change,
            after: After { table: spec, also },
            proof: vec![],
        })
    };
    match wish {
        Wish::Create(design) => {
            let spec = spec::parse(design, &known)?;
            room()?;
            let change = ddl::create_table(&spec, &context)?;
            planned(Kind::Create, fresh, change, spec, vec![])
        }
        Wish::Alter {
            table,
            version,
            operations,
        } => {
            let stored = find(table)?;
            current(stored, version)?;
            guard::alteration(&stored.spec, operations)?;
            let list = json!({ "operations": operations });
            let altered = ddl::alter(&stored.spec, &list, &context, (fresh, now)).map_err(in_use)?;
            Ok(Planned {
                proof: altered.proof,
                ..planned(Kind::Alter, table, altered.change, altered.spec, altered.also)?
            })
        }
        Wish::RestoreColumn { table, column, said } => {
            let spec = &find(table)?.spec;
            let there = |removed: &&spec::RemovedColumn| removed.id == column && removed.is_restorable(now);
            spec.removed.iter().find(there).ok_or_else(no_such_column)?;
            let mut operation = said.clone();
            operation.insert("op".to_owned(), "restore_column".into());
            operation.insert("id".to_owned(), column.to_string().into());
            let list = json!({ "operations": [operation] });
            let altered = ddl::alter(spec, &list, &context, (fresh, now)).map_err(unfit_column)?;
            planned(Kind::RestoreColumn, table, altered.change, altered.spec, altered.also)
        }
        Wish::Delete { table, version } => {
            let stored = find(table)?;
            version.map_or(Ok(()), |version| current(stored, version))?;
            let spec = &stored.spec;
            guard::deletion(spec)?;
            let moved = site.moved(table)?;
            let change = ddl::drop_table(spec, &context, &site.trash, &moved).map_err(in_use)?;
            planned(Kind::Delete, table, change, spec.clone(), vec![])
        }
        Wish::Restore { table } => {
            let stored = tables
                .iter()
                .find(|stored| stored.table.id == table)
                .ok_or_else(not_found)?;
            let deleted = stored.table.deleted_at.ok_or_else(not_deleted)?;
            if !is_restorable(deleted, now) {
                return Err(not_found());
            }
            let spec = checked_again(&stored.spec, &known)?;
            room()?;
            let moved = site.moved(table)?;
            // The way back of its deletion, rendered anew: what it refers to may have another name by now.
            let Change { up, down } = ddl::drop_table(&spec, &context, &site.trash, &moved)?;
            planned(Kind::Restore, table, Change { up: down, down: up }, spec, vec![])
        }
    }
}

/// A design that lay aside, checked against what is there now.
fn checked_again(spec: &TableSpec, known: &Known) -> Result<TableSpec> {
    let (mut design, removed) = (spec.clone(), spec.removed.clone());
    design.removed.clear();
    let json = serde_json::to_value(&design).map_err(Error::internal)?;
    let checked = spec::parse(&json, known).map(|design| TableSpec { removed, ..design });
    checked.map_err(|faults| {
        let details = faults.to_string();
        if has(&faults, "schema/name-taken") {
            return Error::new(
                ErrorKind::Conflict,
                "tables/name-taken",
                "Another table has taken the name meanwhile",
            )
            .with_details(details)
            .with_hint("Rename or delete that one first");
        }
        Error::new(
            ErrorKind::Conflict,
            "tables/restore",
            "What the table refers to is not there any more",
        )
        .with_details(details)
        .with_hint("Restore or create that first")
    })
}

/// Why a deleted column cannot come back.
fn unfit_column(faults: Faults) -> Error {
    let details = faults.to_string();
    if has(&faults, "schema/duplicate") || has(&faults, "schema/name-taken") {
        return Error::new(
            ErrorKind::Conflict,
            "tables/name-taken",
            "Another column has taken the name meanwhile",
        )
        .with_details(details)
        .with_hint(r#"Send {"name": "another_name"}, or rename or drop that one first"#);
    }
    if has(&faults, "schema/shape") || has(&faults, "schema/unknown-key") || has(&faults, "schema/name") {
        return faults.into();
    }
    Error::new(
        ErrorKind::Conflict,
        "tables/restore",
        "The column does not fit the table any more",
    )
    .with_details(details)
    .with_hint(r#"Restore or create what it needs first, or leave it out: {"references": null, "check": null}"#)
}

fn no_such_column() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "tables/column-not-found",
        "Deleted column not found",
    )
    .with_hint("The table's deletedColumns have the ids of those that can be restored")
}

fn current(stored: &Stored, version: i64) -> Result<()> {
    if stored.table.version == version {
        return Ok(());
    }
    let present = stored.table.version;
    Err(Error::new(
        ErrorKind::Conflict,
        "tables/stale",
        format!("The table has changed: it is at version {present}"),
    )
    .with_details(format!("If-Match named {version}"))
    .with_hint("Read the table again and send its new version in If-Match"))
}

/// Faults of a change; when all of them say that something else needs what would go, it is a conflict.
fn in_use(faults: Faults) -> Error {
    if faults.iter().all(|fault| fault.code == "schema/in-use") {
        return Error::new(
            ErrorKind::Conflict,
            "tables/needed",
            "Something else needs this as it is",
        )
        .with_details(faults.to_string())
        .with_hint("Every line of the details names what needs it");
    }
    faults.into()
}

fn has(faults: &Faults, code: &str) -> bool {
    faults.iter().any(|fault: &Fault| fault.code == code)
}

fn quota(max_tables: usize) -> Error {
    Error::new(
        ErrorKind::Quota,
        "tables/quota",
        "The project has as many tables as it may have",
    )
    .with_details(format!(
        "{max_tables} tables, and as many deleted ones that can still be restored"
    ))
    .with_hint("Delete tables that are not needed")
}

fn not_deleted() -> Error {
    Error::new(ErrorKind::Conflict, "tables/not-deleted", "The table is not deleted")
}
