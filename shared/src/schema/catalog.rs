//! What is known of a backend: relations, columns, keys, relationships, functions, types. Drivers fill it, the planner
//! reads it.

mod relationships;
mod session;

use std::collections::BTreeMap;

pub use relationships::{ComputedRelationship, KeyBetween, Keys, Shown};
use serde::{Deserialize, Serialize};
pub use session::{Session, Settings};

use super::hidden;
use crate::ident::Ident;

/// The exposed part of one backend, at one schema version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalog {
    /// The exposed schema's physical name (`project_<ref>`, `public`, …); clients always see `public`.
    pub schema: Option<Ident>,
    /// Tables and views by name.
    pub relations: BTreeMap<String, Relation>,
    /// Enum types of the exposed schema by name, with their labels in order.
    pub enums: BTreeMap<String, Vec<String>>,
    /// Domains and composite types of the exposed schema by name.
    #[serde(default)]
    pub types: BTreeMap<String, NamedType>,
    /// Functions of the exposed schema by name; overloads share one.
    #[serde(default)]
    pub functions: BTreeMap<String, Vec<Function>>,
    /// By the name of the relation they start from: what may be embedded in it.
    #[serde(default)]
    pub relationships: BTreeMap<String, Vec<Relationship>>,
    /// Of a user's own database.
    #[serde(default)]
    pub session: Session,
}

impl Catalog {
    /// Takes out what is ours in tables of our own making. What is left says that there is more.
    pub fn hide(&mut self) {
        for relation in self.relations.values_mut() {
            let hidden = |column: &Column| hidden::is_hidden(column.name.as_str());
            relation.hidden = Hidden {
                columns: relation.columns.iter().any(hidden),
                rows: relation.kind == RelationKind::Table && relation.column(hidden::DELETED_AT).is_some(),
            };
            relation.columns.retain(|column| !hidden(column));
        }
        self.enums.retain(|name, _| !hidden::is_hidden_type(name));
    }

    /// The relation of that name.
    pub fn relation(&self, name: &str) -> Option<&Relation> {
        self.relations.get(name)
    }

    /// What may be embedded in the relation of that name.
    pub fn relationships(&self, from: &str) -> &[Relationship] {
        self.relationships.get(from).map_or(&[], Vec::as_slice)
    }

    /// The functions of that name.
    pub fn functions(&self, name: &str) -> &[Function] {
        self.functions.get(name).map_or(&[], Vec::as_slice)
    }
}

/// A name with its schema, for what may live outside of the exposed one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Qualified {
    /// The schema.
    pub schema: Ident,
    /// The name in it.
    pub name: Ident,
}

/// What kind of thing a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RelationKind {
    /// A table, partitioned or not.
    Table,
    /// A view.
    View,
    /// A materialized view: read-only.
    MaterializedView,
    /// A foreign table.
    ForeignTable,
}

impl RelationKind {
    /// Whether rows are stored in it.
    pub fn is_table(self) -> bool {
        matches!(self, Self::Table | Self::ForeignTable)
    }
}

/// A table or view.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Its name.
    pub name: Ident,
    /// What it is.
    pub kind: RelationKind,
    /// Its columns, in order.
    pub columns: Vec<Column>,
    /// The primary key's columns, in key order; empty without one. A view has those of the tables it shows, where it
    /// shows all of them.
    #[serde(default)]
    pub primary_key: Vec<Ident>,
    /// Unique keys other than the primary one.
    #[serde(default)]
    pub unique_keys: Vec<Vec<Ident>>,
    /// Foreign keys that point from here.
    #[serde(default)]
    pub foreign_keys: Vec<ForeignKey>,
    /// Computed columns: functions of the row that return one value.
    #[serde(default)]
    pub computed: Vec<ComputedColumn>,
    /// What may be done to it beside reading: always all of it for a table, for a view what its definition or its
    /// triggers allow.
    #[serde(default)]
    pub writable: Writable,
    /// The comment, if any.
    #[serde(default)]
    pub comment: Option<String>,
    /// What it has beside that.
    #[serde(default)]
    pub hidden: Hidden,
}

