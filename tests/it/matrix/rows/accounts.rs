//! The rows of signing up and in: of a project's app, and of the platform.

use serde_json::json;

use super::{Row, Setting, open, row};
use crate::world::unique;

/// The platform's own accounts, as GoTrue answers: no token 401, one of another issuer 403.
const fn signed_in(status: u16) -> [u16; 12] {
    let user = status;
    [401, 401, 401, 401, 401, 403, 403, user, user, user, user, user]
}

/// A project's accounts before anybody is signed in: the key alone counts, whatever token rides along.
const fn by_key(status: u16) -> [u16; 12] {
    [401, 401, 401, status, status, status, status, 401, 401, 401, 401, 401]
}

/// [`by_key`] where the path names the backend: a neighbour's key finds nothing there.
const fn by_key_of_backend(status: u16) -> [u16; 12] {
    [401, 404, 404, status, status, status, status, 401, 401, 401, 401, 401]
}

/// A project's accounts as their own user: the neighbour's token is none here.
const fn by_session(status: u16) -> [u16; 12] {
    [401, 401, 401, 401, 401, status, 403, 401, 401, 401, 401, 401]
}

/// A project's accounts as whoever has its secret key.
const fn by_admin(status: u16) -> [u16; 12] {
    [401, 401, 401, 403, status, 403, 403, 401, 401, 401, 401, 401]
}

pub fn rows() -> Vec<Row> {
    let sign_up = |_: &Setting| json!({ "email": format!("{}@example.com", unique()), "password": "correct horse" });
    let wrong = |_: &Setting| json!({ "email": "nobody@example.com", "password": "wrong horse" });
    let nothing = |_: &Setting| json!({ "data": {} });
    let mut rows = vec![
        row("POST", "/auth/v1/signup", open(200)).body(sign_up),
        row("POST", "/auth/v1/token", open(400))
            .query("?grant_type=password")
            .body(wrong),
        row("GET", "/auth/v1/settings", open(200)),
        row("GET", "/auth/v1/health", open(200)),
        row("GET", "/auth/v1/.well-known/jwks.json", open(200)),
        row("GET", "/auth/v1/user", signed_in(200)),
        row("PUT", "/auth/v1/user", signed_in(200)).body(nothing),
        row("POST", "/p/{ref}/auth/v1/signup", by_key(200)).body(sign_up),
        row("POST", "/p/{ref}/auth/v1/token", by_key(400))
            .query("?grant_type=password")
            .body(wrong),
        row("GET", "/p/{ref}/auth/v1/settings", by_key(200)),
        row("GET", "/p/{ref}/auth/v1/health", by_key(200)),
        row("GET", "/p/{ref}/auth/v1/.well-known/jwks.json", open(200)),
        row("GET", "/p/{ref}/auth/v1/user", by_session(200)),
        row("PUT", "/p/{ref}/auth/v1/user", by_session(200)).body(nothing),
        row("POST", "/api/database/{id}/auth/signup", by_key_of_backend(200)).body(sign_up),
        row("POST", "/api/database/{id}/auth/login", by_key_of_backend(400)).body(wrong),
        row("POST", "/p/{ref}/auth/v1/logout", by_session(204)).spends(),
        row("POST", "/auth/v1/logout", signed_in(204)).spends(),
    ];
    const USER: &str = "/p/{ref}/auth/v1/admin/users/{userId}";
    rows.extend([
        row("GET", "/p/{ref}/auth/v1/admin/users", by_admin(200)),
        row("POST", "/p/{ref}/auth/v1/admin/users", open(501)).body(nothing),
        row("GET", USER, by_admin(200)),
        row("PUT", USER, open(501)).body(nothing),
        row("POST", "/p/{ref}/auth/v1/admin/users/{userId}/restore", by_admin(200)),
        row("DELETE", USER, by_admin(200)).spends(),
    ]);
    // Nothing of it is allowed where nobody has said so.
    rows.extend([
        row("GET", "/p/{ref}/auth/v1/user/export", by_session(403)),
        row("POST", "/p/{ref}/auth/v1/user/export", by_session(403)),
        row("DELETE", "/p/{ref}/auth/v1/user", by_session(403)),
    ]);
    for method in ["GET", "POST", "PUT", "DELETE"] {
        rows.push(row(method, "/auth/v1/{*path}", open(404)));
        rows.push(row(method, "/p/{ref}/auth/v1/{*path}", open(404)));
    }
    rows
}
