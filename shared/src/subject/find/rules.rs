//! What an erasure does with a table's rows, as long as nobody says otherwise: they go. Where rows of others hang on them they
//! stay, without the person.

use std::collections::BTreeSet;

use super::super::classify::may_say_anything;
use super::super::erase::sets_free;
use super::super::{Dialect, Link, LinkOrigin, Marks, Rule, Table, fillable};
use super::Ways;

impl Ways<'_> {
    /// The rule, and why its owner has to think about it.
    pub(super) fn rule(&self, dialect: Dialect, label: &str, marks: &Marks) -> (Rule, Option<String>) {
        let Some(table) = self.facts.tables.get(label) else {
            return (Rule::Delete, None);
        };
        let Some((from, key)) = self.hangs_on(label) else {
            return (Rule::Delete, None);
        };
        if self.root.table.as_deref() != Some(label)
            && let Some(columns) = self.emptied(dialect, label, table, marks)
        {
            return (Rule::Anonymise { columns }, None);
        }
        let why = format!("Rows of others in {from} may refer to these by {key}: as long as any do, they cannot go");
        (Rule::Delete, Some(why))
    }

    /// A table, and a key of it, by which rows of others may hang on rows here: any that is not among the shortest ways.
    fn hangs_on(&self, label: &str) -> Option<(&str, String)> {
        let depth = self.depths.get(label)?;
        let outside = self
            .facts
            .outside
            .iter()
            .map(|(other, table)| (other.as_str(), &table.links));
        let known = self.links.iter().map(|(other, links)| (*other, links));
        let known = known.filter(|(other, _)| self.depths.get(*other).is_none_or(|other| *other != depth + 1));
        for (other, links) in known.chain(outside) {
            for link in links.iter().filter(|link| link.to.as_deref() == Some(label)) {
                match &link.origin {
                    LinkOrigin::ForeignKey { name, .. } if !self.lets_go(other, link) => {
                        return Some((other, name.to_string()));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    fn lets_go(&self, label: &str, link: &Link) -> bool {
        let table = self.facts.tables.get(label);
        table.is_some_and(|table| sets_free(table, link))
    }

    /// The columns that lead to the person and those that say something; none if the rows would stay theirs, or would have to
    /// say what they say.
    fn emptied(&self, dialect: Dialect, label: &str, table: &Table, marks: &Marks) -> Option<Vec<String>> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for path in self.paths.get(label)? {
            let mut cut = path
                .0
                .first()?
                .columns
                .iter()
                .filter(|name| is_cut(dialect, table, name))
                .peekable();
            cut.peek()?;
            names.extend(cut.map(String::as_str));
        }
        let led: BTreeSet<&str> = table
            .links
            .iter()
            .flat_map(|link| &link.columns)
            .map(crate::ident::Ident::as_str)
            .collect();
        for column in table.columns.iter().filter(|column| !column.generated) {
            let name = column.name.as_str();
            let says = marks.kind(label, name).is_some() || may_say_anything(column) && !led.contains(name);
            if !says || crate::schema::hidden::is_hidden(name) || table.primary_key.contains(&column.name) {
                continue;
            }
            if !fillable(dialect, table, name) {
                return None;
            }
            names.insert(name);
        }
        for key in &table.whole {
            if !key.iter().any(|name| names.contains(name.as_str())) {
                continue;
            }
            if !key.iter().all(|name| is_cut(dialect, table, name.as_str())) {
                return None;
            }
            names.extend(key.iter().map(crate::ident::Ident::as_str));
        }
        let in_order = table
            .columns
            .iter()
            .filter(|column| names.contains(column.name.as_str()));
        Some(in_order.map(|column| column.name.to_string()).collect())
    }
}

/// Whether emptying the column takes the row off whom it leads to.
pub(in crate::subject) fn is_cut(dialect: Dialect, table: &Table, name: &str) -> bool {
    table.column(name).is_some_and(|column| column.nullable) && fillable(dialect, table, name)
}

pub(super) fn too_many() -> String {
    "There are more ways to a person than are kept: choose those that count".to_owned()
}
