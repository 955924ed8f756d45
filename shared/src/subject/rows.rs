//! Who is asked about, and which rows are theirs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sql::Sql;
use super::{Facts, Hop, Link, LinkOrigin, Path, SubjectMap, Table};
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::catalog::Column;

/// A person, as a request about them keeps it: `{"id": …}`, or `{"key": {column: value}}` where one value does not tell
/// people apart.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Subject {
    /// The account's id, or the value of the root's key where it is one column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The values of the root's key, as texts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub key: BTreeMap<String, String>,
    /// The address of an account in the trash: their row in the root table does not have it any more. It is looked up each
    /// time, and kept nowhere.
    #[serde(skip)]
    pub address: Option<String>,
}

/// Shows nothing: it says who somebody is.
impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject")
    }
}

impl Subject {
    /// Somebody with an id.
    pub fn of_id(id: impl Into<String>) -> Self {
        Self {
            id: Some(id.into()),
            ..Self::default()
        }
    }

    /// Somebody with a row of that key.
    pub fn of_key(key: BTreeMap<String, String>) -> Self {
        Self { key, ..Self::default() }
    }

    /// What columns hold that lead to nobody's row but to the person.
    pub fn person(&self) -> Option<&str> {
        let only = self.key.values().next().filter(|_| self.key.len() == 1);
        self.id.as_deref().or(only.map(String::as_str))
    }

    /// The value of a column of the root's key.
    fn key_value(&self, map: &SubjectMap, column: &str) -> Option<&str> {
        let only = self.id.as_deref().filter(|_| map.root.key.len() == 1);
        self.key.get(column).map(String::as_str).or(only)
    }
}

/// Says of a row whether it is the subject's.
#[derive(Clone, Copy)]
pub(super) struct Whose<'a> {
    pub(super) facts: &'a Facts,
    pub(super) map: &'a SubjectMap,
    pub(super) subject: &'a Subject,
}

