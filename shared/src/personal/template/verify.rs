//! Whether a database has the template's tables: looked at, not believed.

use serde::Serialize;

use super::{Column, Kind, TABLES, Table};
use crate::backend::Indexes;
use crate::schema::catalog::{Catalog, Relation};

/// What is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Missing {
    /// What kind of thing.
    pub kind: MissingKind,
    /// Of which table.
    pub table: &'static str,
    /// Of which column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<&'static str>,
    /// The type that is there in place of an expected one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
    /// All of it in a sentence.
    pub message: String,
}

/// What kind of thing is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MissingKind {
    /// A table.
    Table,
    /// A column.
    Column,
    /// A column has a type that its values do not go into.
    Type,
    /// The primary key is not the column `id`.
    Key,
    /// No index begins with a column that rows are found by.
    Index,
}

/// Everything of the template that is missing; nothing, if it is all there. What is there beside it does not matter.
pub fn verify(catalog: &Catalog, indexes: &Indexes) -> Vec<Missing> {
    TABLES
        .iter()
        .flat_map(|table| of_table(table, catalog, indexes))
        .collect()
}

fn of_table(table: &Table, catalog: &Catalog, indexes: &Indexes) -> Vec<Missing> {
    let name = table.name;
    let relation = catalog.relation(name).filter(|relation| relation.kind.is_table());
    let Some(relation) = relation else {
        return vec![Missing {
            kind: MissingKind::Table,
            table: name,
            column: None,
            found: None,
            message: format!("There is no table {name}"),
        }];
    };
    let mut missing: Vec<_> = table
        .columns
        .iter()
        .filter_map(|column| of_column(name, column, relation, catalog))
        .collect();
    let has_id = table.column("id").is_some() && relation.column("id").is_some();
    if has_id && !matches!(relation.primary_key.as_slice(), [only] if only.as_str() == "id") {
        missing.push(Missing {
            kind: MissingKind::Key,
            table: name,
            column: Some("id"),
            found: None,
            message: format!("The primary key of {name} is not id"),
        });
    }
    let begins = |column: &str| {
        let of_table = indexes.get(name).into_iter().flatten();
        of_table
            .clone()
            .any(|columns| columns.first().is_some_and(|first| first == column))
    };
    let unindexed = table
        .indexes
        .iter()
        .filter(|column| relation.column(column).is_some() && !begins(column));
    missing.extend(unindexed.map(|column| Missing {
        kind: MissingKind::Index,
        table: name,
        column: Some(column),
        found: None,
        message: format!("There is no index on {name} ({column})"),
    }));
    missing
}

fn of_column(table: &'static str, column: &Column, relation: &Relation, catalog: &Catalog) -> Option<Missing> {
    let name = column.name;
    let Some(there) = relation.column(name) else {
        return Some(Missing {
            kind: MissingKind::Column,
            table,
            column: Some(name),
            found: None,
            message: format!(
                "There is no column {table}.{name}: {} is expected",
                column.kind.expected()
            ),
        });
    };
    let found = there.value_type();
    let is_enum = catalog.enums.contains_key(found);
    if column.kind.takes(found) || (is_enum && matches!(column.kind, Kind::Line(_))) {
        return None;
    }
    Some(Missing {
        kind: MissingKind::Type,
        table,
        column: Some(name),
        found: Some(found.to_owned()),
        message: format!(
            "The column {table}.{name} is {found}: {} is expected",
            column.kind.expected()
        ),
    })
}

