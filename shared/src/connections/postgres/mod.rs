//! The test of a database that speaks PostgreSQL's protocol.

pub(super) mod classify;
mod questions;
mod script;

use std::time::Instant;

use jiff::Timestamp;
use tokio::net::TcpStream;

use self::questions::{Answers, Facts, NoAnswer};
use super::classify::of_socket;
use super::report::{Outcome, PostgresRights, Privileges, Server, StepName};
use super::run::{Run, TRIPS, Trial};
use super::{Class, Provider};
use crate::backend::Fut;
use crate::config::{Address, Tls};
use crate::control::dial::{DialError, Trust};
use crate::control::staged::{self, Offer, Seen, Session, Watch};

/// What is tested of such a database.
pub(super) struct Postgres {
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
    /// What was met on the way.
    pub(super) watch: Watch,
}

impl Trial for Postgres {
    fn go<'a>(&'a self, run: &'a mut Run, stream: TcpStream, now: Timestamp) -> Fut<'a, Result<(), Class>> {
        Box::pin(self.sign_in_and_ask(run, stream, now))
    }

    fn catch_up(&self, run: &mut Run) {
        let seen = self.watch.seen();
        if run.step() == StepName::Tls
            && let Some(at) = seen.encrypted
        {
            run.done_at(at, Outcome::Ok);
        }
        if run.step() == StepName::Authenticate
            && let Some(at) = seen.authenticated
        {
            run.done_at(at, Outcome::Ok);
        }
    }
}

impl Postgres {
    async fn sign_in_and_ask(&self, run: &mut Run, mut stream: TcpStream, now: Timestamp) -> Result<(), Class> {
        let address = &self.address;
        match address.tls {
            Tls::Disable => {
                run.warn_of_no_tls();
                run.done(Outcome::Warning);
            }
            Tls::Verify => {
                let offer = staged::ask_for_tls(&mut stream).await;
                match offer.map_err(|error| of_socket(&error))? {
                    Offer::Encrypts => {}
                    Offer::Plain => return Err(Class::TlsUnsupported),
                    Offer::Stranger => return Err(Class::Protocol),
                }
            }
        }
        let signed_in = staged::sign_in(stream, address, &self.trust, &self.watch).await;
        self.catch_up(run);
        if let Err(DialError::Token(why)) = &signed_in {
            run.say(Class::Misconfigured, why.public(), why.hint());
        }
        let session = signed_in.map_err(|error| classify::of_dial(&error))?;
        run.done_until(StepName::Read);
        self.question(run, &session, &self.watch.seen(), now).await?;
        session.close().await;
        Ok(())
    }

    async fn question(&self, run: &mut Run, session: &Session, seen: &Seen, now: Timestamp) -> Result<(), Class> {
        let client = &session.client;
        let answers = questions::ask(client, &self.schemas, &self.roles).await;
        let Answers {
            facts,
            login,
            schemas,
            roles,
        } = answers;
        let facts = facts.map_err(class_of)?;
        self.is_of_the_kind(run, &facts)?;
        run.done(Outcome::Ok);

        let privileges = match (login, schemas, roles) {
            (Ok(login), Ok(schemas), Ok(roles)) => Some(PostgresRights { login, schemas, roles }),
            _ => None,
        };
        self.judge(run, privileges.as_ref(), &facts)?;
        let named = privileges.as_ref();
        run.report.script = named.and_then(|found| script::script(&facts.user, &facts.database, found).ok());
        run.report.privileges = privileges.map(Privileges::Postgres);

        run.report.server = Some(server(facts, seen, self.pooler));
        run.warn_of_end(seen.certificate_ends, now);
        for _ in 0..TRIPS {
            let asked = Instant::now();
            let answered = questions::trivial(client).await;
            answered.map_err(|error| classify::of_postgres(&error))?;
            run.trip(asked.elapsed());
        }
        run.done(Outcome::Ok);
        Ok(())
    }

    /// CockroachDB is another kind, though it speaks the protocol: it is served in another way.
    fn is_of_the_kind(&self, run: &mut Run, facts: &Facts) -> Result<(), Class> {
        let cockroach = questions::product(&facts.version).0 == "CockroachDB";
        match (self.provider, cockroach) {
            (Provider::Cockroachdb, false) => {
                let fix = "Choose PostgreSQL, or the address of a CockroachDB";
                run.say(Class::Misconfigured, "The server is no CockroachDB", Some(fix));
                Err(Class::Misconfigured)
            }
            (Provider::Cockroachdb, true) | (_, false) => Ok(()),
            (_, true) => {
                run.warn(
                    "cockroachdb",
                    "The server is a CockroachDB: choose that kind, so that transactions that conflict are run anew",
                );
                Ok(())
            }
        }
    }

    /// What the login may do, against what is needed.
    fn judge(&self, run: &mut Run, found: Option<&PostgresRights>, facts: &Facts) -> Result<(), Class> {
        let Some(found) = found else {
            run.note(Class::Unknown, "The server does not tell what the login may do", None);
            return Ok(());
        };
        self.warn_of_might(run, found);
        if let Some(schema) = found.schemas.iter().find(|schema| !schema.exists) {
            return run.misses(Class::Misconfigured, &format!("There is no schema \"{}\"", schema.name));
        }
        for role in &found.roles {
            if self.roles_asked_for && !role.exists {
                return run.misses(Class::Misconfigured, &format!("There is no role \"{}\"", role.name));
            }
            if self.roles_asked_for && !role.granted {
                let cause = format!("The login may not take the role \"{}\"", role.name);
                return run.misses(Class::Permission, &cause);
            }
        }
        if facts.read_only {
            run.note(Class::ReadOnly, Class::ReadOnly.cause(self.provider), None);
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
                run.note(Class::Permission, &cause, None);
            }
            Some(schema) => {
                let cause = format!(
                    "Of {} tables in \"{}\" the login may read {}, insert into {}, update {} and delete from {}",
                    schema.tables, schema.name, schema.select, schema.insert, schema.update, schema.delete
                );
                run.note(Class::Permission, &cause, None);
            }
            None => run.done(Outcome::Ok),
        }
        Ok(())
    }

    fn warn_of_might(&self, run: &mut Run, found: &PostgresRights) {
        if found.login.superuser {
            run.warn(
                "superuser",
                "The login is a superuser: give Plinth one of its own, as the script does",
            );
        }
        if found.login.managed_superuser && !found.login.superuser {
            run.warn(
                "rds_superuser",
                "The login has the role rds_superuser: give Plinth one of its own, as the script does",
            );
        }
        if found.login.bypass_rls {
            run.warn(
                "bypassrls",
                "The login bypasses row-level security: policies do not hold for it",
            );
        }
        if found.schemas.iter().any(|schema| schema.owned > 0) {
            run.warn(
                "owner",
                "The login owns tables: their row-level security does not hold for it unless forced",
            );
        }
        if self.provider == Provider::Supabase {
            let open: i64 = found.schemas.iter().map(|schema| schema.without_row_security).sum();
            if open > 0 {
                let message =
                    format!("{open} tables have no row-level security: everybody with the anon key sees them");
                run.warn("no_rls", &message);
            }
            for role in found.roles.iter().filter(|role| !role.exists) {
                run.warn(
                    "role_missing",
                    &format!("There is no role \"{}\", as Supabase has it", role.name),
                );
            }
        }
    }
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
        tls_cipher: None,
        certificate_expires_at: seen.certificate_ends,
        read_only: facts.read_only,
        pooler,
        current_user: facts.user,
        current_database: facts.database,
        settings: None,
    }
}
