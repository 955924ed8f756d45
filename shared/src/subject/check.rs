//! What is wrong with a map that somebody wrote.

mod stays;

use std::collections::BTreeSet;

use super::facts::list;
use super::find::{ids_are_people, is_cut};
use super::fitted::is_column;
use super::{Change, ChangeKind, Dialect, Facts, Hop, Path, Relation, Rule, SubjectMap, Table, TableEntry, fillable};
use crate::ident::Ident;
use crate::schema::fault::{Fault, Faults};

/// Ways of one table, and links of one way, at most.
const MOST: usize = 64;

/// All that is wrong with it, each fault with its path: `tables.orders.paths[0][1].columns`.
pub fn check(dialect: Dialect, map: &SubjectMap, facts: &Facts) -> Faults {
    let mut check = Check {
        dialect,
        map,
        facts,
        faults: Faults::default(),
    };
    check.root();
    for (at, relation) in map.relations.iter().enumerate() {
        check.relation(&format!("relations[{at}]"), relation);
    }
    for (label, entry) in &map.tables {
        check.table(label, entry);
    }
    for (at, ignored) in map.ignored.iter().enumerate() {
        check.ignored(&format!("ignored[{at}]"), ignored);
    }
    check.faults
}

/// What a map says that cannot be done with the tables any more, though these are the ones that it was confirmed for.
pub(crate) fn unfit(dialect: Dialect, map: &SubjectMap, facts: &Facts) -> Vec<Change> {
    let faults = check(dialect, map, facts);
    let change = |fault: &Fault| {
        let of = |label: &&String| {
            fault
                .path
                .strip_prefix("tables.")
                .is_some_and(|rest| rest.starts_with(*label))
        };
        let label = map.tables.keys().filter(of).max_by_key(|label| label.len());
        Change {
            kind: ChangeKind::Unfit,
            table: label.or(map.root.table.as_ref()).cloned().unwrap_or_default(),
            column: None,
            link: None,
            message: Some(fault.message.clone()),
            personal: None,
        }
    };
    faults.iter().map(change).collect()
}

struct Check<'a> {
    dialect: Dialect,
    map: &'a SubjectMap,
    facts: &'a Facts,
    faults: Faults,
}

impl<'a> Check<'a> {
    fn fault(&mut self, path: &str, code: &'static str, message: impl Into<String>, hint: &str) {
        let fault = Fault::new(path, code, message);
        self.faults.push(if hint.is_empty() { fault } else { fault.hint(hint) });
    }

