//! Schemas: in one line where they are used, in a table where they are defined.

use serde_json::Value;

use super::text::{escape, line, prose, slug};

/// How deep a schema is shown in one line.
const DEEPEST: usize = 4;

/// What kind of value it is, in one line of HTML.
pub(super) fn kind(schema: &Value) -> String {
    shown(schema, DEEPEST)
}

fn shown(schema: &Value, depth: usize) -> String {
    if depth == 0 {
        return "…".to_owned();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|pointer| pointer.rsplit('/').next()) {
        return format!("<a href=\"#schema-{}\">{}</a>", slug(name), escape(name));
    }
    for (key, word) in [("oneOf", " or "), ("anyOf", " or "), ("allOf", " and ")] {
        if let Some(parts) = schema[key].as_array() {
            let parts: Vec<_> = parts.iter().map(|part| shown(part, depth - 1)).collect();
            return parts.join(word);
        }
    }
    if let Some(labels) = schema["enum"].as_array() {
        let labels: Vec<_> = labels
            .iter()
            .map(|label| format!("<code>{}</code>", escape(&label.to_string())))
            .collect();
        return labels.join(", ");
    }
    let named = |name: &str| match name {
        "array" if schema.get("items").is_some() => format!("array of {}", shown(&schema["items"], depth - 1)),
        other => match schema["format"].as_str() {
            Some(format) if other != "null" => format!("{} ({})", escape(other), escape(format)),
            _ => escape(other),
        },
    };
    match &schema["type"] {
        Value::String(name) => named(name),
        Value::Array(names) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).map(named).collect();
            names.join(" or ")
        }
        _ => "any".to_owned(),
    }
}

/// All schemas of the document.
pub(super) fn all(html: &mut String, document: &Value) {
    let schemas = document["components"]["schemas"].as_object();
    let Some(schemas) = schemas.filter(|schemas| !schemas.is_empty()) else {
        return;
    };
    html.push_str("<section><h2 id=\"schemas\">Schemas</h2>");
    for (name, schema) in schemas {
        html.push_str(&format!(
            "<article id=\"schema-{}\"><h3>{}</h3>",
            slug(name),
            escape(name)
        ));
        html.push_str(&prose(schema["description"].as_str().unwrap_or_default()));
        let Some(properties) = schema["properties"].as_object() else {
            html.push_str(&format!("<p>{}</p></article>", kind(schema)));
            continue;
        };
        let required: Vec<&str> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        html.push_str(
            "<div class=\"wide\"><table><thead><tr><th>Name</th><th>Type</th><th>Meaning</th></tr></thead><tbody>",
        );
        for (name, property) in properties {
            let must = if required.contains(&name.as_str()) {
                " <strong>required</strong>"
            } else {
                ""
            };
            html.push_str(&format!(
                "<tr><td><code>{}</code>{must}</td><td>{}</td><td>{}</td></tr>",
                escape(name),
                kind(property),
                line(property["description"].as_str().unwrap_or_default())
            ));
        }
        html.push_str("</tbody></table></div></article>");
    }
    html.push_str("</section>");
}

/// JSON for people to read.
pub(super) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
