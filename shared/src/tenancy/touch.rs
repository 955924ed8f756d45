//! When keys were last used: counted in process, written down at most once a minute.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::{DataAccess, Tenancy};
use crate::control::{self, json};
use crate::error::Result;
use crate::ident::KeyId;

/// How often uses are written down.
const EVERY: Duration = Duration::from_secs(60);
/// How long that may take, beside a request that does not wait for the control database otherwise.
const DEADLINE: Duration = Duration::from_millis(500);

/// Uses that are not written down yet.
#[derive(Default)]
pub(super) struct KeyUse(Mutex<Uses>);

#[derive(Default)]
struct Uses {
    last: HashMap<KeyId, Timestamp>,
    flushed: Option<Instant>,
}

impl KeyUse {
    fn note(&self, key: KeyId, at: Timestamp) {
        self.lock().last.insert(key, at);
    }

    /// What is to be written down, if it is time.
    fn due(&self) -> Option<HashMap<KeyId, Timestamp>> {
        let mut uses = self.lock();
        let due = uses.flushed.is_none_or(|at| at.elapsed() >= EVERY) && !uses.last.is_empty();
        due.then(|| {
            uses.flushed = Some(Instant::now());
            std::mem::take(&mut uses.last)
        })
    }

    /// Takes back what could not be written down, unless the key was used again.
    fn take_back(&self, failed: HashMap<KeyId, Timestamp>) {
        let mut uses = self.lock();
        for (key, at) in failed {
            uses.last.entry(key).or_insert(at);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Uses> {
        // Whole after every statement: a panic elsewhere leaves nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenancy {
    /// Notes that the key behind `access` was used, if one was.
    pub fn touch(&self, access: &DataAccess) {
        if let Some(key) = access.key() {
            self.key_use.note(key, self.clock.now());
        }
    }

    /// Writes down when keys were last used, if a minute has passed since the last time. To be awaited beside a request's
    /// own work: a task of its own would freeze with the process on Lambda. A failure is for the log; the next minute
    /// tries again.
    pub async fn flush_touched(&self) {
        if let Some(due) = self.key_use.due() {
            // Boxed: it is seldom needed, and would be a large part of every request's future.
            Box::pin(self.flush(due)).await;
        }
    }

    async fn flush(&self, due: HashMap<KeyId, Timestamp>) {
        let failed = match tokio::time::timeout(DEADLINE, self.write_touched(&due)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(cause = failed, "the last use of keys could not be written down");
        self.key_use.take_back(due);
    }

    async fn write_touched(&self, due: &HashMap<KeyId, Timestamp>) -> Result<()> {
        let used = due
            .iter()
            .map(|(key, at)| (key.0.to_string(), Value::from(at.to_string())));
        let used = Value::Object(used.collect());
        let client = self.control.get().await?;
        client
            .query_typed("select plinth.touch_keys($1)", &[json(&used)])
            .await
            .map_err(control::failure)?;
        Ok(())
    }
}
