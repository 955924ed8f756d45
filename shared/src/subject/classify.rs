//! What a column holds of people, told by its name, its type and some of its values.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Facts;

/// What of a person a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
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
pub struct Marks(BTreeMap<String, Vec<Personal>>);

impl Marks {
    /// As far as names and types tell.
    pub fn by_name(facts: &Facts) -> Self {
        Self::of(facts, &Samples::new())
    }

    /// As names, types and some values tell.
    pub fn of(_facts: &Facts, _samples: &Samples) -> Self {
        Self::default()
    }

    /// Those of a table, in the order of its columns.
    pub fn table(&self, label: &str) -> &[Personal] {
        self.0.get(label).map_or(&[], Vec::as_slice)
    }

    /// What a column holds of people.
    pub fn kind(&self, label: &str, column: &str) -> Option<Kind> {
        let found = self.table(label).iter().find(|personal| personal.column == column);
        found.map(|personal| personal.kind)
    }
}
