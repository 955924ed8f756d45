//! Credentials in Secrets Manager: one secret for each connection, bound to its project, remembered for a while.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use lru::LruCache;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::aws;
use super::credentials::{Owner, Reference};
use crate::clock::SharedClock;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, ProjectId};
use crate::sensitive::Sensitive;

/// The code of the error when somebody has taken a connection's secret away.
pub const SECRET_MISSING: &str = "vault/secret-missing";
/// Secrets remembered per process.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(512).unwrap();
/// How long a secret is used without asking again.
const LONGEST_MEMORY: Duration = Duration::from_secs(300);
/// How long at least, whatever the database says of it: a wrong password must not cost a call with each request.
const SHORTEST_MEMORY: Duration = Duration::from_secs(10);

/// The secrets, and what is remembered of them.
pub(super) struct Secrets {
    clock: SharedClock,
    remembered: Mutex<LruCache<BackendId, Remembered>>,
}

struct Remembered {
    reference: Reference,
    text: Sensitive,
    at: Timestamp,
}

/// What a secret holds. Its project is part of it, so that a reference cannot be moved to another one's row.
#[derive(Serialize, Deserialize)]
struct Content {
    project: ProjectId,
    credentials: Box<RawValue>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

impl Secrets {
    pub(super) fn new(clock: SharedClock) -> Self {
        Self {
            clock,
            remembered: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// Writes the secret of that name, and returns its new version.
    pub(super) async fn put(&self, of: Owner, name: &str, text: &Sensitive) -> Result<String> {
        let content = Content {
            project: of.project,
            // The parser's own error may quote the text.
            credentials: RawValue::from_string(text.expose().to_owned()).map_err(|_| unreadable())?,
        };
        let content = serde_json::to_string(&content).map_err(|_| unreadable())?;
        let tags = [
            ("plinth:project", of.project.to_string()),
            ("plinth:backend", of.backend.to_string()),
        ];
        aws::write(name, &tags, &Sensitive::new(content)).await
    }

    /// The secret's text, remembered or read.
    pub(super) async fn get(&self, of: Owner, reference: &Reference) -> Result<Sensitive> {
        if let Some(text) = self.remembered(of.backend, reference) {
            return Ok(text);
        }
        let at = self.clock.now();
        let content = aws::read(&reference.secret).await?.ok_or_else(missing)?;
        let content: Content = serde_json::from_str(content.expose()).map_err(|_| unreadable())?;
        if content.project != of.project {
            return Err(Error::internal("the secret is another project's"));
        }
        let text = Sensitive::new(content.credentials.get());
        let remembered = Remembered {
            reference: reference.clone(),
            text: text.clone(),
            at,
        };
        self.lock().put(of.backend, remembered);
        Ok(text)
    }

    fn remembered(&self, backend: BackendId, reference: &Reference) -> Option<Sensitive> {
        let oldest = self.clock.now().checked_sub(LONGEST_MEMORY).ok()?;
        let mut remembered = self.lock();
        let found = remembered.get(&backend)?;
        (found.reference == *reference && found.at > oldest).then(|| found.text.clone())
    }

    /// Forgets what is not just read.
    pub(super) fn forget(&self, backend: BackendId) {
        let oldest = self.clock.now().checked_sub(SHORTEST_MEMORY).ok();
        let mut remembered = self.lock();
        let old = remembered
            .peek(&backend)
            .is_some_and(|found| oldest.is_none_or(|oldest| found.at <= oldest));
        if old {
            remembered.pop(&backend);
        }
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<BackendId, Remembered>> {
        // The cache is whole after every statement: a panic elsewhere leaves nothing half-done.
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn missing() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        SECRET_MISSING,
        "The credentials of the connection are not there",
    )
    .with_hint("Provision the backend again with its credentials, or restore the secret in Secrets Manager")
}

fn unreadable() -> Error {
    Error::internal("a connection's secret has another shape")
}
