//! From a [`Request`] to a [`Plan`]: every name found in the catalog, every rule of the backend applied.

mod accept;
mod allow;
mod call;
mod columns;
mod fuzzy;
mod nearest;
mod node;
mod predicate;
mod rules;
mod types;
mod write;

#[cfg(test)]
mod tests;

pub(in crate::query) use accept::negotiate;
pub use allow::{allowed_on_function, allowed_on_table};
pub use call::{Call, Input, Inputs, Outcome, SCALAR, Value};
use nearest::nearest;
pub use node::{
    Aggregate, Class, Computed, Embed, Expression, From, Joined, Lifted, Node, OrderBy, Output, Page, Place, Predicate,
    Shown, Source,
};
pub use rules::{CastRule, ColumnRule, Rules, SearchConfigRule};
pub use types::{ColumnType, TypeName};
pub(in crate::query) use write::put_mismatch;

use std::sync::Arc;

use super::request::{Accept, Method, Prefer, Request, Resolution, Return, Scoped};
use super::shown;
use crate::error::{Error, ErrorKind, Result};
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Relation};

/// What to run: names resolved, rules applied, nothing of any SQL dialect yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The verb.
    pub method: Method,
    /// The physical schema.
    pub schema: Option<Ident>,
    /// What the path names: a relation, or a function.
    pub table: Ident,
    /// The relation's primary key; empty without one.
    pub primary_key: Vec<Ident>,
    /// What is done.
    pub action: Action,
    /// The rows that are shown, and what of them.
    pub shown: Node,
    /// The preferences, for the reply and the transaction; those that were not honoured are cleared.
    pub prefer: Prefer,
    /// The reply's shape.
    pub accept: Accept,
    /// Bytes the reply's body may take, escaped as a JSON string.
    pub max_reply: Option<u64>,
}

impl Plan {
    /// Whether the reply shows rows.
    pub fn shows_rows(&self) -> bool {
        if let Action::Call(call) = &self.action {
            let wanted = self.method != Method::Head && self.prefer.representation != Some(Return::Minimal);
            return wanted && call.outcome != Outcome::Nothing;
        }
        match self.method {
            Method::Get => true,
            Method::Head => false,
            _ => self.prefer.representation == Some(Return::Representation),
        }
    }

    /// Whether its transaction may not write.
    pub fn is_read_only(&self) -> bool {
        match &self.action {
            Action::Call(call) => self.method.is_read() || !call.writes,
            _ => self.method.is_read(),
        }
    }
}

/// What a plan does.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Nothing: rows are shown as they are.
    Read,
    /// Insert the body's rows.
    Insert {
        /// The columns that are given.
        columns: Vec<NewColumn>,
        /// The body.
        rows: Rows,
        /// What happens to duplicates.
        conflict: Option<Conflict>,
        /// `PUT`: the values the primary key must have.
        only: Option<Predicate>,
    },
    /// Update what matches.
    Update {
        /// The columns that are given.
        columns: Vec<NewColumn>,
        /// The body.
        rows: Rows,
        /// What rows must satisfy.
        filter: Predicate,
    },
    /// Delete what matches.
    Delete {
        /// What rows must satisfy.
        filter: Predicate,
    },
    /// Call a function.
    Call(Call),
}

/// A column that a write sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewColumn {
    /// Its name.
    pub name: Ident,
    /// Its type, for reading the JSON.
    pub data_type: ColumnType,
    /// What an absent key becomes, as the database stores the expression; `None` is null.
    pub default: Option<String>,
}

/// The body of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// The JSON text.
    pub json: Arc<str>,
    /// Whether it is an array.
    pub is_array: bool,
    /// Number of rows.
    pub count: usize,
}

/// `on conflict`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The columns that decide.
    pub target: Vec<Ident>,
    /// What to do.
    pub resolution: Resolution,
}

