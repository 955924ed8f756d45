//! What a connection test answers.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Class, Provider};

/// The answer to a connection test. Nothing in it is secret.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Whether no step failed.
    pub ok: bool,
    /// What kind of database was asked for.
    pub provider: Provider,
    /// The median of three trivial questions after the sign-in, in milliseconds.
    pub latency_ms: Option<f64>,
    /// How long the whole test took, in milliseconds.
    pub duration_ms: f64,
    /// The steps, in order.
    pub steps: Vec<Step>,
    /// What the server is, once somebody is signed in.
    pub server: Option<Server>,
    /// What the login may do.
    pub privileges: Option<Privileges>,
    /// What gives the login the rights that Plinth needs and takes those that it does not: to be run by the database's
    /// owner.
    pub script: Option<String>,
    /// What is no failure, and worth knowing.
    pub warnings: Vec<Warning>,
}

/// One step of a test.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took; null when it was not reached.
    pub milliseconds: Option<f64>,
    /// Why it failed, or what it warns of.
    pub class: Option<Class>,
    /// Whether the same connection may work in a moment.
    pub retryable: Option<bool>,
    /// What happened.
    pub cause: Option<String>,
    /// What to do about it.
    pub fix: Option<String>,
}

/// What is done in a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum StepName {
    /// The host's addresses, checked.
    Resolve,
    /// A connection to one of them.
    Tcp,
    /// Encryption, and whose certificate it is.
    Tls,
    /// The password.
    Authenticate,
    /// The database.
    Database,
    /// A first question to it.
    Read,
    /// What the login may do, writing included; nothing is written. It is asked together with the first question.
    Privileges,
    /// What the server is, and how fast.
    Facts,
}

impl StepName {
    /// In order.
    pub const ALL: [Self; 8] = [
        Self::Resolve,
        Self::Tcp,
        Self::Tls,
        Self::Authenticate,
        Self::Database,
        Self::Read,
        Self::Privileges,
        Self::Facts,
    ];
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// Well.
    Ok,
    /// Not; nothing after it was tried.
    Failed,
    /// It was not tried.
    Skipped,
    /// Well enough, with something to know.
    Warning,
}

/// What the server is.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Server {
    /// `PostgreSQL`, `CockroachDB`, `MySQL`, `MariaDB` and so on.
    pub product: String,
    /// Its version.
    pub version: String,
    /// The TLS version that was agreed on; null without encryption.
    pub tls_version: Option<String>,
    /// The cipher that the server says it uses, where it says so.
    pub tls_cipher: Option<String>,
    /// When its certificate ends.
    #[schema(value_type = Option<String>)]
    pub certificate_expires_at: Option<Timestamp>,
    /// Whether it takes no writes.
    pub read_only: bool,
    /// Whether a pooler or proxy is in between: the process that greeted is not the one that answers.
    pub pooler: bool,
    /// Who is signed in.
    pub current_user: String,
    /// Where.
    pub current_database: String,
    /// How it is set, where that bears upon what is read and written.
    pub settings: Option<ServerSettings>,
}

/// How a MySQL server is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerSettings {
    /// What it makes of values that do not fit; our own sessions are strict.
    pub sql_mode: String,
    /// 0 where upper and lower case of tables' names differ.
    pub lower_case_table_names: u8,
    /// Its time zone; our own sessions use UTC.
    pub time_zone: String,
}

/// What a login may do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
pub enum Privileges {
    /// In a PostgreSQL database.
    Postgres(PostgresRights),
    /// In a MySQL database.
    MySql(MySqlRights),
}

/// What an account may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MySqlRights {
    /// Rights on every database of the server.
    pub everywhere: Vec<String>,
    /// Rights on the whole database.
    pub database: Vec<String>,
    /// Rights on tables of it, or on some of their columns.
    pub tables: Vec<TableRights>,
    /// Whether it may pass any of these on.
    pub grant_option: bool,
    /// Roles that it has. What these may do is told only while they are active.
    pub roles: Vec<String>,
    /// Tables that it sees in the database.
    pub visible_tables: usize,
}

/// An account's rights on one table.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableRights {
    /// The table.
    pub name: String,
    /// On all of it.
    pub rights: Vec<String>,
    /// On some columns only.
    pub on_columns: Vec<String>,
}

/// What a login may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PostgresRights {
    /// Its own attributes and its rights on the database.
    #[serde(flatten)]
    pub login: LoginRights,
    /// In each exposed schema.
    pub schemas: Vec<SchemaRights>,
    /// The roles that requests take.
    pub roles: Vec<RoleRights>,
}

/// A login's attributes, and its rights on the database.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginRights {
    /// No check applies to it.
    pub superuser: bool,
    /// No row-level security applies to it.
    pub bypass_rls: bool,
    /// It is a member of `rds_superuser`, by which RDS lends most of a superuser's might.
    #[serde(default)]
    pub managed_superuser: bool,
    /// It may make roles.
    pub create_role: bool,
    /// It may make databases.
    pub create_database: bool,
    /// It may make schemas in this database.
    pub create_schema: bool,
    /// It may connect to this database.
    pub connect: bool,
}

/// A login's rights in one schema.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SchemaRights {
    /// The schema.
    pub name: String,
    /// Whether it is there.
    pub exists: bool,
    /// It may name what is in it.
    pub usage: bool,
    /// It may make tables in it.
    pub create: bool,
    /// Everybody may.
    pub create_by_public: bool,
    /// Tables in it.
    pub tables: i64,
    /// Those it may read.
    pub select: i64,
    /// Those it may insert into.
    pub insert: i64,
    /// Those it may change.
    pub update: i64,
    /// Those it may delete from.
    pub delete: i64,
    /// Those it may truncate, or refer to, or put triggers on.
    pub more: i64,
    /// Those it owns.
    pub owned: i64,
    /// Those without row-level security.
    pub without_row_security: i64,
}

/// A login's right to a role.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RoleRights {
    /// The role.
    pub name: String,
    /// Whether it is there.
    pub exists: bool,
    /// Whether the login may take it.
    pub granted: bool,
}

/// What is no failure, and worth knowing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Warning {
    /// A stable name.
    pub code: &'static str,
    /// What it is, and what to do.
    pub message: String,
}
