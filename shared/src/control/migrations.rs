//! The control database's migrations, in order, and the texts that provisioning installs in cells.

use refinery::{Migration, Runner};

use crate::error::{Error, Result};
use crate::ident::Ident;

const CONTROL: &str = include_str!("../../migrations/control/V1__control.sql");
const GRANTS: &str = include_str!("../../migrations/control/V3__grants.sql");
const ACCOUNTS: &str = include_str!("../../migrations/accounts.sql");
const CELL: &str = include_str!("../../migrations/cell/V1__helpers.sql");

/// Brings the control database up to date. Run as the login that owns it; the function logins must exist already.
///
/// # Errors
/// The migration that failed; everything before it stays applied and a repeat goes on from there.
pub async fn migrate_control(client: &mut tokio_postgres::Client) -> Result<()> {
    let accounts = accounts_ddl(&Ident::new("plinth")?);
    let steps = [
        ("V1__control", CONTROL),
        ("V2__accounts", &accounts),
        ("V3__grants", GRANTS),
    ];
    let migrations = steps
        .into_iter()
        .map(|(name, sql)| Migration::unapplied(name, sql))
        .collect::<Result<Vec<_>, _>>()
        .map_err(Error::internal)?;
    let report = Runner::new(&migrations)
        .run_async(client)
        .await
        .map_err(Error::internal)?;
    for applied in report.applied_migrations() {
        tracing::info!(
            migration = applied.name(),
            "applied a migration of the control database"
        );
    }
    Ok(())
}

/// The tables of one audience's accounts, in `schema`.
pub fn accounts_ddl(schema: &Ident) -> String {
    ACCOUNTS.replace("__schema__", &schema.quoted().to_string())
}

/// What every database that holds managed backends carries.
pub fn cell_ddl() -> &'static str {
    CELL
}