/// Resolves a request.
///
/// As upstream, a POST ignores filters, and writes ignore limit and offset; the order applies to the rows they answer.
///
/// # Errors
/// 404 `PGRST205` (no such table), 400 `42703` (no such column), `PGRST204` (no such column in the body),
/// `PGRST102`, `PGRST114`, `PGRST115`, `21000` (an unfiltered write), `records/cast-not-allowed`,
/// `records/search-config-not-allowed`; 405 `PGRST105`; of a call 404 `PGRST202`, 300 `PGRST203` and 400 `PGRST128`; 501 `PGRST127` for what is not built yet.
pub fn plan(mut request: Request, catalog: &Catalog, rules: &Rules) -> Result<Plan> {
    if let Some(arguments) = request.call.take() {
        return call::plan(request, arguments, catalog, rules);
    }
    let relation = relation(&request.table, catalog)?;
    let scope = columns::Scope {
        relation,
        catalog,
        rules,
    };
    refuse_embeds(&request)?;
    let outputs = scope.outputs(&request.select)?;
    let order = match root(&request.order) {
        Some(terms) => terms.iter().map(|term| scope.order_by(term)).collect::<Result<_>>()?,
        None => Vec::new(),
    };
    let mut shown = Node {
        outputs,
        order,
        ..Node::of(From::Written)
    };
    if request.method.is_read() {
        shown.from = From::Relation {
            schema: catalog.schema.clone(),
            name: relation.name.clone(),
        };
        shown.filter = scope.predicate(&request.filters)?;
        shown.page = page(&request, rules);
    }
    let action = match request.method {
        Method::Get | Method::Head => Action::Read,
        Method::Post => write::insert(&scope, &request)?,
        Method::Put => write::put(&scope, &request)?,
        Method::Patch => write::update(&scope, &request)?,
        Method::Delete => write::delete(&scope, &request)?,
    };
    Ok(Plan {
        method: request.method,
        schema: catalog.schema.clone(),
        table: relation.name.clone(),
        primary_key: relation.primary_key.clone(),
        prefer: honoured(&request, relation, rules),
        action,
        shown,
        accept: negotiate(&request.accept, rules, None)?,
        max_reply: rules.max_reply,
    })
}

fn relation<'a>(name: &str, catalog: &'a Catalog) -> Result<&'a Relation> {
    catalog.relation(name).ok_or_else(|| {
        let message = format!("Could not find the table 'public.{}' in the schema cache", shown(name));
        let error = Error::new(ErrorKind::NotFound, "PGRST205", message);
        match nearest(name, catalog.relations.keys().map(String::as_str)) {
            Some(near) => error.with_hint(format!("Perhaps you meant the table 'public.{near}'")),
            None => error,
        }
    })
}

fn refuse_embeds(request: &Request) -> Result<()> {
    let paths = request
        .filters
        .iter()
        .map(|scoped| &scoped.path)
        .chain(request.order.iter().map(|scoped| &scoped.path));
    let paths = paths.chain(request.limit.iter().chain(&request.offset).map(|scoped| &scoped.path));
    match paths.flatten().next() {
        Some(embed) => Err(Error::invalid(
            "PGRST108",
            format!("'{}' is not an embedded resource in this request", shown(embed)),
        )
        .with_hint("Verify that it is included in the 'select' query parameter.")),
        None => Ok(()),
    }
}

/// The error for what the dialect has and this version has not.
fn unsupported(feature: &str) -> Error {
    Error::new(ErrorKind::Unsupported, "PGRST127", "Feature not implemented").with_details(feature.to_owned())
}

fn root<T>(scoped: &[Scoped<T>]) -> Option<&T> {
    scoped
        .iter()
        .find(|scoped| scoped.path.is_empty())
        .map(|scoped| &scoped.value)
}

/// Limit and offset, intersected with the `Range` header and the server's maximum.
fn page(request: &Request, rules: &Rules) -> Page {
    let mut offset = root(&request.offset).copied().unwrap_or(0);
    let mut limit = root(&request.limit).copied();
    if let Some((first, last)) = request.range {
        let start = offset.max(first);
        let ends = [
            limit.map(|limit| offset.saturating_add(limit)),
            last.map(|last| last.saturating_add(1)),
        ];
        limit = ends.into_iter().flatten().min().map(|end| end.saturating_sub(start));
        offset = start;
    }
    // Beyond bigint there are no rows to leave out.
    offset = offset.min(i64::MAX.unsigned_abs());
    Page {
        offset,
        limit: limit.into_iter().chain(rules.max_rows).min(),
    }
}

/// Clears the preferences that will not be acted upon, so that `Preference-Applied` tells the truth.
fn honoured(request: &Request, relation: &Relation, rules: &Rules) -> Prefer {
    use super::request::Handling;

    let mut prefer = request.prefer.clone();
    let post = request.method == Method::Post;
    if !post || (relation.primary_key.is_empty() && request.on_conflict.is_none()) {
        prefer.resolution = None;
    }
    if !matches!(request.method, Method::Post | Method::Patch) {
        prefer.missing = None;
    }
    if request.method.is_read() {
        prefer.representation = None;
    }
    if prefer.handling != Some(Handling::Strict) || !matches!(request.method, Method::Patch | Method::Delete) {
        prefer.max_affected = None;
    }
    if !rules.allow_tx_override {
        prefer.tx = None;
    }
    prefer
}
