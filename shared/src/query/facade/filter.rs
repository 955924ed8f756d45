//! Filters as JSON: `{column: value}`, `{column: {operator: value}}`, `and`, `or` and `not`.
//!
//! All members of an object must hold. A column's value means equality, null `is null`, a list "one of these". Keys are
//! the grammar's: `data->>kind`, and of an embed `tasks.done`; a name that holds a dot or an arrow is quoted.

use serde_json::{Map, Value};

use super::super::parse;
use super::super::request::{
    CompareOp, Condition, Field, IsValue, Logic, Quantifier, RelateOp, Scoped, SearchKind, Test,
};
use super::super::shown;
use super::column_field;
use crate::error::{Error, Result};
use crate::schema::catalog::Relation;

/// Groups within groups.
const MAX_DEPTH: usize = 20;

/// Reads filters: an object, or a list of objects that all must hold. Types are looked up in `relation`.
///
/// # Errors
/// `records/invalid-filter`, saying where.
pub(super) fn filters(json: &Value, relation: Option<&Relation>) -> Result<Vec<Scoped<Logic>>> {
    let reader = Reader { relation };
    match json {
        Value::Null => Ok(Vec::new()),
        Value::Object(members) => reader.members(members, 0),
        Value::Array(objects) => {
            let mut all = Vec::new();
            for object in objects {
                let members = object.as_object().ok_or_else(|| not_an_object("filters"))?;
                all.extend(reader.members(members, 0)?);
            }
            Ok(all)
        }
        _ => Err(not_an_object("filters")),
    }
}

struct Reader<'a> {
    relation: Option<&'a Relation>,
}

impl Reader<'_> {
    fn members(&self, members: &Map<String, Value>, depth: usize) -> Result<Vec<Scoped<Logic>>> {
        if depth > MAX_DEPTH {
            return Err(wrong(format!("Filters are nested deeper than {MAX_DEPTH} levels")));
        }
        members
            .iter()
            .map(|(key, value)| self.member(key, value, depth))
            .collect()
    }

    fn member(&self, key: &str, value: &Value, depth: usize) -> Result<Scoped<Logic>> {
        let (path, last) = key.rsplit_once('.').unwrap_or(("", key));
        match (last, value) {
            ("and" | "or", Value::Array(parts)) => Ok(Scoped {
                path: embeds(path)?,
                value: self.group(last == "or", parts, depth)?,
            }),
            ("not", Value::Object(members)) => Ok(Scoped {
                path: embeds(path)?,
                value: negated(self.all(members, depth)?),
            }),
            _ => {
                let Scoped { path, value: field } = self::key(key)?;
                let relation = self.relation.filter(|_| path.is_empty());
                let value = Column {
                    key,
                    json: is_json(&field, relation),
                    field,
                }
                .test(value, depth)?;
                Ok(Scoped { path, value })
            }
        }
    }

    fn group(&self, any: bool, parts: &[Value], depth: usize) -> Result<Logic> {
        let word = if any { "or" } else { "and" };
        let parts = parts.iter().map(|part| {
            let members = part.as_object().ok_or_else(|| not_an_object(word))?;
            self.all(members, depth)
        });
        Ok(Logic::Group {
            negated: false,
            any,
            parts: parts.collect::<Result<_>>()?,
        })
    }

    /// The members of an object inside a group.
    fn all(&self, members: &Map<String, Value>, depth: usize) -> Result<Logic> {
        let parts = self.members(members, depth + 1)?;
        if let Some(embed) = parts.iter().find_map(|part| part.path.first()) {
            return Err(
                wrong(format!("{} is an embed, and stands inside a group", shown(embed)))
                    .with_hint("Put the group into the embed: {\"tasks.or\": [{\"done\": true}, …]}"),
            );
        }
        Ok(one_or_all(parts.into_iter().map(|part| part.value).collect()))
    }
}

/// A column with what is said about it.
struct Column<'a> {
    key: &'a str,
    field: Field,
    /// Whether its values are JSON.
    json: bool,
}