impl<'a> Whose<'a> {
    /// The table of that label.
    ///
    /// # Errors
    /// `privacy/map-stale`.
    pub(super) fn table(&self, label: &str) -> Result<&'a Table> {
        self.facts.tables.get(label).ok_or_else(|| stale(label))
    }

    /// Adds the condition that the row of that name is theirs. It may be null for one that is not.
    ///
    /// # Errors
    /// `privacy/map-stale`; `privacy/subject` when the subject has no value for what the map asks.
    pub(super) fn belongs(&self, sql: &mut Sql, label: &str, row: &str) -> Result<()> {
        let own = [Path::default()];
        let paths = match self.map.tables.get(label) {
            Some(entry) => entry.paths.as_slice(),
            None if self.map.root.table.as_deref() == Some(label) => &own,
            None => &[],
        };
        if paths.is_empty() {
            sql.push("false");
            return Ok(());
        }
        sql.push("(");
        for (at, path) in paths.iter().enumerate() {
            sql.push(if at > 0 { " or " } else { "" });
            self.leads(sql, label, row, &path.0)?;
        }
        sql.push(")");
        Ok(())
    }

    fn leads(&self, sql: &mut Sql, label: &str, row: &str, hops: &[Hop]) -> Result<()> {
        let Some((hop, rest)) = hops.split_first() else {
            return self.is_person(sql, label, row);
        };
        let table = self.table(label)?;
        let Some(target) = &hop.references else {
            let column = self.column(label, hop.columns.first().map_or("", String::as_str))?;
            let person = self.subject.person().ok_or_else(unknown)?;
            let root = &self.map.root;
            match (&root.table, root.key.as_slice()) {
                (Some(root), [key]) => self.equals(sql, row, (label, column), (root.as_str(), key.as_str()), person)?,
                _ => sql.equals(row, column, person),
            }
            return Ok(());
        };
        if self.ends_at_key(hop, rest) {
            for (at, (column, referenced)) in hop.columns.iter().zip(&hop.referenced_columns).enumerate() {
                sql.push(if at > 0 { " and " } else { "" });
                let value = self.subject.key_value(self.map, referenced).ok_or_else(unknown)?;
                let own = (label, self.column(label, column)?);
                self.equals(sql, row, own, (target.as_str(), referenced.as_str()), value)?;
            }
            return Ok(());
        }
        let inner = sql.fresh();
        let own = names(table, &hop.columns).map_err(|_| stale(label))?;
        let there = self.table(target)?;
        let referenced = names(there, &hop.referenced_columns).map_err(|_| stale(target))?;
        if own.is_empty() || own.len() != referenced.len() {
            return Err(stale(label));
        }
        let folded = self.is_by_address(table, hop);
        let address = self.subject.address.as_deref().filter(|_| folded && rest.is_empty());
        sql.push(if address.is_some() { "(" } else { "" });
        sql.within((row, table, &own), (&inner, there, &referenced), folded, |sql| {
            self.leads(sql, target, &inner, rest)
        })?;
        if let Some(address) = address {
            sql.push(" or ");
            self.has_address(sql, (label, row), (target, &inner), (hop, address))?;
            sql.push(")");
        }
        Ok(())
    }

    /// Adds the condition that a row has an address which nobody has who is there: whoever signs up with it anew is the one
    /// that it leads to.
    fn has_address(
        &self,
        sql: &mut Sql,
        (label, row): (&str, &str),
        (target, inner): (&str, &str),
        (hop, address): (&Hop, &str),
    ) -> Result<()> {
        let [own, there] =
            [&hop.columns, &hop.referenced_columns].map(|columns| columns.first().map_or("", String::as_str));
        sql.has_address(row, self.column(label, own)?, address);
        sql.push(" and not exists (select 1 from ");
        sql.table(self.table(target)?, inner);
        sql.push(" where ");
        sql.has_address(inner, self.column(target, there)?, address);
        sql.push(")");
        Ok(())
    }

    /// Whether a hop lands on the root by people's e-mail address, which everybody writes as they like, and no foreign key says
    /// that it is written alike.
    fn is_by_address(&self, table: &Table, hop: &Hop) -> bool {
        let root = &self.map.root;
        let same = |link: &&Link| {
            link.columns
                .iter()
                .map(Ident::as_str)
                .eq(hop.columns.iter().map(String::as_str))
        };
        let enforced = |link: &Link| matches!(link.origin, LinkOrigin::ForeignKey { .. });
        hop.references == root.table
            && root.email.is_some()
            && matches!(hop.referenced_columns.as_slice(), [only] if Some(only) == root.email.as_ref())
            && !table.links.iter().filter(same).any(enforced)
    }

    /// Whether a hop lands on the root by its key: its row need not be looked at, nor be there.
    fn ends_at_key(&self, hop: &Hop, rest: &[Hop]) -> bool {
        let root = &self.map.root;
        let referenced = &hop.referenced_columns;
        rest.is_empty()
            && hop.references == root.table
            && hop.columns.len() == referenced.len()
            && referenced.len() == root.key.len()
            && root.key.iter().all(|column| referenced.contains(column))
    }

    /// The tables whose rows are looked at to tell whose a row of that table is.
    pub(super) fn looked_at(&self, label: &str) -> Vec<&'a str> {
        let paths = self.map.tables.get(label).into_iter().flat_map(|entry| &entry.paths);
        let hops = paths.flat_map(|path| {
            let hops = path.0.iter().enumerate();
            hops.filter(|(at, hop)| !self.ends_at_key(hop, &path.0[at + 1..]))
        });
        hops.filter_map(|(_, hop)| hop.references.as_deref()).collect()
    }

    /// Adds the condition that the root's row of that name is the subject's own.
    ///
    /// # Errors
    /// As [`Whose::belongs`].
    pub(super) fn is_person(&self, sql: &mut Sql, label: &str, row: &str) -> Result<()> {
        let root = &self.map.root;
        if root.table.as_deref() != Some(label) || root.key.is_empty() {
            return Err(stale(label));
        }
        for (at, name) in root.key.iter().enumerate() {
            sql.push(if at > 0 { " and " } else { "" });
            let value = self.subject.key_value(self.map, name).ok_or_else(unknown)?;
            sql.equals(row, self.column(label, name)?, value);
        }
        Ok(())
    }

    /// Adds the condition that a row's column holds a value of the root's key.
    fn equals(
        &self,
        sql: &mut Sql,
        row: &str,
        (label, column): (&str, &Column),
        (root, key): (&str, &str),
        value: &str,
    ) -> Result<()> {
        let there = (self.table(root)?, self.column(root, key)?);
        sql.equals_there(row, (self.table(label)?, column), there, value);
        Ok(())
    }

    fn column(&self, label: &str, name: &str) -> Result<&'a Column> {
        self.table(label)?.column(name).ok_or_else(|| stale(label))
    }
}

fn names<'t>(table: &'t Table, columns: &[String]) -> Result<Vec<&'t Ident>, ()> {
    let found = columns.iter().map(|name| table.column(name).map(|column| &column.name));
    found.collect::<Option<_>>().ok_or(())
}

/// The map names what is not there.
pub(super) fn stale(label: &str) -> Error {
    Error::new(
        ErrorKind::Conflict,
        "privacy/map-stale",
        "The subject map does not fit the tables any more",
    )
    .with_details(label.to_owned())
    .with_hint("Read the subject map anew, and confirm it")
}

/// The subject lacks a value of the root's key.
fn unknown() -> Error {
    Error::new(
        ErrorKind::Unprocessable,
        "privacy/subject",
        "The subject does not say what the map tells people apart by",
    )
    .with_hint("Give a value for each column of the root's key, as {\"key\": {column: value}}")
}
