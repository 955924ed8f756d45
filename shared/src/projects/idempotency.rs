//! `Idempotency-Key`: a request that makes something and is sent again gets the first reply again.

use std::str::FromStr;

use http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use tokio_postgres::GenericClient;
use uuid::Uuid;

use super::store;
use crate::app::App;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::UserId;

/// What a client sends to recognise its own request by: 1-255 visible ASCII characters. It counts per caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl FromStr for IdempotencyKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if (1..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() || b == b' ') {
            return Ok(Self(text.to_owned()));
        }
        Err(Error::invalid(
            "http/idempotency-key",
            "Idempotency-Key must have 1 to 255 visible ASCII characters",
        ))
    }
}

impl IdempotencyKey {
    /// That of a request, if it has one.
    ///
    /// # Errors
    /// `http/idempotency-key`.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let value = headers.get("idempotency-key");
        let key = value.map(|value| value.to_str().unwrap_or_default().parse());
        key.transpose()
    }

    /// As it was sent.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The id of what a caller makes of that kind with this key: the same each time.
    pub(crate) fn id(&self, caller: UserId, kind: &str) -> Uuid {
        Uuid::new_v5(&caller.0, format!("{kind}\n{}", self.0).as_bytes())
    }
}

/// A request that may be a repetition.
pub(super) struct Attempt<'a> {
    key: &'a IdempotencyKey,
    caller: UserId,
}

/// Whether there was such a request before.
pub(super) enum Seen<'a, T> {
    /// This reply was sent then.
    Before(T),
    /// No: do it, and [`Attempt::finish`].
    Never(Option<Attempt<'a>>),
}

/// Asks, in the transaction that will do the work. A second request with the same key waits here until the first one's
/// transaction has ended.
///
/// # Errors
/// 422 `http/idempotency-key` when the key was used for something else.
pub(super) async fn seen<'a, T: DeserializeOwned>(
    app: &App,
    executor: &impl GenericClient,
    caller: UserId,
    key: Option<&'a IdempotencyKey>,
    asked: &(impl Serialize + Sync),
) -> Result<Seen<'a, T>> {
    let Some(key) = key else {
        return Ok(Seen::Never(None));
    };
    let fingerprint = Sha256::digest(serde_json::to_vec(asked).map_err(Error::internal)?).to_vec();
    if store::remember_request(executor, caller, &key.0, &fingerprint, app.clock.now()).await? {
        return Ok(Seen::Never(Some(Attempt { key, caller })));
    }
    let (first, reply) = store::remembered_reply(executor, caller, &key.0).await?;
    if first != fingerprint {
        return Err(Error::new(
            ErrorKind::Unprocessable,
            "http/idempotency-key",
            "This Idempotency-Key was used for another request",
        )
        .with_hint("Use a new key for each thing to be made"));
    }
    serde_json::from_value(reply).map(Seen::Before).map_err(Error::internal)
}

impl Attempt<'_> {
    /// Keeps the reply, in the same transaction.
    pub(super) async fn finish(self, executor: &impl GenericClient, reply: &(impl Serialize + Sync)) -> Result<()> {
        let reply = serde_json::to_value(reply).map_err(Error::internal)?;
        store::remember_reply(executor, self.caller, &self.key.0, &reply).await
    }
}
