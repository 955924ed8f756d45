//! One operation.

use serde_json::Value;

use super::schema::{kind, pretty};
use super::text::{escape, line, prose};
use super::{Operation, resolved};

pub(super) fn render(html: &mut String, document: &Value, operation: &Operation<'_>) {
    let value = operation.value;
    let id = escape(&operation.id());
    html.push_str(&format!("<article id=\"{id}\"><h3>"));
    html.push_str(&escape(value["summary"].as_str().unwrap_or(operation.path)));
    html.push_str(&format!(
        " <a class=\"anchor\" href=\"#{id}\" aria-label=\"Link\">#</a></h3>"
    ));
    html.push_str(&format!(
        "<p class=\"line\"><span class=\"method {0}\">{0}</span> <code>{1}</code></p>",
        operation.method,
        escape(operation.path)
    ));
    html.push_str(&prose(value["description"].as_str().unwrap_or_default()));
    security(html, document, value);
    parameters(html, document, operation);
    body(html, document, value);
    responses(html, document, value);
    html.push_str("</article>");
}

/// Who may ask, in the names of the security schemes: any of the sets will do.
fn security(html: &mut String, document: &Value, operation: &Value) {
    let asked = operation.get("security").or_else(|| document.get("security"));
    let Some(sets) = asked.and_then(Value::as_array) else {
        return;
    };
    let said: Vec<String> = sets
        .iter()
        .filter_map(Value::as_object)
        .map(|set| {
            let names: Vec<_> = set
                .keys()
                .map(|name| format!("<code>{}</code>", escape(name)))
                .collect();
            if names.is_empty() {
                "nothing".to_owned()
            } else {
                names.join(" and ")
            }
        })
        .collect();
    let said = if said.is_empty() {
        "nothing".to_owned()
    } else {
        said.join(", or ")
    };
    html.push_str(&format!("<p class=\"quiet\">Needs {said}.</p>"));
}

fn parameters(html: &mut String, document: &Value, operation: &Operation<'_>) {
    let own = operation.value.get("parameters").and_then(Value::as_array);
    let shared = operation.shared.and_then(Value::as_array);
    let all: Vec<&Value> = shared
        .into_iter()
        .chain(own)
        .flatten()
        .map(|parameter| resolved(document, parameter))
        .collect();
    if all.is_empty() {
        return;
    }
    html.push_str("<details><summary>Parameters</summary><div class=\"wide\"><table><thead><tr><th>Name</th><th>In</th><th>Type</th><th>Meaning</th></tr></thead><tbody>");
    for parameter in all {
        let required = if parameter["required"] == true {
            " <strong>required</strong>"
        } else {
            ""
        };
        html.push_str(&format!(
            "<tr><td><code>{}</code>{required}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            escape(parameter["name"].as_str().unwrap_or_default()),
            escape(parameter["in"].as_str().unwrap_or_default()),
            kind(&parameter["schema"]),
            line(parameter["description"].as_str().unwrap_or_default())
        ));
    }
    html.push_str("</tbody></table></div></details>");
}

fn body(html: &mut String, document: &Value, operation: &Value) {
    let Some(body) = operation.get("requestBody") else {
        return;
    };
    html.push_str("<details open><summary>Body</summary>");
    content(html, resolved(document, body));
    html.push_str("</details>");
}

fn responses(html: &mut String, document: &Value, operation: &Value) {
    html.push_str("<details><summary>Replies</summary>");
    for (status, response) in operation["responses"].as_object().into_iter().flatten() {
        let response = resolved(document, response);
        html.push_str(&format!(
            "<p class=\"reply\"><strong>{}</strong> {}</p>",
            escape(status),
            line(response["description"].as_str().unwrap_or_default())
        ));
        content(html, response);
    }
    html.push_str("</details>");
}

/// The media types of a body or a reply.
fn content(html: &mut String, holder: &Value) {
    for (media, of) in holder["content"].as_object().into_iter().flatten() {
        html.push_str(&format!(
            "<p><code>{}</code> {}</p>",
            escape(media),
            kind(&of["schema"])
        ));
        if let Some(example) = of.get("example") {
            html.push_str(&format!("<pre>{}</pre>", escape(&pretty(example))));
        }
    }
}
