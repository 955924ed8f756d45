//! Makes an empty Postgres into the control database or a cell. Runs as a login with CREATEROLE and CREATEDB and nothing
//! more, here as on RDS; repeatable.

use super::dial::{Trust, dial};
use super::{cell_ddl, failure, migrate_control, scram_verifier};
use crate::clock::SharedRandom;
use crate::config::{Address, Iam, Login};
use crate::error::Result;
use crate::ident::{Ident, literal};
use crate::sensitive::Sensitive;

/// The database that holds every backend of level `schema` in a cell.
pub const CELL_DATABASE: &str = "plinth_cell";
/// What databases of their own are made from.
pub const CELL_TEMPLATE: &str = "plinth_template";

/// The passwords of the functions' logins; `None` where IAM tokens take their place (the login is then a member of
/// `rds_iam`).
#[derive(Debug, Clone)]
pub struct FunctionLogins {
    /// Control plane: `plinth_control`.
    pub control: Option<Sensitive>,
    /// Data requests, in the control database: `plinth_records`.
    pub records: Option<Sensitive>,
    /// Accounts: `plinth_auth`.
    pub auth: Option<Sensitive>,
    /// Jobs, and what is done about a person's data: `plinth_privacy`.
    pub privacy: Option<Sensitive>,
    /// Provisioning, in cells: `plinth_provision`.
    pub provision: Option<Sensitive>,
    /// Data requests, in cells' shared databases: `plinth_api`.
    pub api: Option<Sensitive>,
    /// Scripts, in the control database: `plinth_sql`.
    pub sql: Option<Sensitive>,
    /// Connection tests, in the control database: `plinth_connect`.
    pub connect: Option<Sensitive>,
}

/// Creates the logins, opens the control database to them and brings it up to date.
///
/// # Errors
/// The step that failed; a repeat goes on from there.
pub async fn prepare_control(
    control: &Address,
    trust: &Trust,
    logins: &FunctionLogins,
    random: &SharedRandom,
) -> Result<()> {
    let mut client = dial(control, trust).await?;
    for (name, password, attributes) in [
        ("plinth_control", &logins.control, ""),
        ("plinth_records", &logins.records, ""),
        ("plinth_auth", &logins.auth, ""),
        ("plinth_privacy", &logins.privacy, " noinherit"),
        ("plinth_provision", &logins.provision, " createrole createdb"),
        ("plinth_api", &logins.api, " noinherit"),
        ("plinth_sql", &logins.sql, ""),
        ("plinth_connect", &logins.connect, ""),
    ] {
        ensure_login(&client, name, password.as_ref(), attributes, random).await?;
    }
    let database = Ident::new(control.database.as_str())?;
    let open = format!(
        "revoke all on database {0} from public;
         grant connect on database {0} to plinth_control, plinth_privacy, plinth_records, plinth_auth, plinth_sql,
           plinth_connect;
         -- A database is dropped whoever is still connected to it.
         grant pg_signal_backend to plinth_provision;",
        database.quoted()
    );
    client.batch_execute(&open).await.map_err(failure)?;
    migrate_control(&mut client).await
}

async fn ensure_login(
    client: &tokio_postgres::Client,
    name: &'static str,
    password: Option<&Sensitive>,
    attributes: &str,
    random: &SharedRandom,
) -> Result<()> {
    let create = format!(
        "do $$ begin
           if not exists (select from pg_catalog.pg_roles where rolname = {}) then create role {name}; end if;
         end $$;",
        literal(name)
    );
    let secure = match password {
        Some(password) => format!("password {}", literal(&scram_verifier(password, &random.bytes()))),
        None => format!("password null; grant rds_iam to {name}"),
    };
    let sql = format!("{create} alter role {name} with login{attributes} {secure};");
    client.batch_execute(&sql).await.map_err(failure)
}

/// Makes a server into a cell: groups (the tenants' three, and one for the owners of their objects), the shared database, the template for databases of their own. `provision` is the
/// provisioning login at that server (its database is not used), which will own all of it.
///
/// # Errors
/// The step that failed; a repeat goes on from there.
pub async fn prepare_cell(provision: &Address, trust: &Trust) -> Result<()> {
    let at = |database: &str| Address {
        database: database.to_owned(),
        ..provision.clone()
    };
    let server = dial(&at("postgres"), trust).await?;
    for group in ["anon", "authenticated", "service_role", "project_owner"] {
        let sql = format!(
            "do $$ begin
               if not exists (select from pg_catalog.pg_roles where rolname = {}) then create role {group}; end if;
             end $$;",
            literal(group)
        );
        server.batch_execute(&sql).await.map_err(failure)?;
    }
    for database in [CELL_DATABASE, CELL_TEMPLATE] {
        let exists = server
            .query_typed(
                "select 1 from pg_catalog.pg_database where datname = $1",
                &[super::text(&database)],
            )
            .await
            .map_err(failure)?;
        if exists.is_empty() {
            server
                .batch_execute(&format!("create database {database}"))
                .await
                .map_err(failure)?;
        }
        let lock = format!("revoke all on database {database} from public;");
        server.batch_execute(&lock).await.map_err(failure)?;
    }
    let open = format!(
        "grant connect on database {CELL_DATABASE} to plinth_control, plinth_privacy, plinth_auth, plinth_api;"
    );
    server.batch_execute(&open).await.map_err(failure)?;
    for database in [CELL_DATABASE, CELL_TEMPLATE] {
        install(&at(database), trust).await?;
    }
    Ok(())
}

/// Installs our helpers in one database of a cell, unless they are there.
async fn install(address: &Address, trust: &Trust) -> Result<()> {
    let mut client = dial(address, trust).await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let found = transaction
        .query_typed("select to_regclass('plinth.version') is not null", &[])
        .await
        .map_err(failure)?;
    if !found.first().is_some_and(|row| row.get(0)) {
        transaction.batch_execute(cell_ddl()).await.map_err(failure)?;
        // Nothing of a tenant's may ever land in the shared "public".
        transaction
            .batch_execute("revoke all on schema public from public")
            .await
            .map_err(failure)?;
    }
    transaction.commit().await.map_err(failure)
}

impl Address {
    /// The same server with another login and database.
    pub fn with_login(&self, login: &str, password: Option<&Sensitive>, database: &str) -> Self {
        let auth = password.map_or(Login::Iam(Iam::default()), |password| Login::Password(password.clone()));
        self.beside(&self.host, self.port, database, login, auth)
    }
}

/// Registers a cell in the control database, or updates its address. Run with the migrating login.
///
/// # Errors
/// When the database fails.
pub async fn register_cell(client: &tokio_postgres::Client, id: i32, at: &Address, capacity: i32) -> Result<()> {
    let port = i32::from(at.port);
    let params = [
        super::int4(&id),
        super::text(&at.host),
        super::int4(&port),
        super::text(&CELL_DATABASE),
        super::int4(&capacity),
    ];
    let sql = "
        insert into plinth.cells (id, name, host, port, database, capacity)
        values ($1, 'cell-' || $1, $2, $3, $4, $5)
        on conflict (id) do update set host = excluded.host, port = excluded.port, database = excluded.database";
    client.query_typed(sql, &params).await.map_err(failure)?;
    Ok(())
}