impl Column<'_> {
    fn test(&self, value: &Value, depth: usize) -> Result<Logic> {
        match value {
            Value::Object(operators) => self.operators(operators, depth),
            Value::Array(values) => self.one_of(values),
            other => self.equal(other),
        }
    }

    fn operators(&self, operators: &Map<String, Value>, depth: usize) -> Result<Logic> {
        if operators.is_empty() {
            return Err(self
                .wrong("has no operator")
                .with_hint("Write {\"eq\": {}} for an empty object"));
        }
        if depth > MAX_DEPTH {
            return Err(self.wrong("is nested too deep"));
        }
        let tests = operators.iter().map(|(word, value)| self.operator(word, value, depth));
        Ok(one_or_all(tests.collect::<Result<_>>()?))
    }

    fn operator(&self, word: &str, value: &Value, depth: usize) -> Result<Logic> {
        let (name, argument) = match word.strip_suffix(')').and_then(|word| word.split_once('(')) {
            Some((name, argument)) => (name, Some(argument)),
            None => (word, None),
        };
        if let Some(op) = CompareOp::from_word(name) {
            return match (op, argument) {
                (CompareOp::Eq, None) => self.equal(value),
                (CompareOp::Neq, None) if value.is_null() => Ok(self.condition(Test::Is(IsValue::NotNull))),
                (op, None) => Ok(self.condition(Test::Compare(op, None, self.text(word, value)?))),
                (CompareOp::Neq, Some(_)) => Err(self.unknown(word)),
                (op, Some(argument)) => self.quantified(op, argument, word, value),
            };
        }
        if let (Some(kind), Some(query)) = (SearchKind::from_word(name), value.as_str()) {
            return Ok(self.condition(Test::Search {
                kind,
                config: argument.map(str::to_owned),
                query: query.to_owned(),
            }));
        }
        if let (Some(op), None) = (RelateOp::from_word(name), argument) {
            return Ok(self.condition(Test::Relate(op, self.text(word, value)?)));
        }
        match (word, value) {
            ("not", value) => self.test(value, depth + 1).map(negated),
            ("in", Value::Array(values)) => self.one_of(values),
            ("nin", Value::Array(values)) => self.one_of(values).map(negated),
            ("in" | "nin", _) => Err(self.wrong("takes a list").with_details(shown(word))),
            ("is", value) => self.is(value),
            ("isdistinct", Value::Null) => Ok(self.condition(Test::Is(IsValue::NotNull))),
            ("isdistinct", value) => Ok(self.condition(Test::IsDistinct(self.text(word, value)?))),
            _ => Err(self.unknown(word)),
        }
    }

    fn quantified(&self, op: CompareOp, argument: &str, word: &str, value: &Value) -> Result<Logic> {
        let quantifier = match argument {
            "any" => Quantifier::Any,
            "all" => Quantifier::All,
            _ => return Err(self.unknown(word)),
        };
        let Value::Array(values) = value else {
            return Err(self.wrong("takes a list").with_details(shown(word)));
        };
        Ok(self.condition(Test::Compare(op, Some(quantifier), array(values))))
    }

    fn equal(&self, value: &Value) -> Result<Logic> {
        Ok(self.condition(match value {
            Value::Null => Test::Is(IsValue::Null),
            value => Test::Compare(CompareOp::Eq, None, self.text("eq", value)?),
        }))
    }

    /// One of these; null among them matches null.
    fn one_of(&self, values: &[Value]) -> Result<Logic> {
        let texts = values.iter().filter(|value| !value.is_null());
        let texts = texts.map(|value| self.text("in", value)).collect::<Result<Vec<_>>>()?;
        let has_null = texts.len() < values.len();
        let list = self.condition(Test::In(texts));
        Ok(if has_null {
            Logic::Group {
                negated: false,
                any: true,
                parts: vec![list, self.condition(Test::Is(IsValue::Null))],
            }
        } else {
            list
        })
    }

    fn is(&self, value: &Value) -> Result<Logic> {
        let is = match value {
            Value::Null => Some(IsValue::Null),
            Value::Bool(true) => Some(IsValue::True),
            Value::Bool(false) => Some(IsValue::False),
            Value::String(word) => IsValue::from_word(&word.to_ascii_lowercase()),
            _ => None,
        };
        is.map(|is| self.condition(Test::Is(is))).ok_or_else(|| {
            self.wrong("takes null, true, false, \"not_null\" or \"unknown\"")
                .with_details("is")
        })
    }

    fn condition(&self, test: Test) -> Logic {
        Logic::Condition(Condition {
            field: self.field.clone(),
            negated: false,
            test,
        })
    }

    /// A value as Postgres reads it. A list is an array of Postgres's, unless the column holds JSON.
    fn text(&self, operator: &str, value: &Value) -> Result<String> {
        match value {
            Value::String(text) => Ok(text.clone()),
            Value::Array(values) if !self.json => Ok(array(values)),
            Value::Null => Err(self
                .wrong("cannot be compared with null")
                .with_details(shown(operator))
                .with_hint("Use {\"is\": null} or {\"not\": null}")),
            other => Ok(other.to_string()),
        }
    }

    fn wrong(&self, what: &str) -> Error {
        wrong(format!("The filter on {} {what}", shown(self.key)))
    }

    fn unknown(&self, word: &str) -> Error {
        self.wrong("has an unknown operator, or a value it does not take")
            .with_details(shown(word))
            .with_hint(
                "Operators: eq neq gt gte lt lte like ilike match imatch (each with (any) or (all), but for neq) in nin is \
                 isdistinct cs cd ov sl sr nxl nxr adj fts plfts phfts wfts not",
            )
    }
}

