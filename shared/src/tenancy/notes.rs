//! When keys were last used and how users' own databases fare: noted in process, written down at most once a minute, or
//! when a database begins to fail or to work again.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{DataAccess, Tenancy};
use crate::control::{self, json};
use crate::error::Result;
use crate::ident::{BackendId, KeyId};

/// How often notes are written down.
const EVERY: Duration = Duration::from_secs(60);
/// How long that may take, beside a request that does not wait for the control database otherwise.
const DEADLINE: Duration = Duration::from_millis(500);

/// What is not written down yet.
#[derive(Default)]
pub(super) struct Notes(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    due: Due,
    /// Databases that failed when they were last asked, and how.
    failing: HashMap<BackendId, &'static str>,
    flushed: Option<Instant>,
}

#[derive(Default)]
struct Due {
    keys: HashMap<KeyId, Timestamp>,
    health: HashMap<BackendId, Health>,
}

/// When a database last answered, and when and how it last did not.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Health {
    ok: Option<Timestamp>,
    failed: Option<(Timestamp, &'static str)>,
}

impl Due {
    fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.health.is_empty()
    }

    /// Takes back what could not be written down, unless there is something newer.
    fn take_back(&mut self, failed: Self) {
        for (key, at) in failed.keys {
            self.keys.entry(key).or_insert(at);
        }
        for (backend, older) in failed.health {
            let known = self.health.entry(backend).or_default();
            known.ok = known.ok.or(older.ok);
            known.failed = known.failed.or(older.failed);
        }
    }
}

impl Notes {
    fn used(&self, key: KeyId, at: Timestamp) {
        self.lock().due.keys.insert(key, at);
    }

    /// Notes how a database fared. Says whether that is a change.
    fn fared(&self, backend: BackendId, at: Timestamp, failed: Option<&'static str>) -> bool {
        let mut noted = self.lock();
        let health = noted.due.health.entry(backend).or_default();
        match failed {
            None => {
                health.ok = Some(at);
                noted.failing.remove(&backend).is_some()
            }
            Some(class) => {
                health.failed = Some((at, class));
                noted.failing.insert(backend, class) != Some(class)
            }
        }
    }

    /// What is to be written down, if it is time.
    fn due(&self, now: bool) -> Option<Due> {
        let mut noted = self.lock();
        let due = (now || noted.flushed.is_none_or(|at| at.elapsed() >= EVERY)) && !noted.due.is_empty();
        due.then(|| {
            noted.flushed = Some(Instant::now());
            std::mem::take(&mut noted.due)
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Noted> {
        // Whole after every statement: a panic elsewhere leaves nothing half-done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tenancy {
    /// Notes that the key behind `access` was used, if one was.
    pub fn touch(&self, access: &DataAccess) {
        if let Some(key) = access.key() {
            self.notes.used(key, self.clock.now());
        }
    }

    /// Notes whether a user's own database answered, or the class of its failure. A change is written down at once, and
    /// waited for: whoever looks next sees it.
    pub async fn fared(&self, backend: BackendId, failed: Option<&'static str>) {
        if self.notes.fared(backend, self.clock.now(), failed)
            && let Some(due) = self.notes.due(true)
        {
            Box::pin(self.flush(due)).await;
        }
    }

    /// Writes down what was noted, if a minute has passed since the last time. To be awaited beside a request's own work:
    /// a task of its own would freeze with the process on Lambda. A failure is for the log; the next minute tries again.
    pub async fn flush_notes(&self) {
        if let Some(due) = self.notes.due(false) {
            // Boxed: it is seldom needed, and would be a large part of every request's future.
            Box::pin(self.flush(due)).await;
        }
    }

    async fn flush(&self, due: Due) {
        let failed = match tokio::time::timeout(DEADLINE, self.write_down(&due)).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "no answer in time".to_owned(),
        };
        tracing::warn!(
            cause = failed,
            "the use of keys and the health of databases could not be written down"
        );
        self.notes.lock().due.take_back(due);
    }

    async fn write_down(&self, due: &Due) -> Result<()> {
        let used = due.keys.iter();
        let used = used.map(|(key, at)| (key.0.to_string(), Value::from(at.to_string())));
        let used = Value::Object(used.collect());
        let health = due.health.iter().map(|(backend, health)| {
            let (failed, class) = health.failed.unzip();
            let times = (health.ok, failed);
            let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
            let note = json!({ "ok": text(times.0), "failed": text(times.1), "class": class });
            (backend.0.to_string(), note)
        });
        let health = Value::Object(health.collect());
        let client = self.control.get().await?;
        client
            .query_typed("select plinth.note($1, $2)", &[json(&used), json(&health)])
            .await
            .map_err(control::failure)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn a_change_is_told_once() {
        let (notes, backend) = (Notes::default(), BackendId(uuid::Uuid::from_u128(1)));
        let told: Vec<bool> = [None, None, Some("dns"), Some("dns"), Some("refused"), None, None]
            .into_iter()
            .zip(0..)
            .map(|(failed, second)| notes.fared(backend, at(second), failed))
            .collect();
        assert_eq!(told, [false, false, true, false, true, true, false]);
        let due = notes.due(false).unwrap();
        let expected = Health {
            ok: Some(at(6)),
            failed: Some((at(4), "refused")),
        };
        assert_eq!(due.health[&backend], expected);
        assert!(notes.due(true).is_none(), "it was taken");
    }

    #[test]
    fn what_could_not_be_written_down_waits_for_the_next_time_and_newer_notes_win() {
        let (notes, backend) = (Notes::default(), BackendId(uuid::Uuid::from_u128(1)));
        let key = KeyId(uuid::Uuid::from_u128(2));
        notes.used(key, at(1));
        notes.fared(backend, at(1), Some("dns"));
        let due = notes.due(false).unwrap();
        notes.used(key, at(2));
        notes.fared(backend, at(2), None);
        notes.lock().due.take_back(due);
        assert!(notes.due(false).is_none(), "no minute has passed");
        let due = notes.due(true).unwrap();
        assert_eq!(due.keys[&key], at(2));
        let expected = Health {
            ok: Some(at(2)),
            failed: Some((at(1), "dns")),
        };
        assert_eq!(due.health[&backend], expected);
    }
}
