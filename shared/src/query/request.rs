//! A records request as a value: what the caller asked for, before anybody looked at a catalog.

mod call;

pub use call::{Arguments, JsonArguments, QueryArgument, RawArgument, RawKind};
mod media;

pub use media::{Accept, Explain, Format, MediaType};

use std::fmt;
use std::sync::Arc;

/// What to do; the HTTP verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Read rows.
    Get,
    /// Read, answer the headers only.
    Head,
    /// Insert or upsert.
    Post,
    /// Update what the filters match.
    Patch,
    /// Insert or replace the one row that the filters name by primary key.
    Put,
    /// Delete what the filters match.
    Delete,
}

impl Method {
    /// Whether it only reads: such a request runs in a read-only transaction.
    pub fn is_read(self) -> bool {
        matches!(self, Self::Get | Self::Head)
    }
}

/// A request in the PostgREST dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// The verb.
    pub method: Method,
    /// The relation's name as in the path; the function's of a call.
    pub table: String,
    /// Of a call: what goes into the function.
    pub call: Option<Arguments>,
    /// What to show; empty stands for `*`.
    pub select: Vec<SelectItem>,
    /// All of these must hold.
    pub filters: Vec<Scoped<Logic>>,
    /// The sort order of the relation and of its embeds.
    pub order: Vec<Scoped<Vec<OrderTerm>>>,
    /// At most this many rows.
    pub limit: Vec<Scoped<u64>>,
    /// Rows to leave out at the beginning.
    pub offset: Vec<Scoped<u64>>,
    /// The `Range` header: first and, if said, last row; intersected with limit and offset.
    pub range: Option<(u64, Option<u64>)>,
    /// The `columns` parameter: what a body's keys are cut down to.
    pub columns: Option<Vec<String>>,
    /// The `on_conflict` parameter.
    pub on_conflict: Option<Vec<String>>,
    /// What the caller would like.
    pub prefer: Prefer,
    /// The media types of a reply, best first; any if there are none.
    pub accept: Vec<MediaType>,
    /// The body of a write.
    pub body: Option<Body>,
    /// Deleted rows are meant, those since that time (ISO 8601): a read lists them, a PATCH restores them.
    pub deleted_since: Option<String>,
}

impl Request {
    /// A request for everything in `table`, to be narrowed by setting fields.
    pub fn new(method: Method, table: impl Into<String>) -> Self {
        Self {
            method,
            table: table.into(),
            call: None,
            select: Vec::new(),
            filters: Vec::new(),
            order: Vec::new(),
            limit: Vec::new(),
            offset: Vec::new(),
            range: None,
            columns: None,
            on_conflict: None,
            prefer: Prefer::default(),
            accept: Vec::new(),
            body: None,
            deleted_since: None,
        }
    }
}

/// Something that belongs to the relation itself (empty path) or to one of its embeds (`tasks.order=…`).
#[derive(Debug, Clone, PartialEq)]
pub struct Scoped<T> {
    /// The embeds on the way, outermost first.
    pub path: Vec<String>,
    /// What is said about it.
    pub value: T,
}

impl<T> Scoped<T> {
    /// For the relation itself.
    pub fn root(value: T) -> Self {
        Self {
            path: Vec::new(),
            value,
        }
    }
}

/// A column, or a place inside a JSON column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// The column's name.
    pub name: String,
    /// Steps into its JSON.
    pub path: Vec<JsonStep>,
}

/// One `->key` or `->>key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonStep {
    /// `->>`: the result is text.
    pub as_text: bool,
    /// Where to.
    pub key: JsonKey,
}

/// A member's name or an element's position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JsonKey {
    /// Of an object.
    Name(String),
    /// Of an array; negative ones count from the end.
    Index(i32),
}

/// One entry of `select`.
#[derive(Debug, Clone, PartialEq)]
pub enum SelectItem {
    /// `*`
    All,
    /// `alias:column->path::cast`
    Column {
        /// The name in the reply, if it is not the column's.
        alias: Option<String>,
        /// What is shown.
        field: Field,
        /// The type it is cast to.
        cast: Option<String>,
    },
    /// `alias:column::cast.sum()::cast`, or `count()` without a column.
    Aggregate {
        /// The name in the reply.
        alias: Option<String>,
        /// What is aggregated.
        field: Option<Field>,
        /// The cast before.
        cast: Option<String>,
        /// The function.
        function: AggregateFunction,
        /// The cast of the result.
        result_cast: Option<String>,
    },
    /// `alias:target!hint!inner(…)`, or `...target(…)`.
    Embed {
        /// The name in the reply.
        alias: Option<String>,
        /// Relation, foreign key or column.
        target: String,
        /// Which of several relationships.
        hint: Option<String>,
        /// Whether rows without a match are dropped.
        join: Option<Join>,
        /// Whether its columns are lifted into the parent.
        spread: bool,
        /// What of it is shown.
        select: Vec<SelectItem>,
    },
}

/// `!inner` or `!left`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// Parents without a match are left out.
    Inner,
    /// All parents stay.
    Left,
}

/// An aggregate function of the select grammar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum AggregateFunction {
    Sum,
    Avg,
    Min,
    Max,
    Count,
}

impl AggregateFunction {
    /// Its spelling in a request, its name in Postgres, and what it is called in a reply.
    pub fn word(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
            Self::Count => "count",
        }
    }
}

/// A tree of conditions.
#[derive(Debug, Clone, PartialEq)]
pub enum Logic {
    /// All hold (`and=(…)`), or with `any` at least one (`or=(…)`).
    Group {
        /// `not.` stands before it.
        negated: bool,
        /// `or` instead of `and`.
        any: bool,
        /// The parts.
        parts: Vec<Logic>,
    },
    /// A single one.
    Condition(Condition),
}