/// A column's name, with its place in JSON and the embeds on the way. Without an arrow, a dot or quotes it is a name as
/// it stands.
pub(super) fn key(text: &str) -> Result<Scoped<Field>> {
    if text.contains("->") || text.contains(['.', '"']) {
        return parse::field(text);
    }
    Ok(Scoped::root(column_field(text)))
}

fn embeds(path: &str) -> Result<Vec<String>> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let Scoped { mut path, value } = parse::field(path)?;
    path.push(value.name);
    Ok(path)
}

fn is_json(field: &Field, relation: Option<&Relation>) -> bool {
    match field.path.last() {
        Some(step) => !step.as_text,
        None => relation
            .and_then(|relation| relation.column(&field.name))
            .is_some_and(|column| matches!(column.data_type.as_str(), "json" | "jsonb")),
    }
}

/// A list as Postgres writes arrays: every element quoted, so that none is taken for null or for a nested array.
pub(super) fn array(values: &[Value]) -> String {
    let element = |value: &Value| match value {
        Value::Null => "NULL".to_owned(),
        Value::Array(inner) => array(inner),
        Value::String(text) => quoted(text),
        other => quoted(&other.to_string()),
    };
    format!("{{{}}}", values.iter().map(element).collect::<Vec<_>>().join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn one_or_all(mut parts: Vec<Logic>) -> Logic {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            Logic::Group {
                negated: false,
                any: false,
                parts,
            }
        }
    }
}

fn negated(logic: Logic) -> Logic {
    match logic {
        Logic::Group { negated, any, parts } => Logic::Group {
            negated: !negated,
            any,
            parts,
        },
        Logic::Condition(condition) => Logic::Condition(Condition {
            negated: !condition.negated,
            ..condition
        }),
    }
}

fn not_an_object(what: &str) -> Error {
    wrong(format!("{what} takes objects of columns and values"))
        .with_hint("{\"age\": {\"gte\": 18}, \"or\": [{\"done\": true}, {\"title\": {\"ilike\": \"*a*\"}}]}")
}

fn wrong(message: String) -> Error {
    Error::invalid("records/invalid-filter", message)
}
