//! What an account may do, from the lines of `show grants`.

use super::grants::{Grants, On};
use crate::connections::report::{MySqlRights, TableRights};

/// What is needed on every table.
pub(super) const NEEDED: [&str; 4] = ["SELECT", "INSERT", "UPDATE", "DELETE"];
/// All that can be given at a place.
pub(super) const ALL: &str = "ALL PRIVILEGES";

/// What the account may do in that database, of whose tables it sees so many.
pub(super) fn rights(found: &Grants, database: &str, ignore_case: bool, visible_tables: usize) -> MySqlRights {
    let mut rights = MySqlRights {
        roles: found.roles.clone(),
        visible_tables,
        ..MySqlRights::default()
    };
    for grant in found.grants.iter().filter(|grant| !grant.revoked) {
        let named = grant.rights.iter().filter(|right| right.name != "USAGE");
        let whole = named
            .clone()
            .filter(|right| right.columns.is_empty())
            .map(|right| right.name.clone());
        match &grant.on {
            On::Everything => rights.everywhere.extend(whole),
            On::Database(_) if grant.on.covers(database, ignore_case) => rights.database.extend(whole),
            On::Table(at, table) if at == database => rights.tables.push(TableRights {
                name: table.clone(),
                rights: whole.collect(),
                on_columns: named
                    .filter(|right| !right.columns.is_empty())
                    .map(|right| right.name.clone())
                    .collect(),
            }),
            _ => continue,
        }
        rights.grant_option |= grant.option;
    }
    // What is taken away in this database is no right everywhere.
    let taken = found
        .grants
        .iter()
        .filter(|grant| grant.revoked && grant.on.covers(database, ignore_case));
    for right in taken.flat_map(|grant| &grant.rights) {
        rights.everywhere.retain(|name| *name != right.name);
    }
    rights
}

impl MySqlRights {
    /// On how many of the tables that it sees it has that right.
    pub(super) fn on_tables(&self, right: &str) -> usize {
        let has = |rights: &[String]| rights.iter().any(|name| name == right || name == ALL);
        if has(&self.everywhere) || has(&self.database) {
            return self.visible_tables;
        }
        let tables = self.tables.iter().filter(|table| has(&table.rights)).count();
        tables.min(self.visible_tables)
    }

    /// Whether it has that right on every database.
    pub(super) fn everywhere(&self, right: &str) -> bool {
        self.everywhere.iter().any(|name| name == right)
    }

    /// Whether it has all rights that are needed, on all tables, future ones included.
    pub(super) fn suffices(&self) -> bool {
        let has = |right: &str| {
            let all = self.everywhere.iter().chain(&self.database);
            all.into_iter().any(|name| name == right || name == ALL)
        };
        NEEDED
            .into_iter()
            .all(|right| has(right) || (self.visible_tables > 0 && self.on_tables(right) == self.visible_tables))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_add_up_over_lines() {
        let of = |lines: &[&str]| rights(&Grants::read(lines.iter().copied()), "shop", false, 2);
        for (lines, suffices, reads) in [
            (&["GRANT ALL PRIVILEGES ON *.* TO `u`@`h`"][..], true, 2),
            (
                &[
                    "GRANT USAGE ON *.* TO `u`@`h`",
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON `sh%`.* TO `u`@`h`",
                ],
                true,
                2,
            ),
            (
                &[
                    "GRANT SELECT ON *.* TO `u`@`h`",
                    "GRANT INSERT, UPDATE ON `shop`.* TO `u`@`h`",
                ],
                false,
                2,
            ),
            (&["GRANT SELECT ON `shop`.`a` TO `u`@`h`"], false, 1),
            (&["GRANT SELECT (`id`) ON `shop`.`a` TO `u`@`h`"], false, 0),
            (&["GRANT SELECT ON `other`.* TO `u`@`h`"], false, 0),
            (
                &[
                    "GRANT SELECT, INSERT ON *.* TO `u`@`h`",
                    "REVOKE SELECT ON `shop`.* FROM `u`@`h`",
                ],
                false,
                0,
            ),
        ] {
            let found = of(lines);
            assert_eq!(
                (found.suffices(), found.on_tables("SELECT")),
                (suffices, reads),
                "{lines:?}"
            );
        }
    }
}
