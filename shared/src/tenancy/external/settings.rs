//! What the owner of a database decides about its API: the `rest` section, as it is stored.

use serde::{Deserialize, Serialize};

use super::RoleClaim;
use crate::ident::Ident;
use crate::schema::catalog::{Declared, DeclaredKey};

/// What is not secret of an external backend.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ExternalSettings {
    /// Whether a request needs one of the project's keys.
    pub require_api_key: bool,
    /// The API.
    pub rest: RestSettings,
}

impl Default for ExternalSettings {
    fn default() -> Self {
        Self {
            require_api_key: true,
            rest: RestSettings::default(),
        }
    }
}

/// The `rest` section without its secrets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RestSettings {
    /// The exposed schemas; the first one is the default. Never empty.
    pub schemas: Vec<Ident>,
    /// Schemas that names are looked up in after the exposed one.
    pub extra_search_path: Vec<Ident>,
    /// The role of requests without a token; without it they are refused.
    pub anon_role: Option<Ident>,
    /// The role of the project's secret keys; without it they work as the login itself.
    pub service_role: Option<Ident>,
    /// Where the keys of the user's issuer are published.
    pub jwks_url: Option<String>,
    /// Where in a token the role is.
    pub role_claim: RoleClaim,
    /// The audience that tokens must be for, if they name one.
    pub audience: Option<String>,
    /// Runs before each query.
    pub pre_request: Option<Routine>,
    /// Rows a read answers at most.
    pub max_rows: Option<u64>,
    /// Whether `Prefer: tx=rollback` is honoured.
    pub tx_override: bool,
    /// Whether aggregates may be selected.
    pub aggregates: bool,
    /// Whether the planner's output may be asked for.
    pub plan: bool,
    /// Whether the root describes the API.
    pub openapi: bool,
    /// Relationships that the database does not declare; MySQL and its siblings heed them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub relationships: Vec<DeclaredKey>,
    /// Whether `tinyint(1)` holds true and false (MySQL and its siblings).
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub tinyint1_is_bool: bool,
}

impl RestSettings {
    /// What their database does not say itself.
    pub fn declared(&self) -> Declared {
        Declared {
            keys: self.relationships.clone(),
            tinyint1_is_bool: self.tinyint1_is_bool,
        }
    }
}

impl Default for RestSettings {
    fn default() -> Self {
        Self {
            schemas: vec![Ident::fixed("public")],
            extra_search_path: vec![Ident::fixed("public")],
            anon_role: None,
            service_role: None,
            jwks_url: None,
            role_claim: RoleClaim::default(),
            audience: None,
            pre_request: None,
            max_rows: None,
            tx_override: true,
            aggregates: false,
            plan: false,
            openapi: true,
            relationships: Vec::new(),
            tinyint1_is_bool: false,
        }
    }
}

/// A function's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routine {
    /// Its schema; `None`: wherever the search path finds it.
    pub schema: Option<Ident>,
    /// Its name.
    pub name: Ident,
}

impl std::fmt::Display for Routine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => self.name.fmt(f),
        }
    }
}

impl Routine {
    /// Takes `function` or `schema.function`.
    pub fn parse(text: &str) -> Option<Self> {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(Ident::new(schema).ok()?), name),
            None => (None, text),
        };
        let name = Ident::new(name).ok()?;
        Some(Self { schema, name })
    }
}
