//! A project as data requests need it: one row of `plinth.resolve`.

use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::external::Connection;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident, KeyId, ProjectId, Ref};
use crate::query::row_rules::Policies;
use crate::token::{JwkSet, KeyClass};
use crate::vault::Envelope;

/// Where a backend lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// A schema or database in a cell of ours.
    Managed,
    /// An instance of its own.
    Dedicated,
    /// The user's own database.
    External,
}

/// How a managed backend is kept apart from its neighbours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Isolation {
    /// A schema in the cell's shared database; all SQL is rendered by us.
    Schema,
    /// A database of its own with a login of its own; tenants may bring their own SQL.
    Database,
}

impl Isolation {
    /// The name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "schema",
            Self::Database => "database",
        }
    }
}

impl FromStr for Isolation {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "schema" => Ok(Self::Schema),
            "database" => Ok(Self::Database),
            _ => Err(Error::invalid(
                "provisioning/isolation",
                "config.isolation is schema or database",
            )),
        }
    }
}

/// A cell's address.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
pub struct Cell {
    /// Its number.
    pub id: i32,
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// The shared database.
    pub database: String,
}

/// A project's backend.
#[derive(Debug, Clone, Deserialize)]
pub struct ProjectBackend {
    /// Its id.
    pub id: BackendId,
    /// Where it lives.
    pub tier: Tier,
    /// How it is kept apart; managed only.
    pub isolation: Option<Isolation>,
    /// `provisioning`, `ready` or `failed`.
    pub state: String,
    /// What its owner set.
    #[serde(default)]
    pub settings: Value,
    /// Which version of ours is installed in it.
    pub installed: i32,
    /// Its cell; managed only.
    pub cell: Option<Cell>,
    /// The sealed password of its own login; level `database` only.
    pub login: Option<Envelope>,
    /// How it is reached; external only.
    pub connection: Option<Connection>,
    /// Row rules of its tables, where its engine has none of its own; external only.
    #[serde(default)]
    pub policies: Option<Policies>,
}

impl ProjectBackend {
    /// The row rules of its tables.
    pub fn policies(&self) -> &Policies {
        static NONE: Policies = Policies::new();
        self.policies.as_ref().unwrap_or(&NONE)
    }

    /// Whether any table has row rules.
    pub fn has_policies(&self) -> bool {
        self.policies().values().any(|policies| !policies.is_empty())
    }
}

/// A key that is not revoked.
#[derive(Debug, Clone, Deserialize)]
pub struct KnownKey {
    /// Its id.
    pub id: KeyId,
    /// What it may do.
    pub class: KeyClass,
    hash: String,
    expires_at: Option<Timestamp>,
}

/// A project with its backend, keys and public signing keys, at one version.
#[derive(Debug, Clone, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its ref.
    #[serde(rename = "ref")]
    pub reference: Ref,
    /// Moves with every change of keys, settings or backend.
    pub version: i64,
    /// What its owner set.
    pub settings: Value,
    /// Its backend, once provisioned.
    pub backend: Option<ProjectBackend>,
    keys: Vec<KnownKey>,
    /// The public keys its tokens are verified with.
    #[serde(deserialize_with = "keys")]
    pub jwks: JwkSet,
}

fn keys<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<JwkSet, D::Error> {
    Ok(JwkSet {
        keys: Vec::deserialize(deserializer)?,
    })
}

impl Project {
    /// The key with that hash, unless it has expired.
    pub fn key(&self, hash: &[u8], now: Timestamp) -> Option<&KnownKey> {
        // Written out by hand: every request comes by here.
        let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
        let hash: String = hash
            .iter()
            .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
            .collect();
        self.keys
            .iter()
            .find(|key| key.hash == hash && key.expires_at.is_none_or(|expiry| now < expiry))
    }

    /// The backend, ready to serve.
    ///
    /// # Errors
    /// 404 `backend/not-provisioned`, 503 `backend/not-ready`.
    pub fn ready_backend(&self) -> Result<&ProjectBackend> {
        let backend = self.backend.as_ref().ok_or_else(|| {
            Error::new(
                ErrorKind::NotFound,
                "backend/not-provisioned",
                "The project has no backend yet",
            )
            .with_hint("POST /api/projects/{id}/backend/provision")
        })?;
        if backend.state != "ready" {
            return Err(Error::new(
                ErrorKind::Unavailable,
                "backend/not-ready",
                "The backend is not ready yet",
            )
            .with_hint("GET /api/projects/{id}/backend/provision tells its state")
            .with_retry_after(1));
        }
        Ok(backend)
    }

    /// The names of this project's things in its cell.
    pub fn names(&self) -> Names<'_> {
        Names(&self.reference)
    }
}

/// Names in the cell, made from a ref in one place.
#[derive(Debug, Clone, Copy)]
pub struct Names<'a>(pub &'a Ref);

impl Names<'_> {
    /// The physical schema of the project's tables.
    pub fn schema(&self, isolation: Isolation) -> Ident {
        match isolation {
            Isolation::Schema => self.0.ident("project_", ""),
            Isolation::Database => fixed("public"),
        }
    }

    /// Where deleted tables wait.
    pub fn trash(&self, isolation: Isolation) -> Ident {
        match isolation {
            Isolation::Schema => self.0.ident("trash_", ""),
            Isolation::Database => fixed("plinth_trash"),
        }
    }

    /// Where its end users' credentials are.
    pub fn auth(&self, isolation: Isolation) -> Ident {
        match isolation {
            Isolation::Schema => self.0.ident("auth_", ""),
            Isolation::Database => fixed("auth"),
        }
    }

    /// Its own database and login at level `database`.
    pub fn own(&self) -> Ident {
        self.0.ident("p_", "")
    }

    /// Owner of its objects.
    pub fn owner(&self) -> Ident {
        self.0.ident("p_", "_owner")
    }

    /// Role of secret keys.
    pub fn service(&self) -> Ident {
        self.0.ident("p_", "_service")
    }

    /// Role of end users.
    pub fn authenticated(&self) -> Ident {
        self.0.ident("p_", "_authenticated")
    }

    /// Role of publishable keys.
    pub fn anon(&self) -> Ident {
        self.0.ident("p_", "_anon")
    }
}

fn fixed(name: &'static str) -> Ident {
    Ident::fixed(name)
}
