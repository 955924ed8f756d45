//! A column's type in the words of JSON Schema 2020-12, as far as records writes and reads it.

use serde_json::{Map, Value, json};

use crate::schema::catalog::{Catalog, NamedType};

/// How deep types may be made of types: a domain over a domain, an array of a composite type.
const DEEPEST: usize = 8;

/// Types that are texts in JSON, each with a value that it takes.
const TEXTS: &[(&str, &str)] = &[
    ("binary", "AAEC"),
    ("bit varying", "101"),
    ("blob", "AAEC"),
    ("box", "(1,1),(0,0)"),
    ("bytea", "\\x00ff"),
    ("char", "a"),
    ("character", "a"),
    ("character varying", "text"),
    ("cidr", "192.0.2.0/24"),
    ("circle", "<(0,0),1>"),
    ("citext", "text"),
    ("daterange", "[2026-03-14,2026-03-21)"),
    ("datetime", "2026-03-14 09:26:53"),
    ("inet", "192.0.2.1"),
    ("int4range", "[1,10)"),
    ("int8range", "[1,10)"),
    ("interval", "1 day"),
    ("longblob", "AAEC"),
    ("longtext", "text"),
    ("macaddr", "08:00:2b:01:02:03"),
    ("mediumblob", "AAEC"),
    ("mediumtext", "text"),
    ("money", "$19.99"),
    ("name", "text"),
    ("numrange", "[1.5,2.5)"),
    ("point", "(13.4,52.5)"),
    ("set", "a"),
    ("text", "text"),
    ("time", "09:30:00"),
    ("time with time zone", "09:30:00+00"),
    ("time without time zone", "09:30:00"),
    ("timestamp", "2026-03-14 09:26:53"),
    ("timestamp without time zone", "2026-03-14T09:26:53"),
    ("tinyblob", "AAEC"),
    ("tinytext", "text"),
    ("tsquery", "'word'"),
    ("tsrange", "[\"2026-03-14 09:00\",\"2026-03-14 10:00\")"),
    ("tstzrange", "[\"2026-03-14 09:00+00\",\"2026-03-14 10:00+00\")"),
    ("tsvector", "'word':1"),
    ("varbinary", "AAEC"),
    ("varchar", "text"),
    ("xml", "<a/>"),
];

/// Types by name, as a client meets them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Types<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) wide_integers_as_text: bool,
}

impl Types<'_> {
    /// The schema of a value of a type; null is one of its values if `nullable`.
    pub(super) fn schema(self, data_type: &str, nullable: bool) -> Map<String, Value> {
        let mut schema = self.plain(data_type, DEEPEST);
        if nullable {
            allow_null(&mut schema);
        }
        schema
    }

    fn plain(self, data_type: &str, depth: usize) -> Map<String, Value> {
        if depth == 0 {
            return Map::new();
        }
        if let Some(element) = data_type.strip_suffix("[]") {
            let mut items = self.plain(element, depth - 1);
            allow_null(&mut items);
            return made(json!({ "type": "array", "items": items }));
        }
        let bare = data_type.trim_matches('"').replace("\"\"", "\"");
        if let Some(labels) = self.catalog.enums.get(&bare) {
            return made(json!({ "type": "string", "enum": labels }));
        }
        match self.catalog.types.get(&bare) {
            Some(NamedType::Domain(base)) => return self.plain(base, depth - 1),
            Some(NamedType::Composite(fields)) => {
                let field = |(name, kind): &(crate::ident::Ident, String)| {
                    let mut schema = self.plain(kind, depth - 1);
                    allow_null(&mut schema);
                    (name.to_string(), Value::from(schema))
                };
                let properties: Map<_, _> = fields.iter().map(field).collect();
                return made(json!({ "type": "object", "properties": properties }));
            }
            None => {}
        }
        self.built_in(data_type)
    }

    fn built_in(self, data_type: &str) -> Map<String, Value> {
        let Name { base, length, unsigned } = Name::of(data_type);
        let least = |signed: i64| if unsigned { 0 } else { signed };
        let integer = |bits: u32| {
            let half = 1_i64 << (bits - 1);
            let most = if unsigned { half * 2 - 1 } else { half - 1 };
            json!({ "type": "integer", "minimum": least(-half), "maximum": most })
        };
        made(match base.as_str() {
            "boolean" | "bool" => json!({ "type": "boolean" }),
            "tinyint" => integer(8),
            "smallint" => integer(16),
            "mediumint" => integer(24),
            "integer" | "int" => with(
                integer(32),
                "format",
                if unsigned { None } else { Some("int32".into()) },
            ),
            "bigint" if self.wide_integers_as_text => json!({ "type": "string", "pattern": "^-?[0-9]+$" }),
            "bigint" if unsigned => json!({ "type": "integer", "minimum": 0 }),
            "bigint" => json!({ "type": "integer", "format": "int64" }),
            "year" => json!({ "type": "integer" }),
            "numeric" | "decimal" => json!({ "type": "number" }),
            "real" | "float" => json!({ "type": "number", "format": "float" }),
            "double precision" | "double" => json!({ "type": "number", "format": "double" }),
            "uuid" => json!({ "type": "string", "format": "uuid" }),
            "date" => json!({ "type": "string", "format": "date" }),
            "timestamp with time zone" => json!({ "type": "string", "format": "date-time" }),
            "enum" => json!({ "type": "string", "enum": labels(data_type) }),
            other => match TEXTS.iter().find(|(name, _)| *name == other) {
                Some(_) => {
                    let counted = matches!(other, "character" | "character varying" | "char" | "varchar");
                    let most = length.filter(|_| counted).map(Value::from);
                    with(json!({ "type": "string" }), "maxLength", most)
                }
                // An extension's, or `json`: it may be anything.
                None => json!({}),
            },
        })
    }

    /// A value that the type takes, where its name does not suggest a better one.
    pub(super) fn sample(self, data_type: &str) -> Option<&'static str> {
        let name = Name::of(data_type);
        let free = matches!(name.base.as_str(), "text" | "citext" | "name" | "char" | "character");
        let free = free
            || matches!(
                name.base.as_str(),
                "character varying" | "varchar" | "longtext" | "mediumtext" | "tinytext"
            );
        TEXTS
            .iter()
            .find(|(known, _)| *known == name.base && !free)
            .map(|(_, sample)| *sample)
    }
}

