//! What can be in the trash, who may bring it back, and how.

use std::str::FromStr;

use serde::Serialize;

use crate::error::{Error, Result};

/// A kind of thing that comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A project with all that is in it; owners.
    Project,
    /// A project's backend, with its data or its credentials; admins.
    Backend,
    /// A table with its rows; developers.
    Table,
    /// A column of a table, with its values; developers.
    Column,
    /// A revoked key; admins.
    Key,
    /// Somebody who was taken out; admins, of an owner owners.
    Member,
    /// A version of a project's documentation; developers.
    Document,
    /// An end user of a project, listed only when the project is named; who has its secret key.
    EndUser,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Project,
        Self::Backend,
        Self::Table,
        Self::Column,
        Self::Key,
        Self::Member,
        Self::Document,
        Self::EndUser,
    ];

    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Backend => "backend",
            Self::Table => "table",
            Self::Column => "column",
            Self::Key => "key",
            Self::Member => "member",
            Self::Document => "document",
            Self::EndUser => "end-user",
        }
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid("trash/kind", "There is no such kind of thing in the trash")
                .with_hint(format!("kind is one of {names}"))
        })
    }
}

/// The request that brings something back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restore {
    /// `POST`.
    pub method: &'static str,
    /// Its path.
    pub path: String,
    /// `secretKey` where it wants the project's secret key in the `apikey` header; else the caller's own token does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<&'static str>,
}

/// Where something in the trash is.
pub(super) struct Place<'a> {
    pub id: &'a str,
    pub project: uuid::Uuid,
    /// The project's ref.
    pub reference: &'a str,
    /// The backend of what is in one.
    pub backend: Option<uuid::Uuid>,
    /// The table of a column.
    pub table: Option<uuid::Uuid>,
}

impl Restore {
    pub(super) fn of(kind: Kind, place: &Place<'_>) -> Self {
        let Place { id, project, .. } = place;
        let backend = place.backend.unwrap_or_default();
        let path = match kind {
            Kind::Project => format!("/api/projects/{id}/restore"),
            Kind::Backend => format!("/api/projects/{project}/backend/restore?databaseId={id}"),
            Kind::Table => format!("/api/database/{backend}/tables/{id}/restore"),
            Kind::Column => {
                let table = place.table.unwrap_or_default();
                format!("/api/database/{backend}/tables/{table}/columns/{id}/restore")
            }
            Kind::Key => format!("/api/projects/{project}/keys/{id}/restore"),
            Kind::Member => format!("/api/projects/{project}/members/{id}/restore"),
            Kind::Document => format!("/api/projects/{project}/docs/{id}/restore"),
            Kind::EndUser => format!("/p/{}/auth/v1/admin/users/{id}/restore", place.reference),
        };
        Self {
            method: "POST",
            path,
            credential: (kind == Kind::EndUser).then_some("secretKey"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_read_by_its_name_and_says_how_it_comes_back() {
        let place = Place {
            id: "1",
            project: uuid::Uuid::from_u128(2),
            reference: "abcdefghijklmnopqrst",
            backend: Some(uuid::Uuid::from_u128(3)),
            table: Some(uuid::Uuid::from_u128(4)),
        };
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
            assert!(Restore::of(kind, &place).path.contains("restore"));
        }
        assert_eq!("row".parse::<Kind>().unwrap_err().code(), "trash/kind");
    }
}
