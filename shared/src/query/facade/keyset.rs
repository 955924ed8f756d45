//! Pages that fit together while rows come and go: each goes on behind the last row of the one before, by the values of
//! its sort columns and its primary key.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::request::{CompareOp, Condition, IsValue, Logic, OrderTerm, Request, Scoped, SelectItem, Test};
use super::{column_field, filter};
use crate::error::{Error, Result};
use crate::schema::catalog::Relation;

/// The columns that tell every row of a table from every other, in the order of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyset {
    table: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    column: String,
    descending: bool,
    nulls_first: bool,
    nullable: bool,
}

/// What a cursor holds: its format, the table, the order, and the last row's values.
type Cursor = (u8, String, String, Vec<Option<String>>);
const FORMAT: u8 = 1;

impl Keyset {
    /// That of a request. There is none without a primary key, and none for an order by anything else than columns of
    /// the table itself.
    pub fn of(request: &Request, relation: &Relation) -> Option<Self> {
        if relation.primary_key.is_empty() || !super::shows_rows(request) {
            return None;
        }
        let order = request.order.iter().find(|order| order.path.is_empty());
        let mut terms: Vec<Term> = Vec::new();
        for term in order.map_or(&[][..], |order| &order.value) {
            let column = relation.column(&term.field.name)?;
            if term.relation.is_some() || !term.field.path.is_empty() {
                return None;
            }
            terms.push(Term {
                column: term.field.name.clone(),
                descending: term.descending,
                nulls_first: term.nulls_first.unwrap_or(term.descending),
                nullable: column.nullable,
            });
        }
        for key in &relation.primary_key {
            if !terms.iter().any(|term| term.column == key.as_str()) {
                terms.push(Term {
                    column: key.as_str().to_owned(),
                    descending: false,
                    nulls_first: false,
                    nullable: false,
                });
            }
        }
        Some(Self {
            table: request.table.clone(),
            terms,
        })
    }

    /// The request in this order, with the columns that its cursors are made of.
    ///
    /// # Errors
    /// `records/cursor-column` when another thing is shown under the name of one.
    pub fn apply(&self, mut request: Request) -> Result<Request> {
        request.order.retain(|order| !order.path.is_empty());
        let terms = self.terms.iter().map(|term| OrderTerm {
            relation: None,
            field: column_field(&term.column),
            descending: term.descending,
            nulls_first: Some(term.nulls_first),
        });
        request.order.push(Scoped::root(terms.collect()));
        let shows_all = request.select.is_empty() || request.select.contains(&SelectItem::All);
        for term in &self.terms {
            let plain = SelectItem::Column {
                alias: None,
                field: column_field(&term.column),
                cast: None,
            };
            let mut others = request.select.iter().filter(|item| **item != plain);
            if others.any(|item| shown_as(item) == Some(&term.column)) {
                return Err(Error::invalid(
                    "records/cursor-column",
                    format!("Something else is shown as {}, which pages need", term.column),
                )
                .with_hint("Give it another alias: sort columns and the primary key are always shown"));
            }
            if !shows_all && !request.select.contains(&plain) {
                request.select.push(plain);
            }
        }
        Ok(request)
    }

    /// What rows behind a cursor satisfy.
    ///
    /// # Errors
    /// `records/invalid-cursor` when it is not one of this table in this order.
    pub fn after(&self, cursor: &str) -> Result<Logic> {
        let invalid = || {
            Error::invalid("records/invalid-cursor", "The cursor does not belong to this query")
                .with_hint("Send nextCursor of the page before, with the same table and order")
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| invalid())?;
        let (format, table, order, values): Cursor = serde_json::from_slice(&bytes).map_err(|_| invalid())?;
        let fits = format == FORMAT && table == self.table && order == self.order() && values.len() == self.terms.len();
        if !fits {
            return Err(invalid());
        }
        Ok(self.behind(&values))
    }

