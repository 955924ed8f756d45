//! What the owner of a project has confirmed: which rows belong to a person, and what an erasure does with them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::facts::list;

/// A subject map, as it is stored and as its owner writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubjectMap {
    /// Who a person is.
    pub root: Root,
    /// The tables whose rows belong to people, with the root's own among them.
    #[serde(default)]
    pub tables: BTreeMap<String, TableEntry>,
    /// Links that the database does not know of.
    #[serde(default)]
    pub relations: Vec<Relation>,
    /// Columns that look personal and are not, as `table.column`: they are no gaps any more.
    #[serde(default)]
    pub ignored: Vec<String>,
}

/// Where people are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Root {
    /// The table with a row for each; none: people are accounts without a row, known by their ids.
    #[serde(default)]
    pub table: Option<String>,
    /// The columns that tell one from another: a primary or unique key. Empty without a table.
    #[serde(default)]
    pub key: Vec<String>,
    /// The column with their e-mail address, so that they can be looked up by it.
    #[serde(default)]
    pub email: Option<String>,
}

/// A table whose rows belong to people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TableEntry {
    /// How its rows lead to a person; any of them is enough. The root's own rows need no hop.
    pub paths: Vec<Path>,
    /// What an erasure does with a person's rows.
    pub rule: Rule,
}

/// A chain of links from a table to a person. The first hop starts at the table, each next one where the last one led, and the
/// last one ends at the root (its `references` is the root's table, or none where people are accounts).
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Path(pub Vec<Hop>);

/// One link of a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Hop {
    /// The columns that lead on.
    pub columns: Vec<String>,
    /// The table they lead to; none: they hold the person's id.
    #[serde(default)]
    pub references: Option<String>,
    /// The columns there, pairwise.
    #[serde(default)]
    pub referenced_columns: Vec<String>,
}

/// A link that the database does not know of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Relation {
    /// The table it starts from.
    pub table: String,
    /// Its columns.
    pub columns: Vec<String>,
    /// The table it leads to; none: the column holds a person's id.
    #[serde(default)]
    pub references: Option<String>,
    /// The columns there, pairwise.
    #[serde(default)]
    pub referenced_columns: Vec<String>,
}

/// What an erasure does with a person's rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "action", rename_all = "camelCase", deny_unknown_fields, from = "Written")]
pub enum Rule {
    /// They go.
    Delete,
    /// They stay, and say nothing of the person any more: these columns are emptied, or where they must not be empty,
    /// filled with something that means nothing. Columns that lead to the person are among them, so that the rows are theirs
    /// no more.
    #[serde(rename_all = "camelCase")]
    Anonymise {
        /// The columns.
        columns: Vec<String>,
    },
    /// They stay as they are.
    #[serde(rename_all = "camelCase")]
    Keep {
        /// Why they may: told in the plan and in the receipt. Not empty.
        reason: String,
    },
}

impl Rule {
    /// Its name, as in JSON.
    pub fn action(&self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Anonymise { .. } => "anonymise",
            Self::Keep { .. } => "keep",
        }
    }

    /// Why rows may stay as they are, where they do.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Keep { reason } => Some(reason),
            Self::Delete | Self::Anonymise { .. } => None,
        }
    }
}

/// The same with nothing beside it: of a variant without members, serde takes any.
#[derive(Deserialize)]
#[serde(tag = "action", rename_all = "camelCase", deny_unknown_fields)]
enum Written {
    Delete {},
    Anonymise { columns: Vec<String> },
    Keep { reason: String },
}

impl From<Written> for Rule {
    fn from(written: Written) -> Self {
        match written {
            Written::Delete {} => Self::Delete,
            Written::Anonymise { columns } => Self::Anonymise { columns },
            Written::Keep { reason } => Self::Keep { reason },
        }
    }
}

/// As a link is written.
impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&list(&self.columns))?;
        match &self.references {
            Some(to) => write!(f, " → {to}.{}", list(&self.referenced_columns)),
            None => f.write_str(" → person"),
        }
    }
}

impl Path {
    /// For people to read: `order_items.order_id → orders.id, orders.customer_id → customers.id`.
    pub fn readable(&self, table: &str) -> String {
        let mut from = table;
        let mut hops = Vec::new();
        for hop in &self.0 {
            let columns = list(&hop.columns);
            let to = match &hop.references {
                Some(to) => format!("{to}.{}", list(&hop.referenced_columns)),
                None => "the person's id".to_owned(),
            };
            hops.push(format!("{from}.{columns} → {to}"));
            from = hop.references.as_deref().unwrap_or_default();
        }
        match hops.is_empty() {
            true => format!("{table}: the person's own row"),
            false => hops.join(", "),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_rule_is_written_with_nothing_beside_it() {
        for (written, good) in [
            (json!({ "action": "delete" }), true),
            (json!({ "action": "delete", "columns": ["a"] }), false),
            (json!({ "action": "anonymise", "columns": ["a"] }), true),
            (json!({ "action": "anonymise", "columns": ["a"], "reason": "x" }), false),
            (json!({ "action": "keep", "reason": "x" }), true),
            (json!({ "action": "keep" }), false),
            (json!({ "action": "erase" }), false),
        ] {
            let rule = serde_json::from_value::<Rule>(written.clone());
            assert_eq!(rule.is_ok(), good, "{written}");
            if let Ok(rule) = rule {
                assert_eq!(serde_json::to_value(rule).unwrap(), written);
            }
        }
    }
}
