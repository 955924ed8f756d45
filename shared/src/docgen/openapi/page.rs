//! An OpenAPI document as one page of HTML: no scripts, nothing to be fetched, every text escaped.

mod operation;
mod schema;
mod text;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest, Sha256};

use text::{escape, prose, slug};

const STYLE: &str = include_str!("page/style.css");
const METHODS: [&str; 8] = ["get", "head", "post", "put", "patch", "delete", "options", "trace"];

/// The page's `Content-Security-Policy`: its own style and nothing else.
pub fn content_security_policy() -> String {
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// One operation of the document.
struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    /// What it says itself.
    value: &'a Value,
    /// Parameters of all operations of its path.
    shared: Option<&'a Value>,
}

impl Operation<'_> {
    /// Its anchor.
    fn id(&self) -> String {
        let id = self.value["operationId"].as_str().map(str::to_owned);
        id.unwrap_or_else(|| format!("{}-{}", self.method, slug(self.path)))
    }

    fn tag(&self) -> &str {
        self.value["tags"][0].as_str().unwrap_or("other")
    }
}

/// The page of a document.
pub fn render(document: &Value) -> String {
    let title = document["info"]["title"].as_str().unwrap_or("API");
    let operations = operations(document);
    let tags = tags(document, &operations);
    let mut html = String::with_capacity(1 << 16);
    html.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    html.push_str("<meta name=\"color-scheme\" content=\"light dark\">");
    html.push_str(&format!(
        "<title>{}</title><style>{STYLE}</style></head><body>",
        escape(title)
    ));
    navigation(&mut html, document, &operations, &tags);
    html.push_str("<main>");
    head(&mut html, document, title);
    for (tag, description) in &tags {
        html.push_str(&format!(
            "<section><h2 id=\"tag-{}\">{}</h2>{}",
            slug(tag),
            escape(tag),
            prose(description)
        ));
        for operation in operations.iter().filter(|operation| operation.tag() == *tag) {
            operation::render(&mut html, document, operation);
        }
        html.push_str("</section>");
    }
    schema::all(&mut html, document);
    html.push_str("</main></body></html>");
    html
}

/// All operations, in the order of their paths.
fn operations(document: &Value) -> Vec<Operation<'_>> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for method in METHODS {
            if let Some(value) = item.get(method) {
                let shared = item.get("parameters");
                found.push(Operation {
                    method,
                    path,
                    value,
                    shared,
                });
            }
        }
    }
    found
}

/// Every tag that has operations: those that the document describes first, in its order.
fn tags<'a>(document: &'a Value, operations: &[Operation<'a>]) -> Vec<(&'a str, &'a str)> {
    let described = document["tags"].as_array().into_iter().flatten();
    let mut tags: Vec<(&str, &str)> = described
        .filter_map(|tag| Some((tag["name"].as_str()?, tag["description"].as_str().unwrap_or_default())))
        .filter(|(name, _)| operations.iter().any(|operation| operation.tag() == *name))
        .collect();
    for operation in operations {
        let tag = operation.value["tags"][0].as_str().unwrap_or("other");
        if !tags.iter().any(|(name, _)| *name == tag) {
            tags.push((tag, ""));
        }
    }
    tags
}

fn navigation(html: &mut String, document: &Value, operations: &[Operation<'_>], tags: &[(&str, &str)]) {
    html.push_str("<nav aria-label=\"Contents\"><details open><summary>Contents</summary><ul>");
    for (tag, _) in tags {
        html.push_str(&format!("<li><a href=\"#tag-{}\">{}</a><ul>", slug(tag), escape(tag)));
        for operation in operations.iter().filter(|operation| operation.tag() == *tag) {
            html.push_str(&format!(
                "<li><a href=\"#{}\">{}</a></li>",
                escape(&operation.id()),
                escape(operation.value["summary"].as_str().unwrap_or(operation.path))
            ));
        }
        html.push_str("</ul></li>");
    }
    if document["components"]["schemas"]
        .as_object()
        .is_some_and(|all| !all.is_empty())
    {
        html.push_str("<li><a href=\"#schemas\">Schemas</a></li>");
    }
    html.push_str("</ul></details></nav>");
}

fn head(html: &mut String, document: &Value, title: &str) {
    let version = document["info"]["version"].as_str().unwrap_or_default();
    html.push_str(&format!(
        "<header><h1>{}</h1><p class=\"quiet\">Version {} · OpenAPI {}</p>{}",
        escape(title),
        escape(version),
        escape(document["openapi"].as_str().unwrap_or_default()),
        prose(document["info"]["description"].as_str().unwrap_or_default())
    ));
    for server in document["servers"].as_array().into_iter().flatten() {
        let url = server["url"].as_str().unwrap_or_default();
        html.push_str(&format!("<p>Base URL: <code>{}</code></p>", escape(url)));
    }
    html.push_str("</header>");
    let schemes = document["components"]["securitySchemes"].as_object();
    if let Some(schemes) = schemes.filter(|schemes| !schemes.is_empty()) {
        html.push_str("<section><h2 id=\"signing-in\">Who asks</h2><dl>");
        for (name, scheme) in schemes {
            let place = match (scheme["type"].as_str(), scheme["scheme"].as_str()) {
                (Some("http"), Some("bearer")) => "<code>Authorization: Bearer …</code>".to_owned(),
                _ => format!(
                    "header <code>{}</code>",
                    escape(scheme["name"].as_str().unwrap_or_default())
                ),
            };
            html.push_str(&format!(
                "<dt id=\"security-{}\">{}</dt><dd>{place}{}</dd>",
                slug(name),
                escape(name),
                prose(scheme["description"].as_str().unwrap_or_default())
            ));
        }
        html.push_str("</dl></section>");
    }
}

/// What a `$ref` leads to; anything else is itself.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(pointer) = value.get("$ref").and_then(Value::as_str) else {
        return value;
    };
    let pointer = pointer.strip_prefix('#').unwrap_or_default();
    document.pointer(pointer).unwrap_or(value)
}

#[cfg(test)]
mod tests;
