//! What comes in and goes out.

use http::StatusCode;
use plinth::app::App;
use plinth::connections;
use plinth::error::{Error, ErrorKind, Result};
use plinth::provisioning::{Backend, ExternalBackend, Found, Outcome, Provisioned, Request, external};
use plinth::tenancy::Isolation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What kind of backend, and how.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackend {
    /// `managed` (also `jcal-managed`), `dedicated` or `external`.
    #[serde(rename = "backendType")]
    pub backend_type: Option<String>,
    /// How it is to be. It may hold secrets: never shown, not even in `Debug`.
    #[schema(value_type = Option<BackendConfig>)]
    pub config: Option<Value>,
}

/// How a backend is to be. Read by hand, so that a fault is named by its path and no value is quoted.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[expect(
    dead_code,
    reason = "it describes the body; the fields are read from the JSON itself"
)]
pub struct BackendConfig {
    /// `schema` (the default) or `database`; managed backends only.
    pub isolation: Option<String>,
    /// One of the catalogue's kinds that are available (`GET /api/providers`); external backends only, as all that follows.
    pub external_provider: Option<String>,
    /// Whether requests need one of the project's keys; true if not said.
    pub require_api_key: Option<bool>,
    /// The fields that the catalogue has for it, such as `connectionString`, or `host`, `port`, `database`, `username`,
    /// `password` and `sslMode`; also `caCertificate` (PEM) and `pooler`. Kept sealed. Left out, the ones that are known stay.
    #[schema(value_type = Option<Object>)]
    pub credentials: Option<Value>,
    /// How the API behaves, as PostgREST's configuration: `schemas`, `extraSearchPath`, `anonRole`, `serviceRole`, `jwtSecret`,
    /// `jwksUrl`, `roleClaim`, `audience`, `preRequest`, `maxRows`, `txOverride`, `aggregates`, `plan`, `openapi`, `appSettings`;
    /// of MySQL and its siblings `relationships` (`[{table, columns, references, referencedColumns}]`, foreign keys that the
    /// database does not have) and `tinyint1IsBool`.
    #[schema(value_type = Option<Object>)]
    pub rest: Option<Value>,
}

/// What is asked for, in terms of this version.
#[derive(Debug)]
pub enum Asked {
    /// A backend of ours.
    Managed(Request),
    /// A user's own database.
    External(Box<external::Request>),
}

impl NewBackend {
    /// What is asked for.
    pub fn parse(&self, app: &App) -> Result<Asked> {
        match self.backend_type.as_deref() {
            None | Some("managed" | "jcal-managed") => managed(self.config.as_ref()).map(Asked::Managed),
            Some("external") => {
                let config = self.config.as_ref().unwrap_or(&Value::Null);
                let request = external::Request::parse(config, &app.config.outbound)?;
                Ok(Asked::External(Box::new(request)))
            }
            Some("dedicated") => Err(Error::new(
                ErrorKind::Unsupported,
                "provisioning/unsupported",
                "This kind of backend is not available yet",
            )
            .with_hint("Use backendType managed or external")),
            Some(_) => Err(
                Error::invalid("provisioning/backend-type", "There is no such backend type")
                    .with_hint("backendType is managed, jcal-managed, dedicated or external"),
            ),
        }
    }
}

fn managed(config: Option<&Value>) -> Result<Request> {
    let isolation = config.and_then(|config| config.get("isolation"));
    let isolation = isolation.filter(|isolation| !isolation.is_null());
    let isolation = isolation.map(|isolation| isolation.as_str().unwrap_or_default().parse::<Isolation>());
    let isolation = isolation.transpose();
    let isolation = isolation.map_err(|error| error.with_hint("Leave it out for schema"))?;
    Ok(Request { isolation })
}

/// A backend as its project's members see it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DatabaseView {
    /// The `databaseId` of other paths.
    pub id: uuid::Uuid,
    /// Always `main`: a project has one.
    pub name: &'static str,
    /// `provisioning`, `ready` or `failed`.
    pub status: &'static str,
    /// `schema` or `database`; null for a user's own database.
    pub isolation: Option<&'static str>,
    /// The schema as clients name it: the default one.
    pub schema: String,
    /// When it was made.
    #[serde(rename = "createdAt")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
}

