//! From a plan to the requests that it takes.

use std::collections::HashMap;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::value::RawValue;

use super::super::Feature;
use super::super::plan::{Action, Class, NewColumn, OrderBy, Page, Place, Plan, Predicate, Rows};
use super::super::request::{CompareOp, IsValue, Missing, Quantifier};
use super::api::{Pagination, Resource, Total, UpdateMethod};
use super::{MOST_PAGES, not_mapped, refuse, unsupported, value};
use crate::error::{Error, ErrorKind, Result};

/// What stays as it is in a part of a path.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A verb of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Verb {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The verb.
    pub verb: Verb,
    /// The path below the base URL, encoded.
    pub path: String,
    /// The query's parameters, not encoded.
    pub query: Vec<(String, String)>,
    /// A JSON body.
    pub body: Option<String>,
}

/// What takes requests to do.
#[derive(Debug, Clone, PartialEq)]
pub enum Work {
    /// Read a list.
    List(List),
    /// Read one row; it is shown if it passes the checks, and is not among those left out.
    Get {
        /// The request; 404 says that there is none.
        ask: Ask,
        /// What it must satisfy.
        checks: Vec<Check>,
        /// Which of the rows (one at most) is shown.
        page: Page,
    },
    /// Make a row.
    Insert {
        /// The request.
        ask: Ask,
        /// Reads it afterwards, if it is to be shown and the reply does not.
        after: Option<Ask>,
    },
    /// Change a row; 404 says that there is none.
    Update {
        /// The request.
        ask: Ask,
        /// Reads it afterwards, if it is to be shown and the reply does not.
        after: Option<Ask>,
    },
    /// Nothing is changed.
    Nothing,
    /// Remove a row; 404 says that there is none.
    Delete {
        /// Reads it before, where it is to be shown.
        before: Option<Ask>,
        /// The request.
        ask: Ask,
    },
}

/// A list to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct List {
    /// The request for its first part.
    pub ask: Ask,
    /// Rows that one part has at most.
    pub most: Option<u64>,
    /// How the next one is found.
    pub way: Way,
    /// Rows of it that are left out at the beginning.
    pub skip: u64,
    /// How many are shown then, at most.
    pub take: Option<u64>,
    /// What each row must satisfy: it was asked for.
    pub checks: Vec<Check>,
    /// Where it says how many there are, if that was asked.
    pub counted: Option<Counted>,
}

/// How the next part of a list is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// Not at all: one holds all that is shown.
    Single,
    /// By a mark in the body, for this parameter.
    Cursor {
        /// The parameter.
        param: String,
        /// Where the mark is.
        next: Vec<String>,
    },
    /// By the `Link` header.
    Link,
}

/// Where a list says how many rows there are.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    /// It is whole.
    Length,
    /// It says so.
    Told(Total),
}

/// A member that must have a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The member.
    pub column: String,
    /// Its value.
    pub value: String,
}

/// The requests of a plan.
///
/// # Errors
/// 501 `PGRST127`, its details naming what this API cannot do; 400 for a value that its column cannot have.
pub fn work(plan: &Plan, resource: &Resource) -> Result<Work> {
    refuse::refuse(plan)?;
    match &plan.action {
        Action::Read => read(plan, resource),
        Action::Insert {
            columns,
            rows,
            conflict,
            only,
        } => {
            if conflict.is_some() || only.is_some() {
                return Err(unsupported(Feature::Upsert, "an upsert"));
            }
            if rows.count != 1 {
                return Err(unsupported(Feature::BulkInsert, "more than one row in an insert"));
            }
            let path = resource
                .create
                .as_deref()
                .ok_or_else(|| not_mapped("inserts (create)"))?;
            let mut ask = at(Verb::Post, path);
            ask.body = Some(body(plan, columns, rows)?);
            let key = object(rows)?.get(&resource.id).map(|key| super::text_of(key));
            let after = key.map(|key| shown(plan, resource, &key)).transpose()?.flatten();
            Ok(Work::Insert { ask, after })
        }
        Action::Update { columns, rows, filter } => update(plan, resource, columns, rows, filter),
        Action::Mark { .. } => Err(not_mapped("deleted rows that are kept")),
        Action::Delete { filter } => {
            let path = resource
                .delete
                .as_deref()
                .ok_or_else(|| not_mapped("deletes (delete)"))?;
            let key = only_key(filter, resource)?;
            let before = match (plan.shows_rows(), resource.get.as_deref()) {
                (false, _) => None,
                (true, Some(get)) => Some(keyed(Verb::Get, get, &key)?),
                (true, None) => {
                    return Err(not_mapped("the row of a delete (get)"));
                }
            };
            Ok(Work::Delete {
                before,
                ask: keyed(Verb::Delete, path, &key)?,
            })
        }
        Action::Call(_) => Err(unsupported(Feature::Functions, "a function")),
    }
}