/// `character varying(20)`, `timestamp(3) with time zone`, `int(11) unsigned` in their parts.
struct Name {
    base: String,
    length: Option<u64>,
    unsigned: bool,
}

impl Name {
    fn of(data_type: &str) -> Self {
        let lower = data_type.to_ascii_lowercase();
        let (bare, inside) = match (lower.find('('), lower.rfind(')')) {
            (Some(from), Some(to)) if from < to => (
                format!("{}{}", &lower[..from], &lower[to + 1..]),
                lower[from + 1..to].parse().ok(),
            ),
            _ => (lower, None),
        };
        let unsigned = bare.contains(" unsigned");
        let base = bare.replace(" unsigned", "").replace(" zerofill", "");
        Self {
            base: base.trim().to_owned(),
            length: inside,
            unsigned,
        }
    }
}

/// The labels of MySQL's `enum('a','b')`.
fn labels(data_type: &str) -> Vec<String> {
    let inside = data_type
        .split_once('(')
        .map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let inside = inside
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or_default();
    inside.split("','").map(|label| label.replace("''", "'")).collect()
}

/// Null, beside what it takes already.
fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(Value::Array(labels)) = schema.get_mut("enum") {
        labels.push(Value::Null);
    }
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
}

fn made(schema: Value) -> Map<String, Value> {
    match schema {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn with(mut schema: Value, name: &str, value: Option<Value>) -> Value {
    if let (Value::Object(members), Some(value)) = (&mut schema, value) {
        members.insert(name.to_owned(), value);
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_say_what_their_values_are_in_json() {
        let mut catalog = Catalog::default();
        catalog
            .enums
            .insert("mood".to_owned(), vec!["ok".to_owned(), "sad".to_owned()]);
        catalog
            .types
            .insert("posint".to_owned(), NamedType::Domain("integer".to_owned()));
        let types = Types {
            catalog: &catalog,
            wide_integers_as_text: false,
        };
        let lines: Vec<_> = [
            ("uuid", false),
            ("text", true),
            ("character varying(20)", true),
            ("integer", false),
            ("posint", false),
            ("bigint", true),
            ("int(10) unsigned", false),
            ("numeric(10,2)", true),
            ("timestamp(3) with time zone", false),
            ("timestamp without time zone", false),
            ("jsonb", true),
            ("mood", true),
            ("mood[]", false),
            ("enum('a','it''s')", false),
            ("somebodys_type", true),
        ]
        .into_iter()
        .map(|(name, nullable)| format!("{name}: {}", Value::from(types.schema(name, nullable))))
        .collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        uuid: {"format":"uuid","type":"string"}
        text: {"type":["string","null"]}
        character varying(20): {"maxLength":20,"type":["string","null"]}
        integer: {"format":"int32","maximum":2147483647,"minimum":-2147483648,"type":"integer"}
        posint: {"format":"int32","maximum":2147483647,"minimum":-2147483648,"type":"integer"}
        bigint: {"format":"int64","type":["integer","null"]}
        int(10) unsigned: {"maximum":4294967295,"minimum":0,"type":"integer"}
        numeric(10,2): {"type":["number","null"]}
        timestamp(3) with time zone: {"format":"date-time","type":"string"}
        timestamp without time zone: {"type":"string"}
        jsonb: {}
        mood: {"enum":["ok","sad",null],"type":["string","null"]}
        mood[]: {"items":{"enum":["ok","sad",null],"type":["string","null"]},"type":"array"}
        enum('a','it''s'): {"enum":["a","it's"],"type":"string"}
        somebodys_type: {}
        "#);
    }
}
