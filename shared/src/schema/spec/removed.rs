//! Columns that were deleted and lie aside in their table, to be restored or purged.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{ColumnSpec, EnumSpec, IndexSpec};
use crate::clock::RESTORE_WINDOW;
use crate::ident::Ident;
use crate::schema::ddl::name::joined;
use crate::schema::hidden;

/// A deleted column. It is still there under a [hidden](hidden::aside) name, with the values of its rows; what would hold
/// the table's other rows back has been taken off it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RemovedColumn {
    /// Its id.
    pub id: Uuid,
    /// When it was deleted.
    pub deleted_at: Timestamp,
    /// Its place among the columns.
    pub position: usize,
    /// The column as it was.
    pub column: ColumnSpec,
    /// The indexes it took along.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub indexes: Vec<IndexSpec>,
    /// The enums it took along: types that nothing else used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enums: Vec<EnumSpec>,
}

impl RemovedColumn {
    /// Its name while it lies aside.
    pub fn hidden(&self) -> Ident {
        hidden::aside(self.id)
    }

    /// The name of one of its enums while it lies aside; none for an enum that it did not take along.
    pub fn hidden_enum(&self, declared: &EnumSpec) -> Option<Ident> {
        let at = self.enums.iter().position(|own| own.name == declared.name)?;
        Some(joined(&[self.hidden().as_str(), &at.to_string()], ""))
    }

    /// The names of all that it took along.
    pub fn hidden_enums(&self) -> Vec<Ident> {
        let names = self.enums.iter().filter_map(|declared| self.hidden_enum(declared));
        names.collect()
    }

    /// Until when it can be restored.
    pub fn restorable_until(&self) -> Timestamp {
        self.deleted_at.saturating_add(RESTORE_WINDOW).unwrap_or(Timestamp::MAX)
    }

    /// Whether it can still be restored.
    pub fn is_restorable(&self, now: Timestamp) -> bool {
        is_restorable(self.deleted_at, now)
    }
}

/// Whether something deleted at that time can still be had back.
pub fn is_restorable(deleted: Timestamp, now: Timestamp) -> bool {
    let window = SignedDuration::try_from(RESTORE_WINDOW).unwrap_or(SignedDuration::MAX);
    now.duration_since(deleted) <= window
}
