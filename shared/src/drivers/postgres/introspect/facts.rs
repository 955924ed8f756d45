//! What the catalog's statement answers: the system tables' rows, hardly changed. The oids join them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

use crate::ident::Ident;

/// An object's number in the database.
pub(super) type Oid = u32;
/// A column's number in its relation, from 1.
pub(super) type Number = i16;

/// All of it.
#[derive(Debug, Deserialize)]
pub(super) struct Facts {
    pub(super) schema: Option<Ident>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) relations: Vec<RelationFact>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) hidden: Vec<HiddenFact>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) keys: Vec<KeyFact>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) foreign_keys: Vec<ForeignKeyFact>,
    /// A view and its rule's action.
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) views: Vec<(Oid, String)>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) types: Vec<TypeFact>,
    /// Composite type, field, the field's type and modifier.
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) fields: Vec<(Oid, Ident, Oid, i32)>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) enums: BTreeMap<String, Option<Vec<String>>>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) functions: Vec<FunctionFact>,
}

/// An aggregate over nothing is null.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// A relation of the exposed schema.
#[derive(Debug, Deserialize)]
pub(super) struct RelationFact {
    pub(super) oid: Oid,
    pub(super) name: Ident,
    /// `pg_class.relkind`
    pub(super) kind: char,
    pub(super) comment: Option<String>,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) columns: Vec<ColumnFact>,
    /// Bits of `pg_relation_is_updatable`, of views and foreign tables.
    pub(super) writable: Option<i32>,
}

/// Number, name, type, modifier, not null, default, generated, comment.
#[derive(Debug, Deserialize)]
pub(super) struct ColumnFact(
    pub(super) Number,
    pub(super) Ident,
    pub(super) Oid,
    pub(super) i32,
    pub(super) bool,
    pub(super) Option<String>,
    pub(super) bool,
    pub(super) Option<String>,
);

/// A relation of another schema that keys or views refer to.
#[derive(Debug, Deserialize)]
pub(super) struct HiddenFact {
    pub(super) oid: Oid,
    pub(super) schema: Ident,
    pub(super) name: Ident,
    pub(super) columns: Vec<(Number, Ident)>,
}

/// A unique index.
#[derive(Debug, Deserialize)]
pub(super) struct KeyFact {
    pub(super) relation: Oid,
    pub(super) columns: Vec<Number>,
    pub(super) primary: bool,
    /// Whether it is one of a constraint.
    pub(super) constraint: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct ForeignKeyFact {
    pub(super) name: Ident,
    pub(super) relation: Oid,
    pub(super) columns: Vec<Number>,
    pub(super) target: Oid,
    pub(super) references: Vec<Number>,
}

/// A type with a modifier.
#[derive(Debug, Deserialize)]
pub(super) struct TypeFact {
    pub(super) oid: Oid,
    pub(super) modifier: i32,
    /// `pg_type.typtype`
    pub(super) kind: char,
    pub(super) schema: Ident,
    pub(super) name: Ident,
    pub(super) not_null: bool,
    /// What a domain is over, or 0.
    pub(super) base: Oid,
    pub(super) base_modifier: i32,
    /// Of a row type: its relation.
    pub(super) relation: Oid,
    /// Whether it is the exposed schema's own, and no relation's row type.
    pub(super) own: bool,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct FunctionFact {
    pub(super) name: Ident,
    /// Of all arguments, or none has one.
    pub(super) names: Option<Vec<String>>,
    /// Of all arguments.
    pub(super) types: Vec<Oid>,
    /// Of all arguments, or all go in.
    pub(super) modes: Option<Vec<Mode>>,
    /// How many go in.
    pub(super) inputs: usize,
    /// How many of the last that go in have a default.
    pub(super) defaults: usize,
    pub(super) returns: Oid,
    pub(super) set: bool,
    /// The planner's estimate, 0 without a set.
    pub(super) rows: f64,
    /// `pg_proc.provolatile`
    pub(super) volatility: char,
    /// `name=value`
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) settings: Vec<String>,
    pub(super) comment: Option<String>,
}

/// `pg_proc.proargmodes`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    In,
    Out,
    InOut,
    Variadic,
    Table,
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match char::deserialize(deserializer)? {
            'i' => Ok(Self::In),
            'o' => Ok(Self::Out),
            'b' => Ok(Self::InOut),
            'v' => Ok(Self::Variadic),
            't' => Ok(Self::Table),
            other => Err(D::Error::custom(format_args!("no argument mode: {other}"))),
        }
    }
}

impl Mode {
    pub(super) fn goes_in(self) -> bool {
        matches!(self, Self::In | Self::InOut | Self::Variadic)
    }

    pub(super) fn comes_out(self) -> bool {
        matches!(self, Self::Out | Self::InOut | Self::Table)
    }
}