    fn known(&mut self, path: &str, label: &str) -> Option<&'a Table> {
        let table = self.facts.tables.get(label);
        if table.is_none() {
            let hint = "GET /api/gdpr/subject-map has the labels of all tables";
            self.fault(
                path,
                "privacy/unknown-table",
                format!("There is no table {label}"),
                hint,
            );
        }
        table
    }

    /// Whether the columns are the table's, each once.
    fn columns(&mut self, path: &str, label: &str, table: &Table, columns: &[String]) -> bool {
        let before = self.faults.iter().count();
        if columns.is_empty() {
            self.fault(path, "privacy/columns", "Columns are missing", "");
        }
        let mut seen = BTreeSet::new();
        for column in columns {
            if !seen.insert(column) {
                self.fault(path, "privacy/columns", format!("{column} is there twice"), "");
            } else if table.column(column).is_none() {
                let message = format!("{label} has no column {column}");
                self.fault(path, "privacy/unknown-column", message, "");
            }
        }
        self.faults.iter().count() == before
    }

    fn root(&mut self) {
        let root = &self.map.root;
        let Some(label) = &root.table else {
            if !root.key.is_empty() || root.email.is_some() {
                self.fault(
                    "root",
                    "privacy/root",
                    "A key and an email need the table they are in",
                    "Give root.table",
                );
            } else if !self.facts.accounts {
                let hint = "Give root.table and root.key";
                self.fault("root", "privacy/root", "Nothing here says who a person is", hint);
            }
            return;
        };
        let Some(table) = self.known("root.table", label) else {
            return;
        };
        if self.columns("root.key", label, table, &root.key) {
            let key: BTreeSet<&str> = root.key.iter().map(String::as_str).collect();
            let same = |columns: &[Ident]| columns.iter().map(Ident::as_str).collect::<BTreeSet<_>>() == key;
            if !same(&table.primary_key) && !table.unique_keys.iter().any(|unique| same(unique)) {
                let message = format!("No key of {label} has these columns, so they may not tell people apart");
                self.fault(
                    "root.key",
                    "privacy/root",
                    message,
                    "Give the columns of its primary key or of a unique one",
                );
            } else if self.facts.accounts && !ids_are_people(self.facts, root) {
                let message = format!(
                    "People go by the ids of their accounts here, which {label}.{} does not hold",
                    list(&root.key)
                );
                let hint = "Give the table whose key holds them, or leave out root.table: people are accounts then, and the \
                            tables with their ids lead to them";
                self.fault("root.key", "privacy/root", message, hint);
            }
        }
        if let Some(email) = &root.email {
            self.columns("root.email", label, table, std::slice::from_ref(email));
        }
        if !self.map.tables.contains_key(label) {
            let hint = "Give it one empty path and a rule";
            self.fault(
                &format!("tables.{label}"),
                "privacy/root",
                "The root's own rows are missing",
                hint,
            );
        }
    }

    fn relation(&mut self, path: &str, relation: &Relation) {
        let Some(table) = self.known(&format!("{path}.table"), &relation.table) else {
            return;
        };
        self.hop(path, &relation.table, table, &relation.hop());
    }

    /// Whether a link leads from columns that are there to columns that are there.
    fn hop(&mut self, path: &str, label: &str, table: &Table, hop: &Hop) -> bool {
        let own = self.columns(&format!("{path}.columns"), label, table, &hop.columns);
        let there = format!("{path}.referencedColumns");
        let Some(to) = &hop.references else {
            if hop.columns.len() != 1 || !hop.referenced_columns.is_empty() {
                let message = "A person's id is in one column, and refers to no other";
                self.fault(
                    path,
                    "privacy/hop",
                    message,
                    "Give references where the columns lead to a table",
                );
                return false;
            }
            return own;
        };
        let Some(target) = self.known(&format!("{path}.references"), to) else {
            return false;
        };
        if hop.columns.len() != hop.referenced_columns.len() {
            self.fault(
                &there,
                "privacy/hop",
                "There must be as many as columns",
                "They go together pairwise",
            );
            return false;
        }
        self.columns(&there, to, target, &hop.referenced_columns) && own
    }

    fn table(&mut self, label: &str, entry: &TableEntry) {
        let path = format!("tables.{label}");
        let Some(table) = self.known(&path, label) else { return };
        if entry.paths.is_empty() {
            let hint = "Leave the table out if its rows belong to nobody";
            self.fault(&format!("{path}.paths"), "privacy/path", "A path is missing", hint);
        }
        if entry.paths.len() > MOST {
            self.fault(
                &format!("{path}.paths"),
                "privacy/path",
                format!("There are more than {MOST} paths"),
                "",
            );
            return;
        }
        let before = self.faults.iter().count();
        for (at, way) in entry.paths.iter().enumerate() {
            self.path(&format!("{path}.paths[{at}]"), label, table, way);
        }
        let paths_hold = self.faults.iter().count() == before;
        self.rule(&format!("{path}.rule"), label, table, entry, paths_hold);
    }

    fn path(&mut self, path: &str, label: &str, table: &'a Table, way: &Path) {
        let root = self.map.root.table.as_deref();
        if way.0.is_empty() {
            if root != Some(label) {
                let message = "Only the root's own rows need no link";
                self.fault(path, "privacy/path", message, "Give the links that lead to a person");
            }
            return;
        }
        if way.0.len() > MOST {
            self.fault(path, "privacy/path", format!("There are more than {MOST} links"), "");
            return;
        }
        let (mut at, mut from) = (label, table);
        for (number, hop) in way.0.iter().enumerate() {
            let here = format!("{path}[{number}]");
            if !self.hop(&here, at, from, hop) {
                return;
            }
            let is_last = number + 1 == way.0.len();
            match &hop.references {
                None if is_last => self.id(&here),
                None => self.fault(&here, "privacy/path", "A person's id is where a path ends", ""),
                Some(to) if is_last && root != Some(to) => {
                    let root = root.unwrap_or("a person's id");
                    let message = format!("The path ends at {to}, not at {root}");
                    self.fault(&here, "privacy/path", message, "Add the links that lead on from there");
                }
                Some(to) => match self.facts.tables.get_key_value(to) {
                    Some((label, table)) => (at, from) = (label, table),
                    None => return,
                },
            }
        }
    }

    /// Whether people go by one value.
    fn id(&mut self, path: &str) {
        if self.map.root.table.is_some() && self.map.root.key.len() != 1 {
            let message = "People go by several columns here, so no single one leads to them";
            self.fault(path, "privacy/path", message, "Give references and referencedColumns");
        }
    }

    fn rule(&mut self, path: &str, label: &str, table: &Table, entry: &TableEntry, paths_hold: bool) {
        match &entry.rule {
            Rule::Delete => {}
            Rule::Keep { reason } => {
                if reason.trim().is_empty() {
                    let hint = "Say which duty or right lets these rows stay";
                    self.fault(&format!("{path}.reason"), "privacy/reason", "A reason is missing", hint);
                } else if reason.len() > crate::schema::spec::MAX_COMMENT {
                    self.fault(
                        &format!("{path}.reason"),
                        "privacy/reason",
                        "The reason is longer than 1000 bytes",
                        "",
                    );
                }
                self.stays(path, table, entry);
            }
            Rule::Anonymise { columns } => {
                let path = format!("{path}.columns");
                if !self.columns(&path, label, table, columns) {
                    return;
                }
                let dialect = self.dialect;
                for column in columns.iter().filter(|column| !fillable(dialect, table, column)) {
                    let message =
                        format!("{column} can be neither emptied nor filled with something that means nothing");
                    let hint = "Leave it out, let it be null, or delete the rows";
                    self.fault(&path, "privacy/not-fillable", message, hint);
                }
                self.whole(&path, table, columns);
                if paths_hold {
                    self.cut(&path, table, entry, columns);
                }
            }
        }
    }

    /// Whether no foreign key is left in parts that the database takes together or not at all.
    fn whole(&mut self, path: &str, table: &Table, columns: &[String]) {
        for key in &table.whole {
            let emptied = |name: &&Ident| columns.iter().any(|column| column == name.as_str());
            let left: Vec<&Ident> = key.iter().filter(|name| !emptied(name)).collect();
            if left.is_empty() || left.len() == key.len() {
                continue;
            }
            let message = format!("{} of the same foreign key would keep its value", list(&left));
            let hint = "Its columns are emptied together (`match full`): add those, or delete the rows";
            self.fault(path, "privacy/key-in-part", message, hint);
        }
    }

    /// Whether the rows are nobody's when those columns are empty. The root's stay whose they are: there is nobody behind.
    fn cut(&mut self, path: &str, table: &Table, entry: &TableEntry, columns: &[String]) {
        for hop in entry.paths.iter().filter_map(|way| way.0.first()) {
            let cuts = |column: &&String| columns.contains(column) && is_cut(self.dialect, table, column);
            if !hop.columns.iter().any(|column| cuts(&column)) {
                let message = format!("The rows would still be the person's by {}", hop.columns.join(", "));
                let hint = "Add a column of each link that may be null, or delete the rows";
                self.fault(path, "privacy/still-linked", message, hint);
            }
        }
    }

    fn ignored(&mut self, path: &str, ignored: &str) {
        if !is_column(ignored, self.facts) {
            let message = format!("There is no column {ignored}");
            self.fault(path, "privacy/unknown-column", message, "Write table.column");
        }
    }
}

#[cfg(test)]
mod tests;
