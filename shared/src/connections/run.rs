//! One test: the steps in order, each timed, one deadline for all of them. Name and TCP are every family's; what follows is
//! its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tokio::net::TcpStream;

use super::classify;
use super::report::{Outcome, Report, Step, StepName, Warning};
use super::{Class, Provider};
use crate::backend::Fut;
use crate::config::Outbound;
use crate::control::{outbound, staged};
use crate::error::Error;

/// A certificate that ends sooner is warned of.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Trivial questions whose median is the latency.
pub(super) const TRIPS: usize = 3;

/// What is tested.
pub(super) struct Subject {
    pub(super) provider: Provider,
    pub(super) host: String,
    pub(super) port: u16,
    /// What the operator allows beside public addresses.
    pub(super) guard: Option<Arc<Outbound>>,
    /// What is done once somebody listens.
    pub(super) trial: Box<dyn Trial>,
}

/// What a family does with the stream to its server.
pub(super) trait Trial: Send + Sync {
    /// Every step from [`StepName::Tls`] on, each closed when it is over; the class of what fails is of the one that is on.
    fn go<'a>(&'a self, run: &'a mut Run, stream: TcpStream, now: Timestamp) -> Fut<'a, Result<(), Class>>;

    /// Closes the steps that are known to be over although [`Self::go`] did not come to say so.
    fn catch_up(&self, _run: &mut Run) {}
}

/// Tests a connection. A failure is part of the answer.
pub(super) async fn run(subject: &Subject, deadline: Duration, now: Timestamp) -> Report {
    let mut run = Run::new(subject.provider);
    // Boxed: TLS and sign-in make a large future.
    let went = tokio::time::timeout(deadline, Box::pin(run.go(subject, now))).await;
    if let Err(class) = went.unwrap_or(Err(Class::Timeout)) {
        subject.trial.catch_up(&mut run);
        run.fail(class);
    }
    run.finish()
}

/// A test under way.
pub(super) struct Run {
    provider: Provider,
    began: Instant,
    /// The step that is on.
    at: usize,
    since: Instant,
    trips: Vec<Duration>,
    /// What is known so far.
    pub(super) report: Report,
}

impl Run {
    fn new(provider: Provider) -> Self {
        let step = |name| Step {
            name,
            outcome: Outcome::Skipped,
            milliseconds: None,
            class: None,
            retryable: None,
            cause: None,
            fix: None,
        };
        let began = Instant::now();
        Self {
            provider,
            began,
            at: 0,
            since: began,
            trips: Vec::new(),
            report: Report {
                ok: false,
                provider,
                latency_ms: None,
                duration_ms: 0.0,
                steps: StepName::ALL.map(step).into(),
                server: None,
                privileges: None,
                script: None,
                warnings: Vec::new(),
            },
        }
    }

    async fn go(&mut self, subject: &Subject, now: Timestamp) -> Result<(), Class> {
        let open = Outbound::default();
        let allowed = subject.guard.as_deref().unwrap_or(&open);
        let addresses = match outbound::resolve(allowed, &subject.host, subject.port).await {
            Ok(addresses) => addresses,
            Err(refused) => {
                // Whom the guard refuses no firewall can help: it says itself what to do.
                let (class, said) = (classify::of_guard(refused), Error::from(refused));
                if class == Class::NetworkBlocked {
                    self.say(class, said.public(), said.hint());
                }
                return Err(class);
            }
        };
        self.done(Outcome::Ok);

        let stream = staged::reach(&addresses, subject.port).await;
        let stream = stream.map_err(|error| classify::of_socket(&error))?;
        self.done(Outcome::Ok);
        subject.trial.go(self, stream, now).await
    }

    /// The step that is on.
    pub(super) fn step(&self) -> StepName {
        StepName::ALL[self.at.min(StepName::ALL.len() - 1)]
    }

    /// Something that is no failure, and worth knowing.
    pub(super) fn warn(&mut self, code: &'static str, message: &str) {
        let message = message.to_owned();
        self.report.warnings.push(Warning { code, message });
    }

    /// The step that is on is over; the next one begins.
    pub(super) fn done(&mut self, outcome: Outcome) {
        self.done_at(Instant::now(), outcome);
    }

    /// The step that is on was over at that moment.
    pub(super) fn done_at(&mut self, at: Instant, outcome: Outcome) {
        if let Some(step) = self.report.steps.get_mut(self.at) {
            step.outcome = outcome;
            step.milliseconds = Some(milliseconds(at.saturating_duration_since(self.since)));
        }
        self.at += 1;
        self.since = at;
    }

    /// Closes the steps before `name` that are still open.
    pub(super) fn done_until(&mut self, name: StepName) {
        while self.at < place(name) {
            self.done(Outcome::Ok);
        }
    }

    /// Warns of a connection that anybody on the way can read.
    pub(super) fn warn_of_no_tls(&mut self) {
        self.warn(
            "no_tls",
            "The connection is not encrypted: password and data can be read on the way",
        );
    }

    /// Warns of a certificate that ends soon.
    pub(super) fn warn_of_end(&mut self, ends: Option<Timestamp>, now: Timestamp) {
        if ends.is_some_and(|end| end.duration_since(now) < SOON) {
            self.warn(
                "certificate_expires",
                "The server's certificate ends within 30 days: renew it",
            );
        }
    }

    /// How long a trivial question took; the median of [`TRIPS`] is the latency.
    pub(super) fn trip(&mut self, took: Duration) {
        self.trips.push(took);
        if self.trips.len() == TRIPS {
            self.trips.sort_unstable();
            self.report.latency_ms = self.trips.get(TRIPS / 2).copied().map(milliseconds);
        }
    }

    /// The step that is on is over, with something to know.
    pub(super) fn note(&mut self, class: Class, cause: &str, fix: Option<&str>) {
        self.say(class, cause, fix);
        self.done(Outcome::Warning);
    }

    /// What is wrong with the step that is on, in other words than the class has.
    pub(super) fn say(&mut self, class: Class, cause: &str, fix: Option<&str>) {
        let fix = fix.unwrap_or_else(|| class.fix(self.provider));
        if let Some(step) = self.report.steps.get_mut(self.at) {
            step.class = Some(class);
            step.retryable = Some(class.retryable());
            step.cause = Some(cause.to_owned());
            step.fix = Some(fix.to_owned());
        }
    }

    /// Fails for that class, with a cause of its own.
    pub(super) fn misses(&mut self, class: Class, cause: &str) -> Result<(), Class> {
        self.say(class, cause, None);
        Err(class)
    }

    fn fail(&mut self, class: Class) {
        let class = match (self.provider, class, self.step()) {
            // A security group lets nothing be heard.
            (Provider::AwsRds, Class::Timeout, StepName::Tcp) => Class::NetworkBlocked,
            _ => class,
        };
        if self.step() == StepName::Database && matches!(class, Class::Auth | Class::AccountLocked) {
            // Some servers look at the login once the password is taken.
            self.at = place(StepName::Authenticate);
        }
        let said = self.report.steps.get(self.at).is_some_and(|step| step.class.is_some());
        if !said {
            self.say(class, class.cause(self.provider), None);
        }
        self.done(Outcome::Failed);
    }

    fn finish(mut self) -> Report {
        self.report.ok = self.report.steps.iter().all(|step| step.outcome != Outcome::Failed);
        self.report.duration_ms = milliseconds(self.began.elapsed());
        self.report
    }
}

fn place(name: StepName) -> usize {
    StepName::ALL
        .iter()
        .position(|known| *known == name)
        .unwrap_or_default()
}

/// With three decimals: microseconds are as fine as anybody wants it.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
