//! Platform users and their membership in projects.

use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::{Tenancy, not_found};
use crate::control::{self, uuid};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, ProjectId, Ref, UserId};
use crate::token::Claims;

/// What somebody is to the platform: `app_metadata.role`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum PlatformRole {
    /// May look at what they are a member of.
    Guest,
    /// May have projects.
    User,
    /// Runs the platform.
    Admin,
}

/// What somebody is to a project. Each role may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberRole {
    /// Reads.
    Viewer,
    /// Changes tables and data.
    Developer,
    /// Changes members, keys and the backend.
    Admin,
    /// Deletes the project, hands it over.
    Owner,
}

impl MemberRole {
    /// The name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Admin => "admin",
            Self::Owner => "owner",
        }
    }
}

impl FromStr for MemberRole {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        serde_json::from_value(Value::from(text))
            .map_err(|_| Error::invalid("members/role", "A role is owner, admin, developer or viewer"))
    }
}

/// A platform user whose token held.
#[derive(Debug, Clone)]
pub struct PlatformUser {
    /// Their id; for an outside issuer's users made from issuer and subject.
    pub id: UserId,
    /// Their address, if the token tells.
    pub email: Option<String>,
    /// Their role.
    pub role: PlatformRole,
    /// Issuer and subject, when an outside issuer vouches for them.
    pub outside: Option<(String, String)>,
    /// When they last proved who they are, if the token tells: `amr` of our own, `amr` or `auth_time` of others.
    pub signed_in_at: Option<Timestamp>,
}

/// How recent a sign-in must be for what takes a person's data along, or away.
const RECENT: SignedDuration = SignedDuration::from_mins(5);

/// Whether somebody who signed in then did so within the last five minutes.
pub fn is_recent(signed_in: Timestamp, now: Timestamp) -> bool {
    now.duration_since(signed_in) <= RECENT
}

impl PlatformUser {
    /// Whether they signed in within the last five minutes. Of an outside issuer whose tokens do not tell, nobody did.
    pub fn signed_in_lately(&self, now: Timestamp) -> bool {
        self.signed_in_at.is_some_and(|at| is_recent(at, now))
    }

    pub(super) fn from_own(claims: &Claims) -> Result<Self> {
        let id = claims
            .get("sub")
            .and_then(Value::as_str)
            .and_then(|sub| sub.parse().ok());
        let id = id.ok_or_else(|| Error::new(ErrorKind::Unauthorized, "auth/unauthorized", "Unauthorized"))?;
        Ok(Self {
            id: UserId(id),
            email: email(claims),
            role: role(claims),
            outside: None,
            signed_in_at: signed_in_at(claims),
        })
    }

    pub(super) fn from_outside(issuer: &str, claims: &Claims) -> Result<Self> {
        let subject = claims
            .get("sub")
            .and_then(Value::as_str)
            .filter(|subject| !subject.is_empty());
        let subject = subject.ok_or_else(|| {
            Error::new(ErrorKind::Unauthorized, "auth/unauthorized", "Unauthorized")
                .with_details("The token has no sub")
        })?;
        let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("{issuer}\n{subject}").as_bytes());
        Ok(Self {
            id: UserId(id),
            email: email(claims),
            role: role(claims),
            outside: Some((issuer.to_owned(), subject.to_owned())),
            signed_in_at: signed_in_at(claims),
        })
    }
}

fn email(claims: &Claims) -> Option<String> {
    claims
        .get("email")
        .and_then(Value::as_str)
        .filter(|email| !email.is_empty())
        .map(str::to_owned)
}

fn signed_in_at(claims: &Claims) -> Option<Timestamp> {
    let methods = claims.get("amr").and_then(Value::as_array).into_iter().flatten();
    let at = methods
        .filter_map(|method| method.get("timestamp"))
        .filter_map(Value::as_i64);
    let at = at.chain(claims.get("auth_time").and_then(Value::as_i64)).max()?;
    Timestamp::from_second(at).ok()
}

