//! What an engine may be able to do, by name. A driver declares its own; what it does not declare it refuses.

use std::fmt::Display;

use serde::Serialize;

use crate::error::{Error, ErrorKind};

/// Something a request may ask for beyond reading and writing the rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Feature {
    /// Conditions on any column: `eq`, `gt`, `in`, `is`, `and`, `or`, `not`.
    Filters,
    /// `like`, `ilike`, `match`, `imatch`.
    Patterns,
    /// `fts` and its like.
    TextSearch,
    /// `cs`, `cd`, `ov`, `sl`, `sr`, `nxr`, `nxl`, `adj`.
    Containment,
    /// `column->key`, `column->>key`.
    JsonPaths,
    /// Conditions on whole JSON values.
    JsonComparisons,
    /// `order`.
    Order,
    /// `limit`, `offset`, `Range`.
    Pages,
    /// `column::type`.
    Casts,
    /// Rows of other tables within rows, to any depth.
    Embeds,
    /// Order, limit and offset of what is embedded.
    EmbeddedPages,
    /// Sums, counts, averages, least and greatest.
    Aggregates,
    /// Functions of the database: `/rpc`.
    Functions,
    /// Functions of a row as its columns or relationships.
    Computed,
    /// `Prefer: count=exact`.
    CountExact,
    /// `Prefer: count=planned`.
    CountPlanned,
    /// `text/csv`.
    Csv,
    /// `nulls=stripped`.
    StripNulls,
    /// A single value as it stands: `application/octet-stream`, `text/plain`.
    SingleValue,
    /// `application/vnd.pgrst.plan`.
    Explain,
    /// Several rows in one insert.
    BulkInsert,
    /// `Prefer: return=representation` of an insert.
    ReturnInserted,
    /// `Prefer: return=representation` of an update.
    ReturnUpdated,
    /// Updates and deletes of whatever a filter finds, all or nothing.
    WriteByFilter,
    /// `Prefer: resolution=…`, and `PUT`.
    Upsert,
    /// `Prefer: tx=rollback`.
    Rollback,
}

impl Feature {
    /// All of them.
    pub const ALL: [Self; 26] = [
        Self::Filters,
        Self::Patterns,
        Self::TextSearch,
        Self::Containment,
        Self::JsonPaths,
        Self::JsonComparisons,
        Self::Order,
        Self::Pages,
        Self::Casts,
        Self::Embeds,
        Self::EmbeddedPages,
        Self::Aggregates,
        Self::Functions,
        Self::Computed,
        Self::CountExact,
        Self::CountPlanned,
        Self::Csv,
        Self::StripNulls,
        Self::SingleValue,
        Self::Explain,
        Self::BulkInsert,
        Self::ReturnInserted,
        Self::ReturnUpdated,
        Self::WriteByFilter,
        Self::Upsert,
        Self::Rollback,
    ];

    /// Its name in JSON and in errors.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filters => "filters",
            Self::Patterns => "patterns",
            Self::TextSearch => "text-search",
            Self::Containment => "containment",
            Self::JsonPaths => "json-paths",
            Self::JsonComparisons => "json-comparisons",
            Self::Order => "order",
            Self::Pages => "pages",
            Self::Casts => "casts",
            Self::Embeds => "embeds",
            Self::EmbeddedPages => "embedded-pages",
            Self::Aggregates => "aggregates",
            Self::Functions => "functions",
            Self::Computed => "computed",
            Self::CountExact => "count-exact",
            Self::CountPlanned => "count-planned",
            Self::Csv => "csv",
            Self::StripNulls => "strip-nulls",
            Self::SingleValue => "single-value",
            Self::Explain => "explain",
            Self::BulkInsert => "bulk-insert",
            Self::ReturnInserted => "return-inserted",
            Self::ReturnUpdated => "return-updated",
            Self::WriteByFilter => "write-by-filter",
            Self::Upsert => "upsert",
            Self::Rollback => "rollback",
        }
    }

    /// 501 `PGRST127`: not on that engine, or, as far as `what` says, not there. The details begin with the feature's name.
    pub fn refused(self, engine: &str, what: impl Display) -> Error {
        Error::new(ErrorKind::Unsupported, "PGRST127", "Feature not implemented")
            .with_details(format!("{}: {what} is not to be had on {engine}", self.name()))
            .with_hint("Ask in another way; GET /api/providers lists what each kind of database can do")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_feature_is_shown_by_its_name_and_listed_once() {
        for (at, feature) in Feature::ALL.into_iter().enumerate() {
            assert_eq!(serde_json::to_value(feature).unwrap(), feature.name());
            assert_eq!(Feature::ALL.iter().position(|other| *other == feature), Some(at));
        }
    }

    #[test]
    fn a_refusal_names_the_feature_first() {
        let error = Feature::Casts.refused("MySQL", "a cast to uuid");
        assert_eq!((error.code(), error.kind()), ("PGRST127", ErrorKind::Unsupported));
        assert_eq!(error.details(), Some("casts: a cast to uuid is not to be had on MySQL"));
    }
}
