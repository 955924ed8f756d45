//! Receipts of erasures: what was done, signed, and nothing personal in it. Whoever has one can show it to anybody, who
//! judges it by the platform's published keys without asking the platform.

mod keys;
mod statement;
mod store;

use jsonwebtoken::{Algorithm, Header};
use serde::Serialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use uuid::Uuid;

use crate::app::App;
use crate::audit::{self, Entry};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::ProjectId;
use crate::tenancy::{Caller, MemberRole, PlatformRole, RequestInfo};
use crate::token::key_hash;

pub use keys::public_keys;
pub(crate) use keys::{Signer, current};
pub use statement::{ChainHead, KeptFor, Statement, TYPE, TableDone};

/// A receipt as it is handed out.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Receipt {
    /// What was done, to be read.
    #[schema(value_type = Object)]
    pub receipt: Value,
    /// The same, signed (RFC 7515, compact; EdDSA).
    pub jws: String,
    /// The key it is signed with.
    pub kid: String,
}

/// Signs a statement and keeps it, in the caller's transaction. `token_hashes`: SHA-256 of each token that it may be fetched
/// with, one after the other.
///
/// # Errors
/// When the database fails.
pub(crate) async fn keep(
    app: &App,
    executor: &impl tokio_postgres::GenericClient,
    signer: &Signer,
    id: Uuid,
    project: Option<ProjectId>,
    statement: &Statement,
    token_hashes: Option<&[u8]>,
) -> Result<()> {
    let claims = serde_json::to_value(statement).map_err(Error::internal)?;
    let header = Header {
        kid: Some(signer.kid.clone()),
        ..Header::new(Algorithm::EdDSA)
    };
    let jws = jsonwebtoken::encode(&header, &claims, &signer.key).map_err(Error::internal)?;
    store::insert(executor, id, project, &claims, &jws, token_hashes, app.clock.now()).await
}

/// Who asks for a receipt.
#[derive(Debug, Clone)]
pub enum Reader {
    /// Somebody who is signed in.
    Caller(Caller),
    /// Somebody with the token that was given for it.
    Token(String, RequestInfo),
}

impl Reader {
    fn request(&self) -> &RequestInfo {
        match self {
            Self::Caller(caller) => &caller.request,
            Self::Token(_, request) => request,
        }
    }
}

/// A receipt, for owners and admins of its project, those who run the platform, and whoever has its token.
///
/// # Errors
/// 404 `privacy/receipt-not-found` for everybody else, and before the erasure is done.
pub async fn read(app: &App, reader: &Reader, id: Uuid) -> Result<Receipt> {
    let found = {
        let client = app.control.get().await?;
        store::find(&*client, id).await?.ok_or_else(not_found)?
    };
    may_read(app, reader, &found).await?;
    let kid = jsonwebtoken::decode_header(&found.jws).map_err(Error::internal)?.kid;
    let client = app.control.get().await?;
    // A purged project's chain has no end that anybody but the operators reads: the entry joins it all the same.
    let nowhere = reader.request().without_address();
    audit::record(app, &*client, &entry(reader, &nowhere, found.project, id)).await?;
    Ok(Receipt {
        receipt: found.statement,
        jws: found.jws,
        kid: kid.unwrap_or_default(),
    })
}

/// Whoever has a token may be the person who was erased: what they call from is not kept.
fn entry<'a>(reader: &'a Reader, nowhere: &'a RequestInfo, project: Option<ProjectId>, id: Uuid) -> Entry<'a> {
    match reader {
        Reader::Caller(caller) => Entry::by(caller, project, "privacy.receipt-read", id),
        Reader::Token(..) => {
            let entry = Entry::by_system("receipt-token", nowhere, project, "privacy.receipt-read", id);
            entry.with(json!({ "by": "token" }))
        }
    }
}

async fn may_read(app: &App, reader: &Reader, found: &store::Kept) -> Result<()> {
    match reader {
        Reader::Token(token, _) => {
            let hash = key_hash(token);
            let known = found.token_hash.as_deref().unwrap_or_default();
            let mut known = known.chunks_exact(hash.len());
            let right = known.any(|known| bool::from(hash.as_slice().ct_eq(known)));
            right.then_some(()).ok_or_else(not_found)
        }
        Reader::Caller(caller) if caller.user.role == PlatformRole::Admin => Ok(()),
        Reader::Caller(caller) => {
            let project = found.project.ok_or_else(not_found)?;
            let access = app
                .tenancy
                .require_even_deleted(caller.clone(), project, MemberRole::Admin)
                .await;
            match access {
                Ok(_) => Ok(()),
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::Forbidden) => Err(not_found()),
                Err(error) => Err(error),
            }
        }
    }
}

/// The end of a chain, as the caller's transaction sees it.
///
/// # Errors
/// When the database fails.
pub(crate) async fn chain_head(
    executor: &impl tokio_postgres::GenericClient,
    project: Option<ProjectId>,
) -> Result<ChainHead> {
    store::chain_head(executor, project).await
}

fn not_found() -> Error {
    Error::new(
        ErrorKind::NotFound,
        "privacy/receipt-not-found",
        "There is no such receipt",
    )
    .with_hint("Receipts are there once the erasure is done: its job tells when")
}