fn role(claims: &Claims) -> PlatformRole {
    let named = claims
        .get("app_metadata")
        .and_then(|metadata| metadata.get("role"))
        .cloned();
    named
        .and_then(|role| serde_json::from_value(role).ok())
        .unwrap_or(PlatformRole::User)
}

/// Facts of the request that logs and the audit log keep.
#[derive(Debug, Clone, Default)]
pub struct RequestInfo {
    /// The request's id, also in the `x-request-id` of the reply.
    pub id: String,
    /// Where it came from, as the gateway saw it.
    pub address: Option<String>,
}

impl RequestInfo {
    /// The same, for an entry of nobody who could be forgotten: from nowhere.
    pub fn without_address(&self) -> Self {
        Self {
            id: self.id.clone(),
            address: None,
        }
    }
}

/// A platform user in a request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub user: PlatformUser,
    /// In which request.
    pub request: RequestInfo,
}

/// Proof that a caller is a member of a project, with the role they have.
#[derive(Debug, Clone)]
pub struct ProjectAccess {
    project: ProjectId,
    reference: Ref,
    role: MemberRole,
    caller: Caller,
}

impl ProjectAccess {
    /// The project.
    pub fn project(&self) -> ProjectId {
        self.project
    }

    /// Its ref.
    pub fn reference(&self) -> &Ref {
        &self.reference
    }

    /// The caller's role in it.
    pub fn role(&self) -> MemberRole {
        self.role
    }

    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }
}

impl Tenancy {
    /// Proof that the caller has at least role `least` in a project.
    ///
    /// # Errors
    /// 404 for a stranger, as if there were no such project; 403 `projects/role` for too low a role.
    pub async fn require(&self, caller: Caller, project: ProjectId, least: MemberRole) -> Result<ProjectAccess> {
        self.lookup(caller, Some(project.0), None, least, false).await
    }

    /// [`Tenancy::require`] that finds a soft-deleted project too, for restoring it.
    ///
    /// # Errors
    /// As [`Tenancy::require`].
    pub async fn require_even_deleted(
        &self,
        caller: Caller,
        project: ProjectId,
        least: MemberRole,
    ) -> Result<ProjectAccess> {
        self.lookup(caller, Some(project.0), None, least, true).await
    }

    /// Proof for the project that a backend belongs to.
    ///
    /// # Errors
    /// As [`Tenancy::require`].
    pub async fn require_backend(
        &self,
        caller: Caller,
        backend: BackendId,
        least: MemberRole,
    ) -> Result<ProjectAccess> {
        self.lookup(caller, None, Some(backend.0), least, false).await
    }

    async fn lookup(
        &self,
        caller: Caller,
        project: Option<Uuid>,
        backend: Option<Uuid>,
        least: MemberRole,
        deleted: bool,
    ) -> Result<ProjectAccess> {
        let client = self.control.get().await?;
        let sql = "select id, ref, role from plinth.access($1, $2, $3, $4)";
        let params = [
            uuid(&caller.user.id.0),
            uuid(&project),
            uuid(&backend),
            (&deleted as _, tokio_postgres::types::Type::BOOL),
        ];
        let rows = client.query_typed(sql, &params).await.map_err(control::failure)?;
        let row = rows.first().ok_or_else(not_found)?;
        let access = ProjectAccess {
            project: ProjectId(row.get(0)),
            reference: row.get::<_, &str>(1).parse()?,
            role: row.get::<_, &str>(2).parse()?,
            caller,
        };
        if access.role < least {
            return Err(Error::new(
                ErrorKind::Forbidden,
                "projects/role",
                "Your role in this project does not allow this",
            )
            .with_details(format!(
                "You are {}; this needs {}",
                access.role.as_str(),
                least.as_str()
            ))
            .with_hint("Ask an owner of the project"));
        }
        Ok(access)
    }
}
