//! Who may ask: a platform user, a key of a project, an end user beside it, or anybody.

use serde_json::{Value, json};

/// `components/securitySchemes`.
pub(super) fn schemes() -> Value {
    json!({
        "platform": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "A platform user's access token: `POST /auth/v1/token?grant_type=password`.",
        },
        "apikey": {
            "type": "apiKey", "in": "header", "name": "apikey",
            "description": "A key of the project: `plinth_publishable_…` in apps, `plinth_secret_…` on servers only.",
        },
        "user": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The access token of a project's end user, beside the publishable key: `POST /p/{ref}/auth/v1/token`.",
        },
    })
}

/// The sets of credentials that open an operation; any of them will do.
pub(super) fn of(method: &str, path: &str) -> Value {
    let platform = || json!([{ "platform": [] }]);
    let key = || json!([{ "apikey": [] }]);
    let anybody = || json!([]);
    if let Some(place) = path.strip_prefix("/p/{ref}") {
        return match place {
            "/auth/v1/user" | "/auth/v1/user/export" | "/auth/v1/logout" => json!([{ "apikey": [], "user": [] }]),
            "/auth/v1/{path}" | "/auth/v1/.well-known/jwks.json" => anybody(),
            _ if place.starts_with("/auth/") => key(),
            _ if ["/storage/", "/realtime/", "/functions/"]
                .iter()
                .any(|later| place.starts_with(later)) =>
            {
                anybody()
            }
            _ => json!([{ "apikey": [] }, { "apikey": [], "user": [] }]),
        };
    }
    match path {
        "/auth/v1/user" | "/auth/v1/logout" => platform(),
        "/openapi.json" | "/reference" | "/health" | "/api/providers" | "/api/gdpr/keys" => anybody(),
        // A token in the address opens it.
        "/api/gdpr/exports/{id}/file" => anybody(),
        // Without an account, its own token does.
        "/api/gdpr/receipts/{id}" => json!([{ "platform": [] }, {}]),
        _ if path.starts_with("/auth/") => anybody(),
        _ if path.starts_with("/api/database/{id}/auth/") => key(),
        _ if path.starts_with("/api/v1/") => json!([{ "apikey": [] }, { "apikey": [], "user": [] }]),
        "/api/database/{id}/sql" => json!([{ "platform": [] }, { "apikey": [] }]),
        _ if path.starts_with("/api/database/{id}/records") => {
            json!([{ "platform": [] }, { "apikey": [] }, { "apikey": [], "user": [] }])
        }
        _ => {
            debug_assert!(path.starts_with("/api/"), "{method} {path}: who may ask?");
            platform()
        }
    }
}
