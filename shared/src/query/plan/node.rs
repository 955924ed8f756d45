//! The tree of rows that is shown: one node for a relation, below it one for each that is embedded.

use super::super::request::{AggregateFunction, CompareOp, IsValue, JsonStep, Quantifier, RelateOp, SearchKind};
use super::TypeName;
use crate::ident::Ident;
use crate::schema::catalog::Qualified;

/// One relation of the tree: which of its rows are shown, and what of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where the rows come from.
    pub from: From,
    /// Whether all their columns are shown, whatever these are: of rows that only the database knows.
    pub everything: bool,
    /// What of them is shown. With an aggregate among it, everything else that is shown makes the groups.
    pub outputs: Vec<Output>,
    /// What is embedded, in the order asked for.
    pub embeds: Vec<Embed>,
    /// What they must satisfy.
    pub filter: Predicate,
    /// In which order.
    pub order: Vec<OrderBy>,
    /// Which of them.
    pub page: Page,
}

impl Node {
    /// All rows of `from`, nothing of them shown.
    pub fn of(from: From) -> Self {
        Self {
            from,
            everything: false,
            outputs: Vec::new(),
            embeds: Vec::new(),
            filter: Predicate::everything(),
            order: Vec::new(),
            page: Page::default(),
        }
    }

    /// Whether rows are aggregated here.
    pub fn is_grouped(&self) -> bool {
        let own = |output: &Output| matches!(output.expression, Expression::Aggregate(_));
        let lifted = |embed: &Embed| match &embed.shown {
            Shown::Spread(lifted) => lifted.iter().any(|lifted| lifted.aggregate.is_some()),
            Shown::Nested | Shown::Hidden => false,
        };
        self.outputs.iter().any(own) || self.embeds.iter().any(lifted)
    }

    /// How many relations the tree has below this one.
    pub(super) fn embedded(&self) -> usize {
        let below = self.embeds.iter();
        below
            .map(|embed| embed.node.embedded().saturating_add(1))
            .fold(0, usize::saturating_add)
    }

    /// How often a statement asks whether there are rows in this tree's embeds, and what it costs to ask about this node:
    /// each question repeats those of the embeds below.
    pub(super) fn questions(&self) -> (usize, usize) {
        let mut asked = vec![0_usize; self.embeds.len()];
        self.filter.embeds(&mut |at| asked[at] = asked[at].saturating_add(1));
        let (mut all, mut one) = (0_usize, 1_usize);
        for (embed, asked) in self.embeds.iter().zip(asked) {
            let (below, cost) = embed.node.questions();
            let cost = cost.saturating_mul(asked.saturating_add(usize::from(embed.inner)));
            one = one.saturating_add(cost);
            all = all.saturating_add(below).saturating_add(cost);
        }
        (all, one)
    }

    /// The names of a row's members, in their order.
    pub fn members(&self) -> Vec<&Ident> {
        let mut names: Vec<&Ident> = self.outputs.iter().map(|output| &output.name).collect();
        for embed in &self.embeds {
            match &embed.shown {
                Shown::Nested => names.push(&embed.name),
                Shown::Spread(lifted) => names.extend(lifted.iter().map(|lifted| &lifted.name)),
                Shown::Hidden => {}
            }
        }
        names
    }

    /// What of the rows themselves this node needs, each once: of its outputs, its filter, its order, and what its
    /// embeds are joined by. A statement that returns rows to be shown must return this.
    pub fn sources(&self) -> Vec<Source<'_>> {
        let mut sources = Vec::new();
        if self.everything {
            sources.push(Source::Everything);
        }
        for output in &self.outputs {
            match &output.expression {
                Expression::Place(place) => sources.push(Source::of(place)),
                Expression::Aggregate(aggregate) => {
                    sources.extend(aggregate.of.as_ref().map(|(place, _)| Source::of(place)));
                }
            }
        }
        let own = self.order.iter().filter(|term| term.embed.is_none());
        sources.extend(own.map(|term| Source::of(&term.place)));
        self.filter.places(&mut |place| sources.push(Source::of(place)));
        for embed in &self.embeds {
            match &embed.joined {
                Joined::Columns(columns) | Joined::Junction { near: columns, .. } => {
                    sources.extend(columns.iter().map(|(here, _)| Source::Column(here)));
                }
                Joined::Row => sources.push(Source::Row),
            }
        }
        if self.everything {
            sources.retain(|source| !matches!(source, Source::Column(_)));
        }
        let mut seen = std::collections::BTreeSet::new();
        sources.retain(|source| seen.insert(source.clone()));
        sources
    }
}

/// Where a node's rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// A table or view.
    Relation {
        /// Its schema.
        schema: Option<Ident>,
        /// Its name.
        name: Ident,
    },
    /// What the plan's action wrote; it returned [`Node::sources`].
    Written,
    /// What the called function returned; the call returned [`Node::sources`].
    Called,
    /// What this function makes of the row above.
    Computed(Qualified),
}

impl From {
    /// Whether the rows are those of a statement before, with no more to them than it returned.
    pub fn is_returned(&self) -> bool {
        matches!(self, Self::Written | Self::Called)
    }
}

/// Something of a row that a statement must return so that a node can be made of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source<'a> {
    /// All columns.
    Everything,
    /// A column.
    Column(&'a Ident),
    /// A computed column, under its name.
    Computed(&'a Computed, &'a Ident),
    /// The row itself, which functions are called with.
    Row,
}

impl<'a> Source<'a> {
    fn of(place: &'a Place) -> Self {
        match &place.computed {
            Some(computed) => Self::Computed(computed, &place.column),
            None => Self::Column(&place.column),
        }
    }
}

