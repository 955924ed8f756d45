//! The platform's document, from what the routers declare: one of all functions' ([`merge`]), with what they have in common
//! and need not repeat ([`finish`]): ids, tags, who asks, errors, and parameters in the place of wildcards.

mod errors;
mod merge;
mod paths;
mod security;
mod words;

use serde_json::{Map, Value, json};

pub use merge::merge;

/// Stands for this deployment's base URL, which only a running function knows.
pub const BASE_URL: &str = "https://plinth.invalid";

/// Their names, and what is in them.
const TAGS: &[(&str, &str)] = &[
    ("projects", "One project for each app."),
    ("members", "Who works on a project."),
    ("keys", "What apps and servers open a project's data with."),
    ("backend", "Where a project's data lives."),
    ("tables", "Tables, their policies and their history."),
    (
        "records",
        "Rows of tables: as plain JSON, and in PostgREST's dialect under `/p/{ref}/rest/v1`. Each project describes its own tables at `/p/{ref}/openapi.json`.",
    ),
    ("sql", "Scripts on a project's own database."),
    (
        "auth",
        "Accounts in GoTrue's dialect: of platform users at `/auth/v1`, of a project's end users at `/p/{ref}/auth/v1`.",
    ),
    ("connections", "Databases of one's own."),
    ("documents", "A project's documentation, and these descriptions."),
    ("jobs", "Work that outlives a request."),
    ("audit", "What was changed, by whom."),
    (
        "template",
        "The project-management template in the caller's own database.",
    ),
    ("later", "Places of what comes later."),
    ("health", "Whether somebody answers."),
];

/// The whole document.
#[must_use]
pub fn finish(mut declared: Value) -> Value {
    let mut paths = Map::new();
    if let Value::Object(given) = declared["paths"].take() {
        for (path, item) in given {
            paths.extend(paths::named(path, item));
        }
    }
    paths.insert("/health".into(), health());
    for (path, item) in &mut paths {
        paths::declare_parameters(path, item);
        let Some(item) = item.as_object_mut() else { continue };
        for (method, operation) in item.iter_mut().filter(|(name, _)| METHODS.contains(&name.as_str())) {
            finish_operation(method, path, operation);
        }
    }
    let mut schemas = match declared["components"]["schemas"].take() {
        Value::Object(schemas) => schemas,
        _ => Map::new(),
    };
    schemas.extend(super::problem::schemas());
    let tags: Vec<_> = TAGS.iter().map(|(name, about)| super::tag(name, Some(about))).collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Plinth",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A backend for every app: projects, tables, records, accounts.\n\nEvery refusal says what is wrong in `message` and what to do in `hint`; `code` is stable. Every reply carries `x-request-id`.",
        },
        "jsonSchemaDialect": "https://spec.openapis.org/oas/3.1/dialect/base",
        "servers": [{ "url": BASE_URL, "description": "This deployment" }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": super::problem::responses(),
            "securitySchemes": security::schemes(),
        },
    })
}

pub(super) const METHODS: [&str; 6] = ["get", "head", "post", "put", "patch", "delete"];

fn finish_operation(method: &str, path: &str, operation: &mut Value) {
    words::tell(method, path, operation);
    paths::plain_queries(operation);
    errors::complete(method, path, operation);
    if let Some(operation) = operation.as_object_mut() {
        operation.insert("operationId".into(), operation_id(method, path).into());
        // What is not there yet says so to everybody.
        let serves = operation["responses"]
            .as_object()
            .is_some_and(|replies| replies.keys().any(|status| status.starts_with('2')));
        let security = if serves { security::of(method, path) } else { json!([]) };
        operation.insert("security".into(), security);
    }
}

/// `get_api_projects_id_keys`: of method and path, so that it is unique, and stays whatever a handler is called.
fn operation_id(method: &str, path: &str) -> String {
    let mut id = method.to_owned();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        id.push('_');
        let plain = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
        id.extend(part.trim_matches(['{', '}', '.']).chars().map(plain));
    }
    // A path that ends in a slash is another path.
    if path.ends_with('/') { id + "_" } else { id }
}

fn health() -> Value {
    let reply = json!({ "type": "object", "properties": { "status": { "type": "string" } }, "required": ["status"] });
    json!({ "get": {
        "summary": "Says that somebody answers",
        "responses": { "200": {
            "description": "Somebody does", "content": { "application/json": { "schema": reply } },
        } },
    } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_of_method_and_path() {
        for (method, path, id) in [
            ("get", "/api/projects/{id}/keys", "get_api_projects_id_keys"),
            ("head", "/p/{ref}/rest/v1", "head_p_ref_rest_v1"),
            ("head", "/p/{ref}/rest/v1/", "head_p_ref_rest_v1_"),
            (
                "get",
                "/auth/v1/.well-known/jwks.json",
                "get_auth_v1_well_known_jwks_json",
            ),
        ] {
            assert_eq!(operation_id(method, path), id);
        }
    }
}
