//! What a column holds of people, told by its name, its type and some of its values.

mod ids;
mod names;
mod types;
mod values;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use self::ids::Suspects;
pub(super) use self::ids::{Said, said};
use self::names::Strength;
pub(super) use self::names::{is_of_people, singular, words};
use self::types::Holds;
use super::{Facts, Table};
use crate::schema::catalog::Column;
use crate::schema::hidden;

/// What of a person a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PersonalKind)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Email,
    Phone,
    Name,
    Username,
    Address,
    BirthDate,
    NationalId,
    IpAddress,
    /// Accounts and cards.
    Bank,
    Location,
    /// Passwords, tokens, secrets.
    Credential,
    Picture,
    /// What identifies their device.
    Device,
    /// Gender, religion, health and the like.
    Trait,
    /// The id of somebody, where nothing says whose table it leads to.
    PersonId,
    /// Text that people write themselves, which may say anything.
    FreeText,
}

/// How it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PersonalWhy)]
pub enum Why {
    /// The column's name says so.
    Name,
    /// Its type does.
    Type,
    /// Values in it do.
    Values,
}

/// A column that holds something of people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Personal {
    /// The column.
    pub column: String,
    /// What it holds.
    pub kind: Kind,
    /// How that is known.
    pub why: Why,
}

/// Some values of columns, by table and column. They are looked at and never kept.
pub type Samples = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// The columns of each table that hold something of people.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    personal: BTreeMap<String, Vec<Personal>>,
    /// By table: columns whose values are ids of people.
    ids: BTreeMap<String, BTreeSet<String>>,
}

impl Marks {
    /// As far as names and types tell.
    pub fn by_name(facts: &Facts) -> Self {
        Self::of(facts, &Samples::new())
    }

    /// As names, types and some values tell.
    pub fn of(facts: &Facts, samples: &Samples) -> Self {
        let none = BTreeMap::new();
        let marks = facts.tables.iter().map(|(label, table)| {
            let samples = samples.get(label).unwrap_or(&none);
            (label.clone(), of_table(label, table, samples))
        });
        Self {
            personal: marks.collect(),
            ids: BTreeMap::new(),
        }
    }

    /// With the columns, by table, whose values are known to be ids of people.
    #[must_use]
    pub fn with_ids(mut self, ids: BTreeMap<String, BTreeSet<String>>) -> Self {
        self.ids = ids;
        self
    }

    /// Whether a column's values are known to be ids of people.
    pub fn holds_ids(&self, label: &str, column: &str) -> bool {
        self.ids.get(label).is_some_and(|columns| columns.contains(column))
    }

    /// Those of a table, in the order of its columns.
    pub fn table(&self, label: &str) -> &[Personal] {
        self.personal.get(label).map_or(&[], Vec::as_slice)
    }

    /// What a column holds of people.
    pub fn kind(&self, label: &str, column: &str) -> Option<Kind> {
        let found = self.table(label).iter().find(|personal| personal.column == column);
        found.map(|personal| personal.kind)
    }
}

/// Whether values of a column are worth looking at.
pub(crate) fn is_sampled(column: &Column) -> bool {
    let says = match types::holds(column) {
        Holds::Text | Holds::Json => true,
        // Ids, lists of them, and values of several parts.
        Holds::Number => column.value_type().ends_with("[]"),
        Holds::Other => !matches!(column.value_type(), "boolean" | "tinyint(1)" | "tsvector"),
        _ => false,
    };
    says && column.name.as_str() != hidden::DELETED_AT
}

/// Whether a column may say anything, whatever it is called: long texts and documents.
pub(super) fn may_say_anything(column: &Column) -> bool {
    match types::holds(column) {
        Holds::Json => true,
        Holds::Text => !names::is_technical(&words(column.name.as_str())),
        _ => false,
    }
}

/// A hint that counts only beside a better one.
struct Mark {
    kind: Kind,
    why: Why,
    strength: Strength,
}

fn of_table(label: &str, table: &Table, samples: &BTreeMap<String, Vec<String>>) -> Vec<Personal> {
    // A table in the trash is called by an id; its label has the name it had.
    let name = match table.trashed {
        true => label.split(':').nth(1).unwrap_or_default(),
        false => table.name.as_str(),
    };
    let people = words(name).last().is_some_and(|last| is_of_people(last));
    let marks: Vec<Option<Mark>> = table
        .columns
        .iter()
        .map(|column| {
            let values = samples
                .get(column.name.as_str())
                .map_or(&[] as &[String], Vec::as_slice);
            of_column(column, values)
        })
        .collect();
    // A name, or a town, is somebody's where there is more of them.
    let strong = |mark: &Mark| mark.strength == Strength::Strong && mark.kind != Kind::FreeText;
    let of_people = people || marks.iter().flatten().any(strong);
    let moves = is_of_movement(&words(name), table, &marks);
    let counts = |mark: &Mark| mark.strength == Strength::Strong || of_people || moves && mark.kind == Kind::Location;
    let columns = table.columns.iter().zip(marks);
    let personal = columns.filter_map(|(column, mark)| {
        let mark = mark.filter(counts)?;
        Some(Personal {
            column: column.name.to_string(),
            kind: mark.kind,
            why: mark.why,
        })
    });
    personal.collect()
}

/// Whether rows say where something was at which time, as what somebody carries or drives does: a place, and a moment that is
/// not the row's own.
fn is_of_movement(name: &[String], table: &Table, marks: &[Option<Mark>]) -> bool {
    let places = marks
        .iter()
        .flatten()
        .filter(|mark| mark.kind == Kind::Location)
        .count();
    let is_whole = marks
        .iter()
        .zip(&table.columns)
        .any(|(mark, column)| mark.is_some() && types::holds(column) == Holds::Place);
    if places < 2 && !is_whole {
        return false;
    }
    let happens = |column: &&Column| {
        let of_row = words(column.name.as_str()).first().is_some_and(|first| {
            matches!(
                first.as_str(),
                "created" | "updated" | "inserted" | "modified" | "changed" | "deleted" | "plinth"
            )
        });
        types::holds(column) == Holds::Date && !of_row
    };
    names::is_of_movement(name) || table.columns.iter().any(|column| happens(&column))
}

/// By its name if that is sure, else by its values, else by its type, else by its name although it may mean something else.
fn of_column(column: &Column, values: &[String]) -> Option<Mark> {
    if column.name.as_str() == hidden::DELETED_AT {
        return None;
    }
    let holds = types::holds(column);
    let called = names::of(&words(column.name.as_str()), holds);
    if let Some((kind, Strength::Strong)) = called
        && kind != Kind::FreeText
    {
        return Some(sure(kind, Why::Name));
    }
    let seen = match holds {
        Holds::Json => values::of_documents(values),
        _ => values::of_texts(values),
    };
    if let Some(kind) = seen {
        return Some(sure(kind, Why::Values));
    }
    match holds {
        Holds::Address => return Some(sure(Kind::IpAddress, Why::Type)),
        Holds::Place => return Some(perhaps(Kind::Location, Why::Type)),
        Holds::Json if called.is_none() => return Some(perhaps(Kind::FreeText, Why::Type)),
        _ => {}
    }
    called.map(|(kind, strength)| Mark {
        kind,
        why: Why::Name,
        strength,
    })
}

fn sure(kind: Kind, why: Why) -> Mark {
    Mark {
        kind,
        why,
        strength: Strength::Strong,
    }
}

fn perhaps(kind: Kind, why: Why) -> Mark {
    Mark {
        kind,
        why,
        strength: Strength::Weak,
    }
}

#[cfg(test)]
mod tests;