/// A path without parameters of ours.
pub fn plain(path: &str) -> Ask {
    at(Verb::Get, path)
}

/// The first so many rows of a list, or as many as the API answers at once.
pub fn first_page(resource: &Resource, rows: u64) -> Option<List> {
    let mut ask = at(Verb::Get, resource.list.as_deref()?);
    let page = Page {
        offset: 0,
        limit: Some(rows),
    };
    part(&mut ask, resource, page).ok()
}

fn read(plan: &Plan, resource: &Resource) -> Result<Work> {
    let checks = equalities(&plan.shown.filter)?;
    let key = checks.iter().find(|check| check.column == resource.id);
    if let (Some(path), Some(key)) = (&resource.get, key) {
        return Ok(Work::Get {
            ask: keyed(Verb::Get, path, &key.value)?,
            checks,
            page: plan.shown.page,
        });
    }
    let path = resource.list.as_deref();
    let mut ask = at(Verb::Get, path.ok_or_else(|| not_mapped("many rows (list)"))?);
    for check in &checks {
        let param = resource.filters.get(&check.column);
        let param = param.ok_or_else(|| unsupported(Feature::Filters, format_args!("a filter by {}", check.column)))?;
        ask.query.push((param.clone(), check.value.clone()));
    }
    order(&mut ask, &plan.shown.order, resource)?;
    let counted = match (&plan.prefer.count, &resource.total, &resource.pagination) {
        (None, ..) => None,
        (Some(_), Some(total), _) => Some(Counted::Told(total.clone())),
        (Some(_), None, Pagination::None) => Some(Counted::Length),
        (Some(_), None, _) => return Err(unsupported(Feature::CountExact, "a count")),
    };
    let part = part(&mut ask, resource, plan.shown.page)?;
    Ok(Work::List(List {
        ask,
        checks,
        counted,
        ..part
    }))
}

/// Adds to a request which part of the list is wanted; what of it is shown.
fn part(ask: &mut Ask, resource: &Resource, page: Page) -> Result<List> {
    let mut add = |param: &String, number: u64| ask.query.push((param.clone(), number.to_string()));
    let most = resource.pagination.most();
    let take = page.limit.into_iter().chain(most).min();
    // Nobody answers a page of nothing.
    let wanted = take.unwrap_or(1).max(1);
    let mut list = List {
        ask: at(Verb::Get, ""),
        most,
        way: Way::Single,
        skip: page.offset,
        take,
        checks: Vec::new(),
        counted: None,
    };
    match &resource.pagination {
        Pagination::None => {}
        Pagination::Offset { offset, limit, .. } => {
            add(offset, page.offset);
            add(limit, wanted);
            (list.skip, list.most) = (0, Some(wanted));
        }
        Pagination::Page {
            page: number,
            size,
            first,
            most,
        } => {
            let sizes = if size.is_some() { wanted..=*most } else { *most..=*most };
            let rows = holding(sizes, page.offset, wanted)
                .ok_or_else(|| unsupported(Feature::Pages, "an offset that is no multiple of the limit"))?;
            add(number, first.saturating_add(page.offset / rows));
            size.iter().for_each(|size| add(size, rows));
            (list.skip, list.most) = (page.offset % rows, Some(rows));
        }
        Pagination::Cursor { limit, .. } | Pagination::Link { limit, .. } => {
            let most = most.unwrap_or(wanted);
            let rows = if page.offset == 0 && limit.is_some() {
                wanted
            } else {
                most
            };
            limit.iter().for_each(|limit| add(limit, rows));
            if page.offset.saturating_add(wanted) > MOST_PAGES.saturating_mul(most) {
                return Err(unsupported(
                    Feature::Pages,
                    format_args!("an offset behind {MOST_PAGES} pages, which can only be reached one by one"),
                ));
            }
            list.most = Some(rows);
            list.way = match &resource.pagination {
                Pagination::Cursor { cursor, next, .. } => Way::Cursor {
                    param: cursor.clone(),
                    next: next.clone(),
                },
                _ => Way::Link,
            };
        }
    }
    list.ask = ask.clone();
    Ok(list)
}