/// A relation that is embedded in the one above.
#[derive(Debug, Clone, PartialEq)]
pub struct Embed {
    /// Its name in the reply, in parameters and in filters.
    pub name: Ident,
    /// Its rows.
    pub node: Node,
    /// How they belong to a row above.
    pub joined: Joined,
    /// Whether one of them at most does.
    pub to_one: bool,
    /// Whether rows above without one are left out.
    pub inner: bool,
    /// How it is shown.
    pub shown: Shown,
}

/// How the rows of an embed belong to a row above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Joined {
    /// By equal columns: `(above, here)`.
    Columns(Vec<(Ident, Ident)>),
    /// By a junction.
    Junction {
        /// The junction.
        table: Qualified,
        /// `(above, junction)`
        near: Vec<(Ident, Ident)>,
        /// `(junction, here)`
        far: Vec<(Ident, Ident)>,
    },
    /// They are made of it: [`From::Computed`].
    Row,
}

/// How an embed is shown.
#[derive(Debug, Clone, PartialEq)]
pub enum Shown {
    /// As an object or an array of objects.
    Nested,
    /// Its members among those above: as they are of a to-one, arrays of them of a to-many.
    Spread(Vec<Lifted>),
    /// Not at all: it only restricts the rows above, or orders them.
    Hidden,
}

/// A member of a spread embed as it is shown above.
#[derive(Debug, Clone, PartialEq)]
pub struct Lifted {
    /// The embed's member; `None`: its rows are counted.
    pub member: Option<Ident>,
    /// What is made of it above, with the cast of the result.
    pub aggregate: Option<(AggregateFunction, Option<TypeName>)>,
    /// Its name above.
    pub name: Ident,
}

impl Lifted {
    /// Shown above as it is.
    pub(super) fn as_is(member: Ident) -> Self {
        Self {
            name: member.clone(),
            member: Some(member),
            aggregate: None,
        }
    }
}

/// The slice of the rows that is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Page {
    /// Rows left out at the beginning.
    pub offset: u64,
    /// At most so many.
    pub limit: Option<u64>,
}

/// A column, or a place in its JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The column.
    pub column: Ident,
    /// Of a computed column: its function, whose name is the column's.
    pub computed: Option<Computed>,
    /// Steps into its JSON.
    pub path: Vec<JsonStep>,
    /// What is known of the type before the steps.
    pub class: Class,
}

/// The function of a computed column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Computed {
    /// Its schema.
    pub schema: Ident,
    /// Whether it returns a set: shown as an array.
    pub set: bool,
}

/// What matters of a column's type when SQL is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `json` or `jsonb`.
    Json,
    /// Characters: `text`, `varchar`, …
    Text,
    /// An array.
    Array,
    /// A whole number.
    Integer,
    /// An exact number with decimals.
    Decimal,
    /// A number that is not exact.
    Float,
    /// True or false.
    Bool,
    /// Bits, as MySQL has them.
    Bits,
    /// Bytes, as MySQL has them.
    Bytes,
    /// A day.
    Date,
    /// A time of day, or a span.
    Time,
    /// A day and time anywhere.
    DateTime,
    /// A moment.
    Timestamp,
    /// Anything else.
    Other,
}

/// One member of a row in the reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// What.
    pub expression: Expression,
    /// Cast to what.
    pub cast: Option<TypeName>,
    /// Its name.
    pub name: Ident,
}

/// What an output shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expression {
    /// A place of the row.
    Place(Place),
    /// Something of many rows.
    Aggregate(Aggregate),
}

/// An aggregate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// Of what, cast to what; `None`: of the rows.
    pub of: Option<(Place, Option<TypeName>)>,
}

/// One term of the order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderBy {
    /// Of which embed (a to-one), by its position.
    pub embed: Option<usize>,
    /// By what.
    pub place: Place,
    /// Descending.
    pub descending: bool,
    /// Nulls first or last, if said.
    pub nulls_first: Option<bool>,
}

/// What rows must satisfy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Predicate {
    /// All; without parts always true.
    All(Vec<Predicate>),
    /// At least one.
    Any(Vec<Predicate>),
    /// Not this.
    Not(Box<Predicate>),
    /// A comparison with a value, or with the elements of an array literal.
    Compare(Place, CompareOp, Option<Quantifier>, String),
    /// Containment and range operators.
    Relate(Place, RelateOp, String),
    /// Equal to one of these.
    In(Place, Vec<String>),
    /// `is …`
    Is(Place, IsValue),
    /// `is distinct from`
    IsDistinct(Place, String),
    /// Full-text search.
    Search(Place, SearchKind, Option<String>, String),
    /// Having a row in the embed at this position.
    Has(usize),
}

impl Predicate {
    /// The predicate that holds for every row.
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Whether it holds for every row by its shape.
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(parts) if parts.iter().all(Self::is_everything))
    }

    /// Visits the embeds it asks about.
    fn embeds(&self, visit: &mut impl FnMut(usize)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.embeds(visit);
                }
            }
            Self::Not(inner) => inner.embeds(visit),
            Self::Has(at) => visit(*at),
            _ => {}
        }
    }

    /// Visits the places it looks at.
    pub(in crate::query) fn places<'a>(&'a self, visit: &mut impl FnMut(&'a Place)) {
        match self {
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.places(visit);
                }
            }
            Self::Not(inner) => inner.places(visit),
            Self::Compare(place, ..)
            | Self::Relate(place, ..)
            | Self::In(place, ..)
            | Self::Is(place, ..)
            | Self::IsDistinct(place, ..)
            | Self::Search(place, ..) => visit(place),
            Self::Has(_) => {}
        }
    }
}
