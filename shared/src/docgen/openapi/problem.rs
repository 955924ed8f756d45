//! What is answered instead: one shape of errors on records and the platform, GoTrue's on the accounts.

use serde_json::{Map, Value, json};

/// The schema of every error but the accounts'.
pub(super) const PROBLEM: &str = "Problem";
/// The schema of the accounts' errors.
pub(super) const AUTH_PROBLEM: &str = "AuthProblem";

pub(super) fn schemas() -> Map<String, Value> {
    let schemas = json!({
        PROBLEM: {
            "type": "object",
            "description": "An error. The code is stable: of PostgREST's, a SQLSTATE, or `area/what`.",
            "properties": {
                "code": { "type": "string", "description": "What went wrong, for programs." },
                "message": { "type": "string", "description": "What went wrong, for people." },
                "details": { "description": "More about it: a text, or a list of faults with their paths." },
                "hint": { "type": ["string", "null"], "description": "What to do about it." },
            },
            "required": ["code", "message", "details", "hint"],
            "example": {
                "code": "PGRST205", "message": "Could not find the table 'public.todo' in the schema cache",
                "details": null, "hint": "Perhaps you meant the table 'public.todos'",
            },
        },
        AUTH_PROBLEM: {
            "type": "object",
            "description": "An error as GoTrue says it: with the header `x-supabase-api-version: 2024-01-01` as `code` and `message`, else as `code` (the status), `error_code` and `msg`.",
            "properties": {
                "code": { "type": ["string", "integer"], "description": "The error's name, or the status." },
                "error_code": { "type": "string", "description": "The error's name." },
                "msg": { "type": "string", "description": "What went wrong." },
                "message": { "type": "string", "description": "What went wrong." },
                "details": { "description": "More about it." },
                "hint": { "type": "string", "description": "What to do about it." },
                "weak_password": {
                    "type": "object", "description": "What the password lacks.",
                    "properties": { "reasons": { "type": "array", "items": { "type": "string" } } },
                },
            },
            "required": ["code"],
            "example": { "code": 400, "error_code": "invalid_credentials", "msg": "Invalid login credentials" },
        },
    });
    match schemas {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

/// Replies that refuse, for `components`.
pub(super) fn responses() -> Value {
    json!({
        "Refused": said(PROBLEM, "Refused: the request, or who sent it, is at fault."),
        "Failed": said(PROBLEM, "Not done: the database cannot be reached or took too long, or it is not to be had here."),
        "AuthRefused": said(AUTH_PROBLEM, "Refused: the request, or who sent it, is at fault."),
        "AuthFailed": said(AUTH_PROBLEM, "Not done: the database cannot be reached, or it is not to be had yet."),
    })
}

/// A reply with an error of that schema.
pub(super) fn said(schema: &str, description: &str) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": super::reference("schemas", schema) } },
    })
}
