//! The way to an export: a link that works once, from one place, for a short time.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::files::Files;
use super::store::{self, Kept};
use crate::app::App;
use crate::audit::{self, Entry};
use crate::control::failure;
use crate::error::{Error, ErrorKind, Result};
use crate::privacy::identity::Person;
use crate::privacy::requests::{self, Request, Who};
use crate::tenancy::RequestInfo;

/// How long a link works.
const LASTS: Duration = Duration::from_secs(15 * 60);
/// How long the bucket's own address works that a link leads to.
const ADDRESS_LASTS: Duration = Duration::from_secs(60);
/// In the audit log.
const FETCHED: &str = "privacy.export-fetch";

/// A link to an export's file.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Where the file is fetched, once, from the address that asked for this link. Whoever knows it needs nothing else.
    pub url: String,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub expires_at: Timestamp,
}

/// Makes a link for who has been found to be allowed to; the one before works no more.
pub(super) async fn make(app: &App, asked: &Request, actor: String, from: &RequestInfo) -> Result<Link> {
    let token = app.random.token(43);
    let link = link_of(asked.id, &token, from);
    let now = app.clock.now();
    let until = now.checked_add(LASTS).map_err(Error::internal)?;
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    let expires_at = store::set_link(&transaction, asked.id, &link, now, until).await?;
    let expires_at = match expires_at {
        Some(expires_at) => expires_at,
        None => return Err(no_file(store::find(&transaction, asked.id).await?)),
    };
    let entry = Entry {
        project: asked.project,
        action: "privacy.export-link",
        target: asked.id.to_string(),
        details: json!({ "expiresAt": expires_at.to_string() }),
        actor,
        request: from,
    };
    audit::record(app, &transaction, &entry).await?;
    transaction.commit().await.map_err(failure)?;
    let base = &app.config.web.base_url;
    Ok(Link {
        url: format!("{base}/api/gdpr/exports/{}/file?token={token}", asked.id),
        expires_at,
    })
}

fn no_file(kept: Option<Kept>) -> Error {
    match kept {
        Some(kept) if kept.bytes.is_none() => Error::new(
            ErrorKind::Conflict,
            "privacy/export-not-ready",
            "The export is not made yet",
        )
        .with_hint("GET /api/jobs/{id} tells how far it is"),
        _ => gone("privacy/export-gone", "The export has been removed").with_hint("Ask for another one"),
    }
}

/// A file to be handed over.
pub enum Fetched {
    /// From where its bytes come.
    Elsewhere(String),
    /// Its length and its bytes.
    Here(u64, BoxStream<'static, Result<Bytes>>),
}

/// What a file is called where it is saved.
pub const SHOWN_AS: &str = "personal-data.zip";

/// Uses a link: of all requests with it, the first gets the file.
///
/// # Errors
/// 404 `privacy/link-not-found`; 410 `privacy/link-used`, `privacy/link-expired`; 403 `privacy/link-address` from another
/// place than the one it was made for: it is not used up then.
pub async fn fetch(app: &App, id: Uuid, token: &str, from: &RequestInfo) -> Result<Fetched> {
    let (link, now) = (link_of(id, token, from), app.clock.now());
    // First the file, which may take a while and holds nobody up; and where it cannot be had, the link stays as it is.
    let standing = working(app, id, &link, now).await?;
    let found = open(app, &standing.export.object).await?;
    let mut client = app.control.get().await?;
    let transaction = client.transaction().await.map_err(failure)?;
    if store::use_link(&transaction, id, &link, now).await?.is_none() {
        let standing = store::link(&transaction, id, &link, now).await?;
        return Err(refused(standing));
    }
    let asked = requests::find(&transaction, id).await?;
    let anywhere = from.without_address();
    let entry = match asked.as_ref().and_then(person) {
        Some(person) => Entry {
            project: person.project(),
            action: FETCHED,
            target: id.to_string(),
            details: Value::Null,
            actor: person.actor(),
            request: from,
        },
        // Whoever has the link: no erasure would find an address that nobody's name stands at.
        None => Entry::by_system(
            "export-link",
            &anywhere,
            asked.and_then(|asked| asked.project),
            FETCHED,
            id,
        ),
    };
    audit::record(app, &transaction, &entry).await?;
    transaction.commit().await.map_err(failure)?;
    Ok(found)
}

/// Who fetches a copy that an end user asked for themself: they alone get links to it.
fn person(asked: &Request) -> Option<Person> {
    match (&asked.subject, asked.project) {
        (Some(Who::Id(id)), Some(project)) if asked.own => Some(Person::EndUser {
            project,
            id: id.parse().ok()?,
        }),
        _ => None,
    }
}

async fn open(app: &App, object: &str) -> Result<Fetched> {
    let files = Files::of(app).await?;
    if let Some(address) = files.address(object, ADDRESS_LASTS, SHOWN_AS).await? {
        return Ok(Fetched::Elsewhere(address));
    }
    let (bytes, content) = files.read(object).await?.ok_or_else(|| no_file(None))?;
    Ok(Fetched::Here(bytes, content.boxed()))
}

/// How long the file is that a link leads to, for who only asks. It is not used up.
///
/// # Errors
/// As [`fetch`].
pub async fn look(app: &App, id: Uuid, token: &str, from: &RequestInfo) -> Result<u64> {
    let (link, now) = (link_of(id, token, from), app.clock.now());
    let bytes = working(app, id, &link, now).await?.export.bytes;
    Ok(bytes.and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or_default())
}

/// How a link stands that works.
async fn working(app: &App, id: Uuid, link: &store::Link, now: Timestamp) -> Result<store::Standing> {
    let client = app.control.get().await?;
    match store::link(&*client, id, link, now).await? {
        Some(standing) if standing.works() => Ok(standing),
        other => Err(refused(other)),
    }
}

impl store::Standing {
    fn works(&self) -> bool {
        self.from_here && !self.over && self.export.fetched_at.is_none() && self.export.bytes.is_some()
    }
}

fn refused(standing: Option<store::Standing>) -> Error {
    let Some(standing) = standing else {
        return Error::new(ErrorKind::NotFound, "privacy/link-not-found", "There is no such link")
            .with_hint("A newer link takes the place of the one before");
    };
    if !standing.from_here {
        return Error::new(
            ErrorKind::Forbidden,
            "privacy/link-address",
            "This link works from the address only that it was made for",
        )
        .with_hint("Ask for a link from where you are");
    }
    let again = "POST /api/gdpr/exports/{id}/link makes another one while the export is kept";
    if standing.export.fetched_at.is_some() {
        return gone("privacy/link-used", "This link has been used").with_hint(again);
    }
    gone("privacy/link-expired", "This link has expired").with_hint(again)
}

fn gone(code: &'static str, message: &'static str) -> Error {
    Error::new(ErrorKind::NotFound, code, message).with_status(410)
}

/// What is kept of a link. The address is one of few: it is kept as a digest that holds for this export alone.
fn link_of(id: Uuid, token: &str, from: &RequestInfo) -> store::Link {
    let address = from.address.as_ref().map(|address| {
        let digest = Sha256::new().chain_update(id).chain_update(address).finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    });
    store::Link {
        token: Sha256::digest(token).to_vec(),
        address,
    }
}
