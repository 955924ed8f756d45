//! The kinds of databases, and which of them are served.

use serde::Serialize;

use crate::tenancy::Family;

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Provider {
    /// Supabase's.
    Supabase,
    /// Any PostgreSQL.
    Postgresql,
    /// MySQL and MariaDB.
    Mysql,
    /// MongoDB.
    Mongodb,
    /// Firestore and the Realtime Database.
    Firebase,
    /// RDS and Aurora.
    AwsRds,
    /// PlanetScale.
    Planetscale,
    /// CockroachDB.
    Cockroachdb,
    /// Azure SQL.
    AzureSql,
    /// Any REST API.
    Rest,
}

impl Provider {
    /// All of them, as the catalogue shows them.
    pub const ALL: [Self; 10] = [
        Self::Supabase,
        Self::Postgresql,
        Self::Mysql,
        Self::Mongodb,
        Self::Firebase,
        Self::AwsRds,
        Self::Planetscale,
        Self::Cockroachdb,
        Self::AzureSql,
        Self::Rest,
    ];

    /// The name in JSON and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supabase => "supabase",
            Self::Postgresql => "postgresql",
            Self::Mysql => "mysql",
            Self::Mongodb => "mongodb",
            Self::Firebase => "firebase",
            Self::AwsRds => "aws-rds",
            Self::Planetscale => "planetscale",
            Self::Cockroachdb => "cockroachdb",
            Self::AzureSql => "azure-sql",
            Self::Rest => "rest",
        }
    }

    /// What such a database speaks; of RDS, unless its engine says otherwise.
    pub fn family(self) -> Family {
        Family::of(self.as_str())
    }

    /// Of that name; `postgres` is another one of `postgresql`, `mariadb` of `mysql`.
    pub fn parse(name: &str) -> Option<Self> {
        let name = match name {
            "postgres" => "postgresql",
            "mariadb" => "mysql",
            name => name,
        };
        Self::ALL.into_iter().find(|provider| provider.as_str() == name)
    }

    /// Whether such a database can be a project's backend. The one place that tells.
    pub fn is_served(self) -> bool {
        matches!(
            self,
            Self::Postgresql
                | Self::Supabase
                | Self::Mysql
                | Self::Planetscale
                | Self::AwsRds
                | Self::Cockroachdb
                | Self::Rest
        )
    }

    /// Whether its connection can be tested.
    pub fn is_tested(self) -> bool {
        matches!(
            self,
            Self::Postgresql
                | Self::Supabase
                | Self::Mysql
                | Self::Planetscale
                | Self::AwsRds
                | Self::Cockroachdb
                | Self::Rest
        )
    }

    /// The names of those that are served, for a sentence.
    pub fn served() -> String {
        names(Self::is_served)
    }

    /// The names of those whose connection can be tested, for a sentence.
    pub fn tested() -> String {
        names(Self::is_tested)
    }
}

fn names(choose: fn(Provider) -> bool) -> String {
    let mut names: Vec<_> = Provider::ALL
        .into_iter()
        .filter(|provider| choose(*provider))
        .map(Provider::as_str)
        .collect();
    names.sort_unstable();
    match names.pop() {
        Some(last) if !names.is_empty() => format!("{} or {last}", names.join(", ")),
        last => last.unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_is_found_by_its_name_and_shown_by_it() {
        for provider in Provider::ALL {
            assert_eq!(Provider::parse(provider.as_str()), Some(provider));
            assert_eq!(serde_json::to_value(provider).unwrap(), provider.as_str());
            assert!(provider.is_tested() || !provider.is_served(), "{provider:?}");
        }
        assert_eq!(Provider::parse("postgres"), Some(Provider::Postgresql));
        assert_eq!(Provider::parse("oracle"), None);
        assert_eq!(Provider::parse("mariadb"), Some(Provider::Mysql));
        assert_eq!(
            Provider::served(),
            "aws-rds, cockroachdb, mysql, planetscale, postgresql, rest or supabase"
        );
    }
}