/// How many rows a page must have so that one of them holds all that is wanted.
fn holding(mut sizes: std::ops::RangeInclusive<u64>, offset: u64, wanted: u64) -> Option<u64> {
    let last = offset.checked_add(wanted - 1)?;
    sizes.find(|size| offset / size == last / size)
}

fn order(ask: &mut Ask, terms: &[OrderBy], resource: &Resource) -> Result<()> {
    if terms.is_empty() {
        return Ok(());
    }
    let order = resource
        .order
        .as_ref()
        .ok_or_else(|| unsupported(Feature::Order, "an order"))?;
    let mut names = Vec::new();
    for term in terms {
        let column = term.place.column.as_str();
        if term.embed.is_some() || !term.place.path.is_empty() || !order.columns.iter().any(|known| known == column) {
            return Err(unsupported(Feature::Order, format_args!("an order by {column}")));
        }
        if term.nulls_first.is_some() {
            return Err(unsupported(Feature::Order, "the place of nulls"));
        }
        names.push((column, term.descending));
    }
    match (&order.direction, names.as_slice()) {
        (Some(direction), [(column, descending)]) => {
            ask.query.push((order.param.clone(), (*column).to_owned()));
            let way = if *descending { "desc" } else { "asc" };
            ask.query.push((direction.clone(), way.to_owned()));
        }
        (Some(_), _) => return Err(unsupported(Feature::Order, "an order by more than one column")),
        (None, names) => {
            let terms = names.iter().map(|(column, descending)| {
                let sign = if *descending { "-" } else { "" };
                format!("{sign}{column}")
            });
            ask.query
                .push((order.param.clone(), terms.collect::<Vec<_>>().join(",")));
        }
    }
    Ok(())
}

fn update(plan: &Plan, resource: &Resource, columns: &[NewColumn], rows: &Rows, filter: &Predicate) -> Result<Work> {
    let path = resource
        .update
        .as_deref()
        .ok_or_else(|| not_mapped("updates (update)"))?;
    let key = only_key(filter, resource)?;
    if rows.count == 0 || columns.is_empty() {
        return Ok(Work::Nothing);
    }
    let given = object(rows)?;
    if let Some(named) = given.get(&resource.id)
        && !value::same(&super::text_of(named), &key)
    {
        return Err(unsupported(Feature::WriteByFilter, "a change of the key"));
    }
    let verb = match resource.update_method {
        UpdateMethod::Patch => Verb::Patch,
        UpdateMethod::Put => Verb::Put,
        UpdateMethod::Post => Verb::Post,
    };
    let mut ask = keyed(verb, path, &key)?;
    ask.body = Some(body(plan, columns, rows)?);
    let after = shown(plan, resource, &key)?;
    Ok(Work::Update { ask, after })
}

/// What reads a row that is to be shown, where the API can.
fn shown(plan: &Plan, resource: &Resource, key: &str) -> Result<Option<Ask>> {
    let path = resource.get.as_deref().filter(|_| plan.shows_rows());
    path.map(|path| keyed(Verb::Get, path, key)).transpose()
}

/// The columns of the body's one row, each as it was written.
fn body(plan: &Plan, columns: &[NewColumn], rows: &Rows) -> Result<String> {
    let given = object(rows)?;
    let absent = plan.prefer.missing == Some(Missing::Default);
    let mut members = Vec::new();
    for column in columns {
        let name = serde_json::to_string(column.name.as_str()).map_err(Error::internal)?;
        match given.get(column.name.as_str()) {
            Some(value) => members.push(format!("{name}:{}", value.get())),
            None if absent => {}
            None => members.push(format!("{name}:null")),
        }
    }
    Ok(format!("{{{}}}", members.join(",")))
}

