//! Whose accounts a request is about, and who sends it.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::Value;
use uuid::Uuid;

use super::refusal::{bad_jwt, no_authorization};
use crate::app::App;
use crate::control::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident, ProjectId, Ref};
use crate::tenancy::{Cell, Isolation, Project, RequestInfo};
use crate::token::{self, bearer};

/// Whose accounts.
///
/// | | platform | project |
/// |---|---|---|
/// | path | `/auth/v1` | `/p/{ref}/auth/v1` |
/// | tables | schema `plinth` of the control database | schema `auth_<ref>`, or `auth` in its own database |
/// | signing key | the one without a project | the project's |
/// | asks for | nothing | a valid key of that project, looked up anew for every request |
#[derive(Debug, Clone)]
pub struct Audience(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Platform,
    Project(Arc<Project>),
}

impl Audience {
    /// The platform's own users.
    pub fn platform() -> Self {
        Self(Kind::Platform)
    }

    /// The end users of a project, for a caller with a key of it.
    ///
    /// # Errors
    /// 401 without a key that holds right now, 403 for a secret key in a browser, 404 when the project is gone.
    pub async fn of_project(app: &App, reference: &Ref, headers: &HeaderMap) -> Result<Self> {
        let access = app.tenancy.identify_key_now(Some(reference), headers).await?;
        Ok(Self::of(access.project().clone()))
    }

    /// The end users of a project, for what has proved its right to them otherwise.
    pub(super) fn of(project: Arc<Project>) -> Self {
        Self(Kind::Project(project))
    }

    /// The end users of the project whose key is presented, if the backend is its own.
    ///
    /// # Errors
    /// As [`Audience::of_project`]; 404 for another project's backend.
    pub async fn of_backend(app: &App, backend: BackendId, headers: &HeaderMap) -> Result<Self> {
        let access = app.tenancy.identify_key_now(None, headers).await?;
        let own = access.project().backend.as_ref().is_some_and(|own| own.id == backend);
        if !own {
            return Err(crate::tenancy::not_found());
        }
        Ok(Self::of(access.project().clone()))
    }

    /// The project, unless it is the platform.
    pub fn project(&self) -> Option<&Arc<Project>> {
        match &self.0 {
            Kind::Platform => None,
            Kind::Project(project) => Some(project),
        }
    }

    pub(super) fn project_id(&self) -> Option<ProjectId> {
        self.project().map(|project| project.id)
    }

    pub(super) fn is_platform(&self) -> bool {
        matches!(self.0, Kind::Platform)
    }

    /// The `iss` of its tokens.
    pub(super) fn issuer(&self, app: &App) -> String {
        match self.project() {
            None => app.config.web.platform_issuer(),
            Some(project) => app.config.web.project_issuer(&project.reference),
        }
    }

    /// The schema of its tables.
    pub(super) fn schema(&self) -> Result<Ident> {
        match self.project() {
            None => Ident::new("plinth"),
            Some(project) => Ok(project.names().auth(place(project)?.1)),
        }
    }

    /// A connection to the database of its tables.
    pub(super) async fn connect(&self, app: &App) -> Result<Client> {
        match self.project() {
            None => app.control.get().await,
            Some(project) => {
                let (cell, isolation) = place(project)?;
                app.cells.of_project(cell, &project.reference, isolation)?.get().await
            }
        }
    }

    /// The claims of a token, if it is one of this audience's.
    async fn verify(&self, app: &App, token: &str) -> Result<token::Claims> {
        match self.project() {
            None => app.tenancy.platform_claims(token).await,
            Some(project) => token::verify(
                token,
                &project.jwks,
                &self.issuer(app),
                Some("authenticated"),
                app.clock.now(),
            ),
        }
    }
}

/// Where a project's accounts are: its managed backend.
pub(super) fn place(project: &Project) -> Result<(&Cell, Isolation)> {
    let backend = project.ready_backend()?;
    match (&backend.cell, backend.isolation) {
        (Some(cell), Some(isolation)) => Ok((cell, isolation)),
        _ => Err(Error::new(
            ErrorKind::Unsupported,
            "not_implemented",
            "Accounts are not offered beside this kind of backend yet",
        )),
    }
}

/// Where a request came from, for the session's row and the audit log.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// Id and address.
    pub request: RequestInfo,
    /// What the client calls itself; cut at 512 bytes.
    pub user_agent: Option<String>,
}

impl Origin {
    /// From a request's headers and info.
    pub fn new(request: RequestInfo, headers: &HeaderMap) -> Self {
        let agent = headers.get(http::header::USER_AGENT);
        let agent = agent.and_then(|value| value.to_str().ok());
        Self {
            request,
            // to_str lets visible ASCII pass only, so any byte is a place to cut.
            user_agent: agent.map(|agent| agent[..agent.len().min(512)].to_owned()),
        }
    }
}

/// A token of this audience that verified: names a user and a session. Both may be gone: each use case looks.
#[derive(Debug, Clone, Copy)]
pub struct Bearer {
    pub(super) user: Uuid,
    pub(super) session: Uuid,
}

impl Bearer {
    /// Reads and verifies the request's `Authorization: Bearer` token.
    ///
    /// # Errors
    /// 401 `no_authorization` without one (a project's key is none), 403 `bad_jwt` for one that does not hold.
    pub async fn of(app: &App, audience: &Audience, headers: &HeaderMap) -> Result<Self> {
        let token = bearer(headers).filter(|token| !token.starts_with("plinth_"));
        let token = token.ok_or_else(no_authorization)?;
        let claims = audience.verify(app, token).await.map_err(|error| match error.kind() {
            ErrorKind::Unauthorized => bad_jwt(error),
            _ => error,
        })?;
        let id = |name: &'static str| {
            let text = claims.get(name).and_then(Value::as_str);
            let missing = || bad_jwt(Error::invalid("bad_jwt", format!("invalid claim: {name}")));
            text.and_then(|text| text.parse().ok()).ok_or_else(missing)
        };
        Ok(Self {
            user: id("sub")?,
            session: id("session_id")?,
        })
    }
}
