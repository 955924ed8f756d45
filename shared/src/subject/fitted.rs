//! A map that was confirmed for other tables, made to fit those that are there.

use super::{Facts, Hop, Path, Rule, Structure, SubjectMap, TableEntry};

impl SubjectMap {
    /// Leaves out what is gone, and takes tables that have come since `structure` from what was found.
    #[must_use]
    pub fn fitted(mut self, facts: &Facts, structure: &Structure, found: Self) -> Self {
        if !self.root.is_there(facts) {
            return found;
        }
        self.tables.retain(|label, entry| entry.fit(label, facts));
        for (label, entry) in found.tables {
            // One that is there and not in the map was left out by its owner; one that lost its paths was not.
            if !structure.has(&label) {
                self.tables.entry(label).or_insert(entry);
            }
        }
        self.relations
            .retain(|relation| relation.hop().is_there(&relation.table, facts));
        self
    }
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
    /// Takes out what is gone; false if nothing is left of it.
    fn fit(&mut self, label: &str, facts: &Facts) -> bool {
        let Some(table) = facts.tables.get(label) else {
            return false;
        };
        self.paths.retain(|path| path.is_there(label, facts));
        if let Rule::Anonymise { columns } = &mut self.rule {
            columns.retain(|column| table.column(column).is_some());
        }
        !self.paths.is_empty()
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
