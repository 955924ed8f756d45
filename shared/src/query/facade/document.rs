//! A read as one JSON document, for those whose filters no URL holds.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::parse;
use super::super::request::{CountKind, Request, Scoped, SelectItem};
use super::super::shown;
use super::{filter, sort};
use crate::error::{Error, Result};
use crate::schema::catalog::Catalog;

/// What is to be read of a table. Every member may be absent.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Document {
    /// Columns, aliases, casts and embeds in the words of the URL; one text, or a list of them.
    pub select: Value,
    /// What rows must satisfy.
    #[serde(alias = "where")]
    pub filters: Value,
    /// In which order.
    #[serde(alias = "order")]
    pub sort: Value,
    /// At most so many rows.
    pub limit: Option<u64>,
    /// Rows left out at the beginning.
    pub offset: Option<u64>,
    /// Whether matching rows are counted: `exact`, `planned` or `estimated`.
    pub count: Option<String>,
}

impl Document {
    /// Reads one.
    ///
    /// # Errors
    /// `PGRST102` for anything else.
    pub fn read(json: &[u8]) -> Result<Self> {
        // Not straight into the struct, which serde would make of a list too.
        let members = serde_json::from_slice::<Map<String, Value>>(json);
        members
            .and_then(|members| Self::deserialize(Value::Object(members)))
            .map_err(|error| {
                Error::invalid("PGRST102", "The query in the body cannot be read")
                    .with_details(shown(&error.to_string()))
                    .with_hint(
                        "{\"select\": \"id,title\", \"filters\": {\"done\": false}, \"sort\": [{\"column\": \"id\"}], \
                     \"limit\": 10, \"offset\": 0, \"count\": \"exact\"}",
                    )
            })
    }

    /// Adds it to a request for the same table. Filters add up; what can be said once is said in one place.
    ///
    /// # Errors
    /// `records/invalid-filter`, `records/invalid-sort`, `PGRST100`.
    pub fn add_to(&self, mut request: Request, catalog: &Catalog) -> Result<Request> {
        let relation = catalog.relation(&request.table);
        request.filters.extend(filter::filters(&self.filters, relation)?);
        let select = self.selection()?;
        let order = sort::order(&self.sort)?;
        let count = self.count.as_deref().map(count).transpose()?;
        once(&mut request.select, select, "select")?;
        once(
            &mut request.order,
            scoped((!order.is_empty()).then_some(order)),
            "order",
        )?;
        once(&mut request.limit, scoped(self.limit), "limit")?;
        once(&mut request.offset, scoped(self.offset), "offset")?;
        request.prefer.count = count.or(request.prefer.count);
        parse::check_conditions(&request)?;
        Ok(request)
    }

    fn selection(&self) -> Result<Vec<SelectItem>> {
        let fault = || {
            Error::invalid("PGRST100", "select takes a text, or a list of texts")
                .with_hint("[\"id\", \"name:title\", \"author(name)\"]")
        };
        let texts: Vec<&str> = match &self.select {
            Value::Null => Vec::new(),
            Value::String(text) => vec![text],
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_str().ok_or_else(fault))
                .collect::<Result<_>>()?,
            _ => return Err(fault()),
        };
        let items: Vec<_> = texts.into_iter().map(parse::selection).collect::<Result<_>>()?;
        Ok(items.into_iter().flatten().collect())
    }
}

fn count(word: &str) -> Result<CountKind> {
    CountKind::from_word(word)
        .ok_or_else(|| Error::invalid("PGRST100", "count is exact, planned or estimated").with_details(shown(word)))
}

fn scoped<T>(value: Option<T>) -> Vec<Scoped<T>> {
    value.map(Scoped::root).into_iter().collect()
}

/// Fills what the URL has left open.
fn once<T>(place: &mut Vec<T>, said: Vec<T>, what: &'static str) -> Result<()> {
    if said.is_empty() {
        return Ok(());
    }
    if !place.is_empty() {
        return Err(
            Error::invalid("PGRST100", format!("{what} is given in the URL and in the body"))
                .with_hint("Say it in one of them"),
        );
    }
    *place = said;
    Ok(())
}
