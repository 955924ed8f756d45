//! One test: the steps in order, each timed, one deadline for all of them.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::classify;
use super::questions::{self, Answers, Facts, NoAnswer};
use super::report::{Outcome, Privileges, Report, Server, Step, StepName, Warning};
use super::{Class, Provider, script};
use crate::config::{Address, Outbound, Tls};
use crate::control::dial::Trust;
use crate::control::outbound;
use crate::control::staged::{self, Offer, Seen, Session, Watch};

/// A certificate that ends sooner is warned of.
const SOON: SignedDuration = SignedDuration::from_hours(30 * 24);
/// Trivial questions whose median is the latency.
const TRIPS: usize = 3;

/// What is tested.
pub(super) struct Subject {
    pub(super) provider: Provider,
    pub(super) address: Address,
    pub(super) trust: Trust,
    /// Exposed schemas.
    pub(super) schemas: Vec<String>,
    /// Roles that requests take.
    pub(super) roles: Vec<String>,
    /// Whether a role that is missing is a fault: somebody asked for it.
    pub(super) roles_asked_for: bool,
    /// Whether a pooler is said to be in between.
    pub(super) pooler: bool,
}

/// Tests a connection. A failure is part of the answer.
pub(super) async fn run(subject: &Subject, deadline: Duration, now: Timestamp) -> Report {
    let mut run = Run::new(subject);
    let watch = Watch::default();
    // Boxed: TLS and sign-in make a large future.
    let went = tokio::time::timeout(deadline, Box::pin(run.go(&watch, now))).await;
    if let Err(class) = went.unwrap_or(Err(Class::Timeout)) {
        run.fail(class, &watch.seen());
    }
    run.finish()
}

struct Run<'a> {
    subject: &'a Subject,
    began: Instant,
    /// The step that is on.
    at: usize,
    since: Instant,
    report: Report,
}

