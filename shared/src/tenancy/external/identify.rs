//! Who calls a user's own database: a key of the project, a token of the user's issuer, or nobody.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::Value;

use super::External;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::tenancy::data::{self, DataAccess, DataRole};
use crate::tenancy::{KnownKey, Project, ProjectBackend, Tenancy, kid};
use crate::token::{Claims, KeyClass, TokenKeys, bearer, check_times, undecodable};

impl Tenancy {
    /// Who calls, given the key that opened the door, if one did.
    ///
    /// # Errors
    /// 401 `PGRST301`, `PGRST302` and `PGRST303`, 500 `PGRST300`, as PostgREST answers; 503 while the issuer's keys cannot
    /// be had.
    pub(in crate::tenancy) async fn identify_external(
        &self,
        project: &Arc<Project>,
        external: &External,
        key: Option<&KnownKey>,
        headers: &HeaderMap,
    ) -> Result<DataAccess> {
        let rest = &external.settings.rest;
        let id = key.map(|key| key.id);
        if !external.family.guards_rows() {
            return self.identify_ruled(project, external, key, headers).await;
        }
        let Some(token) = presented_token(headers)? else {
            let access = match key.map(|key| key.class) {
                Some(KeyClass::Secret) => DataAccess::as_login(project.clone(), rest.service_role.clone(), id),
                Some(KeyClass::Publishable) | None => {
                    let role = rest.anon_role.clone().ok_or_else(anonymous_off)?;
                    DataAccess::in_role(project.clone(), DataRole::Anon, role, Claims::new(), id)
                }
            };
            return Ok(access);
        };
        let claims = self.claims(project, external, token).await?;
        let role = match rest.role_claim.find(&claims) {
            Some(named) => role(&named)?,
            None => rest.anon_role.clone().ok_or_else(anonymous_off)?,
        };
        let kind = if rest.anon_role.as_ref() == Some(&role) {
            DataRole::Anon
        } else {
            DataRole::Authenticated
        };
        Ok(DataAccess::in_role(project.clone(), kind, role, claims, id))
    }

    /// The same where the rows are guarded by rules of ours, if at all: there are no roles but `anon` and `authenticated`.
    async fn identify_ruled(
        &self,
        project: &Arc<Project>,
        external: &External,
        key: Option<&KnownKey>,
        headers: &HeaderMap,
    ) -> Result<DataAccess> {
        let secret = key.is_some_and(|key| key.class == KeyClass::Secret);
        let id = key.map(|key| key.id);
        let token = presented_token(headers)?;
        if secret && token.is_none() {
            return Ok(DataAccess::as_login(project.clone(), None, id));
        }
        let has_policies = project.backend.as_ref().is_some_and(ProjectBackend::has_policies);
        if !external.family.takes_row_rules() || !has_policies {
            return Err(no_row_rules());
        }
        let (kind, mut claims) = match token {
            None => (DataRole::Anon, Claims::new()),
            Some(token) => {
                let claims = self.claims(project, external, token).await?;
                let named = external.settings.rest.role_claim.find(&claims);
                (known_role(named.as_deref())?, claims)
            }
        };
        claims.insert("role".to_owned(), Value::from(kind.as_str()));
        Ok(DataAccess {
            user: None,
            project: project.clone(),
            role: kind,
            taken: None,
            claims,
            key: id,
        })
    }

    async fn claims(&self, project: &Project, external: &External, token: &str) -> Result<Claims> {
        let now = self.clock.now();
        let rest = &external.settings.rest;
        let named = kid(token);
        if project.jwks.find(named.as_deref().unwrap_or_default()).is_some() {
            let issuer = self.config.web.project_issuer(&project.reference);
            let keys = &project.jwks;
            return self.verified.verify(token, keys, &issuer, Some("authenticated"), now);
        }
        let claims = match (external.keys.as_ref().map(|keys| keys.verify(token)), &rest.jwks_url) {
            (None, None) => return Err(no_secret()),
            (Some(Ok(claims)), _) => claims,
            (Some(Err(refused)), None) => return Err(refused),
            (_, Some(url)) => {
                let set = Box::pin(self.guarded_keys.get(url, named.as_deref())).await?;
                TokenKeys::published(&set).verify(token)?
            }
        };
        check_times(&claims, rest.audience.as_deref(), now)?;
        Ok(claims)
    }

