//! What is known of a project when its documentation is written. Names of keys are in it, keys never are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::schema::policy::Command;

/// All of it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The project and its addresses.
    pub project: ProjectFacts,
    /// Its keys that work now, by name.
    pub keys: Vec<KeyFacts>,
    /// Where its data is.
    pub backend: BackendFacts,
    /// Tables and views, by name.
    pub tables: Vec<TableFacts>,
    /// Enum types with their labels, in order.
    pub enums: BTreeMap<String, Vec<String>>,
    /// Functions that can be called, by name; overloads follow each other.
    pub functions: Vec<FunctionFacts>,
    /// How people sign in to the project's app.
    pub auth: AuthFacts,
    /// What is bounded.
    pub limits: Vec<LimitFacts>,
    /// Error codes that a client may meet.
    pub errors: Vec<ErrorFacts>,
    /// The description of the project's API: OpenAPI 3.1 or Swagger 2.0.
    pub openapi: Value,
}

/// The project.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectFacts {
    /// Its name.
    pub name: String,
    /// Its ref.
    pub reference: String,
    /// What `createClient` takes: `https://…/p/{ref}`, without a slash at the end.
    pub url: String,
}

/// A key, as its owner named it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyFacts {
    /// Its name.
    pub name: String,
    /// Whether it is a secret one; else it is publishable.
    pub secret: bool,
}

/// The backend.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackendFacts {
    /// `managed`, `dedicated` or `external`.
    pub tier: String,
    /// `PostgreSQL`, `MySQL`, `CockroachDB` or `REST API`.
    pub engine: String,
    /// `schema` or `database`; of a managed one.
    pub isolation: Option<String>,
    /// The exposed schema, where clients must name it: supabase-js asks for `public` else.
    pub schema: Option<String>,
    /// The comment of the exposed schema.
    pub description: Option<String>,
    /// What requests may ask for, by the names of the planner's features.
    pub capabilities: Vec<String>,
    /// What they may not.
    pub missing: Vec<String>,
}

/// What kind of thing a table is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TableKind {
    /// Rows are stored in it.
    #[default]
    Table,
    /// A stored query.
    View,
    /// A stored query with a stored answer.
    MaterializedView,
    /// Rows of another server.
    ForeignTable,
    /// A resource of a REST API.
    Resource,
}

/// A table or view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableFacts {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: TableKind,
    /// What its owner says of it.
    pub comment: Option<String>,
    /// Its columns, in order.
    pub columns: Vec<ColumnFacts>,
    /// The primary key's columns, in key order.
    pub primary_key: Vec<String>,
    /// Unique keys beside it.
    pub unique_keys: Vec<Vec<String>>,
    /// Keys that point from here.
    pub foreign_keys: Vec<ForeignKeyFacts>,
    /// What each row must fulfil.
    pub checks: Vec<CheckFacts>,
    /// Indexes, those of keys included.
    pub indexes: Vec<IndexFacts>,
    /// Who may do what.
    pub access: AccessFacts,
    /// Whether the relation takes writes at all, whoever asks.
    pub writable: Rights,
    /// Whether deleted rows are kept, hidden, and can be restored.
    #[serde(default)]
    pub keeps_deleted: bool,
}

/// A column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnFacts {
    /// Its name.
    pub name: String,
    /// Its type, as the engine prints it.
    pub data_type: String,
    /// If the type is a domain: what it is one of.
    pub base_type: Option<String>,
    /// Whether null is allowed.
    pub nullable: bool,
    /// The default, as the engine prints it.
    pub default: Option<String>,
    /// Whether the database computes it, so that it cannot be written.
    pub generated: bool,
    /// What its owner says of it.
    pub comment: Option<String>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKeyFacts {
    /// The constraint.
    pub name: String,
    /// The columns here.
    pub columns: Vec<String>,
    /// The table it points at.
    pub table: String,
    /// The columns there, pairwise.
    pub references: Vec<String>,
    /// What happens to a row here when the row there goes: `cascade`, `set null`, …; `None` where it is refused.
    pub on_delete: Option<String>,
}

/// A check constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckFacts {
    /// Its name.
    pub name: String,
    /// The condition, as the engine prints it.
    pub expression: String,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexFacts {
    /// Its name.
    pub name: String,
    /// Its columns or expressions, in order.
    pub columns: Vec<String>,
    /// Whether it allows each combination once.
    pub unique: bool,
    /// `btree`, `gin`, …
    pub method: String,
    /// Which rows it is about, where not all.
    pub predicate: Option<String>,
}

