//! Connections to databases of users: what each kind needs, how it is read, and the test that people trust.

mod catalogue;
mod class;
mod classify;
mod credentials;
mod health;
#[cfg(feature = "mysql")]
mod mysql;
mod postgres;
mod provider;
mod rds;
mod report;
mod rest;
mod run;
mod section;
mod store;

pub use catalogue::{Catalogue, Entry, Field, FieldKind, Group, GroupEntry, Initial, Preset, Validation, catalogue};
pub use class::Class;
pub use credentials::credentials;
pub use health::{Health, HealthStatus, class_of};
pub use provider::Provider;
pub use report::{
    LoginRights, MySqlRights, Outcome, PostgresRights, Privileges, Report, RoleRights, SchemaRights, Server,
    ServerSettings, Step, StepName, TableRights, Warning,
};
pub use rest::shown_api;
pub use section::{Section, shown};

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::control::dial::Trust;
use crate::control::staged::Watch;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{Ident, ProjectId};
use crate::schema::fault::{Fault, Faults};
use crate::tenancy::{Caller, ConnectionSecrets, Credentials, Family, PlatformRole, ProjectAccess};
use crate::vault::Owner;
use postgres::Postgres;
use rest::Rest;
use run::{Subject, Trial};
use store::Backend;

const CODE: &str = "connections/credentials";
/// The roles that every Supabase project has.
const SUPABASE_ROLES: [&str; 3] = ["anon", "authenticated", "service_role"];
/// As many schemas may be named.
const MOST_SCHEMAS: usize = 20;

/// A connection that is not saved yet.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewTest {
    /// One of the catalogue's ids.
    pub provider: String,
    /// The fields that the catalogue has for it.
    #[schema(value_type = Object)]
    pub credentials: Value,
    /// The schemas that are to be exposed; `public` when left out. Not of MySQL, where the database is the one schema.
    #[serde(default)]
    pub schemas: Option<Vec<String>>,
}

impl std::fmt::Debug for NewTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewTest")
            .field("schemas", &self.schemas)
            .finish_non_exhaustive()
    }
}

/// Tests a connection before it is saved. That it fails is an answer; an error is what cannot be tried.
///
/// # Errors
/// 403 `connections/guest` for Guests; 400 `connections/credentials` with a line for every fault; 501
/// `connections/provider-unsupported` for a kind of database that cannot be tested yet.
pub async fn test(app: &App, caller: &Caller, new: &NewTest) -> Result<Report> {
    if caller.user.role < PlatformRole::User {
        let refused = Error::new(
            ErrorKind::Forbidden,
            "connections/guest",
            "Guests may not test connections",
        );
        return Err(refused.with_hint("Ask an Admin of the platform for the role User"));
    }
    let provider = testable(&new.provider)?;
    let mut faults = Faults::default();
    let given = &new.credentials;
    let credentials = credentials(provider, "credentials", CODE, given, &app.config.outbound, &mut faults);
    let schemas = schemas(new.schemas.as_deref(), &mut faults);
    let family = credentials
        .as_ref()
        .map_or_else(|| provider.family(), |read| read.family(provider.as_str()));
    if new.schemas.is_some() && family == Family::MySql {
        let message = "the database is the one schema there is";
        faults.push(Fault::new("schemas", CODE, message));
    }
    let subject = credentials.and_then(|credentials| {
        let roles = match provider {
            Provider::Supabase => SUPABASE_ROLES.map(str::to_owned).into(),
            _ => Vec::new(),
        };
        if credentials.iam.as_ref().is_some_and(|iam| iam.role_arn.is_some()) {
            let message = "a role is assumed for a project: provision it, or POST /api/projects/{id}/backend/test";
            faults.push(Fault::new("credentials.roleArn", CODE, message));
        }
        let asked = Asked {
            schemas,
            roles,
            for_project: None,
        };
        subject(app, provider, &credentials, asked, &mut faults)
    });
    match subject {
        Some(subject) if faults.is_empty() => Ok(try_it(app, &subject).await),
        _ => Err(Error::invalid(CODE, "Invalid credentials")
            .with_details(faults.to_string())
            .with_hint("Every line of the details names a path in the body; GET /api/providers has the fields")),
    }
}

