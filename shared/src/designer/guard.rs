//! What every backend needs as it is: `app_users` and the columns that the view `users` shows.

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::schema::spec::TableSpec;
use crate::schema::starter::APP_USERS;

/// Columns of `app_users` that the view and the sign-up of end users are made of.
const COLUMNS: [&str; 7] = [
    "id",
    "email",
    "full_name",
    "avatar_url",
    "metadata",
    "created_at",
    "updated_at",
];

/// Refuses to delete `app_users`.
pub(super) fn deletion(spec: &TableSpec) -> Result<()> {
    if spec.name.as_str() == APP_USERS {
        return Err(needed("app_users cannot be deleted"));
    }
    Ok(())
}

/// Refuses to drop, rename or retype what is needed. Looks at the operations rather than at their outcome: a column of
/// the same name and type need not be the same column.
pub(super) fn alteration(spec: &TableSpec, operations: &Value) -> Result<()> {
    if spec.name.as_str() != APP_USERS {
        return Ok(());
    }
    for operation in operations.as_array().into_iter().flatten() {
        let text = |key: &str| operation.get(key).and_then(Value::as_str).unwrap_or_default();
        let is_needed = |key: &str| COLUMNS.contains(&text(key));
        match text("op") {
            "rename_table" => return Err(needed("app_users cannot be renamed")),
            "set_soft_delete" => {
                return Err(needed(
                    "Profiles go with their users, so app_users keeps no deleted rows",
                ));
            }
            "drop_column" if is_needed("name") => return Err(column(text("name"), "dropped")),
            "rename_column" if is_needed("from") => return Err(column(text("from"), "renamed")),
            "alter_column" if is_needed("name") && operation.get("type").is_some() => {
                return Err(column(text("name"), "given another type"));
            }
            _ => {}
        }
    }
    Ok(())
}

fn column(name: &str, what: &str) -> Error {
    needed("A column of app_users that the view users shows must stay as it is")
        .with_details(format!("{name} cannot be {what}"))
}

fn needed(message: &'static str) -> Error {
    Error::new(ErrorKind::Conflict, "tables/needed", message)
        .with_hint("Profiles of end users are kept there; add columns or a table of your own beside it")
}
