//! What a connection test asks: four questions that go out together, so that they cost one round trip.

use crate::control::mysql::{Failure, Rows, Session};

/// `select` alone: who it is, where, and how the server is set.
const FACTS: &str = "select version(), @@version_comment, current_user(), database(), connection_id(), \
    @@read_only or @@innodb_read_only, @@sql_mode, @@lower_case_table_names, \
    if(@@time_zone = 'SYSTEM', @@system_time_zone, @@time_zone)";
/// Empty where the server does not encrypt, whatever is in between.
const CIPHER: &str = "show session status like 'Ssl_cipher'";
const GRANTS: &str = "show grants";
/// As far as the account may know of them.
const TABLES: &str = "select table_name from information_schema.tables \
    where table_schema = database() and table_type like '%TABLE%' limit 10000";
/// The least that a server can be asked.
const TRIVIAL: &str = "select 1";

/// What the server says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) version: String,
    pub(super) comment: String,
    /// `user@host`, as the server knows it.
    pub(super) account: String,
    pub(super) database: String,
    pub(super) connection: Option<u32>,
    pub(super) read_only: bool,
    pub(super) sql_mode: String,
    pub(super) lower_case_table_names: u8,
    pub(super) time_zone: String,
}

/// The answers; only the first must be there.
pub(super) struct Answers {
    pub(super) facts: Facts,
    pub(super) cipher: Option<String>,
    /// The lines of `show grants`.
    pub(super) grants: Option<Vec<String>>,
    /// The tables that the account sees.
    pub(super) tables: Option<Vec<String>>,
}

/// Asks everything in one round trip, and once more after a question that the server has no answer to.
pub(super) async fn ask(session: &mut Session) -> Result<Answers, Failure> {
    const ALL: [&str; 4] = [FACTS, CIPHER, GRANTS, TABLES];
    let mut found: [Option<Rows>; 4] = Default::default();
    let mut first = 0;
    while let Some(rest) = ALL.get(first..).filter(|rest| !rest.is_empty()) {
        let together = if session.takes_several { rest.len() } else { 1 };
        let answers = session.ask(&rest[..together].join("; ")).await;
        let answered = answers.rows.len();
        for (place, rows) in found[first..].iter_mut().zip(answers.rows) {
            *place = Some(rows);
        }
        first += answered;
        match answers.failure {
            None if answered == together => {}
            Some(Failure::Said { .. }) if first > 0 => first += 1,
            Some(failure) => return Err(failure),
            None => return Err(Failure::Stranger),
        }
    }
    let [facts, cipher, grants, tables] = found;
    let column = |rows: Rows| -> Vec<String> {
        let values = rows.into_iter().filter_map(|row| row.into_iter().next());
        values.flatten().collect()
    };
    Ok(Answers {
        facts: facts.and_then(Facts::of).ok_or(Failure::Stranger)?,
        cipher: cipher.and_then(|rows| rows.into_iter().next()?.into_iter().nth(1)?),
        grants: grants.map(column),
        tables: tables.map(column),
    })
}

impl Facts {
    fn of(rows: Rows) -> Option<Self> {
        let mut values = rows.into_iter().next()?.into_iter().map(Option::unwrap_or_default);
        let mut next = || values.next();
        Some(Self {
            version: next()?,
            comment: next()?,
            account: next()?,
            database: next()?,
            connection: next()?.parse().ok(),
            read_only: next()? == "1",
            sql_mode: next()?,
            lower_case_table_names: next()?.parse().unwrap_or_default(),
            time_zone: next()?,
        })
    }

    /// Whether values that do not fit are refused.
    pub(super) fn is_strict(&self) -> bool {
        self.sql_mode.contains("STRICT_ALL_TABLES") || self.sql_mode.contains("STRICT_TRANS_TABLES")
    }

    /// Product and version, from what `version()` says and who it says it is: `10.11.6-MariaDB-0+deb12u1`, `8.0.36`,
    /// `8.0.30-Vitess`.
    pub(super) fn product(&self) -> (String, String) {
        let said = format!("{} {}", self.version, self.comment).to_lowercase();
        let product = [
            ("mariadb", "MariaDB"),
            ("planetscale", "PlanetScale"),
            ("vitess", "Vitess"),
            ("tidb", "TiDB"),
            ("percona", "Percona Server"),
        ];
        let product = product.into_iter().find(|(word, _)| said.contains(word));
        let number = self.version.strip_prefix("5.5.5-").unwrap_or(&self.version);
        let number = number.split(['-', '+', ' ']).next().unwrap_or_default();
        let number = if number.is_empty() { "unknown" } else { number };
        (product.map_or("MySQL", |(_, name)| name).to_owned(), number.to_owned())
    }
}

/// One round trip and nothing else.
pub(super) async fn trivial(session: &mut Session) -> Result<(), Failure> {
    session.ask(TRIVIAL).await.failure.map_or(Ok(()), Err)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_and_version_are_read_from_what_the_server_says() {
        for (version, comment, product, number) in [
            ("10.11.6-MariaDB-0+deb12u1", "Debian 12", "MariaDB", "10.11.6"),
            ("5.5.5-10.4.8-MariaDB", "", "MariaDB", "10.4.8"),
            ("8.0.36", "MySQL Community Server - GPL", "MySQL", "8.0.36"),
            (
                "8.0.36-28",
                "Percona Server (GPL), Release 28",
                "Percona Server",
                "8.0.36",
            ),
            ("8.0.30-Vitess", "PlanetScale", "PlanetScale", "8.0.30"),
            ("", "", "MySQL", "unknown"),
        ] {
            let row = [
                version,
                comment,
                "u@h",
                "d",
                "7",
                "0",
                "STRICT_TRANS_TABLES",
                "0",
                "UTC",
            ];
            let facts = Facts::of(vec![row.map(|value| Some(value.to_owned())).into()]).unwrap();
            assert_eq!(facts.product(), (product.to_owned(), number.to_owned()), "{version}");
            assert!(facts.is_strict() && !facts.read_only);
        }
        assert_eq!(Facts::of(vec![vec![None]]), None);
    }
}
