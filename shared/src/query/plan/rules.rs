//! What a backend lets requests do, beyond what its own grants say.

use std::collections::BTreeSet;

/// The rules of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Which types `select=column::type` may name.
    pub casts: CastRule,
    /// Which configurations `fts(config)` may name.
    pub search_configs: SearchConfigRule,
    /// Whether PATCH and DELETE may come without a filter, and so touch every row.
    pub allow_unfiltered_writes: bool,
    /// The most rows one read answers; more are cut silently.
    pub max_rows: Option<u64>,
    /// Bytes a reply's body may take, escaped as a JSON string; a larger one fails the statement.
    pub max_reply: Option<u64>,
    /// Whether `Prefer: tx=rollback` is honoured.
    pub allow_tx_override: bool,
    /// Which columns may be named.
    pub columns: ColumnRule,
    /// Whether `select=amount.sum()` and its like are answered.
    pub aggregates: bool,
    /// Whether the planner's output may be asked for (`Accept: application/vnd.pgrst.plan`).
    pub plan: bool,
    /// Whether functions may be called.
    pub functions: bool,
    /// Whether the root answers a description of the API.
    pub openapi: bool,
    /// Whether columns of 64-bit integers are shown as JSON strings, unless the request casts them.
    pub wide_integers_as_text: bool,
}

impl Rules {
    /// For managed backends: many tenants in one database, so only what cannot look outside a project.
    pub fn managed() -> Self {
        Self {
            casts: CastRule::Listed,
            search_configs: SearchConfigRule::Stock,
            allow_unfiltered_writes: false,
            max_rows: Some(1_000),
            max_reply: None,
            allow_tx_override: true,
            columns: ColumnRule::Catalog,
            aggregates: false,
            plan: false,
            functions: false,
            openapi: true,
            wide_integers_as_text: false,
        }
    }

    /// For a database that is the user's own: as PostgREST behaves. What its owner decides is given; the rest is
    /// Postgres's own business.
    pub fn external() -> Self {
        Self {
            casts: CastRule::Any,
            search_configs: SearchConfigRule::Any,
            allow_unfiltered_writes: true,
            max_rows: None,
            max_reply: None,
            allow_tx_override: true,
            columns: ColumnRule::Any,
            aggregates: false,
            plan: false,
            functions: true,
            openapi: true,
            wide_integers_as_text: false,
        }
    }
}

/// Which types a cast may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CastRule {
    /// The designer's types, arrays of them and the project's enums. No `reg*` type: `id::regclass` prints the name
    /// of any table in the database.
    Listed,
    /// Every type that the search path finds.
    Any,
}

/// Which columns a request may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnRule {
    /// Those of the catalog: never a system column, never a function in a column's place.
    Catalog,
    /// Whatever Postgres takes for one.
    Any,
}

/// Which text search configurations may be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SearchConfigRule {
    /// Those that every Postgres has.
    Stock,
    /// Those that every Postgres has, and these.
    Listed(BTreeSet<String>),
    /// Any.
    Any,
}

impl SearchConfigRule {
    /// Whether `config` may be named.
    pub fn allows(&self, config: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Stock => is_stock_config(config),
            Self::Listed(more) => is_stock_config(config) || more.contains(config),
        }
    }
}

/// Whether a text search configuration comes with Postgres 15.
pub fn is_stock_config(config: &str) -> bool {
    const STOCK: &[&str] = &[
        "arabic",
        "armenian",
        "basque",
        "catalan",
        "danish",
        "dutch",
        "english",
        "finnish",
        "french",
        "german",
        "greek",
        "hindi",
        "hungarian",
        "indonesian",
        "irish",
        "italian",
        "lithuanian",
        "nepali",
        "norwegian",
        "portuguese",
        "romanian",
        "russian",
        "serbian",
        "simple",
        "spanish",
        "swedish",
        "tamil",
        "turkish",
        "yiddish",
    ];
    STOCK.binary_search(&config).is_ok()
}