impl From<&Backend> for DatabaseView {
    fn from(backend: &Backend) -> Self {
        Self {
            id: backend.id.0,
            name: "main",
            status: backend.state.as_str(),
            isolation: Some(backend.isolation.as_str()),
            schema: "public".to_owned(),
            created_at: backend.created_at,
        }
    }
}

impl From<&ExternalBackend> for DatabaseView {
    fn from(backend: &ExternalBackend) -> Self {
        Self {
            id: backend.id.0,
            name: "main",
            status: backend.state.as_str(),
            isolation: None,
            schema: backend
                .settings
                .rest
                .schemas
                .first()
                .map(ToString::to_string)
                .unwrap_or_default(),
            created_at: backend.created_at,
        }
    }
}

/// The reply to a provision: what an app needs to begin.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProvisionedView {
    /// `provisioning`, `ready` or `failed`.
    pub status: &'static str,
    /// `managed`.
    pub backend_type: &'static str,
    /// The URL for `createClient`.
    pub api_url: String,
    /// The publishable key; null when it was shown before, because only its hash is kept.
    pub api_key: Option<String>,
    /// The secret key; null when it was shown before.
    pub secret_key: Option<String>,
    /// The backend.
    pub database: DatabaseView,
    /// What is in a user's own database; absent for one of ours, which begins empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<external::Inventory>,
    /// What to do where something is missing.
    pub hint: Option<&'static str>,
}

impl ProvisionedView {
    /// The view with its status: 201 for a new backend, 200 for one that was there or came back.
    pub fn of(app: &App, done: Provisioned) -> (StatusCode, Self) {
        let hint = match (done.outcome, &done.keys) {
            (_, Some(_)) => None,
            (Outcome::Restored, None) => Some("The backend was restored with its data; its keys work again"),
            (_, None) => Some("Keys are shown once; make another at POST /api/projects/{id}/keys"),
        };
        let view = Self {
            status: done.backend.state.as_str(),
            backend_type: "managed",
            api_url: app.config.web.project_url(&done.backend.reference),
            api_key: done.keys.as_ref().map(|keys| shown(&keys.publishable)),
            secret_key: done.keys.as_ref().map(|keys| shown(&keys.secret)),
            database: (&done.backend).into(),
            found: None,
            hint,
        };
        (status(done.outcome), view)
    }

    /// [`ProvisionedView::of`] for a user's own database.
    pub fn of_external(app: &App, done: external::Provisioned) -> (StatusCode, Self) {
        let hint = done
            .keys
            .is_none()
            .then_some("Other processes hear of the change within 5 seconds");
        let view = Self {
            status: done.backend.state.as_str(),
            backend_type: "external",
            api_url: app.config.web.project_url(&done.backend.reference),
            api_key: done.keys.as_ref().map(|keys| shown(&keys.publishable)),
            secret_key: done.keys.as_ref().map(|keys| shown(&keys.secret)),
            database: (&done.backend).into(),
            found: Some(done.found),
            hint,
        };
        (status(done.outcome), view)
    }
}

fn status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Made => StatusCode::CREATED,
        Outcome::Restored | Outcome::Found => StatusCode::OK,
    }
}

/// The one reply that carries the keys.
fn shown(key: &plinth::sensitive::Sensitive) -> String {
    key.expose().to_owned()
}

/// What there is to know of a project's backend. No secret is in it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendView {
    /// Whether there is one.
    pub enabled: bool,
    /// `managed`, `external`, or null.
    pub backend_type: Option<&'static str>,
    /// Where it is, or null.
    pub connection_info: Option<ConnectionInfo>,
}

/// Where a backend is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum ConnectionInfo {
    /// One of ours.
    Managed(ManagedInfo),
    /// A user's own database.
    External(Box<ExternalInfo>),
}

