//! The order as JSON: `[{"column", "direction", "nulls"}]`, or in the words of the URL: `"age.desc,name"`.

use serde::Deserialize;
use serde_json::Value;

use super::super::parse;
use super::super::request::OrderTerm;
use super::filter::key;
use crate::error::{Error, Result};

/// One term.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Term {
    column: String,
    direction: Option<Direction>,
    nulls: Option<Nulls>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Asc,
    Desc,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Nulls {
    First,
    Last,
}

/// Reads an order.
///
/// # Errors
/// `records/invalid-sort`, `PGRST100`.
pub(super) fn order(json: &Value) -> Result<Vec<OrderTerm>> {
    match json {
        Value::Null => Ok(Vec::new()),
        Value::Array(terms) => {
            let terms: Vec<_> = terms.iter().map(terms_of).collect::<Result<_>>()?;
            Ok(terms.into_iter().flatten().collect())
        }
        one => terms_of(one),
    }
}

fn terms_of(json: &Value) -> Result<Vec<OrderTerm>> {
    if let Value::String(text) = json {
        return parse::order(text);
    }
    let term = Term::deserialize(json).map_err(|error| {
        Error::invalid("records/invalid-sort", "The sort order cannot be read")
            .with_details(error.to_string())
            .with_hint("[{\"column\": \"age\", \"direction\": \"desc\", \"nulls\": \"last\"}, {\"column\": \"name\"}]")
    })?;
    let field = key(&term.column)?;
    let mut embeds = field.path.into_iter();
    let relation = embeds.next();
    if embeds.next().is_some() {
        return Err(Error::invalid(
            "records/invalid-sort",
            "Rows can be sorted by their own columns and those of a direct embed",
        ));
    }
    Ok(vec![OrderTerm {
        relation,
        field: field.value,
        descending: term.direction == Some(Direction::Desc),
        nulls_first: term.nulls.map(|nulls| nulls == Nulls::First),
    }])
}
