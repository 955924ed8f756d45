//! What comes in and goes out.

use http::StatusCode;
use plinth::app::App;
use plinth::error::{Error, ErrorKind, Result};
use plinth::provisioning::{Backend, Outcome, Provisioned, Request};
use plinth::tenancy::Isolation;
use serde::{Deserialize, Serialize};

/// What kind of backend, and how.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackend {
    /// `managed` (also `jcal-managed`), `dedicated` or `external`.
    #[serde(rename = "backendType")]
    pub backend_type: Option<String>,
    /// How it is to be.
    pub config: Option<BackendConfig>,
}

/// How a backend is to be.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
pub struct BackendConfig {
    /// `schema` (the default) or `database`; managed backends only.
    pub isolation: Option<String>,
}

impl NewBackend {
    /// What is asked for, in terms of this version.
    pub fn parse(&self) -> Result<Request> {
        match self.backend_type.as_deref() {
            None | Some("managed" | "jcal-managed") => {}
            Some("dedicated" | "external") => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "provisioning/unsupported",
                    "This kind of backend is not available yet",
                )
                .with_hint("Use backendType managed"));
            }
            Some(_) => {
                return Err(
                    Error::invalid("provisioning/backend-type", "There is no such backend type")
                        .with_hint("backendType is managed, jcal-managed, dedicated or external"),
                );
            }
        }
        let isolation = self.config.as_ref().and_then(|config| config.isolation.as_deref());
        let isolation = isolation.map(str::parse::<Isolation>).transpose();
        let isolation = isolation.map_err(|error| error.with_hint("Leave it out for schema"))?;
        Ok(Request { isolation })
    }
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
    /// `schema` or `database`.
    pub isolation: &'static str,
    /// The schema as clients name it.
    pub schema: &'static str,
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
            isolation: backend.isolation.as_str(),
            schema: "public",
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
    /// What to do where something is missing.
    pub hint: Option<&'static str>,
}

impl ProvisionedView {
    /// The view with its status: 201 for a new backend, 200 for one that was there or came back.
    pub fn of(app: &App, done: Provisioned) -> (StatusCode, Self) {
        let status = match done.outcome {
            Outcome::Made => StatusCode::CREATED,
            Outcome::Restored | Outcome::Found => StatusCode::OK,
        };
        let hint = match (done.outcome, &done.keys) {
            (_, Some(_)) => None,
            (Outcome::Restored, None) => Some("The backend was restored with its data; its keys work again"),
            (_, None) => Some("Keys are shown once; make another at POST /api/projects/{id}/keys"),
        };
        // The one reply that carries the keys.
        let shown = |key: &plinth::sensitive::Sensitive| key.expose().to_owned();
        let view = Self {
            status: done.backend.state.as_str(),
            backend_type: "managed",
            api_url: app.config.web.project_url(&done.backend.reference),
            api_key: done.keys.as_ref().map(|keys| shown(&keys.publishable)),
            secret_key: done.keys.as_ref().map(|keys| shown(&keys.secret)),
            database: (&done.backend).into(),
            hint,
        };
        (status, view)
    }
}

/// What there is to know of a project's backend. No secret is in it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendView {
    /// Whether there is one.
    pub enabled: bool,
    /// `managed`, or null.
    pub backend_type: Option<&'static str>,
    /// Where it is, or null.
    pub connection_info: Option<ConnectionInfo>,
}

/// Where a backend is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionInfo {
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

impl BackendView {
    /// The view of what was found.
    pub fn of(app: &App, found: Option<&Backend>) -> Self {
        Self {
            enabled: found.is_some(),
            backend_type: found.map(|_| "managed"),
            connection_info: found.map(|backend| ConnectionInfo {
                database_id: backend.id.0,
                api_url: app.config.web.project_url(&backend.reference),
                isolation: backend.isolation.as_str(),
                schema: "public",
                state: backend.state.as_str(),
                cell: backend.cell.id,
                created_at: backend.created_at,
            }),
        }
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
            (json!({"backendType": "dedicated"}), "provisioning/unsupported"),
            (
                json!({"backendType": "external", "config": {"externalProvider": "x", "credentials": {"password": "y"}}}),
                "provisioning/unsupported",
            ),
            (json!({"backendType": "MANAGED"}), "provisioning/backend-type"),
            (json!({"config": {"isolation": "table"}}), "provisioning/isolation"),
        ] {
            let parsed = serde_json::from_value::<NewBackend>(body.clone()).unwrap().parse();
            let said = match &parsed {
                Ok(request) => request.isolation.unwrap_or(Isolation::Schema).as_str(),
                Err(error) => {
                    assert!(error.hint().is_some(), "{body}");
                    error.code()
                }
            };
            assert_eq!(said, expected, "{body}");
        }
    }
}
