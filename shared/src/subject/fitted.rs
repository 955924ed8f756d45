//! A map that was confirmed for other tables, made to fit those that are there.

use std::collections::BTreeSet;

use super::{Facts, Hop, Marks, Path, Rule, Structure, SubjectMap, TableEntry};
use crate::schema::catalog::Column;
use crate::schema::hidden;

impl SubjectMap {
    /// Leaves out what is gone, and takes what has come since `structure` from what was found: tables, ways by links that
    /// were not there, and whatever ways there are of a table that has lost all it had. Its owner has left out the others.
    #[must_use]
    pub fn fitted(mut self, facts: &Facts, structure: &Structure, found: Self) -> Self {
        if !self.root.is_there(facts) {
            return found;
        }
        let confirmed = std::mem::take(&mut self.tables);
        for (label, entry) in &confirmed {
            self.tables
                .extend(entry.fit(label, facts).map(|fit| (label.clone(), fit)));
        }
        self.relations
            .retain(|relation| relation.hop().is_there(&relation.table, facts));
        self.ignored.retain(|ignored| is_column(ignored, facts));
        // Without a change of the tables nothing new counts that nobody has confirmed.
        if !structure.changes(&Structure::of(facts), &Marks::default()).is_empty() {
            for (label, entry) in found.tables {
                let had = confirmed.get(&label).map(|entry| entry.paths.len());
                self.take(structure, facts, label, entry, had);
            }
        }
        self.tables.retain(|_, entry| !entry.paths.is_empty());
        self
    }

    /// Takes what is new of a table that had so many ways, if it was in the map.
    fn take(&mut self, structure: &Structure, facts: &Facts, label: String, found: TableEntry, had: Option<usize>) {
        let lost = had.is_some_and(|had| self.tables.get(&label).is_none_or(|entry| entry.paths.len() < had));
        let is_new = |path: &Path| self.is_new(structure, &label, path, lost);
        let (new, known): (Vec<Path>, Vec<Path>) = found.paths.iter().cloned().partition(is_new);
        match (had, self.tables.get_mut(&label)) {
            (None, _) if !structure.has(&label) || known.is_empty() => {
                self.tables.insert(label, found);
            }
            (Some(_), Some(entry)) => {
                let paths = if entry.paths.is_empty() && new.is_empty() {
                    known
                } else {
                    new
                };
                entry.add(paths, facts.tables.get(&label));
            }
            _ => {}
        }
    }

    /// Whether a way needs a link that was not there. One by a column that lies aside takes the place of what was lost only.
    fn is_new(&self, structure: &Structure, label: &str, path: &Path, lost: bool) -> bool {
        let mut at = label;
        for hop in &path.0 {
            let aside = hop.columns.iter().any(|column| hidden::is_hidden(column));
            let declared = |relation: &super::Relation| relation.table == at && relation.hop() == *hop;
            let known = structure.has_link(at, hop) || self.relations.iter().any(declared);
            if !known && (lost || !aside) {
                return true;
            }
            at = hop.references.as_deref().unwrap_or_default();
        }
        false
    }
}

/// Whether `table.column` is there.
pub(super) fn is_column(name: &str, facts: &Facts) -> bool {
    let mut parts = name.rmatch_indices('.').map(|(at, _)| name.split_at(at));
    parts.any(|(label, column)| {
        let table = facts.tables.get(label);
        table.is_some_and(|table| table.column(&column[1..]).is_some())
    })
}

impl super::Root {
    /// Whether its table is there with its key.
    fn is_there(&self, facts: &Facts) -> bool {
        let Some(label) = &self.table else { return true };
        let has = |table: &super::Table| self.key.iter().all(|column| table.column(column).is_some());
        facts.tables.get(label).is_some_and(has)
    }
}

impl super::Relation {
    /// The same as a hop.
    pub(super) fn hop(&self) -> Hop {
        Hop {
            columns: self.columns.clone(),
            references: self.references.clone(),
            referenced_columns: self.referenced_columns.clone(),
        }
    }
}

impl TableEntry {
    /// Without what is gone; none without its table.
    fn fit(&self, label: &str, facts: &Facts) -> Option<Self> {
        let table = facts.tables.get(label)?;
        let mut fit = self.clone();
        fit.paths.retain(|path| path.is_there(label, facts));
        if let Rule::Anonymise { columns } = &mut fit.rule {
            columns.retain(|column| table.column(column).is_some());
        }
        Some(fit)
    }

    /// Adds ways, and to what is emptied the columns that they begin with.
    fn add(&mut self, paths: Vec<Path>, table: Option<&super::Table>) {
        let paths: Vec<Path> = paths.into_iter().filter(|path| !self.paths.contains(path)).collect();
        if let (Rule::Anonymise { columns }, Some(table)) = (&mut self.rule, table) {
            let may_be_null = |it: &Column| it.nullable && !it.generated && !table.primary_key.contains(&it.name);
            let cut = paths
                .iter()
                .filter_map(|path| path.0.first())
                .flat_map(|hop| &hop.columns);
            let cut: BTreeSet<&String> = cut
                .filter(|column| table.column(column).is_some_and(may_be_null) && !columns.contains(column))
                .collect();
            columns.extend(cut.into_iter().cloned());
        }
        self.paths.extend(paths);
    }
}

impl Path {
    fn is_there(&self, from: &str, facts: &Facts) -> bool {
        let mut at = from;
        for hop in &self.0 {
            if !hop.is_there(at, facts) {
                return false;
            }
            at = hop.references.as_deref().unwrap_or_default();
        }
        true
    }
}

impl Hop {
    fn is_there(&self, from: &str, facts: &Facts) -> bool {
        let has = |label: &str, columns: &[String]| {
            let table = facts.tables.get(label);
            table.is_some_and(|table| columns.iter().all(|column| table.column(column).is_some()))
        };
        let there = |label: &String| has(label, &self.referenced_columns);
        has(from, &self.columns) && self.references.as_ref().is_none_or(there)
    }
}
