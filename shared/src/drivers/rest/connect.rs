//! The way to one API: who asks it, how many at once, and what is known of its resources.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::Instant;

use super::error;
use crate::backend::Target;
use crate::backend::api::{Answer, Caller, Failure};
use crate::error::{Error, Result};
use crate::query::rest::{self, Ask, Member, Resources, Source};

/// How long a document and samples are used without asking again.
const FRESH: Duration = Duration::from_secs(300);

/// One API.
pub(super) struct Site {
    caller: Caller,
    places: Semaphore,
    wait: Duration,
    /// Those who hold or await a place, and as many as that may be.
    users: AtomicUsize,
    most: usize,
    /// Of an API whose map is in a document.
    described: Mutex<Option<(Instant, Arc<Resources>)>>,
    given: Option<Arc<Resources>>,
    /// What was seen of resources without columns, at which generation of the project.
    pub(super) samples: Mutex<Option<Samples>>,
}

/// Columns that were seen.
#[derive(Clone)]
pub(super) struct Samples {
    pub(super) generation: i64,
    pub(super) at: Instant,
    pub(super) columns: Arc<BTreeMap<String, Vec<Member>>>,
}

impl Samples {
    pub(super) fn is_fresh(&self, generation: i64) -> bool {
        self.generation == generation && self.at.elapsed() < FRESH
    }
}

/// Why the resources are not known.
#[derive(Debug)]
pub(super) enum Unknown {
    /// The document could not be had.
    Call(Failure),
    /// It describes nothing.
    Document(String),
}

/// A place among those who ask.
pub(super) struct Entered<'s> {
    _permit: SemaphorePermit<'s>,
    _user: User<'s>,
}

struct User<'s>(&'s AtomicUsize);

impl Drop for User<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Site {
    /// Connects nothing yet.
    pub(super) fn new(target: &Target) -> Result<Self, Failure> {
        let nothing = || Failure::Settings(Error::internal("nothing is known of the API"));
        let api = target.api.clone().ok_or_else(nothing)?;
        let given = match &api.source {
            Source::Resources(resources) => Some(Arc::new(resources.clone())),
            Source::Document(_) => None,
        };
        Ok(Self {
            caller: Caller::new(api, target.address.guard.clone(), &target.trust)?,
            places: Semaphore::new(target.connections),
            wait: target.wait,
            users: AtomicUsize::new(0),
            most: target.connections.saturating_add(target.queue),
            described: Mutex::default(),
            given,
            samples: Mutex::default(),
        })
    }

    /// Waits for a place.
    ///
    /// # Errors
    /// `PGRST003`.
    pub(super) async fn enter(&self, end: Instant) -> Result<Entered<'_>> {
        let user = User(&self.users);
        if self.users.fetch_add(1, Ordering::Relaxed) >= self.most {
            return Err(error::busy());
        }
        let end = end.min(Instant::now() + self.wait);
        let permit = tokio::time::timeout_at(end, self.places.acquire()).await;
        match permit {
            Ok(Ok(permit)) => Ok(Entered {
                _permit: permit,
                _user: user,
            }),
            _ => Err(error::busy()),
        }
    }

    /// What the API has; with `anew` a document is read again.
    pub(super) async fn resources(&self, anew: bool) -> Result<Arc<Resources>, Unknown> {
        let Source::Document(path) = &self.caller.api().source else {
            return Ok(self.given.clone().unwrap_or_default());
        };
        let known = || self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, resources)) = &*known()
            && !anew
            && at.elapsed() < FRESH
        {
            return Ok(resources.clone());
        }
        let reply = self.read(&rest::plain(path)).await.map_err(Unknown::Call)?;
        let document = serde_json::from_slice(&reply.body).map_err(|_| Unknown::Call(Failure::NotJson))?;
        let resources = Arc::new(rest::describe(&document).map_err(Unknown::Document)?);
        *known() = Some((Instant::now(), resources.clone()));
        Ok(resources)
    }

    /// Who asks.
    pub(super) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Reads; once more if the connection broke.
    pub(super) async fn read(&self, ask: &Ask) -> Result<Answer, Failure> {
        match self.caller.ask(ask).await {
            Err(failed) if failed.is_fleeting() => self.caller.ask(ask).await,
            answered => answered,
        }
    }

    /// Reads the next part of a list.
    pub(super) async fn read_next(&self, ask: &Ask, link: &str) -> Result<Answer, Failure> {
        match self.caller.follow(ask, link).await {
            Err(failed) if failed.is_fleeting() => self.caller.follow(ask, link).await,
            answered => answered,
        }
    }
}