/// What a relation has that nobody is to name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hidden {
    /// [Columns of ours](super::hidden).
    pub columns: bool,
    /// Deleted rows, which can be restored.
    pub rows: bool,
}

impl Relation {
    /// The column of that name. System columns are never in the catalog, so never found.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.as_str() == name)
    }

    /// The computed column of that name.
    pub fn computed(&self, name: &str) -> Option<&ComputedColumn> {
        self.computed.iter().find(|column| column.name.as_str() == name)
    }
}

/// A function of a relation's row type that is selected as if it were a column.
/// See <https://postgrest.org/en/stable/references/api/computed_fields.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComputedColumn {
    /// The function's name, which is the column's.
    pub name: Ident,
    /// The function's schema.
    pub schema: Ident,
    /// What it returns, as [`Column::data_type`] has it.
    pub data_type: String,
    /// Whether it returns a set (of one column): shown as an array.
    #[serde(default)]
    pub set: bool,
}

/// Which writes a relation takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Writable {
    pub insert: bool,
    pub update: bool,
    pub delete: bool,
}

impl Default for Writable {
    fn default() -> Self {
        Self {
            insert: true,
            update: true,
            delete: true,
        }
    }
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: Ident,
    /// The type as `format_type` prints it, the schema dropped for the exposed schema's own: `text`, `integer[]`, `mood`.
    pub data_type: String,
    /// If the type is a domain: what it is one of in the end, printed like [`Column::data_type`].
    #[serde(default)]
    pub base_type: Option<String>,
    /// Whether null is allowed.
    pub nullable: bool,
    /// The default expression as stored, if any.
    #[serde(default)]
    pub default: Option<String>,
    /// Generated or `generated always as identity`: it cannot be written.
    #[serde(default)]
    pub generated: bool,
    /// The comment, if any.
    #[serde(default)]
    pub comment: Option<String>,
}

impl Column {
    /// The type that its values behave as: a domain's base type, else its own.
    pub fn value_type(&self) -> &str {
        self.base_type.as_deref().unwrap_or(&self.data_type)
    }
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: Ident,
    /// The columns here.
    pub columns: Vec<Ident>,
    /// The referenced relation (in the exposed schema).
    pub table: Ident,
    /// The referenced columns, pairwise.
    pub references: Vec<Ident>,
}

/// What somebody says of a database that cannot say it itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// Foreign keys that the database does not have.
    pub keys: Vec<DeclaredKey>,
    /// Whether MySQL's `tinyint(1)` holds true and false.
    pub tinyint1_is_bool: bool,
}

/// A foreign key that the database does not have: its rows are joined as if it did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeclaredKey {
    /// The referencing relation.
    pub table: Ident,
    /// Its columns.
    pub columns: Vec<Ident>,
    /// The referenced relation.
    pub references: Ident,
    /// Its columns, pairwise.
    pub referenced_columns: Vec<Ident>,
}

impl DeclaredKey {
    /// The name that a constraint would have, for who chooses among several.
    pub fn name(&self) -> Ident {
        let columns: Vec<&str> = self.columns.iter().map(Ident::as_str).collect();
        let name = format!("{}_{}_fkey", self.table, columns.join("_"));
        Ident::new(name).unwrap_or_else(|_| self.table.clone())
    }

    /// The key of a catalog that has it.
    pub fn foreign_key(&self) -> ForeignKey {
        ForeignKey {
            name: self.name(),
            columns: self.columns.clone(),
            table: self.references.clone(),
            references: self.referenced_columns.clone(),
        }
    }
}