fn object(rows: &Rows) -> Result<HashMap<String, &RawValue>> {
    let unreadable = |_| Error::invalid("PGRST102", "Empty or invalid json");
    if !rows.is_array {
        return serde_json::from_str(&rows.json).map_err(unreadable);
    }
    let all: Vec<HashMap<String, &RawValue>> = serde_json::from_str(&rows.json).map_err(unreadable)?;
    Ok(all.into_iter().next().unwrap_or_default())
}

/// A filter that is nothing but equalities.
fn equalities(filter: &Predicate) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    collect(filter, &mut checks)?;
    Ok(checks)
}

fn collect(filter: &Predicate, checks: &mut Vec<Check>) -> Result<()> {
    let operator = |feature, word: &str| unsupported(feature, format_args!("the operator {word}"));
    let (place, value) = match filter {
        Predicate::All(parts) => return parts.iter().try_for_each(|part| collect(part, checks)),
        Predicate::Any(_) => return Err(operator(Feature::Filters, "or")),
        Predicate::Not(_) => return Err(operator(Feature::Filters, "not")),
        Predicate::Compare(place, CompareOp::Eq, None, value) => (place, value.clone()),
        Predicate::Compare(_, _, Some(Quantifier::Any), _) => return Err(operator(Feature::Filters, "any")),
        Predicate::Compare(_, _, Some(Quantifier::All), _) => return Err(operator(Feature::Filters, "all")),
        Predicate::Compare(_, op, ..) if is_pattern(*op) => return Err(operator(Feature::Patterns, op.word())),
        Predicate::Compare(_, op, ..) => return Err(operator(Feature::Filters, op.word())),
        Predicate::Is(place, IsValue::True) => (place, "true".to_owned()),
        Predicate::Is(place, IsValue::False) => (place, "false".to_owned()),
        Predicate::Is(..) => return Err(operator(Feature::Filters, "is")),
        Predicate::In(..) => return Err(operator(Feature::Filters, "in")),
        Predicate::IsDistinct(..) => return Err(operator(Feature::Filters, "isdistinct")),
        Predicate::Relate(_, op, _) => return Err(operator(Feature::Containment, op.word())),
        Predicate::Search(_, kind, ..) => return Err(operator(Feature::TextSearch, kind.word())),
        Predicate::Has(_) => return Err(unsupported(Feature::Embeds, "an embed")),
    };
    let Place {
        column,
        computed,
        path,
        class,
    } = place;
    if computed.is_some() || !path.is_empty() || matches!(class, Class::Json | Class::Array) {
        return Err(unsupported(Feature::JsonComparisons, "a comparison of JSON"));
    }
    value::check(*class, &value)?;
    checks.push(Check {
        column: column.to_string(),
        value,
    });
    Ok(())
}

fn is_pattern(op: CompareOp) -> bool {
    matches!(
        op,
        CompareOp::Like | CompareOp::Ilike | CompareOp::Match | CompareOp::Imatch
    )
}

/// The key that a write's filter names, and nothing else.
fn only_key(filter: &Predicate, resource: &Resource) -> Result<String> {
    let key = match equalities(filter) {
        Ok(checks) => match checks.as_slice() {
            [only] if only.column == resource.id => Some(only.value.clone()),
            _ => None,
        },
        Err(refused) if refused.kind() == ErrorKind::Unsupported => None,
        Err(refused) => return Err(refused),
    };
    key.ok_or_else(|| {
        let what = format_args!("a write to other rows than the one with {}=eq.…", resource.id);
        unsupported(Feature::WriteByFilter, what)
    })
}

/// A request of that path, which may have fixed parameters.
fn at(verb: Verb, path: &str) -> Ask {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    Ask {
        verb,
        path: path.to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        body: None,
    }
}

/// A request of the path of one row. A key that would change the path around it is none.
fn keyed(verb: Verb, path: &str, key: &str) -> Result<Ask> {
    if key.is_empty() || key == "." || key == ".." {
        return Err(unsupported(Feature::Filters, "a key that is empty or made of dots"));
    }
    let mut ask = at(verb, path);
    let encoded = utf8_percent_encode(key, KEPT).to_string();
    ask.path = ask.path.replacen("{id}", &encoded, 1);
    for (_, value) in &mut ask.query {
        *value = value.replacen("{id}", key, 1);
    }
    Ok(ask)
}
