//! What each kind of database needs for a connection: a pure value. Forms and documentation are made from it, and what
//! is sent is read by it.

mod fields;
mod presets;

pub use fields::{Field, FieldKind, Initial, Validation};
pub use presets::Preset;

use serde::Serialize;

use super::Provider;
use crate::query::Feature;

/// All kinds of databases.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Catalogue {
    /// The groups, in the order of a page.
    pub groups: Vec<GroupEntry>,
    /// The kinds, those of the first group first.
    pub providers: Vec<Entry>,
}

/// Where a kind of database is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// What most people have.
    Popular,
    /// The rest.
    Advanced,
}

/// A group and what it is called.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct GroupEntry {
    /// Which.
    pub id: Group,
    /// Its heading.
    pub name: &'static str,
}

/// A kind of database.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Entry {
    /// What requests call it.
    pub id: Provider,
    /// What people call it.
    pub name: &'static str,
    /// Where it is shown.
    pub group: Group,
    /// Whether such a database can be a project's backend.
    pub available: bool,
    /// Whether its connection can be tested.
    pub testable: bool,
    /// What requests may ask of such a database beyond reading and writing the rows of one table; the rest is refused.
    #[schema(value_type = Vec<Feature>)]
    pub capabilities: &'static [Feature],
    /// What `credentials` holds.
    #[schema(value_type = Vec<Field>)]
    pub fields: &'static [Field],
    /// Hosts of this kind of database, with the way to a connection.
    #[schema(value_type = Vec<Preset>)]
    pub presets: &'static [Preset],
}

/// The whole catalogue.
pub fn catalogue() -> Catalogue {
    let group = |id, name| GroupEntry { id, name };
    Catalogue {
        groups: vec![group(Group::Popular, "Popular"), group(Group::Advanced, "Advanced")],
        providers: Provider::ALL.map(entry).into(),
    }
}

fn entry(id: Provider) -> Entry {
    let (name, group) = match id {
        Provider::Supabase => ("Supabase", Group::Popular),
        Provider::Postgresql => ("PostgreSQL", Group::Popular),
        Provider::Mysql => ("MySQL and MariaDB", Group::Popular),
        Provider::Mongodb => ("MongoDB", Group::Popular),
        Provider::Firebase => ("Firebase", Group::Popular),
        Provider::AwsRds => ("AWS RDS and Aurora", Group::Advanced),
        Provider::Planetscale => ("PlanetScale", Group::Advanced),
        Provider::Cockroachdb => ("CockroachDB", Group::Advanced),
        Provider::AzureSql => ("Azure SQL", Group::Advanced),
        Provider::Rest => ("Custom REST API", Group::Advanced),
    };
    Entry {
        id,
        name,
        group,
        available: id.is_served(),
        testable: id.is_tested(),
        capabilities: match id.is_served() {
            true => id.family().capabilities(),
            false => &[],
        },
        fields: fields(id),
        presets: presets::of(id),
    }
}

/// What `credentials` of that kind holds.
pub fn fields(provider: Provider) -> &'static [Field] {
    fields::of(provider)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_ten_are_there_and_what_is_served_is_available() {
        let shown = serde_json::to_value(catalogue()).unwrap();
        let entries = shown["providers"].as_array().unwrap();
        let list = |group: &str| -> Vec<String> {
            let of = entries.iter().filter(|entry| entry["group"] == group);
            of.map(|entry| format!("{} {}", entry["id"].as_str().unwrap(), entry["available"]))
                .collect()
        };
        insta::assert_debug_snapshot!((list("popular"), list("advanced")), @r#"
        (
            [
                "supabase true",
                "postgresql true",
                "mysql true",
                "mongodb false",
                "firebase false",
            ],
            [
                "aws-rds true",
                "planetscale true",
                "cockroachdb true",
                "azure-sql false",
                "rest true",
            ],
        )
        "#);
    }

    #[test]
    fn fields_are_whole_and_presets_have_steps() {
        for entry in catalogue().providers {
            let names: BTreeSet<_> = entry.fields.iter().map(|field| field.name).collect();
            assert_eq!(names.len(), entry.fields.len(), "{}: a name comes twice", entry.name);
            for field in entry.fields {
                let what = format!("{}.{}", entry.name, field.name);
                assert!(field.help.len() > 10, "{what}");
                assert!(!(field.required && field.default.is_some()), "{what}");
                assert!(field.replaces.iter().all(|name| names.contains(name)), "{what}");
                let shown = field.name.to_lowercase();
                let hidden = [
                    "password", "string", "uri", "account", "token", "key", "secret", "headers",
                ];
                let secret = hidden.iter().any(|word| shown.contains(word)) && field.kind != FieldKind::Url;
                assert_eq!(field.secret, secret, "{what}");
                assert_eq!(field.kind == FieldKind::Choice, !field.choices.is_empty(), "{what}");
            }
            for preset in entry.presets {
                assert!(preset.steps.len() >= 2, "{}", preset.name);
                let parts: BTreeSet<_> = preset.defaults.iter().map(|(name, _)| *name).collect();
                assert!(parts.is_subset(&names), "{}", preset.name);
            }
        }
        let presets: Vec<_> = presets::of(Provider::Postgresql)
            .iter()
            .map(|preset| preset.id)
            .collect();
        assert_eq!(presets, ["neon", "railway", "render", "any"]);
    }
}