/// One filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    /// The left side.
    pub field: Field,
    /// `not.` stands before the operator.
    pub negated: bool,
    /// Operator and right side.
    pub test: Test,
}

/// Operator and right side of a filter.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// A comparison with one value, or with any or all elements of an array literal.
    Compare(CompareOp, Option<Quantifier>, String),
    /// Containment, overlap and the range operators.
    Relate(RelateOp, String),
    /// Equal to one of these.
    In(Vec<String>),
    /// `is.…`
    Is(IsValue),
    /// `is distinct from`
    IsDistinct(String),
    /// Full-text search.
    Search {
        /// Which function makes the query.
        kind: SearchKind,
        /// The text search configuration.
        config: Option<String>,
        /// The query's text.
        query: String,
    },
}

/// `any` or `all` in parentheses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Quantifier {
    Any,
    All,
}

/// Declares an operator enum with its spelling in the URL and its SQL operator.
macro_rules! operators {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $sql:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[allow(missing_docs, reason = "the table below says it")]
        pub enum $name { $($variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The spelling in a request.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// The SQL operator.
            pub fn sql(self) -> &'static str {
                match self { $(Self::$variant => $sql,)* }
            }

            /// The operator of that spelling.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|op| op.word() == word)
            }
        }
    };
}

operators!(
    /// Comparisons; each may be quantified except `neq`.
    CompareOp {
        Eq "eq" "=",
        Neq "neq" "<>",
        Gt "gt" ">",
        Gte "gte" ">=",
        Lt "lt" "<",
        Lte "lte" "<=",
        Like "like" "like",
        Ilike "ilike" "ilike",
        Match "match" "~",
        Imatch "imatch" "~*",
    }
);

operators!(
    /// Operators of arrays, ranges and JSON.
    RelateOp {
        Contains "cs" "@>",
        ContainedBy "cd" "<@",
        Overlaps "ov" "&&",
        StrictlyLeft "sl" "<<",
        StrictlyRight "sr" ">>",
        NotRight "nxr" "&<",
        NotLeft "nxl" "&>",
        Adjacent "adj" "-|-",
    }
);

operators!(
    /// Full-text searches and the function that reads the query's text.
    SearchKind {
        Plain "fts" "to_tsquery",
        Words "plfts" "plainto_tsquery",
        Phrase "phfts" "phraseto_tsquery",
        Web "wfts" "websearch_to_tsquery",
    }
);

operators!(
    /// What `is` compares with.
    IsValue {
        Null "null" "null",
        NotNull "not_null" "not null",
        True "true" "true",
        False "false" "false",
        Unknown "unknown" "unknown",
    }
);

/// One term of `order`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerm {
    /// The embed it belongs to: `clients(name).desc`.
    pub relation: Option<String>,
    /// By what.
    pub field: Field,
    /// `desc`
    pub descending: bool,
    /// Nulls first (`true`), last, or where the direction puts them.
    pub nulls_first: Option<bool>,
}

/// The `Prefer` header.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefer {
    /// What an insert does with duplicates.
    pub resolution: Option<Resolution>,
    /// What absent keys become.
    pub missing: Option<Missing>,
    /// What a write answers.
    pub representation: Option<Return>,
    /// Whether rows are counted.
    pub count: Option<CountKind>,
    /// How the transaction ends.
    pub tx: Option<TxEnd>,
    /// Whether unknown preferences are an error.
    pub handling: Option<Handling>,
    /// The session's time zone.
    pub timezone: Option<String>,
    /// The most rows a write may touch; holds only with `handling=strict`.
    pub max_affected: Option<u64>,
}

/// Declares a preference's values.
macro_rules! preference {
    ($(#[$doc:meta])* $name:ident $key:literal { $($(#[$vdoc:meta])* $variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant,)* }

        impl $name {
            /// The value of that spelling.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => concat!($key, "=", $word),)* })
            }
        }
    };
}

preference!(
    /// `resolution=`
    Resolution "resolution" {
        /// Update the row that is there.
        Merge "merge-duplicates",
        /// Leave the row that is there.
        Ignore "ignore-duplicates",
    }
);
preference!(
    /// `missing=`
    Missing "missing" {
        /// The column's default.
        Default "default",
        /// Null.
        Null "null",
    }
);
preference!(
    /// `return=`
    Return "return" {
        /// Nothing; needs no right to select.
        Minimal "minimal",
        /// Where the new row is.
        HeadersOnly "headers-only",
        /// The rows.
        Representation "representation",
    }
);
preference!(
    /// `count=`
    CountKind "count" {
        /// Count.
        Exact "exact",
        /// What Postgres's planner expects.
        Planned "planned",
        /// Counted up to the server's maximum of rows; beyond that what the planner expects.
        Estimated "estimated",
    }
);
preference!(
    /// `tx=`
    TxEnd "tx" {
        /// As usual.
        Commit "commit",
        /// Undo everything.
        Rollback "rollback",
    }
);
preference!(
    /// `handling=`
    Handling "handling" {
        /// Unknown preferences are an error.
        Strict "strict",
        /// They are ignored.
        Lenient "lenient",
    }
);

/// A write's JSON body, kept as text so that numbers arrive as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The JSON; shared, because it may be megabytes.
    pub json: Arc<str>,
    /// Whether it is an array of objects, and not one object.
    pub is_array: bool,
    /// Number of objects.
    pub rows: usize,
    /// The keys of the first object, in order.
    pub keys: Vec<String>,
    /// Whether all objects have these keys.
    pub uniform: bool,
}