/// Tests the connection of a project's own database, with the credentials that are kept. Needs the role `developer`.
///
/// # Errors
/// 404 `backend/not-provisioned`; 409 `connections/not-external` when the backend is one of ours.
pub async fn test_saved(app: &App, access: &ProjectAccess) -> Result<Report> {
    let backend = {
        let client = app.control.get().await?;
        store::connection(&*client, access.project()).await?
    };
    let saved = match backend {
        Backend::Own(saved) => saved,
        Backend::Ours => {
            let ours = "The project's backend is the platform's own: there is no connection to test";
            return Err(Error::new(ErrorKind::Conflict, "connections/not-external", ours)
                .with_hint("POST /api/connections/test tests a connection before it is saved"));
        }
        Backend::Nothing => {
            let none = "The project has no backend";
            return Err(Error::new(ErrorKind::NotFound, "backend/not-provisioned", none)
                .with_hint("POST /api/projects/{id}/backend/provision"));
        }
    };
    let provider = testable(&saved.provider)?;
    let of = Owner {
        project: access.project(),
        backend: saved.id,
    };
    let secrets = ConnectionSecrets::open(&app.credentials, of, &saved.kept, None).await?;
    let credentials = secrets.credentials;
    let rest = &saved.settings.rest;
    let roles = [&rest.anon_role, &rest.service_role].into_iter().flatten();
    let roles: Vec<String> = roles.map(Ident::to_string).collect();
    let schemas = rest.schemas.iter().map(Ident::to_string).collect();
    let mut faults = Faults::default();
    let asked = Asked {
        schemas,
        roles,
        for_project: Some(access.project()),
    };
    let subject = subject(app, provider, &credentials, asked, &mut faults);
    let subject = subject.ok_or_else(|| Error::internal("the connection's certificates cannot be read"))?;
    Ok(try_it(app, &subject).await)
}

async fn try_it(app: &App, subject: &Subject) -> Report {
    let report = run::run(subject, app.config.connections.test_deadline, app.clock.now()).await;
    let failed = report.steps.iter().find(|step| step.outcome == Outcome::Failed);
    tracing::info!(
        provider = subject.provider.as_str(),
        ok = report.ok,
        step = ?failed.map(|step| step.name),
        class = ?failed.and_then(|step| step.class),
        "tested a connection"
    );
    report
}

fn testable(name: &str) -> Result<Provider> {
    Provider::parse(name)
        .filter(|provider| provider.is_tested() && is_linked(provider.family()))
        .ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "connections/provider-unsupported",
                format!("Connections of the kind \"{}\" cannot be tested yet", shown(name)),
            )
            .with_hint(format!("provider is {}", Provider::tested()))
        })
}

/// Whether this function was built with what such a test needs.
fn is_linked(family: Family) -> bool {
    match family {
        Family::Postgres | Family::Cockroach | Family::Rest => true,
        Family::MySql => cfg!(feature = "mysql"),
    }
}

fn schemas(given: Option<&[String]>, faults: &mut Faults) -> Vec<String> {
    let Some(given) = given else {
        return vec!["public".to_owned()];
    };
    if given.is_empty() || given.len() > MOST_SCHEMAS {
        let message = format!("1 to {MOST_SCHEMAS} names are expected");
        faults.push(Fault::new("schemas", CODE, message));
    }
    for (at, name) in given.iter().enumerate() {
        if Ident::new(name.as_str()).is_err() {
            faults.push(Fault::new(
                format!("schemas[{at}]"),
                CODE,
                "a name of 1 to 63 bytes is expected",
            ));
        }
    }
    given.to_vec()
}

/// What is asked of a database beside whether it can be reached.
struct Asked {
    schemas: Vec<String>,
    roles: Vec<String>,
    /// The project whose connection it is; none before it is saved.
    for_project: Option<ProjectId>,
}

fn subject(
    app: &App,
    provider: Provider,
    credentials: &Credentials,
    asked: Asked,
    faults: &mut Faults,
) -> Option<Subject> {
    let own = credentials.trust(provider.as_str());
    let all = || Trust::new(app.config.databases.ca_pem.as_deref());
    let Ok(trust) = own.and_then(|own| own.map_or_else(all, Ok)) else {
        let message = "it holds no certificate in PEM form";
        faults.push(Fault::new("credentials.caCertificate", CODE, message));
        return None;
    };
    let address = credentials.address(&app.config.outbound, asked.for_project);
    let (host, port, guard) = (address.host.clone(), address.port, address.guard.clone());
    let watch = Watch::default();
    let trial: Box<dyn Trial> = match credentials.family(provider.as_str()) {
        Family::Postgres | Family::Cockroach => Box::new(Postgres {
            provider,
            address,
            trust,
            schemas: asked.schemas,
            roles: asked.roles,
            roles_asked_for: asked.for_project.is_some(),
            pooler: credentials.pooler,
            watch,
        }),
        #[cfg(feature = "mysql")]
        Family::MySql => Box::new(mysql::MySql {
            provider,
            address,
            trust,
        }),
        // Refused before, but for RDS.
        #[cfg(not(feature = "mysql"))]
        Family::MySql => {
            let message = "connections of this engine cannot be tested here";
            faults.push(Fault::new("credentials.engine", CODE, message));
            return None;
        }
        Family::Rest => Box::new(Rest {
            address,
            trust,
            api: Arc::new(credentials.api.clone()?),
            watch,
        }),
    };
    Some(Subject {
        provider,
        host,
        port,
        guard,
        trial,
    })
}
