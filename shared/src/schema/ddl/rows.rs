//! Rows that are kept when they are deleted: the column that marks them, and what follows them to other tables.
//!
//! A deletion is an update of the mark, under the table's delete policies (see [`crate::schema::policy`]). So unique values
//! stay taken and foreign keys stay fulfilled until the purge really removes the row; what `on delete` says happens then.
//! Before that, a trigger does what a deletion would do to what is seen:
//! - rows that refer to it with `cascade`, in tables that keep deleted rows too, are marked with it, and unmarked with it;
//!   they are told from rows that were deleted by themselves by the moment, which is that of the transaction;
//! - rows that refer to it with `restrict` or `no action` refuse it, as they refuse a real deletion;
//! - a row is not restored while a row that it would go with is deleted.
//!
//! All others stay as they are: a restored row has them back.

use super::{Context, qualified};
use crate::ident::Ident;
use crate::schema::hidden;
use crate::schema::spec::TableSpec;

/// The setting that names the table (its oid) a transaction deletes rows of.
pub(crate) const DELETING: &str = "plinth.deleting";
/// The setting that names the table (its oid) whose deleted rows a transaction looks at.
pub(crate) const RESTORING: &str = "plinth.restoring";

/// The trigger and its function.
const FOLLOW: &str = "plinth_deleted";
/// A constraint that no deleted row passes.
const NONE_DELETED: &str = "plinth_no_deleted_rows";

/// The column, in the making of a table.
pub(super) fn column() -> String {
    format!("{} timestamptz", hidden::deleted_at().quoted())
}

/// Adds the column.
pub(super) fn add_column(table: &str) -> String {
    format!("alter table {table} add column {}", column())
}

/// Takes the column away, if no row is deleted: such rows would be back, or gone.
pub(super) fn drop_column(table: &str) -> [String; 2] {
    let (name, column) = (Ident::fixed(NONE_DELETED), hidden::deleted_at());
    [
        format!(
            "alter table {table} add constraint {} check ({} is null)",
            name.quoted(),
            column.quoted()
        ),
        format!("alter table {table} drop column {}", column.quoted()),
    ]
}

/// Whether a refusal says that there are deleted rows.
pub(crate) fn has_deleted_rows(constraint: Option<&str>) -> bool {
    constraint == Some(NONE_DELETED)
}

/// The function that follows marks, and the trigger. It runs as the owner of the project's tables, who sees every row;
/// all it is told are tables of the catalog.
pub(super) fn follow(context: &Context<'_>, spec: &TableSpec) -> [String; 2] {
    let function = qualified(&context.helpers.trash, &Ident::fixed(FOLLOW));
    let (table, column) = (context.table(&spec.name), hidden::deleted_at());
    [
        format!(
            "create or replace function {function}() returns trigger language plpgsql security definer set search_path = pg_catalog as {}",
            crate::ident::literal(BODY)
        ),
        format!(
            "create trigger \"{FOLLOW}\" after update of {column} on {table} for each row when (old.{column} is distinct from new.{column}) execute function {function}()",
            column = column.quoted()
        ),
    ]
}

/// Takes the trigger away; other tables may need the function.
pub(super) fn unfollow(context: &Context<'_>, spec: &TableSpec) -> String {
    format!("drop trigger \"{FOLLOW}\" on {}", context.table(&spec.name))
}

/// The rows are taken in the order in which they were deleted.
fn due(table: &str) -> String {
    let column = hidden::deleted_at();
    format!(
        "select ctid as place from {table} where {column} < $1 order by {column}, ctid limit $2 offset $3 for update skip locked",
        column = column.quoted()
    )
}

pub(super) fn purge(table: &str) -> String {
    format!(
        "with due as ({}), gone as (delete from {table} as t using due where t.ctid = due.place returning 1) select pg_catalog.count(*) from gone",
        due(table)
    )
}

pub(super) fn purge_singly(table: &str) -> [String; 2] {
    [
        format!("select due.place::pg_catalog.text from ({}) as due", due(table)),
        format!("delete from {table} where ctid = $1::pg_catalog.text::pg_catalog.tid"),
    ]
}

const BODY: &str = include_str!("follow_deletion.sql");
