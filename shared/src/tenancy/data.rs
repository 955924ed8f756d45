//! Callers of a project's data APIs: a key, perhaps with an end user behind it.

use std::sync::Arc;

use http::HeaderMap;
use serde_json::{Value, json};

use super::project::{KnownKey, Names, Project};
use super::{Tenancy, not_found};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident, KeyId, UserId};
use crate::tenancy::{MemberRole, ProjectAccess};
use crate::token::{Claims, KeyClass, ProjectKey, bearer};

/// The database role of a data request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataRole {
    /// A publishable key alone.
    Anon,
    /// An end user.
    Authenticated,
    /// A secret key.
    Service,
}

impl DataRole {
    /// The name in claims, as Supabase's policies know it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Authenticated => "authenticated",
            Self::Service => "service_role",
        }
    }

    /// The project's own role of that kind. On managed backends it never comes from a claim.
    pub fn ident(self, names: Names<'_>) -> Ident {
        match self {
            Self::Anon => names.anon(),
            Self::Authenticated => names.authenticated(),
            Self::Service => names.service(),
        }
    }
}

/// Proof that a caller may use a project's data APIs, as whom.
#[derive(Debug, Clone)]
pub struct DataAccess {
    pub(super) project: Arc<Project>,
    pub(super) role: DataRole,
    /// The database role to take; `None`: the login's own.
    pub(super) taken: Option<Ident>,
    pub(super) claims: Claims,
    pub(super) key: Option<KeyId>,
    pub(super) user: Option<UserId>,
}

impl DataAccess {
    pub(super) fn by_key(project: Arc<Project>, key: &KnownKey) -> Self {
        let role = match key.class {
            KeyClass::Publishable => DataRole::Anon,
            KeyClass::Secret => DataRole::Service,
        };
        Self {
            taken: Some(role.ident(project.names())),
            project,
            role,
            claims: claims_of(role),
            key: Some(key.id),
            user: None,
        }
    }

    pub(super) fn by_token(project: Arc<Project>, key: &KnownKey, mut claims: Claims) -> Self {
        let role = DataRole::Authenticated;
        claims.insert("role".to_owned(), Value::from(role.as_str()));
        Self {
            taken: Some(role.ident(project.names())),
            project,
            role,
            claims,
            key: Some(key.id),
            user: None,
        }
    }

    /// The project.
    pub fn project(&self) -> &Arc<Project> {
        &self.project
    }

    /// As whom.
    pub fn role(&self) -> DataRole {
        self.role
    }

    /// The database role to take: the project's own of that kind; in a user's own database the one that the token names.
    /// `None` leaves the login itself at work.
    pub fn database_role(&self) -> Option<&Ident> {
        self.taken.as_ref()
    }

    /// The claims that policies see.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The key that opened the door, if one did.
    pub fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// The platform user whose membership did, if so.
    pub fn user(&self) -> Option<UserId> {
        self.user
    }
}

impl Tenancy {
    /// A platform user works on a project's data as its service role: members from `developer` up, viewers to read.
    ///
    /// # Errors
    /// 404 when the project is gone.
    pub async fn as_service(&self, access: &ProjectAccess) -> Result<DataAccess> {
        let project = self.project(access.reference()).await?;
        if project.id != access.project() {
            return Err(not_found());
        }
        if let Some(external) = self.external(&project).await? {
            let role = external.settings.rest.service_role.clone();
            return Ok(DataAccess {
                user: Some(access.caller().user.id),
                ..DataAccess::as_login(project, role, None)
            });
        }
        let role = DataRole::Service;
        Ok(DataAccess {
            taken: Some(role.ident(project.names())),
            project,
            role,
            claims: claims_of(role),
            key: None,
            user: Some(access.caller().user.id),
        })
    }

    /// Who calls an API whose path names no project: the key does.
    ///
    /// # Errors
    /// As [`Tenancy::identify`].
    pub async fn identify_by_key(&self, headers: &HeaderMap) -> Result<DataAccess> {
        let key = presented_key(headers)?;
        self.identify(&key.reference, headers).await
    }

    /// Who uses the JSON façade of one backend: a key of that very project, or a member of it.
    ///
    /// # Errors
    /// 401 without any credential, 404 for another project's, 403 for too low a role.
    pub async fn identify_for_backend(
        &self,
        backend: BackendId,
        headers: &HeaderMap,
        request: super::RequestInfo,
        least: MemberRole,
    ) -> Result<DataAccess> {
        if let Ok(key) = presented_key(headers) {
            let access = self.identify(&key.reference, headers).await?;
            let own = access.project.backend.as_ref().is_some_and(|own| own.id == backend);
            return if own { Ok(access) } else { Err(not_found()) };
        }
        let user = self.platform_user(headers).await?;
        let access = self
            .require_backend(super::Caller { user, request }, backend, least)
            .await?;
        self.as_service(&access).await
    }
}

pub(super) fn claims_of(role: DataRole) -> Claims {
    Claims::from_iter([("role".to_owned(), json!(role.as_str()))])
}

/// The key of a request: the `apikey` header, or a key sent as Bearer token.
pub(super) fn presented_key(headers: &HeaderMap) -> Result<ProjectKey> {
    let from_header = headers.get("apikey").map(|value| value.to_str().unwrap_or_default());
    let from_bearer = || bearer(headers).filter(|token| is_key(token));
    let text = from_header.or_else(from_bearer).ok_or_else(|| {
        Error::new(ErrorKind::Unauthorized, "keys/missing", "No API key found in request")
            .with_hint("Send the project's publishable or secret key in the apikey header")
    })?;
    text.parse()
}

/// Whether a text is meant to be one of our keys.
pub(super) fn is_key(text: &str) -> bool {
    text.starts_with("plinth_")
}

/// Whether a request comes with what is meant to be one of our keys.
pub(super) fn names_key(headers: &HeaderMap) -> bool {
    let header = headers.get("apikey").and_then(|value| value.to_str().ok());
    header.is_some_and(is_key) || bearer(headers).is_some_and(is_key)
}

pub(super) fn invalid_key() -> Error {
    Error::new(ErrorKind::Unauthorized, "keys/invalid", "Invalid API key")
        .with_hint("The key belongs to another project, has expired or was revoked")
}

/// Browsers send `Origin`; a secret key in one is a leak to be noticed.
pub(super) fn refuse_secret_in_browser(class: KeyClass, headers: &HeaderMap) -> Result<()> {
    if class == KeyClass::Secret && headers.contains_key(http::header::ORIGIN) {
        return Err(Error::new(
            ErrorKind::Forbidden,
            "keys/secret-in-browser",
            "A secret key must not be used in a browser",
        )
        .with_hint("Use the publishable key there, and rotate this secret key: it has been exposed"));
    }
    Ok(())
}
