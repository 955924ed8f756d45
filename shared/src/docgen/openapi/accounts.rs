//! `/auth/v1`: the accounts of a project's end users, in GoTrue's dialect.

use serde_json::{Map, Value, json};

use super::problem::said;
use super::{problem, reference};

pub(super) fn paths() -> Map<String, Value> {
    let credentials = json!({ "email": "ada@example.com", "password": "a long enough one" });
    let key = json!([{ "apikey": [] }]);
    let user = json!([{ "apikey": [], "bearer": [] }]);
    let paths = json!({
        "/auth/v1/signup": { "post": operation(
            ("accounts.signUp", "Make an account and sign in"), &key, &json!([]),
            Some(body("Credentials", &json!({ "email": "ada@example.com", "password": "a long enough one", "data": { "name": "Ada" } }))),
            &json!({ "200": session() }),
        ) },
        "/auth/v1/token": { "post": operation(
            ("accounts.token", "Sign in, or go on with a session"), &key,
            &json!([{
                "name": "grant_type", "in": "query", "required": true,
                "description": "`password` with address and password, `refresh_token` with the refresh token.",
                "schema": { "type": "string", "enum": ["password", "refresh_token"] }, "example": "password",
            }]),
            Some(body("Grant", &credentials)),
            &json!({ "200": session() }),
        ) },
        "/auth/v1/user": {
            "get": operation(
                ("accounts.user", "Show who is signed in"), &user, &json!([]), None, &json!({ "200": shown("User", "The user.") }),
            ),
            "put": operation(
                ("accounts.changeUser", "Change who is signed in"), &user, &json!([]),
                Some(body("UserChange", &json!({ "data": { "name": "Ada" } }))), &json!({ "200": shown("User", "The user as they are now.") }),
            ),
        },
        "/auth/v1/logout": { "post": operation(
            ("accounts.signOut", "Sign out"), &user,
            &json!([{
                "name": "scope", "in": "query", "required": false, "description": "Which sessions end: all of them if it is left out.",
                "schema": { "type": "string", "enum": ["global", "local", "others"] },
            }]),
            None, &json!({ "204": { "description": "Signed out." } }),
        ) },
        "/auth/v1/settings": { "get": operation(
            ("accounts.settings", "Show what can be used to sign in"), &key, &json!([]), None, &json!({ "200": free("What can be used.") }),
        ) },
        "/auth/v1/.well-known/jwks.json": { "get": operation(
            ("accounts.keys", "Show the keys that access tokens are verified with"), &json!([]), &json!([]), None,
            &json!({ "200": free("A JSON Web Key Set.") }),
        ) },
    });
    members(paths)
}

fn operation(
    (id, summary): (&str, &str),
    security: &Value,
    parameters: &Value,
    body: Option<Value>,
    responses: &Value,
) -> Value {
    let mut responses = responses.clone();
    responses["4XX"] = reference("responses", "AuthRefused");
    responses["5XX"] = reference("responses", "AuthFailed");
    let mut operation = json!({
        "tags": ["accounts"], "operationId": id, "summary": summary, "security": security,
        "parameters": parameters, "responses": responses,
    });
    if let Some(body) = body {
        operation["requestBody"] = body;
    }
    operation
}

fn body(schema: &str, example: &Value) -> Value {
    let content = json!({ "schema": reference("schemas", schema), "example": example });
    json!({ "required": true, "content": { "application/json": content } })
}

fn session() -> Value {
    shown(
        "Session",
        "A session: supabase-js keeps it and sends its access token from then on.",
    )
}

fn shown(schema: &str, description: &str) -> Value {
    said(schema, description)
}

fn free(description: &str) -> Value {
    json!({ "description": description, "content": { "application/json": { "schema": { "type": "object" } } } })
}

pub(super) fn schemas() -> Map<String, Value> {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let time = || json!({ "type": "string", "format": "date-time" });
    let email = json!({ "type": "string", "format": "email", "description": "The mail address." });
    let password = json!({ "type": "string", "minLength": 6, "maxLength": 72, "description": "6 to 72 bytes." });
    let data = json!({ "type": "object", "description": "What the app wants to know: `user_metadata`, up to 4 kB." });
    let mut schemas = members(json!({
        "Credentials": {
            "type": "object", "description": "Who signs up.",
            "properties": { "email": email, "password": password, "data": data },
            "required": ["email", "password"],
        },
        "Grant": {
            "type": "object", "description": "What a session is given for.",
            "properties": { "email": email, "password": { "type": "string" }, "refresh_token": text("Good once.") },
        },
        "UserChange": {
            "type": "object", "description": "What to change; what is left out stays.",
            "properties": {
                "email": email, "password": password, "current_password": text("The present password, checked if it is sent."), "data": data,
            },
        },
        "User": {
            "type": "object", "description": "Somebody who signs in to the app.",
            "properties": {
                "id": { "type": "string", "format": "uuid" }, "aud": { "type": "string" }, "role": { "type": "string" },
                "email": { "type": "string" }, "phone": { "type": "string" },
                "email_confirmed_at": time(), "phone_confirmed_at": time(), "confirmed_at": time(), "last_sign_in_at": time(),
                "app_metadata": { "type": "object" }, "user_metadata": { "type": "object" },
                "identities": { "type": "array", "items": { "type": "object" } },
                "created_at": time(), "updated_at": time(), "is_anonymous": { "type": "boolean" },
            },
            "required": ["id", "aud", "role", "email", "app_metadata", "user_metadata", "created_at", "updated_at"],
        },
        "Session": {
            "type": "object", "description": "Tokens, and whose they are.",
            "properties": {
                "access_token": text("A JWT."), "token_type": { "type": "string", "const": "bearer" },
                "expires_in": { "type": "integer", "description": "Seconds." },
                "expires_at": { "type": "integer", "description": "Seconds since 1970." },
                "refresh_token": text("Good for the next session, once."),
                "user": reference("schemas", "User"),
            },
            "required": ["access_token", "token_type", "expires_in", "expires_at", "refresh_token", "user"],
        },
    }));
    schemas.extend(problem::schemas());
    schemas
}

fn members(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}