impl<'a> Run<'a> {
    fn new(subject: &'a Subject) -> Self {
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
            subject,
            began,
            at: 0,
            since: began,
            report: Report {
                ok: false,
                provider: subject.provider,
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

    /// Every step; the class of what fails is the one that is on.
    async fn go(&mut self, watch: &Watch, now: Timestamp) -> Result<(), Class> {
        let subject = self.subject;
        let address = &subject.address;
        let open = Outbound::default();
        let allowed = address.guard.as_deref().unwrap_or(&open);
        let addresses = outbound::resolve(allowed, &address.host, address.port).await;
        let addresses = addresses.map_err(classify::of_guard)?;
        self.done(Outcome::Ok);

        let stream = staged::reach(&addresses, address.port).await;
        let mut stream = stream.map_err(|error| classify::of_socket(&error))?;
        self.done(Outcome::Ok);

        match address.tls {
            Tls::Disable => {
                self.warn(
                    "no_tls",
                    "The connection is not encrypted: password and data can be read on the way",
                );
                self.done(Outcome::Warning);
            }
            Tls::Verify => {
                let offer = staged::ask_for_tls(&mut stream).await;
                match offer.map_err(|error| classify::of_socket(&error))? {
                    Offer::Encrypts => {}
                    Offer::Plain => return Err(Class::TlsUnsupported),
                    Offer::Stranger => return Err(Class::Protocol),
                }
            }
        }
        let signed_in = staged::sign_in(stream, address, &subject.trust, watch).await;
        let seen = watch.seen();
        self.signed_in_until(&seen);
        let session = signed_in.map_err(|error| classify::of_dial(&error))?;
        if self.step() == StepName::Tls {
            self.done(Outcome::Ok);
        }
        while self.at < place(StepName::Read) {
            self.done(Outcome::Ok);
        }
        self.question(&session, &seen, now).await?;
        session.close().await;
        Ok(())
    }

    /// Closes the steps that are known to be over from what was met.
    fn signed_in_until(&mut self, seen: &Seen) {
        if self.step() == StepName::Tls
            && let Some(at) = seen.encrypted
        {
            self.done_at(at, Outcome::Ok);
        }
        if self.step() == StepName::Authenticate
            && let Some(at) = seen.authenticated
        {
            self.done_at(at, Outcome::Ok);
        }
    }

    async fn question(&mut self, session: &Session, seen: &Seen, now: Timestamp) -> Result<(), Class> {
        let client = &session.client;
        let answers = questions::ask(client, &self.subject.schemas, &self.subject.roles).await;
        let Answers {
            facts,
            login,
            schemas,
            roles,
        } = answers;
        let facts = facts.map_err(class_of)?;
        self.done(Outcome::Ok);

        let privileges = match (login, schemas, roles) {
            (Ok(login), Ok(schemas), Ok(roles)) => Some(Privileges { login, schemas, roles }),
            _ => None,
        };
        self.judge(privileges.as_ref(), &facts)?;
        let named = privileges.as_ref();
        self.report.script = named.and_then(|found| script::script(&facts.user, &facts.database, found).ok());
        self.report.privileges = privileges;

        self.report.server = Some(server(facts, seen, self.subject.pooler));
        if seen.certificate_ends.is_some_and(|end| end.duration_since(now) < SOON) {
            self.warn(
                "certificate_expires",
                "The server's certificate ends within 30 days: renew it",
            );
        }
        let mut trips = [Duration::ZERO; TRIPS];
        for trip in &mut trips {
            let asked = Instant::now();
            let answered = questions::trivial(client).await;
            answered.map_err(|error| classify::of_postgres(&error))?;
            *trip = asked.elapsed();
        }
        trips.sort_unstable();
        self.report.latency_ms = Some(milliseconds(trips[TRIPS / 2]));
        self.done(Outcome::Ok);
        Ok(())
    }

    /// What the login may do, against what is needed.
    fn judge(&mut self, found: Option<&Privileges>, facts: &Facts) -> Result<(), Class> {
        let Some(found) = found else {
            self.note(Class::Unknown, "The server does not tell what the login may do", None);
            return Ok(());
        };
        self.warn_of_might(found);
        if let Some(schema) = found.schemas.iter().find(|schema| !schema.exists) {
            return self.misses(Class::Misconfigured, &format!("There is no schema \"{}\"", schema.name));
        }
        for role in &found.roles {
            if self.subject.roles_asked_for && !role.exists {
                return self.misses(Class::Misconfigured, &format!("There is no role \"{}\"", role.name));
            }
            if self.subject.roles_asked_for && !role.granted {
                let cause = format!("The login may not take the role \"{}\"", role.name);
                return self.misses(Class::Permission, &cause);
            }
        }
        if facts.read_only {
            self.note(Class::ReadOnly, Class::ReadOnly.cause(), None);
            return Ok(());
        }
        // Where requests take a role, the role's rights count.
        let own = found.roles.is_empty();
        let lacking = found.schemas.iter().find(|schema| {
            let all = [schema.select, schema.insert, schema.update, schema.delete];
            !schema.usage || all.iter().any(|some| *some < schema.tables)
        });
        match lacking.filter(|_| own) {
            Some(schema) if !schema.usage => {
                let cause = format!("The login may not use the schema \"{}\"", schema.name);
                self.note(Class::Permission, &cause, None);
            }
            Some(schema) => {
                let cause = format!(
                    "Of {} tables in \"{}\" the login may read {}, insert into {}, update {} and delete from {}",
                    schema.tables, schema.name, schema.select, schema.insert, schema.update, schema.delete
                );
                self.note(Class::Permission, &cause, None);
            }
            None => self.done(Outcome::Ok),
        }
        Ok(())
    }

    fn warn_of_might(&mut self, found: &Privileges) {
        if found.login.superuser {
            self.warn(
                "superuser",
                "The login is a superuser: give Plinth one of its own, as the script does",
            );
        }
        if found.login.bypass_rls {
            self.warn(
                "bypassrls",
                "The login bypasses row-level security: policies do not hold for it",
            );
        }
        if found.schemas.iter().any(|schema| schema.owned > 0) {
            self.warn(
                "owner",
                "The login owns tables: their row-level security does not hold for it unless forced",
            );
        }
        if self.subject.provider == Provider::Supabase {
            let open: i64 = found.schemas.iter().map(|schema| schema.without_row_security).sum();
            if open > 0 {
                let message =
                    format!("{open} tables have no row-level security: everybody with the anon key sees them");
                self.warn("no_rls", &message);
            }
            for role in found.roles.iter().filter(|role| !role.exists) {
                self.warn(
                    "role_missing",
                    &format!("There is no role \"{}\", as Supabase has it", role.name),
                );
            }
        }
    }

    fn step(&self) -> StepName {
        StepName::ALL[self.at.min(StepName::ALL.len() - 1)]
    }

    fn warn(&mut self, code: &'static str, message: &str) {
        let message = message.to_owned();
        self.report.warnings.push(Warning { code, message });
    }

    fn done(&mut self, outcome: Outcome) {
        self.done_at(Instant::now(), outcome);
    }

    /// The step that is on is over; the next one begins.
    fn done_at(&mut self, at: Instant, outcome: Outcome) {
        if let Some(step) = self.report.steps.get_mut(self.at) {
            step.outcome = outcome;
            step.milliseconds = Some(milliseconds(at.saturating_duration_since(self.since)));
        }
        self.at += 1;
        self.since = at;
    }

    /// The step that is on is over, with something to know.
    fn note(&mut self, class: Class, cause: &str, fix: Option<&str>) {
        self.say(class, cause, fix);
        self.done(Outcome::Warning);
    }

    fn say(&mut self, class: Class, cause: &str, fix: Option<&str>) {
        let fix = fix.unwrap_or_else(|| class.fix(self.subject.provider));
        if let Some(step) = self.report.steps.get_mut(self.at) {
            step.class = Some(class);
            step.retryable = Some(class.retryable());
            step.cause = Some(cause.to_owned());
            step.fix = Some(fix.to_owned());
        }
    }

    /// Fails for that class, with a cause of its own.
    fn misses(&mut self, class: Class, cause: &str) -> Result<(), Class> {
        self.say(class, cause, None);
        Err(class)
    }

    fn fail(&mut self, class: Class, seen: &Seen) {
        self.signed_in_until(seen);
        let class = match (self.subject.provider, class, self.step()) {
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
            self.say(class, class.cause(), None);
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

fn class_of(none: NoAnswer) -> Class {
    match none {
        NoAnswer::Postgres(error) => classify::of_postgres(&error),
        NoAnswer::Shape => Class::Protocol,
    }
}

fn server(facts: Facts, seen: &Seen, pooler: bool) -> Server {
    let (product, version) = questions::product(&facts.version);
    // CockroachDB's numbers are no processes.
    let numbered = product == "PostgreSQL" && seen.process.is_some();
    let pooler = pooler || (numbered && seen.process != Some(facts.process));
    Server {
        product,
        version,
        tls_version: seen.tls_version.map(str::to_owned),
        certificate_expires_at: seen.certificate_ends,
        read_only: facts.read_only,
        pooler,
        current_user: facts.user,
        current_database: facts.database,
    }
}

/// With three decimals: microseconds are as fine as anybody wants it.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
