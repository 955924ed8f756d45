//! The test of a REST API: its credentials, the path that tells its health, and a list in the form that its map tells.

mod classify;
mod input;

pub(super) use input::credentials;
pub use input::shown_api;

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::net::TcpStream;

pub(super) use self::classify::of_failure;
use self::classify::said;
use super::Class;
use super::classify::of_socket;
use super::report::{Outcome, Server, StepName};
use super::run::{Run, TRIPS, Trial};
use crate::backend::Fut;
use crate::config::{Address, Tls};
use crate::control::api::{Answer, Caller, Failure};
use crate::control::dial::Trust;
use crate::control::fetch;
use crate::control::staged::{self, Watch};
use crate::query::rest::{self, Api, Ask, Resources, Source};

/// No request of a test takes longer; the test has a deadline of its own.
const LONGEST: Duration = Duration::from_secs(30);
/// Rows of the list that is read.
const ROWS: u64 = 5;

/// What is tested of an API.
pub(super) struct Rest {
    pub(super) address: Address,
    pub(super) trust: Trust,
    pub(super) api: Arc<Api>,
    /// What was met on the way.
    pub(super) watch: Watch,
}

impl Trial for Rest {
    fn go<'a>(&'a self, run: &'a mut Run, stream: TcpStream, now: Timestamp) -> Fut<'a, Result<(), Class>> {
        Box::pin(self.ask(run, stream, now))
    }
}

impl Rest {
    async fn ask(&self, run: &mut Run, stream: TcpStream, now: Timestamp) -> Result<(), Class> {
        let peer = stream.peer_addr().map_err(|error| of_socket(&error))?;
        match self.address.tls {
            Tls::Disable => {
                run.warn_of_no_tls();
                run.done(Outcome::Warning);
            }
            Tls::Verify => {
                let shaken = staged::shake_hands(stream, &self.address.host, &self.trust, &self.watch).await;
                shaken.map_err(|error| classify::of_handshake(&error))?;
                run.done(Outcome::Ok);
            }
        }
        // What was checked is what is asked: the name is not resolved again.
        let guard = self.address.guard.clone();
        let client = fetch::pinned(guard.clone(), &self.trust, LONGEST, &self.address.host, peer);
        let client = client.map_err(|_| Class::Unknown)?;
        let caller = Caller::with(self.api.clone(), guard.as_deref(), client).map_err(|failed| of_failure(&failed))?;

        caller.sign_in().await.or_else(|failed| told(run, &failed))?;
        let resources = self.resources(&caller, run).await?;
        let trivial = self.trivial(&resources);
        let met = caller.ask(&trivial).await;
        let met = met.or_else(|failed| {
            if was_let_in(&failed) {
                run.done_until(StepName::Database);
            }
            told(run, &failed)
        })?;
        run.done_until(StepName::Read);
        self.read(run, &caller, &resources).await?;
        run.note(
            Class::Permission,
            "An API does not tell what its credentials may write: nothing was tried",
            Some("Give them the rights that the paths of the resource map need, and no more"),
        );
        self.facts(run, &met, now);
        for _ in 0..TRIPS {
            let asked = Instant::now();
            caller.ask(&trivial).await.or_else(|failed| told(run, &failed))?;
            run.trip(asked.elapsed());
        }
        run.done(Outcome::Ok);
        Ok(())
    }

    /// The map, or what the API's document tells.
    async fn resources(&self, caller: &Caller, run: &mut Run) -> Result<Resources, Class> {
        let path = match &self.api.source {
            Source::Resources(resources) => return Ok(resources.clone()),
            Source::Document(path) => path,
        };
        let document = caller.ask(&rest::plain(path)).await.or_else(|failed| {
            if was_let_in(&failed) {
                run.done_until(StepName::Database);
            }
            told(run, &failed)
        })?;
        run.done_until(StepName::Database);
        let described = serde_json::from_slice(&document.body).map_err(|_| "it is no JSON".to_owned());
        described.and_then(|document| rest::describe(&document)).or_else(|why| {
            run.misses(
                Class::Misconfigured,
                &format!("The OpenAPI document describes no resources: {why}"),
            )?;
            Ok(Resources::new())
        })
    }

    /// What shows that somebody answers.
    fn trivial(&self, resources: &Resources) -> Ask {
        let list = || resources.values().find_map(|resource| rest::first_page(resource, 1));
        match &self.api.health_path {
            Some(path) => rest::plain(path),
            None => list().map_or_else(|| rest::plain("/"), |list| list.ask),
        }
    }

    /// Reads the first list, in the form that the map tells.
    async fn read(&self, run: &mut Run, caller: &Caller, resources: &Resources) -> Result<(), Class> {
        let lists = resources.iter();
        let first = lists.filter_map(|(name, resource)| Some((name, resource, rest::first_page(resource, ROWS)?)));
        let Some((name, resource, list)) = first.into_iter().next() else {
            run.done(Outcome::Skipped);
            return Ok(());
        };
        let reply = caller.ask(&list.ask).await.or_else(|failed| told(run, &failed))?;
        let found = rest::rows(&reply.body, &resource.items, &list);
        let total = resource.total.as_ref();
        let total = total.map(|total| rest::total(total, |name| reply.header(name), &reply.body));
        if let Some(wrong) = found.err().or(total.and_then(Result::err)) {
            let cause = format!(
                "{name}: {}; {}",
                wrong.public(),
                wrong.details().unwrap_or("see the fix")
            );
            run.say(Class::Protocol, &cause, wrong.hint());
            return Err(Class::Protocol);
        }
        run.done(Outcome::Ok);
        Ok(())
    }

    fn facts(&self, run: &mut Run, met: &Answer, now: Timestamp) {
        let seen = self.watch.seen();
        run.warn_of_end(seen.certificate_ends, now);
        run.report.server = Some(Server {
            product: "REST API".to_owned(),
            // What it says of itself, cut short.
            version: met
                .header("server")
                .map(|text| text.chars().take(100).collect())
                .unwrap_or_default(),
            tls_version: seen.tls_version.map(str::to_owned),
            tls_cipher: None,
            settings: None,
            certificate_expires_at: seen.certificate_ends,
            read_only: false,
            pooler: false,
            current_user: self.api.auth.kind().to_owned(),
            current_database: self.address.host.clone(),
        });
    }
}

/// The class of a failure, which is said in words of its own.
fn told<T>(run: &mut Run, failed: &Failure) -> Result<T, Class> {
    let class = of_failure(failed);
    if let Some((cause, fix)) = said(failed) {
        run.say(class, &cause, Some(&fix));
    }
    Err(class)
}

/// Whether somebody answered, and not that the credentials are wrong.
fn was_let_in(failed: &Failure) -> bool {
    match failed {
        Failure::Status { status, .. } => *status != 401,
        Failure::Redirected | Failure::NotJson | Failure::TooLarge => true,
        _ => false,
    }
}
