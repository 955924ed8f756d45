//! Tries a connection before it is taken, so that a typo is found by whoever made it.

use std::sync::Arc;
use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::Whole;
use super::inventory::{self, Inventory};
use super::relationships;
use crate::app::App;
use crate::backend::{Login, failure};
use crate::control::dial::{DialError, Trust, dial};
use crate::control::{text, texts};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, ProjectId};
use crate::tenancy::{Family, RestSettings, Routine};

/// Longest time the questions may take, the connection not counted (it has its own five seconds).
const DEADLINE: Duration = Duration::from_secs(5);

/// Whether the database can be reached, lets the login in and has what the settings name; and what else it has.
///
/// # Errors
/// `outbound/forbidden` (403), `outbound/unknown-host` (422), `external/timeout` (504), `external/unreachable` and
/// `external/tls` (502), `external/credentials`, `external/no-such-database`, `external/no-such-schema`,
/// `external/no-such-role`, `external/role-not-granted`, `external/no-such-function`, `external/no-such-table` and
/// `external/no-such-column` (422);
/// `auth/issuer-unavailable` (503) for `jwksUrl`.
pub(super) async fn probe(app: &App, project: ProjectId, whole: &Whole) -> Result<Inventory> {
    let rest = &whole.settings.rest;
    if let Some(url) = &rest.jwks_url {
        app.tenancy.try_keys(url).await?;
    }
    let databases = &app.config.databases;
    let own = whole.credentials.trust(whole.provider.as_str()).map_err(|_| {
        Error::invalid("provisioning/config", "Invalid configuration")
            .with_details("config.credentials.caCertificate: it holds no certificate in PEM form")
    })?;
    let trust = match own {
        Some(own) => own,
        None => Trust::new(databases.ca_pem.as_deref())?,
    };
    let address = whole.credentials.address(&app.config.outbound, Some(project));
    let family = whole.family();
    if matches!(family, Family::MySql | Family::Rest) {
        let mut target = app.tried_target(family, address, trust);
        target.api = whole.credentials.api.clone().map(Arc::new);
        let schema = rest.schemas.first().ok_or_else(|| Error::internal("no schema"))?;
        let mut found = app.backends.probe(&target, schema).await?;
        relationships::check(&rest.relationships, &mut found.catalog)?;
        return Ok(Inventory::of(&found));
    }
    let client = dial(&address, &trust).await;
    let client = client.map_err(|error| no_connection(error, &address.auth))?;
    let asked = async {
        if family == Family::Cockroach {
            is_cockroach(&client).await?;
        }
        ask(&client, rest).await
    };
    let asked = tokio::time::timeout(DEADLINE, asked).await;
    asked.map_err(|_| too_late())?
}

/// Ids are shown, and transactions run anew, because it is one.
async fn is_cockroach(client: &Client) -> Result<()> {
    let rows = client.query_typed("select version()", &[]).await.map_err(broke)?;
    let version: &str = rows.first().map_or("", |row| row.get(0));
    if version.starts_with("CockroachDB") {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Unprocessable,
        "external/not-cockroachdb",
        "The server is no CockroachDB",
    )
    .with_hint("externalProvider is postgresql for a PostgreSQL server"))
}

fn no_connection(error: DialError, auth: &Login) -> Error {
    let DialError::Postgres(failed) = error else {
        return match error {
            DialError::Refused(refused) => refused.into(),
            DialError::Deadline => too_late(),
            DialError::Token(error) => error,
            other => other.into(),
        };
    };
    let state = failed.code().cloned();
    let tls = failed.to_string().contains("TLS");
    let refused = match state {
        Some(SqlState::INVALID_PASSWORD | SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => match auth {
            Login::Password(_) => failure::bad_credentials(),
            Login::Iam(_) => failure::bad_token(),
        },
        Some(SqlState::INVALID_CATALOG_NAME) => failure::no_such_database(),
        None if tls => failure::no_tls(),
        _ => Error::new(
            ErrorKind::Upstream,
            "external/unreachable",
            "The database server cannot be reached",
        )
        .with_hint("Check host and port, and that the server takes connections from here"),
    };
    refused.with_source(failed)
}

fn too_late() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "external/timeout",
        "The database server does not answer in time",
    )
    .with_hint("Check host and port, and that no firewall is in between")
}

async fn ask(client: &Client, rest: &RestSettings) -> Result<Inventory> {
    schemas(client, &rest.schemas).await?;
    for (name, role) in [("anonRole", &rest.anon_role), ("serviceRole", &rest.service_role)] {
        if let Some(role) = role {
            self::role(client, name, role).await?;
        }
    }
    if let Some(routine) = &rest.pre_request {
        function(client, rest, routine).await?;
    }
    inventory::look(client, &rest.schemas).await.map_err(broke)
}

async fn schemas(client: &Client, schemas: &[Ident]) -> Result<()> {
    let names: Vec<String> = schemas.iter().map(Ident::to_string).collect();
    let sql = "
        select s.position::int4, s.name from unnest($1::text[]) with ordinality s (name, position)
        where not exists (select from pg_catalog.pg_namespace n where n.nspname = s.name) order by 1";
    let rows = client.query_typed(sql, &[texts(&names)]).await.map_err(broke)?;
    let Some(row) = rows.first() else { return Ok(()) };
    let position: i32 = row.get(0);
    Err(missing(
        "external/no-such-schema",
        "A schema is not there",
        format!("config.rest.schemas[{}]: \"{}\"", position - 1, row.get::<_, &str>(1)),
    ))
}

async fn role(client: &Client, setting: &str, role: &Ident) -> Result<()> {
    let sql = "
        select pg_catalog.pg_has_role(session_user, r.oid, 'member') from pg_catalog.pg_roles r where r.rolname = $1";
    let rows = client.query_typed(sql, &[text(&role.as_str())]).await.map_err(broke)?;
    let details = format!("config.rest.{setting}: \"{role}\"");
    match rows.first().map(|row| row.get::<_, bool>(0)) {
        Some(true) => Ok(()),
        Some(false) => {
            let refused = missing("external/role-not-granted", "The login may not take a role", details);
            Err(refused.with_hint(format!("grant {} to the login", role.quoted())))
        }
        None => Err(missing("external/no-such-role", "A role is not there", details)),
    }
}

async fn function(client: &Client, rest: &RestSettings, routine: &Routine) -> Result<()> {
    let schemas: Vec<String> = match &routine.schema {
        Some(schema) => vec![schema.to_string()],
        None => rest
            .schemas
            .iter()
            .chain(&rest.extra_search_path)
            .map(Ident::to_string)
            .collect(),
    };
    let sql = "
        select 1 from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
        where n.nspname = any($1::text[]) and p.proname = $2 and p.pronargs = p.pronargdefaults limit 1";
    let name = routine.name.as_str();
    let params = [texts(&schemas), text(&name)];
    let rows = client.query_typed(sql, &params).await.map_err(broke)?;
    if rows.is_empty() {
        let details = format!("config.rest.preRequest: \"{routine}\", without arguments");
        return Err(missing("external/no-such-function", "A function is not there", details));
    }
    Ok(())
}

fn missing(code: &'static str, public: &'static str, details: String) -> Error {
    Error::new(ErrorKind::Unprocessable, code, public)
        .with_details(details)
        .with_hint("Check its spelling, or make it first")
}

fn broke(error: tokio_postgres::Error) -> Error {
    Error::new(
        ErrorKind::Upstream,
        "external/unreachable",
        "The database server does not answer as it should",
    )
    .with_hint("Check that it is a PostgreSQL server")
    .with_source(error)
}