impl Kind {
    /// For a sentence.
    fn expected(self) -> &'static str {
        match self {
            Self::Id => "uuid (or char(36))",
            Self::Line(_) | Self::Text => "text (or varchar)",
            Self::Money => "numeric (or decimal)",
            Self::Whole => "integer",
            Self::Day => "date",
            Self::Moment => "timestamptz (or datetime)",
        }
    }

    /// Whether a column of this type, as an engine prints it, holds such values.
    fn takes(self, data_type: &str) -> bool {
        let data_type = data_type.to_ascii_lowercase();
        let (base, rest) = data_type.split_once('(').unwrap_or((&data_type, ""));
        let length = rest
            .split([')', ','])
            .next()
            .and_then(|length| length.trim().parse().ok());
        let fits = |least: u64| length.is_none_or(|length: u64| length >= least);
        let base = base.trim().trim_end_matches(" unsigned");
        let with_zone = rest.split_once(')').map_or("", |(_, rest)| rest.trim());
        let text = [
            "text",
            "character varying",
            "varchar",
            "citext",
            "tinytext",
            "mediumtext",
            "longtext",
        ];
        let fixed = ["character", "char", "bpchar"];
        let whole = ["integer", "int", "bigint", "smallint", "mediumint", "tinyint"];
        let number = ["numeric", "decimal", "double precision", "double", "real", "float"];
        let moment = [
            "timestamp",
            "timestamp with time zone",
            "timestamp without time zone",
            "datetime",
        ];
        // The precision stands in between: timestamp(3) with time zone.
        let is_moment = moment.contains(&base) && (with_zone.is_empty() || with_zone.ends_with("time zone"));
        match self {
            Self::Id => base == "uuid" || ((text.contains(&base) || fixed.contains(&base)) && fits(36)),
            Self::Line(_) => text.contains(&base) || base == "enum",
            Self::Text => text.contains(&base),
            Self::Money => number.contains(&base) || whole.contains(&base),
            Self::Whole => whole.contains(&base) || number.contains(&base),
            Self::Day => base == "date" || is_moment,
            Self::Moment => is_moment,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::ident::Ident;
    use crate::schema::catalog::{self, RelationKind};

    fn design() -> (Catalog, Indexes) {
        let relation = |table: &Table| Relation {
            hidden: catalog::Hidden::default(),
            name: Ident::new(table.name).unwrap(),
            kind: RelationKind::Table,
            columns: table
                .columns
                .iter()
                .map(|column| there(column.name, ideal(column.kind)))
                .collect(),
            primary_key: vec![Ident::new("id").unwrap()],
            unique_keys: Vec::new(),
            foreign_keys: Vec::new(),
            computed: Vec::new(),
            writable: Default::default(),
            comment: None,
        };
        let relations: BTreeMap<_, _> = TABLES
            .iter()
            .map(|table| (table.name.to_owned(), relation(table)))
            .collect();
        let index = |column: &&str| vec![(*column).to_owned(), "id".to_owned()];
        let indexes = TABLES
            .iter()
            .map(|table| (table.name.to_owned(), table.indexes.iter().map(index).collect()));
        let catalog = Catalog {
            relations,
            ..Catalog::default()
        };
        (catalog, indexes.collect())
    }

    fn ideal(kind: Kind) -> &'static str {
        match kind {
            Kind::Id => "uuid",
            Kind::Line(_) | Kind::Text => "text",
            Kind::Money => "numeric(14,2)",
            Kind::Whole => "integer",
            Kind::Day => "date",
            Kind::Moment => "timestamp with time zone",
        }
    }

    fn there(name: &str, data_type: &str) -> catalog::Column {
        catalog::Column {
            name: Ident::new(name).unwrap(),
            data_type: data_type.to_owned(),
            base_type: None,
            nullable: true,
            default: None,
            generated: false,
            comment: None,
        }
    }

    #[test]
    fn a_database_with_everything_misses_nothing_whatever_else_it_has() {
        let (mut catalog, indexes) = design();
        assert_eq!(verify(&catalog, &indexes), []);
        let projects = catalog.relations.get_mut("projects").unwrap();
        projects.columns.push(there("more", "xml"));
        assert_eq!(verify(&catalog, &indexes), []);
    }

    #[test]
    fn what_is_missing_is_said_precisely() {
        let (mut catalog, mut indexes) = design();
        catalog.relations.remove("team_members");
        let tasks = catalog.relations.get_mut("tasks").unwrap();
        tasks.columns.retain(|column| column.name.as_str() != "due_date");
        tasks.columns[2].data_type = "bigint".to_owned();
        tasks.primary_key.clear();
        indexes.get_mut("tasks").unwrap().remove(1);
        catalog.relations.get_mut("profiles").unwrap().kind = RelationKind::View;
        let messages: Vec<_> = verify(&catalog, &indexes)
            .into_iter()
            .map(|missing| missing.message)
            .collect();
        insta::assert_snapshot!(messages.join("\n"), @r"
        There is no table profiles
        The column tasks.project_id is bigint: uuid (or char(36)) is expected
        There is no column tasks.due_date: date is expected
        The primary key of tasks is not id
        There is no index on tasks (project_id)
        There is no table team_members
        ");
    }

    #[test]
    fn types_are_taken_as_both_engines_print_them() {
        for (kind, takes, leaves) in [
            (
                Kind::Id,
                &["uuid", "char(36)", "varchar(64)", "text", "character varying"][..],
                &["bigint", "char(35)", "varchar(20)"][..],
            ),
            (
                Kind::Line(40),
                &["text", "varchar(40)", "enum('a','b')", "longtext"],
                &["int", "json", "uuid[]"],
            ),
            (Kind::Text, &["text", "mediumtext"], &["enum('a')", "text[]"]),
            (
                Kind::Money,
                &[
                    "numeric(14,2)",
                    "decimal(12,2)",
                    "decimal(12,2) unsigned",
                    "integer",
                    "double precision",
                ],
                &["text", "money"],
            ),
            (
                Kind::Whole,
                &["int(11)", "int", "integer", "bigint unsigned"],
                &["text", "boolean"],
            ),
            (Kind::Day, &["date", "timestamp(3) with time zone"], &["text", "time"]),
            (
                Kind::Moment,
                &[
                    "timestamp with time zone",
                    "timestamp(6) without time zone",
                    "datetime(6)",
                    "timestamp",
                ],
                &["date", "text", "time"],
            ),
        ] {
            for data_type in takes {
                assert!(kind.takes(data_type), "{kind:?} {data_type}");
            }
            for data_type in leaves {
                assert!(!kind.takes(data_type), "{kind:?} {data_type}");
            }
        }
    }
}
