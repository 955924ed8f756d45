//! From a [`Request`] to a [`Plan`]: every name found in the catalog, every rule of the backend applied.

mod accept;
mod aggregate;
mod allow;
mod call;
mod columns;
mod deleted;
mod embed;
mod fuzzy;
mod nearest;
mod node;
mod predicate;
mod reach;
mod relationship;
mod rules;
mod types;
mod write;

#[cfg(test)]
mod tests;

pub(in crate::query) use accept::negotiate;
pub use allow::{allowed_on_function, allowed_on_table};
use call::exposed_name;
pub use call::{Call, Input, Inputs, Outcome, SCALAR, Value};
pub(crate) use nearest::nearest;
pub use node::{
    Aggregate, Class, Computed, Embed, Expression, From, Joined, Lifted, Node, OrderBy, Output, Page, Place, Predicate,
    Shown, Source,
};
pub use reach::{Owner, RowAccess};
pub(in crate::query) use reach::{conflicts, denied, violates};
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
#[derive(Debug, Clone)]
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
    /// The most rows a read answers; up to so many are counted before an estimate will do.
    pub max_rows: Option<u64>,
    /// The reply's shape.
    pub accept: Accept,
    /// Bytes the reply's body may take, escaped as a JSON string.
    pub max_reply: Option<u64>,
    /// Which rows it may touch, where it is the statement that must see to it.
    pub rows: RowAccess,
    /// What becomes of the relation's deleted rows.
    pub deleted: DeletedRows,
}

/// What becomes of a relation's deleted rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedRows {
    /// They are gone.
    Gone,
    /// They are kept, out of sight.
    Hidden,
    /// They are what the plan is about.
    Meant,
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
    /// Mark what matches as deleted, or take the mark away.
    Mark {
        /// What rows must satisfy.
        filter: Predicate,
        /// Whether they are deleted by it.
        deleted: bool,
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

/// Resolves a request, which may touch those rows.
///
/// As upstream, a POST ignores filters, and writes ignore limit and offset; the order applies to the rows they answer.
///
/// # Errors
/// 404 `PGRST205` (no such table), 400 `42703` (no such column), `PGRST204` (no such column in the body),
/// `PGRST102`, `PGRST114`, `PGRST115`, `21000` (an unfiltered write), `records/cast-not-allowed`,
/// `records/search-config-not-allowed`; 405 `PGRST105`. Of what is embedded: 400 `PGRST200`
/// (no relationship), `PGRST108` (a parameter for what is not embedded), `PGRST118` (order by a to-many), `PGRST120` (any
/// filter but for null), 300 `PGRST201` (several relationships); 400 `PGRST123` (aggregates are off). Of a call 404
/// `PGRST202`, 300 `PGRST203` and 400 `PGRST128`. `42501` where the rows are somebody's own.
pub fn plan(request: Request, catalog: &Catalog, rules: &Rules, rows: RowAccess) -> Result<Plan> {
    let mut plan = resolved(request, catalog, rules)?;
    if let RowAccess::Owned(owner) = &rows {
        owner.narrow(&mut plan, catalog)?;
    }
    plan.rows = rows;
    Ok(plan)
}

fn resolved(mut request: Request, catalog: &Catalog, rules: &Rules) -> Result<Plan> {
    if let Some(arguments) = request.call.take() {
        return call::plan(request, arguments, catalog, rules);
    }
    let relation = relation(&request.table, catalog)?;
    if let Some(since) = request.deleted_since.take() {
        return deleted::plan(request, &since, relation, (catalog, rules));
    }
    let scope = columns::Scope {
        relation,
        catalog,
        rules,
    };
    let from = if request.method.is_read() {
        From::Relation {
            schema: catalog.schema.clone(),
            name: relation.name.clone(),
        }
    } else {
        From::Written
    };
    let shown = embed::tree(&scope, from, &request)?;
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
        max_rows: rules.max_rows,
        action,
        shown,
        accept: negotiate(&request.accept, rules, None)?,
        max_reply: rules.max_reply,
        rows: RowAccess::All,
        deleted: match relation.hidden.rows {
            true => DeletedRows::Hidden,
            false => DeletedRows::Gone,
        },
    })
}

fn relation<'a>(name: &str, catalog: &'a Catalog) -> Result<&'a Relation> {
    catalog.relation(name).ok_or_else(|| {
        let schema = exposed_name(catalog);
        let message = format!(
            "Could not find the table '{schema}.{}' in the schema cache",
            shown(name)
        );
        let error = Error::new(ErrorKind::NotFound, "PGRST205", message);
        match nearest(name, catalog.relations.keys().map(String::as_str)) {
            Some(near) => error.with_hint(format!("Perhaps you meant the table '{schema}.{near}'")),
            None => error,
        }
    })
}

fn root<T>(scoped: &[Scoped<T>]) -> Option<&T> {
    scoped
        .iter()
        .find(|scoped| scoped.path.is_empty())
        .map(|scoped| &scoped.value)
}

/// A page intersected with the `Range` header and the server's maximum.
fn exposed_range(page: Page, range: Option<(u64, Option<u64>)>, most: Option<u64>) -> Page {
    let Page { mut offset, mut limit } = page;
    if let Some((first, last)) = range {
        let start = offset.max(first);
        let ends = [
            limit.map(|limit| offset.saturating_add(limit)),
            last.map(|last| last.saturating_add(1)),
        ];
        limit = ends.into_iter().flatten().min().map(|end| end.saturating_sub(start));
        offset = start;
    }
    Page {
        // Beyond bigint there are no rows to leave out.
        offset: offset.min(i64::MAX.unsigned_abs()),
        limit: limit.into_iter().chain(most).min(),
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
