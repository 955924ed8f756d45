//! What a receipt states.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::ident::ProjectId;
use crate::privacy::requests::Scope;

/// What a receipt says it is; verifiers look for it.
pub const TYPE: &str = "plinth-erasure-receipt/1";

/// What was done for an erasure. Nothing of it is personal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Statement {
    /// [`TYPE`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The platform.
    pub iss: String,
    /// When it was issued, in seconds since 1970.
    pub iat: i64,
    /// The receipt's id, which is the request's.
    pub jti: Uuid,
    /// Whose data.
    pub scope: Scope,
    /// In which project.
    pub project_id: Option<ProjectId>,
    /// By which version of the subject map.
    pub map_version: Option<i32>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it was done.
    pub completed_at: Timestamp,
    /// What was done in each table.
    pub tables: Vec<TableDone>,
    /// How much of the account went.
    pub account: Value,
    /// Versions of documents that lost the person's e-mail address, number or name.
    pub documents: u64,
    /// Copies of their data that waited to be fetched.
    pub exports: u64,
    /// Earlier requests that named them.
    pub requests: u64,
    /// Entries of the audit log that forgot them.
    pub audit: u64,
    /// What stays, and why.
    pub kept: Vec<KeptFor>,
    /// The end of the audit chain once all of it was done.
    pub audit_chain: ChainHead,
}

/// What was done in a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TableDone {
    /// The table.
    pub table: String,
    /// `delete`, `anonymise` or `keep`.
    pub rule: String,
    /// To how many rows.
    pub rows: u64,
    /// Why they stay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Something that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeptFor {
    /// What.
    pub what: String,
    /// Why.
    pub reason: String,
}

/// An entry of an audit chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// Its place.
    pub sequence: i64,
    /// Its hash, hex.
    pub hash: String,
}
