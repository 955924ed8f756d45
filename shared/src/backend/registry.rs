//! The drivers a function was built with, and the targets it has open.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lru::LruCache;

use super::{Address, Driver, Engine, Login, Probed, Records, Tls, dial::Trust};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::{BackendId, Ident};
use crate::query::rest::Api;

/// One database with one login: what connections are kept for.
#[derive(Debug, Clone)]
pub struct Target {
    /// What it speaks.
    pub engine: Engine,
    /// Where and as whom.
    pub address: Address,
    /// What its certificate is verified against.
    pub trust: Trust,
    /// Connections at most.
    pub connections: usize,
    /// Requests that may wait for one; the next is refused at once.
    pub queue: usize,
    /// Longest wait for one.
    pub wait: Duration,
    /// Whether a transaction pooler is in between: no named statements then.
    pub pooler: bool,
    /// The one backend it serves, where connections are not shared: two users may name the same database with different
    /// ideas of how to reach it.
    pub owner: Option<BackendId>,
    /// What is known of a REST API.
    pub api: Option<Arc<Api>>,
}

/// Owner, host, port, database, login: a target's identity. The password is not part of it; changing it evicts the
/// target.
type Key = (Engine, Option<BackendId>, String, u16, String, String);
/// What is open, and what it was opened with.
type Open = LruCache<Key, (OpenedWith, Arc<dyn Records>)>;
type OpenedWith = (Login, Tls, Trust, bool, Option<Arc<Api>>);

impl Target {
    fn key(&self) -> Key {
        let Address {
            host,
            port,
            database,
            login,
            ..
        } = &self.address;
        (
            self.engine,
            self.owner,
            host.clone(),
            *port,
            database.clone(),
            login.clone(),
        )
    }
}

/// Drivers by engine, and open targets, least recently used closed first.
pub struct Registry {
    drivers: HashMap<Engine, Arc<dyn Driver>>,
    open: Mutex<Open>,
}

impl Registry {
    /// With these drivers, keeping at most `targets` open.
    pub fn new(drivers: Vec<Arc<dyn Driver>>, targets: usize) -> Self {
        let targets = NonZeroUsize::new(targets).unwrap_or(NonZeroUsize::MIN);
        Self {
            drivers: drivers.into_iter().map(|driver| (driver.engine(), driver)).collect(),
            open: Mutex::new(LruCache::new(targets)),
        }
    }

    /// The handle on a target: the one that is open, or a new one (also when the password has changed).
    ///
    /// # Errors
    /// `backend/no-driver` when this function was built without the engine's driver.
    pub fn records(&self, target: &Target) -> Result<Arc<dyn Records>> {
        let key = target.key();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Target {
            address,
            trust,
            pooler,
            api,
            ..
        } = target;
        let opened_with = (address.auth.clone(), address.tls, trust.clone(), *pooler, api.clone());
        if let Some((known, records)) = open.get(&key)
            && *known == opened_with
        {
            return Ok(records.clone());
        }
        let driver = self.driver(target.engine)?;
        let records = driver.open(target)?;
        open.put(key, (opened_with, records.clone()));
        Ok(records)
    }

    /// Tries a connection to a target that is not kept.
    ///
    /// # Errors
    /// As [`Driver::probe`]; `backend/no-driver`.
    pub async fn probe(&self, target: &Target, schema: &Ident) -> Result<Probed> {
        self.driver(target.engine)?.probe(target, schema).await
    }

    fn driver(&self, engine: Engine) -> Result<&Arc<dyn Driver>> {
        self.drivers.get(&engine).ok_or_else(|| {
            Error::new(
                ErrorKind::Unsupported,
                "backend/no-driver",
                "This function cannot reach that kind of database",
            )
        })
    }

    /// Forgets a target, so that the next request signs in anew.
    pub fn evict(&self, target: &Target) {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop(&target.key());
    }
}
