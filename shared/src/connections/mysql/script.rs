//! The script of least privilege: what Plinth's account needs, and nothing beside. It is for the server's administrator to
//! read and run; we run none of it.

use std::fmt::Write as _;

use super::grants::{Grant, Grants, On, Right, exactly};
use super::rights::{ALL, NEEDED};
use crate::error::Result;
use crate::ident::Ident;

/// The account that is made where the one given has too many rights to be taken away.
const OWN: &str = "plinth_login";

/// Where somebody has rights.
pub(super) struct Site<'a> {
    /// `user@host`, as the server says it.
    pub(super) account: &'a str,
    pub(super) database: &'a str,
    /// Whether the case of names makes no difference.
    pub(super) ignore_case: bool,
}

/// For that account.
///
/// # Errors
/// When a name is longer than we quote.
pub(super) fn script(site: &Site<'_>, found: &Grants) -> Result<String> {
    let mut text = String::new();
    let mut line = |words: String| {
        // Writing into a string cannot fail.
        let _written = writeln!(text, "{words};");
    };
    let fresh = needs_another(site, found);
    let (user, host) = site.account.rsplit_once('@').unwrap_or((site.account, "%"));
    let (user, host) = if fresh { (OWN, "%") } else { (user, host) };
    let (user, host) = (Ident::new(user)?, Ident::new(host)?);
    let account = format!("{}@{}", user.backticked(), host.backticked());
    // In a grant a database's name is a pattern.
    let pattern = Ident::new(exactly(site.database))?;
    let everything = format!("{}.*", pattern.backticked());
    if fresh {
        line(format!(
            "-- The account that was tested has more rights than can be taken from it: here is one of its own.\n\
             create user {account} require ssl account lock"
        ));
    } else {
        for grant in found.grants.iter().filter(|grant| !grant.revoked) {
            take(grant, site, &account, &mut line)?;
        }
    }
    line(format!(
        "grant select, insert, update, delete on {everything} to {account}"
    ));
    if fresh {
        line(format!(
            "-- Give it a password that is in no log, and let it in:\n\
             -- alter user {account} identified by '…' account unlock"
        ));
    }
    Ok(text)
}

/// Takes away what a line gives beside what is needed.
fn take(grant: &Grant, site: &Site<'_>, account: &str, line: &mut impl FnMut(String)) -> Result<()> {
    let ours = grant.on.covers(site.database, site.ignore_case);
    let place = match &grant.on {
        On::Everything => "*.*".to_owned(),
        On::Database(pattern) if ours => format!("{}.*", Ident::new(pattern.as_str())?.backticked()),
        On::Table(database, table) if database == site.database => {
            format!(
                "{}.{}",
                Ident::new(database.as_str())?.backticked(),
                Ident::new(table.as_str())?.backticked()
            )
        }
        // What the account does elsewhere is its own affair.
        _ => return Ok(()),
    };
    let whole = grant.rights.iter().any(|right| right.name == ALL);
    let excess: Vec<String> = if whole {
        vec!["all privileges".to_owned()]
    } else {
        let wide = grant.on == On::Everything;
        let rights = grant.rights.iter();
        let excess = rights.filter(|right| right.name != "USAGE" && (wide || !NEEDED.contains(&right.name.as_str())));
        excess.map(Right::written).collect::<Result<_>>()?
    };
    if !excess.is_empty() {
        line(format!("revoke {} on {place} from {account}", excess.join(", ")));
    }
    if grant.option {
        line(format!("revoke grant option on {place} from {account}"));
    }
    Ok(())
}

impl Right {
    fn written(&self) -> Result<String> {
        let name = self.name.to_lowercase();
        if self.columns.is_empty() {
            return Ok(name);
        }
        let columns = self.columns.iter().map(|column| Ident::new(column.as_str()));
        let columns: Vec<String> = columns
            .map(|column| column.map(|column| column.backticked().to_string()))
            .collect::<Result<_>>()?;
        Ok(format!("{name} ({})", columns.join(", ")))
    }
}

/// Whether the account is one that administers the server, or nobody's.
fn needs_another(site: &Site<'_>, found: &Grants) -> bool {
    let mighty = |right: &Right| [ALL, "SUPER", "CREATE USER"].contains(&right.name.as_str());
    let grants = found.grants.iter().filter(|grant| grant.on == On::Everything);
    site.account.starts_with('@')
        || grants
            .into_iter()
            .any(|grant| grant.option || grant.rights.iter().any(mighty))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(account: &str, database: &str, lines: &[&str]) -> String {
        let site = Site {
            account,
            database,
            ignore_case: false,
        };
        script(&site, &Grants::read(lines.iter().copied())).unwrap()
    }

    #[test]
    fn a_modest_account_gets_what_it_needs_and_loses_what_it_does_not() {
        let lines = [
            "GRANT PROCESS, SELECT ON *.* TO `a'p`@`%` IDENTIFIED BY PASSWORD '*00'",
            "GRANT ALL PRIVILEGES ON `my_db`.* TO `a'p`@`%` WITH GRANT OPTION",
            "GRANT SELECT, DROP, TRIGGER ON `my\\_d%`.* TO `a'p`@`%`",
            "GRANT SELECT, INDEX, REFERENCES (`we``ird`) ON `my_db`.`t` TO `a'p`@`%`",
            "GRANT ALL PRIVILEGES ON `other`.* TO `a'p`@`%`",
        ];
        insta::assert_snapshot!(of("a'p@%", "my_db", &lines), @r"
        revoke process, select on *.* from `a'p`@`%`;
        revoke all privileges on `my_db`.* from `a'p`@`%`;
        revoke grant option on `my_db`.* from `a'p`@`%`;
        revoke drop, trigger on `my\_d%`.* from `a'p`@`%`;
        revoke index, references (`we``ird`) on `my_db`.`t` from `a'p`@`%`;
        grant select, insert, update, delete on `my\_db`.* to `a'p`@`%`;
        ");
    }

    #[test]
    fn a_mighty_account_is_left_alone_and_another_one_made() {
        let lines = ["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"];
        insta::assert_snapshot!(of("root@localhost", "shop", &lines), @"
        -- The account that was tested has more rights than can be taken from it: here is one of its own.
        create user `plinth_login`@`%` require ssl account lock;
        grant select, insert, update, delete on `shop`.* to `plinth_login`@`%`;
        -- Give it a password that is in no log, and let it in:
        -- alter user `plinth_login`@`%` identified by '…' account unlock;
        ");
    }
}
