//! Replies: what the refusals look like, and that there may be others.

use serde_json::{Map, Value, json};

use super::super::problem::{AUTH_PROBLEM, PROBLEM, said};
use super::super::reference;

/// Completes the replies of an operation.
pub(super) fn complete(method: &str, path: &str, operation: &mut Value) {
    let auth = speaks_gotrue(path);
    let mut responses = Map::new();
    if let Value::Object(declared) = operation["responses"].take() {
        for (status, response) in declared {
            let completed = one(&status, response, method, auth);
            responses.insert(status, completed);
        }
    }
    let others = match (method, auth) {
        ("head", _) => [
            ("4XX", json!({ "description": "Refused" })),
            ("5XX", json!({ "description": "Not done" })),
        ],
        (_, true) => {
            [("4XX", "AuthRefused"), ("5XX", "AuthFailed")].map(|(range, name)| (range, reference("responses", name)))
        }
        (_, false) => {
            [("4XX", "Refused"), ("5XX", "Failed")].map(|(range, name)| (range, reference("responses", name)))
        }
    };
    responses.extend(others.map(|(range, response)| (range.to_owned(), response)));
    operation["responses"] = responses.into();
}

/// Whether errors at this path have GoTrue's shape.
fn speaks_gotrue(path: &str) -> bool {
    path.starts_with("/auth/v1") || path.contains("}/auth/")
}

fn one(status: &str, mut response: Value, method: &str, auth: bool) -> Value {
    let description = response["description"].as_str().unwrap_or_default();
    if description.is_empty() {
        response["description"] = reason(status).into();
    }
    if method == "head" {
        return json!({ "description": response["description"] });
    }
    let refused = status.starts_with(['4', '5']);
    if refused && response.get("content").is_none() {
        let schema = if auth { AUTH_PROBLEM } else { PROBLEM };
        return said(schema, response["description"].as_str().unwrap_or_default());
    }
    response
}

/// What a status means, where its declaration says no more.
fn reason(status: &str) -> &'static str {
    match status {
        "200" => "Done",
        "201" => "Made",
        "202" => "Begun",
        "204" => "Done; there is no more to say",
        "304" => "As it was",
        "400" => "The request is malformed",
        "401" => "Nobody is signed in",
        "403" => "Your role does not allow this",
        "404" => "There is no such thing, or it is not yours to know of",
        "409" => "It has changed, or the name is taken",
        "412" => "It has changed",
        "422" => "What it asks for cannot be",
        "501" => "Not to be had here",
        _ => "Refused",
    }
}