/// A way from one relation to another, as embedding follows it.
/// See <https://postgrest.org/en/stable/references/api/resource_embedding.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relationship {
    /// The relation it leads to, in the exposed schema.
    pub target: Ident,
    /// How.
    pub link: Link,
}

/// How two relations hang together. Column pairs are `(here, there)`, "here" being the relation it starts from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// The foreign key is here.
    ManyToOne {
        /// Its constraint.
        constraint: Ident,
        /// Pairwise.
        columns: Vec<(Ident, Ident)>,
    },
    /// The foreign key is there.
    OneToMany {
        /// Its constraint.
        constraint: Ident,
        /// Pairwise.
        columns: Vec<(Ident, Ident)>,
    },
    /// The foreign key is unique, so there is one row at most on both sides.
    OneToOne {
        /// Its constraint.
        constraint: Ident,
        /// Pairwise.
        columns: Vec<(Ident, Ident)>,
        /// Whether the foreign key is here.
        here: bool,
    },
    /// By a junction with a foreign key to each side.
    ManyToMany(Junction),
    /// By a function of the row here that returns rows of the relation there.
    Computed {
        /// The function; its name is what is embedded.
        function: Qualified,
        /// Whether it returns one row at most (`rows 1`, or no set).
        single: bool,
    },
}

impl Relationship {
    /// Whether there is one row at most on the other side.
    pub fn is_to_one(&self) -> bool {
        match &self.link {
            Link::ManyToOne { .. } | Link::OneToOne { .. } => true,
            Link::OneToMany { .. } | Link::ManyToMany(_) => false,
            Link::Computed { single, .. } => *single,
        }
    }
}

/// What stands between two relations that belong together many to many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Junction {
    /// The junction; it may be in a schema that is not exposed.
    pub table: Qualified,
    /// Its constraint towards here.
    pub near: Ident,
    /// Towards here: `(here, junction)`, pairwise.
    pub near_columns: Vec<(Ident, Ident)>,
    /// Its constraint towards there.
    pub far: Ident,
    /// Towards there: `(junction, there)`, pairwise.
    pub far_columns: Vec<(Ident, Ident)>,
}

/// A function that may be called.
/// See <https://postgrest.org/en/stable/references/api/functions.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: Ident,
    /// What goes in (`in`, `inout`, `variadic`), in order.
    #[serde(default)]
    pub arguments: Vec<Argument>,
    /// What comes out.
    pub returns: Returns,
    /// What it may do: only a volatile function writes.
    pub volatility: Volatility,
    /// Those of its settings that must count for the whole call, which Postgres would only begin inside.
    /// See <https://postgrest.org/en/stable/references/transactions.html#function-settings>.
    #[serde(default)]
    pub settings: Settings,
    /// The comment, if any.
    #[serde(default)]
    pub comment: Option<String>,
}

/// One argument that goes into a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Its name; empty for an unnamed one.
    pub name: String,
    /// The type as [`Column::data_type`] has it; of a variadic one the array's.
    pub data_type: String,
    /// Whether it has no default.
    pub required: bool,
    /// Whether it takes all that is left.
    #[serde(default)]
    pub variadic: bool,
}

/// What a function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Returns {
    /// Whether any number of them.
    pub set: bool,
    /// Of what.
    pub shape: Shape,
}

/// The shape of what a function returns, each time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shape {
    /// Nothing.
    Void,
    /// One value of this type, as [`Column::data_type`] has it.
    Scalar(String),
    /// A row of a relation, or of a composite type.
    Row(Qualified),
    /// The `out` arguments, or the columns of `returns table`.
    Columns(Vec<(Ident, String)>),
    /// `record`: only a call tells.
    Record,
}

/// A function's volatility.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Volatility {
    Immutable,
    Stable,
    Volatile,
}

/// A type that the exposed schema defines, other than an enum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NamedType {
    /// A domain over this type.
    Domain(String),
    /// A composite type with these fields and their types.
    Composite(Vec<(Ident, String)>),
}
