//! Who may sign up, whose tokens count, how long sessions last.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::Deserialize;

use super::env::{Env, invalid};
use crate::error::Result;

/// Who may become a platform user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignUp {
    /// Nobody but the first Admin.
    Nobody,
    /// Addresses of these domains, lower case.
    Domains(BTreeSet<String>),
    /// Everybody.
    Everybody,
}

impl SignUp {
    /// Whether that address may sign up.
    pub fn allows(&self, email: &str) -> bool {
        match self {
            Self::Nobody => false,
            Self::Everybody => true,
            Self::Domains(domains) => email
                .rsplit_once('@')
                .is_some_and(|(_, domain)| domains.contains(&domain.to_ascii_lowercase())),
        }
    }
}

/// An issuer other than Plinth whose tokens name platform users (Clerk, Supabase, Cognito, Auth0).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutsideIssuer {
    /// The exact `iss` of its tokens.
    pub issuer: String,
    /// Where its public keys are.
    pub jwks_url: String,
    /// The `aud` its tokens must carry. Clerk sends none by default: leave it out then.
    #[serde(default)]
    pub audience: Option<String>,
}

/// Settings of both audiences, platform users and end users.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// Who may sign up to the platform (`PLINTH_SIGN_UP`: `nobody`, `everybody` or a comma list of domains).
    pub sign_up: SignUp,
    /// The first Admin's address (`PLINTH_FIRST_ADMIN`): may sign up always, and does so as Admin.
    pub first_admin: Option<String>,
    /// Projects a user may have (`PLINTH_MAX_PROJECTS`).
    pub max_projects: u32,
    /// Addresses count as confirmed at sign-up (`PLINTH_AUTOCONFIRM`). Off, sign-up sends a link first.
    pub autoconfirm: bool,
    /// Access token lifetime (`PLINTH_ACCESS_TOKEN_SECONDS`).
    pub access_token: Duration,
    /// A refresh token used again within this time is a lost reply, not theft (`PLINTH_REFRESH_REUSE_SECONDS`).
    pub refresh_reuse: Duration,
    /// Issuers whose tokens are accepted (`PLINTH_ISSUERS`, a JSON list of `issuer`, `jwks_url`, `audience`).
    pub issuers: Vec<OutsideIssuer>,
}

impl Accounts {
    pub(super) fn from_env(env: &Env) -> Result<Self> {
        Ok(Self {
            sign_up: sign_up(env)?,
            first_admin: env.get("PLINTH_FIRST_ADMIN").map(str::to_lowercase),
            max_projects: env.parse("PLINTH_MAX_PROJECTS", 3)?,
            autoconfirm: env.parse("PLINTH_AUTOCONFIRM", false)?,
            access_token: Duration::from_secs(env.parse("PLINTH_ACCESS_TOKEN_SECONDS", 3600)?),
            refresh_reuse: Duration::from_secs(env.parse("PLINTH_REFRESH_REUSE_SECONDS", 10)?),
            issuers: match env.get("PLINTH_ISSUERS") {
                None => Vec::new(),
                Some(list) => serde_json::from_str(list).map_err(|error| invalid("PLINTH_ISSUERS", error))?,
            },
        })
    }
}

fn sign_up(env: &Env) -> Result<SignUp> {
    match env.get("PLINTH_SIGN_UP") {
        None | Some("nobody") => Ok(SignUp::Nobody),
        Some("everybody") => Ok(SignUp::Everybody),
        Some(list) => {
            let domains: BTreeSet<_> = list
                .split(',')
                .map(|domain| domain.trim().to_ascii_lowercase())
                .collect();
            match domains.iter().find(|domain| !domain.contains('.')) {
                Some(_) => Err(invalid(
                    "PLINTH_SIGN_UP",
                    "must be nobody, everybody or a comma list of domains",
                )),
                None => Ok(SignUp::Domains(domains)),
            }
        }
    }
}