/// Who may do what to a table's rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessFacts {
    /// Whether policies decide about single rows.
    pub row_security: bool,
    /// Whether they do not bind secret keys.
    pub secret_unbound: bool,
    /// What a publishable key alone may do at all.
    pub anyone: Rights,
    /// What a signed-in user may do at all.
    pub signed_in: Rights,
    /// What a secret key may do at all.
    pub secret: Rights,
    /// The policies.
    pub policies: Vec<PolicyFacts>,
}

/// A policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFacts {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub command: Command,
    /// Whether it narrows what others allow, instead of allowing.
    pub restrictive: bool,
    /// Whether it is for publishable keys without a user.
    pub anyone: bool,
    /// Whether it is for signed-in users.
    pub signed_in: bool,
    /// Whether it is for secret keys.
    pub secret: bool,
    /// Which rows are seen.
    pub using: Option<String>,
    /// Which rows may be written.
    pub check: Option<String>,
}

/// Select, insert, update, delete.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Rights {
    pub select: bool,
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionFacts {
    /// Its name.
    pub name: String,
    /// What its owner says of it.
    pub comment: Option<String>,
    /// What goes in.
    pub arguments: Vec<ArgumentFacts>,
    /// What comes out each time.
    pub returns: ReturnFacts,
    /// Whether it comes out any number of times.
    pub set: bool,
    /// Whether it changes nothing, so that it may be called with `GET`.
    pub read_only: bool,
    /// Whether a publishable key alone may call it.
    pub anyone: bool,
    /// Whether a signed-in user may.
    pub signed_in: bool,
}

/// An argument of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArgumentFacts {
    /// Its name; empty for one that takes the whole body.
    pub name: String,
    /// Its type.
    pub data_type: String,
    /// Whether it has no default.
    pub required: bool,
}

/// What a function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReturnFacts {
    /// Nothing.
    Nothing,
    /// A value of this type.
    Value(String),
    /// A row of this table or composite type.
    Row(String),
    /// These columns and their types.
    Columns(Vec<(String, String)>),
    /// What only a call tells.
    Anything,
}

/// How people sign in to the project's app.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthFacts {
    /// Whether the project has end users of its own, under `/auth/v1`.
    pub offered: bool,
    /// Whether people may sign up by themselves.
    pub sign_up: bool,
    /// Whether an address counts without a confirmation.
    pub autoconfirm: bool,
    /// Least length of a password.
    pub password_length: usize,
    /// How long an access token lives, in seconds.
    pub token_seconds: u64,
    /// Whether tokens of an issuer of the owner's own are taken.
    pub outside: bool,
}

/// Something bounded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitFacts {
    /// What is.
    pub what: String,
    /// By how much, with its unit.
    pub value: String,
    /// What is answered beyond it.
    pub beyond: String,
}

/// An error code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorFacts {
    /// The HTTP status.
    pub status: u16,
    /// The code in the body.
    pub code: String,
    /// What it means.
    pub meaning: String,
    /// What to do.
    pub action: String,
}

impl Facts {
    /// The table of that name.
    pub fn table(&self, name: &str) -> Option<&TableFacts> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl TableFacts {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&ColumnFacts> {
        self.columns.iter().find(|column| column.name == name)
    }
}

impl ColumnFacts {
    /// The type that its values behave as.
    pub fn value_type(&self) -> &str {
        self.base_type.as_deref().unwrap_or(&self.data_type)
    }
}

impl Rights {
    /// Everything.
    pub const ALL: Self = Self {
        select: true,
        insert: true,
        update: true,
        delete: true,
    };

    /// What both allow.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            select: self.select && other.select,
            insert: self.insert && other.insert,
            update: self.update && other.update,
            delete: self.delete && other.delete,
        }
    }

    /// Whether anything is allowed.
    pub fn any(self) -> bool {
        self.select || self.insert || self.update || self.delete
    }

    /// Whether that is allowed.
    pub fn may(self, command: Command) -> bool {
        match command {
            Command::Select => self.select,
            Command::Insert => self.insert,
            Command::Update => self.update,
            Command::Delete => self.delete,
            Command::All => self == Self::ALL,
        }
    }
}