/// Where a managed backend is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedInfo {
    /// The `databaseId` of other paths.
    pub database_id: uuid::Uuid,
    /// The URL for `createClient`.
    pub api_url: String,
    /// `schema` or `database`.
    pub isolation: &'static str,
    /// The schema as clients name it.
    pub schema: &'static str,
    /// `provisioning`, `ready` or `failed`.
    pub state: &'static str,
    /// The number of its cell.
    pub cell: i32,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
}

/// Where a user's own database is, and how its API behaves. Of its secrets only that there are some.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExternalInfo {
    /// The `databaseId` of other paths.
    pub database_id: uuid::Uuid,
    /// The URL for `createClient`.
    pub api_url: String,
    /// Its kind, as the catalogue calls it.
    pub provider: String,
    /// Host.
    pub host: Option<String>,
    /// Port.
    pub port: Option<u64>,
    /// Database name.
    pub database: Option<String>,
    /// `disable` or `verify-full`.
    pub ssl_mode: Option<String>,
    /// `postgres` or `mysql`; of RDS only, as the three that follow.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// `password` or `iam`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auth: Option<String>,
    /// The server's AWS region, with `iam`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The role that is assumed, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role_arn: Option<String>,
    /// Whether a transaction pooler is in between.
    pub pooler: Option<bool>,
    /// Whether requests need one of the project's keys.
    pub require_api_key: bool,
    /// The settings of the API.
    #[schema(value_type = Object)]
    pub rest: Value,
    /// `provisioning`, `ready` or `failed`.
    pub state: &'static str,
    /// How it fares.
    pub health: connections::Health,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: jiff::Timestamp,
}

impl BackendView {
    /// The view of what was found.
    pub fn of(app: &App, found: Option<&Found>) -> Self {
        Self {
            enabled: found.is_some(),
            backend_type: found.map(|found| match found {
                Found::Managed(_) => "managed",
                Found::External(_) => "external",
            }),
            connection_info: found.map(|found| match found {
                Found::Managed(backend) => ConnectionInfo::Managed(ManagedInfo {
                    database_id: backend.id.0,
                    api_url: app.config.web.project_url(&backend.reference),
                    isolation: backend.isolation.as_str(),
                    schema: "public",
                    state: backend.state.as_str(),
                    cell: backend.cell.id,
                    created_at: backend.created_at,
                }),
                Found::External(backend) => ConnectionInfo::External(Box::new(external_info(app, backend))),
            }),
        }
    }
}

fn external_info(app: &App, backend: &ExternalBackend) -> ExternalInfo {
    let text = |name: &str| backend.connection[name].as_str().map(str::to_owned);
    ExternalInfo {
        database_id: backend.id.0,
        api_url: app.config.web.project_url(&backend.reference),
        provider: backend.provider.clone(),
        host: text("host"),
        port: backend.connection["port"].as_u64(),
        database: text("database"),
        ssl_mode: text("sslMode"),
        engine: text("engine"),
        auth: text("auth"),
        region: text("region"),
        role_arn: text("roleArn"),
        pooler: backend.connection["pooler"].as_bool(),
        require_api_key: backend.settings.require_api_key,
        rest: backend.rest(),
        state: backend.state.as_str(),
        health: backend.health.clone(),
        created_at: backend.created_at,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_parses_to_what_this_version_offers_or_says_what_is_wrong() {
        for (body, expected) in [
            (json!({}), "schema"),
            (json!({"backendType": "managed"}), "schema"),
            (
                json!({"backendType": "jcal-managed", "config": {"isolation": "database"}}),
                "database",
            ),
            (json!({"backendType": "managed", "config": null}), "schema"),
            (
                json!({"backendType": "managed", "config": {"isolation": 1}}),
                "provisioning/isolation",
            ),
            (json!({"config": {"isolation": "table"}}), "provisioning/isolation"),
        ] {
            let body: NewBackend = serde_json::from_value(body).unwrap();
            let parsed = managed(body.config.as_ref());
            let said = match &parsed {
                Ok(request) => request.isolation.unwrap_or(Isolation::Schema).as_str(),
                Err(error) => {
                    assert!(error.hint().is_some(), "{expected}");
                    error.code()
                }
            };
            assert_eq!(said, expected);
        }
    }
}
