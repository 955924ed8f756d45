//! Rows that are kept and refer to rows that go: no database lets that happen.

use std::collections::BTreeSet;

use super::super::erase::sets_free;
use super::super::facts::list;
use super::super::{LinkOrigin, Rule, Table, TableEntry};
use super::Check;

impl Check<'_> {
    /// Whether kept rows lead to the person by a key that the database enforces, to rows that go.
    pub(super) fn stays(&mut self, path: &str, table: &Table, entry: &TableEntry) {
        let mut told = BTreeSet::new();
        for hop in entry.paths.iter().filter_map(|way| way.0.first()) {
            let Some(to) = &hop.references else { continue };
            let goes = self.map.tables.get(to).is_some_and(|there| there.rule == Rule::Delete);
            let columns: BTreeSet<&str> = hop.columns.iter().map(String::as_str).collect();
            let key = table.links.iter().find_map(|link| match &link.origin {
                LinkOrigin::ForeignKey { name, .. }
                    if link.to.as_ref() == Some(to)
                        && link.columns.iter().all(|column| columns.contains(column.as_str())) =>
                {
                    Some((name, link))
                }
                _ => None,
            });
            let Some((name, link)) = key.filter(|(_, link)| goes && !sets_free(table, link)) else {
                continue;
            };
            if !told.insert(name) {
                continue;
            }
            let message = format!("The rows stay, and refer by {name} to rows of {to}, which go");
            let hint = format!(
                "Have the rows of {to} anonymised or kept as well, or these anonymised with {} among the columns",
                list(&link.columns)
            );
            self.fault(path, "privacy/kept-hangs", message, &hint);
        }
    }
}
