//! What an erasure would do, as it is shown and as it is confirmed.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::ident::ProjectId;
use crate::privacy::people::{Blocker, OwnedProject};
use crate::privacy::receipt::KeptFor;
use crate::privacy::requests::Scope;

/// What an erasure would do. Nothing has happened yet.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// The request's id; the receipt will have the same.
    pub request_id: Uuid,
    /// Whose data.
    pub scope: Scope,
    /// In which project.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub project_id: Option<ProjectId>,
    /// The version of the subject map that it follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map_version: Option<i32>,
    /// What becomes of the person's rows, table by table. `trash:…` names a table that waits in the trash.
    pub tables: Vec<PlannedTable>,
    /// Rows of other people that hang on what would go. With any, it is refused.
    pub others: Vec<Others>,
    /// Columns that look personal and lead to nobody: what they have of the person stays. Their names tell, not their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<PlannedGap>,
    /// The person's account, if they have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<PlannedAccount>,
    /// Sessions that end.
    pub sessions: u64,
    /// Versions of documents that hold the person's e-mail address, number or name, which is taken out.
    pub documents: u64,
    /// Copies of their data that wait to be fetched, which go.
    pub exports: u64,
    /// Earlier requests that forget who they were about.
    pub requests: u64,
    /// Entries of the audit log that forget who they were.
    pub audit: u64,
    /// Projects that go with a platform user.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub projects: Vec<OwnedProject>,
    /// What is in the way of erasing a platform user. With any, it is refused.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
    /// What stays, and why.
    pub kept: Vec<KeptFor>,
    /// What else to know before it is confirmed.
    pub notes: Vec<String>,
    /// Confirms this plan, and no other one: send it with the same request in place of `dryRun`.
    pub confirm_token: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// What becomes of the person's rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedTable {
    /// The table.
    pub table: String,
    /// `delete`, `anonymise` or `keep`.
    pub rule: String,
    /// How many rows.
    pub rows: u64,
    /// The columns that are emptied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Why they stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Rows of other people that hang on what would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Others {
    /// The table they are in.
    pub table: String,
    /// Their foreign key.
    pub foreign_key: String,
    /// The table whose rows would go.
    pub on: String,
    /// How many.
    pub rows: u64,
}

/// A column that nobody has linked to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct PlannedGap {
    /// The table.
    pub table: String,
    /// Its column.
    pub column: String,
}

/// An account that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlannedAccount {
    /// Whether it waits in the trash.
    pub deleted: bool,
    /// Ways of signing in.
    pub identities: u64,
}

impl Plan {
    /// What a confirmation binds, as a hash: the rows and what becomes of them, the account, the documents, and what a
    /// platform user's plan binds. Sessions, copies and entries of the log come and go by asking alone.
    pub(super) fn binding(&self, of_user: Option<&Value>) -> String {
        let bound = json!({
            "map": self.map_version,
            "tables": self.tables,
            "others": self.others,
            "account": self.account,
            "documents": self.documents,
            "user": of_user,
        });
        let hash = Sha256::digest(bound.to_string());
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}
