//! The test of a database that speaks MySQL's protocol.

mod classify;
mod grants;
mod questions;
mod rights;
mod script;

pub(super) use classify::of_code;

use std::time::Instant;

use jiff::Timestamp;
use tokio::net::TcpStream;

use self::grants::Grants;
use self::questions::{Answers, Facts};
use self::rights::{ALL, NEEDED};
use self::script::Site;
use super::report::{MySqlRights, Outcome, Privileges, Server, ServerSettings, StepName};
use super::run::{Run, TRIPS, Trial};
use super::{Class, Provider};
use crate::backend::Fut;
use crate::config::{Address, Tls};
use crate::control::dial::Trust;
use crate::control::mysql::{self, Failure, Ready, Session};
use crate::control::staged::{Seen, Watch};

/// What is tested of such a database.
pub(super) struct MySql {
    pub(super) provider: Provider,
    pub(super) address: Address,
    pub(super) trust: Trust,
}

impl Trial for MySql {
    fn go<'a>(&'a self, run: &'a mut Run, stream: TcpStream, now: Timestamp) -> Fut<'a, Result<(), Class>> {
        Box::pin(self.sign_in_and_ask(run, stream, now))
    }
}

impl MySql {
    async fn sign_in_and_ask(&self, run: &mut Run, stream: TcpStream, now: Timestamp) -> Result<(), Class> {
        let watch = Watch::default();
        let (ready, could_encrypt) = self.secure(run, stream, &watch).await?;
        let mut session = match ready.sign_in(&self.address).await {
            Ok(session) => session,
            Err(failure) => {
                let class = classify::of(&failure);
                if let Failure::Token(why) = &failure {
                    run.say(class, why.public(), why.hint());
                } else if class == Class::Auth && could_encrypt {
                    // Who must encrypt and does not is refused in the same words.
                    let cause = "The server refuses the user name or the password, or a connection without encryption";
                    let fix = "Check both; if the account or the server insists on encryption, leave sslMode out or set it \
                               to verify-full";
                    run.say(class, cause, Some(fix));
                }
                // The database is looked for once the password is taken.
                if matches!(failure, Failure::Said { code: 1044 | 1049, .. }) || class == Class::DbMissing {
                    run.done(Outcome::Ok);
                    if class == Class::Permission {
                        let cause = "The account has no right to the database, or there is no such database";
                        return run.misses(class, cause);
                    }
                }
                return Err(class);
            }
        };
        run.done_until(StepName::Read);
        self.question(run, &mut session, &watch.seen(), now).await?;
        session.close().await;
        Ok(())
    }

    /// Hears the server's greeting, and encrypts; whether it would have, where it is not asked to.
    async fn secure(&self, run: &mut Run, stream: TcpStream, watch: &Watch) -> Result<(Ready, bool), Class> {
        let of = |failure: Failure| classify::of(&failure);
        if self.address.tls == Tls::Disable {
            run.warn_of_no_tls();
            run.done(Outcome::Warning);
            let greeted = mysql::greet(stream).await.map_err(of)?;
            let could_encrypt = greeted.encrypts();
            return Ok((greeted.plain(), could_encrypt));
        }
        let greeted = mysql::greet(stream).await.map_err(of)?;
        if !greeted.encrypts() {
            return Err(Class::TlsUnsupported);
        }
        let ready = greeted.encrypt(&self.address, &self.trust, watch).await.map_err(of)?;
        run.done(Outcome::Ok);
        Ok((ready, false))
    }

    async fn question(&self, run: &mut Run, session: &mut Session, seen: &Seen, now: Timestamp) -> Result<(), Class> {
        let answers = questions::ask(session).await;
        let answers = answers.map_err(|failure| classify::of(&failure))?;
        run.done(Outcome::Ok);

        let Answers {
            facts,
            cipher,
            grants,
            tables,
        } = answers;
        let tables = tables.map_or(0, |tables| tables.len());
        let ignore_case = facts.lower_case_table_names != 0;
        let grants = grants.map(|lines| Grants::read(lines.iter().map(String::as_str)));
        let rights = grants
            .as_ref()
            .map(|grants| rights::rights(grants, &facts.database, ignore_case, tables));
        self.judge(run, rights.as_ref(), &facts);
        let site = Site {
            account: &facts.account,
            database: &facts.database,
            ignore_case,
        };
        run.report.script = grants.and_then(|grants| script::script(&site, &grants).ok());
        run.report.privileges = rights.map(Privileges::MySql);

        let encrypts_itself = cipher.as_deref().is_some_and(|cipher| !cipher.is_empty());
        if seen.tls_version.is_some() && cipher.is_some() && !encrypts_itself {
            run.warn(
                "tls_ends_early",
                "Encryption ends at a proxy before the server: the way behind it is up to whoever runs it",
            );
        }
        run.warn_of_end(seen.certificate_ends, now);
        if !facts.is_strict() {
            run.warn(
                "not_strict",
                "The server cuts values that do not fit without an error (sql_mode); our own sessions are strict, others' are not",
            );
        }
        run.report.server = Some(server(
            facts,
            cipher.filter(|_| encrypts_itself),
            seen,
            session.connection,
        ));
        for _ in 0..TRIPS {
            let asked = Instant::now();
            let answered = questions::trivial(session).await;
            answered.map_err(|failure| classify::of(&failure))?;
            run.trip(asked.elapsed());
        }
        run.done(Outcome::Ok);
        Ok(())
    }

    /// What the account may do, against what is needed.
    fn judge(&self, run: &mut Run, found: Option<&MySqlRights>, facts: &Facts) {
        let Some(found) = found else {
            return run.note(Class::Unknown, "The server does not tell what the account may do", None);
        };
        warn_of_might(run, found);
        if facts.read_only {
            return run.note(Class::ReadOnly, Class::ReadOnly.cause(self.provider), None);
        }
        if found.suffices() {
            return run.done(Outcome::Ok);
        }
        let [read, insert, update, delete] = NEEDED.map(|right| found.on_tables(right));
        let mut cause = format!(
            "Of {} tables that the account sees in \"{}\" it may read {read}, insert into {insert}, update {update} and \
             delete from {delete}",
            found.visible_tables, facts.database
        );
        if !found.roles.is_empty() {
            cause += "; what its roles give counts only if they are default roles, and is not listed";
        }
        run.note(Class::Permission, &cause, None);
    }
}

fn warn_of_might(run: &mut Run, found: &MySqlRights) {
    if found.everywhere(ALL) {
        run.warn(
            "all_privileges",
            "The account may do everything on the server: give Plinth one of its own, as the script does",
        );
    } else if found.everywhere("SUPER") {
        run.warn(
            "superuser",
            "The account has the right SUPER: give Plinth one of its own, as the script does",
        );
    }
    if found.grant_option {
        run.warn(
            "grant_option",
            "The account may pass its rights on to others: take that away, as the script does",
        );
    }
}

fn server(facts: Facts, cipher: Option<String>, seen: &Seen, greeted_as: u32) -> Server {
    let (product, version) = facts.product();
    Server {
        product,
        version,
        tls_version: seen.tls_version.map(str::to_owned),
        tls_cipher: cipher,
        certificate_expires_at: seen.certificate_ends,
        read_only: facts.read_only,
        pooler: facts.connection.is_some_and(|connection| connection != greeted_as),
        settings: Some(ServerSettings {
            sql_mode: facts.sql_mode,
            lower_case_table_names: facts.lower_case_table_names,
            time_zone: facts.time_zone,
        }),
        current_user: facts.account,
        current_database: facts.database,
    }
}
