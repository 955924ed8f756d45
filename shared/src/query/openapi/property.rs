//! One value, in the words of JSON Schema.

use serde_json::{Map, Value, json};

use super::object;
use crate::ident::Ident;
use crate::schema::catalog::{Catalog, Column, Link, Relation};

/// Names as clients know them.
pub(super) struct Names<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) schema: &'a str,
    pub(super) wide_integers_as_text: bool,
}

impl Names<'_> {
    /// A type's name without its length; the exposed schema's own with their schema.
    pub(super) fn format(&self, data_type: &str) -> String {
        let plain = without_length(data_type);
        let element = plain.strip_suffix("[]").unwrap_or(&plain);
        let bare = element.trim_matches('"').replace("\"\"", "\"");
        let catalog = self.catalog;
        let own = catalog.enums.contains_key(&bare)
            || catalog.types.contains_key(&bare)
            || catalog.relations.contains_key(&bare);
        if own && type_of(element) == Some("string") {
            return format!("{}.{plain}", self.schema);
        }
        plain
    }

    /// A column of a definition.
    pub(super) fn property(&self, relation: &Relation, column: &Column) -> Value {
        let mut property = self.value(column.value_type());
        let kind = self.type_of(&without_length(column.value_type()));
        let labels = self.catalog.enums.get(column.value_type().trim_matches('"'));
        property.extend(object([
            (
                "default",
                column.default.as_deref().and_then(|text| default(kind, text)),
            ),
            ("description", self.description(relation, column).map(Value::from)),
            ("enum", labels.map(|labels| json!(labels))),
            ("maxLength", length(column.value_type()).map(Value::from)),
        ]));
        property.into()
    }

    /// A value of a type.
    pub(super) fn value(&self, data_type: &str) -> Map<String, Value> {
        let plain = without_length(data_type);
        let kind = self.type_of(&plain);
        let items = (kind == Some("array")).then(|| {
            let element = plain.strip_suffix("[]").unwrap_or_default();
            object([("type", self.type_of(element).map(Value::from))]).into()
        });
        object([
            ("format", Some(self.format(data_type).into())),
            ("type", kind.map(Value::from)),
            ("items", items),
        ])
    }

    fn type_of(&self, plain: &str) -> Option<&'static str> {
        match plain {
            "bigint" if self.wide_integers_as_text => Some("string"),
            plain => type_of(plain),
        }
    }

    /// The comment, and what keys the column is part of: generators read these notes.
    fn description(&self, relation: &Relation, column: &Column) -> Option<String> {
        let mut notes = vec!["Note:".to_owned()];
        if relation.primary_key.contains(&column.name) {
            notes.push("This is a Primary Key.<pk/>".to_owned());
        }
        if let Some((table, there)) = self.points_to(relation, &column.name) {
            notes.push(format!(
                "This is a Foreign Key to `{table}.{there}`.<fk table='{table}' column='{there}'/>"
            ));
        }
        if notes.len() == 1 {
            return column.comment.clone();
        }
        let comment = column.comment.iter().map(|comment| format!("{comment}\n\n"));
        Some(comment.collect::<String>() + &notes.join("\n"))
    }

    /// Where a foreign key of this one column leads; to a table rather than to a view.
    fn points_to(&self, relation: &Relation, column: &Ident) -> Option<(&Ident, &Ident)> {
        let keys = self.catalog.relationships(relation.name.as_str()).iter();
        let single = keys.filter_map(|relationship| match &relationship.link {
            Link::ManyToOne { columns, .. }
            | Link::OneToOne {
                columns, here: true, ..
            } => match columns.as_slice() {
                [(here, there)] if here == column => Some((&relationship.target, there)),
                _ => None,
            },
            _ => None,
        });
        single.min_by_key(|(target, _)| {
            let known = self.catalog.relation(target.as_str());
            known.is_none_or(|known| !known.kind.is_table())
        })
    }
}

/// `character varying(20)` → `character varying`, `timestamp(3) with time zone` → `timestamp with time zone`.
fn without_length(data_type: &str) -> String {
    match (data_type.find('('), data_type.find(')')) {
        (Some(from), Some(to)) if from < to && !data_type.contains('"') => {
            format!("{}{}", &data_type[..from], &data_type[to + 1..])
        }
        _ => data_type.to_owned(),
    }
}

/// The most characters of a `character varying(20)`.
fn length(data_type: &str) -> Option<u64> {
    let rest = data_type.strip_prefix("character")?;
    let rest = rest.strip_prefix(" varying").unwrap_or(rest);
    rest.strip_prefix('(')?.strip_suffix(')')?.parse().ok()
}

/// The JSON type; none for what may be any.
pub(super) fn type_of(plain: &str) -> Option<&'static str> {
    Some(match plain {
        "boolean" => "boolean",
        "smallint" | "integer" | "bigint" => "integer",
        "numeric" | "real" | "double precision" => "number",
        "json" | "jsonb" => return None,
        other if other.ends_with("[]") => "array",
        _ => "string",
    })
}

/// A default, where JSON can say it. Of an expression the text is shown, for a text.
fn default(kind: Option<&str>, expression: &str) -> Option<Value> {
    let value = literal(expression);
    match kind {
        Some("string") => Some(value.unwrap_or_else(|| expression.to_owned()).into()),
        Some("array") => None,
        _ => {
            let value = serde_json::from_str(value.as_deref().unwrap_or(expression)).ok()?;
            Some(value).filter(|value| !Value::is_null(value))
        }
    }
}

/// The text of `'text'` or `'text'::type`.
fn literal(expression: &str) -> Option<String> {
    let rest = expression.strip_prefix('\'')?;
    let mut text = String::new();
    let mut parts = rest.split('\'');
    loop {
        text.push_str(parts.next()?);
        // Two quotes are one in the text; one ends it.
        match parts.next()? {
            "" => match parts.clone().next() {
                Some(_) => text.push('\''),
                None => return Some(text),
            },
            cast if cast.starts_with("::") && parts.next().is_none() => return Some(text),
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_shown_where_json_can_say_them() {
        for (kind, expression, expected) in [
            (Some("string"), "'x'::character varying", json!("x")),
            (Some("string"), "'it''s'::text", json!("it's")),
            (Some("string"), "''::text", json!("")),
            (Some("string"), "'x'", json!("x")),
            (Some("string"), "now()", json!("now()")),
            (
                Some("string"),
                "('a'::text || 'b'::text)",
                json!("('a'::text || 'b'::text)"),
            ),
            (Some("string"), "'ok'::app.mood", json!("ok")),
            (Some("integer"), "1", json!(1)),
            (Some("integer"), "'-1'::integer", json!(-1)),
            (Some("integer"), "nextval('a'::regclass)", Value::Null),
            (Some("boolean"), "false", json!(false)),
            (Some("array"), "'{}'::text[]", Value::Null),
            (None, "'{}'::jsonb", json!({})),
            (None, "null", Value::Null),
        ] {
            assert_eq!(default(kind, expression).unwrap_or_default(), expected, "{expression}");
        }
    }

    #[test]
    fn types_lose_their_length() {
        for (printed, expected, most) in [
            ("character varying(20)", "character varying", Some(20)),
            ("character(3)", "character", Some(3)),
            ("timestamp(3) with time zone", "timestamp with time zone", None),
            ("numeric(10,2)[]", "numeric[]", None),
            ("\"odd(\"", "\"odd(\"", None),
            ("text", "text", None),
        ] {
            assert_eq!((without_length(printed).as_str(), length(printed)), (expected, most));
        }
    }
}