    /// Whether a set of keys can be had from a URL that a user names.
    ///
    /// # Errors
    /// As [`crate::control::outbound::check_url`]; `auth/issuer-unavailable` when there is none.
    pub async fn try_keys(&self, url: &str) -> Result<()> {
        crate::control::outbound::check_url(&self.config.outbound, url)?;
        self.guarded_keys.get(url, None).await?;
        Ok(())
    }
}

/// The token of a request: what is sent as Bearer, else in the `apikey` header (supabase-js sends its key in both); not
/// when it is one of our keys.
fn presented_token(headers: &HeaderMap) -> Result<Option<&str>> {
    let empty = |value: &http::HeaderValue| {
        value
            .to_str()
            .is_ok_and(|text| text.trim().eq_ignore_ascii_case("bearer"))
    };
    if headers.get(AUTHORIZATION).is_some_and(empty) {
        return Err(undecodable("Empty JWT is sent in Authorization header"));
    }
    let from_key = || headers.get("apikey").and_then(|value| value.to_str().ok());
    let no_key = |text: &&str| !data::is_key(text) && !text.is_empty();
    Ok(bearer(headers).filter(no_key).or_else(|| from_key().filter(no_key)))
}

/// A role that a token names where there are two. A token is never a secret key.
fn known_role(named: Option<&str>) -> Result<DataRole> {
    match named {
        None | Some("authenticated") => Ok(DataRole::Authenticated),
        Some("anon") => Ok(DataRole::Anon),
        Some(_) => Err(no_such_role().with_hint("Without roles of its own this database knows anon and authenticated")),
    }
}

fn no_such_role() -> Error {
    Error::new(
        ErrorKind::Unauthorized,
        "22023",
        "The role of this request does not exist",
    )
}

/// A role that a token names. `none` would be no role at all, but the login.
fn role(named: &str) -> Result<Ident> {
    let role = Ident::new(named).ok().filter(|role| role.as_str() != "none");
    role.ok_or_else(no_such_role)
}

fn anonymous_off() -> Error {
    Error::new(ErrorKind::Unauthorized, "PGRST302", "Anonymous access is disabled")
}

/// Without rules for its rows, whoever comes in sees all of them.
fn no_row_rules() -> Error {
    Error::new(
        ErrorKind::Forbidden,
        "records/secret-key-only",
        "This database has no row rules: only the project's secret key may read and write it",
    )
    .with_hint(
        "Send the secret key in the apikey header, from a server and without a user's token; \
         or give tables row rules: PUT /api/database/{id}/tables/{table}/policies",
    )
}

fn no_secret() -> Error {
    Error::new(ErrorKind::Internal, "PGRST300", "Server lacks JWT secret")
        .with_status(500)
        .with_hint("Set rest.jwtSecret or rest.jwksUrl of the backend")
}

impl DataAccess {
    /// With a role of the user's own database.
    fn in_role(
        project: Arc<Project>,
        kind: DataRole,
        role: Ident,
        mut claims: Claims,
        key: Option<crate::ident::KeyId>,
    ) -> Self {
        claims.insert("role".to_owned(), Value::from(role.as_str()));
        Self {
            user: None,
            project,
            role: kind,
            taken: Some(role),
            claims,
            key,
        }
    }

    /// With the project's secret key, or a member at the desk.
    pub(in crate::tenancy) fn as_login(
        project: Arc<Project>,
        role: Option<Ident>,
        key: Option<crate::ident::KeyId>,
    ) -> Self {
        let kind = DataRole::Service;
        let mut claims = data::claims_of(kind);
        if let Some(role) = &role {
            claims.insert("role".to_owned(), Value::from(role.as_str()));
        }
        Self {
            user: None,
            project,
            role: kind,
            taken: role,
            claims,
            key,
        }
    }
}