    /// The cursor behind a row; none if the row does not show its columns.
    pub fn cursor(&self, row: &RawValue) -> Option<String> {
        let row: BTreeMap<String, &RawValue> = serde_json::from_str(row.get()).ok()?;
        let values: Option<Vec<Option<String>>> = self.terms.iter().map(|term| text(row.get(&term.column)?)).collect();
        let cursor: Cursor = (FORMAT, self.table.clone(), self.order(), values?);
        Some(URL_SAFE_NO_PAD.encode(serde_json::to_vec(&cursor).ok()?))
    }

    fn order(&self) -> String {
        let terms = self.terms.iter().map(|term| {
            let (sign, nulls) = (if term.descending { '-' } else { '+' }, u8::from(term.nulls_first));
            format!("{sign}{nulls}{}", term.column)
        });
        terms.collect::<Vec<_>>().join(",")
    }

    /// Equal in the first columns and behind in the next, for one number of first columns.
    fn behind(&self, values: &[Option<String>]) -> Logic {
        let mut ways = Vec::new();
        for at in 0..self.terms.len() {
            let Some(next) = self.terms[at].behind(values[at].as_deref()) else {
                continue;
            };
            let equal = self.terms[..at].iter().zip(values);
            let mut parts: Vec<Logic> = equal.map(|(term, value)| term.equal(value.as_deref())).collect();
            parts.push(next);
            ways.push(group(false, parts));
        }
        let ways = group(true, ways);
        match self.bound(values) {
            Some(bound) => group(false, vec![bound, ways]),
            None => ways,
        }
    }

    /// What all of them have in common: an index on the first column then begins at the page.
    fn bound(&self, values: &[Option<String>]) -> Option<Logic> {
        let [first, _, ..] = self.terms.as_slice() else {
            return None;
        };
        let value = values
            .first()?
            .clone()
            .filter(|_| first.nulls_first || !first.nullable)?;
        let op = if first.descending {
            CompareOp::Lte
        } else {
            CompareOp::Gte
        };
        Some(first.condition(Test::Compare(op, None, value)))
    }
}

impl Term {
    fn equal(&self, value: Option<&str>) -> Logic {
        self.condition(match value {
            Some(value) => Test::Compare(CompareOp::Eq, None, value.to_owned()),
            None => Test::Is(IsValue::Null),
        })
    }

    fn behind(&self, value: Option<&str>) -> Option<Logic> {
        let Some(value) = value else {
            return self.nulls_first.then(|| self.condition(Test::Is(IsValue::NotNull)));
        };
        let op = if self.descending { CompareOp::Lt } else { CompareOp::Gt };
        let beyond = self.condition(Test::Compare(op, None, value.to_owned()));
        if self.nulls_first || !self.nullable {
            return Some(beyond);
        }
        Some(group(true, vec![beyond, self.condition(Test::Is(IsValue::Null))]))
    }

    fn condition(&self, test: Test) -> Logic {
        Logic::Condition(Condition {
            field: column_field(&self.column),
            negated: false,
            test,
        })
    }
}

fn group(any: bool, parts: Vec<Logic>) -> Logic {
    Logic::Group {
        negated: false,
        any,
        parts,
    }
}

/// The name of a member of the reply.
fn shown_as(item: &SelectItem) -> Option<&String> {
    match item {
        SelectItem::Column { alias, field, .. } => Some(alias.as_ref().unwrap_or(&field.name)),
        SelectItem::Embed { alias, target, .. } => Some(alias.as_ref().unwrap_or(target)),
        SelectItem::All | SelectItem::Aggregate { .. } => None,
    }
}

/// A JSON value as Postgres reads it. Numbers stay as they are written.
fn text(value: &RawValue) -> Option<Option<String>> {
    let raw = value.get();
    Some(match raw.as_bytes().first()? {
        b'n' => None,
        b'"' => Some(serde_json::from_str(raw).ok()?),
        b'[' => match serde_json::from_str(raw).ok()? {
            Value::Array(items) => Some(filter::array(&items)),
            _ => None,
        },
        _ => Some(raw.to_owned()),
    })
}
