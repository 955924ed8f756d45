//! Asking for a job.

use serde_json::Value;
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{ProjectId, UserId};
use crate::projects::IdempotencyKey;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct NewJob<'a> {
    /// What is to be done.
    pub kind: &'a str,
    /// For which project, if for one: its members see the job.
    pub project: Option<ProjectId>,
    /// With what. Never a secret.
    pub payload: &'a Value,
    /// Who asks, if it is a person.
    pub by: Option<UserId>,
}

/// By what a job that is asked for again is recognised, among jobs of its kind and project.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// What a client sent; it counts for that caller alone. [`NewJob::by`] names them.
    OfCaller(&'a IdempotencyKey),
    /// The platform's own name for the work, such as the day it is for.
    Named(&'a str),
}

impl Key<'_> {
    fn stored(self, by: Option<UserId>) -> String {
        match (self, by) {
            (Self::OfCaller(key), Some(by)) => format!("user:{by}:{}", key.as_str()),
            (Self::OfCaller(key), None) => format!("nobody:{}", key.as_str()),
            (Self::Named(name), _) => format!("named:{name}"),
        }
    }
}

/// Adds a job in the caller's transaction; [`wake`](super::wake) the worker after the commit. It shares the lock of the
/// project's row, so it comes before the audit entry.
///
/// # Errors
/// When the database fails.
pub async fn enqueue(
    app: &App,
    executor: &impl GenericClient,
    kind: &str,
    project: Option<ProjectId>,
    payload: &Value,
    by: Option<UserId>,
) -> Result<Uuid> {
    let new = NewJob {
        kind,
        project,
        payload,
        by,
    };
    enqueue_once(app, executor, &new, None).await
}

/// [`enqueue`] that makes one job for all who ask with the same key, whatever has become of it since; without a key,
/// one each time. A second transaction with the key waits for the first one's end. The key is remembered for as long as
/// the job is kept: 30 days from its end.
///
/// # Errors
/// 422 `http/idempotency-key` when the key was used with another payload.
pub async fn enqueue_once(
    app: &App,
    executor: &impl GenericClient,
    new: &NewJob<'_>,
    key: Option<Key<'_>>,
) -> Result<Uuid> {
    Ok(ask_once(app, executor, new, key).await?.id)
}

/// A job that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Its id.
    pub id: Uuid,
    /// Whether nobody had asked for it before.
    pub new: bool,
}

/// [`enqueue_once`] for who does more when the job is new: writes an audit row, say.
///
/// # Errors
/// As [`enqueue_once`].
pub async fn ask_once(
    app: &App,
    executor: &impl GenericClient,
    new: &NewJob<'_>,
    key: Option<Key<'_>>,
) -> Result<Asked> {
    let (id, now) = (app.random.uuid(), app.clock.now());
    let key = key.map(|key| key.stored(new.by));
    if store::insert(executor, id, new, key.as_deref(), now).await? {
        return Ok(Asked { id, new: true });
    }
    let (id, payload) = store::keyed(executor, new, key.as_deref()).await?;
    if payload != *new.payload {
        return Err(Error::new(
            ErrorKind::Unprocessable,
            "http/idempotency-key",
            "This Idempotency-Key was used for another request",
        )
        .with_hint("Use a new key for each thing to be made"));
    }
    Ok(Asked { id, new: false })
}
