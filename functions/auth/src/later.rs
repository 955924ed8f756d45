//! The places of what comes later: links and codes by mail, social login, second factors, admin calls that make and
//! change users. Each answers a
//! clear 501 until it is built; anything else under the base answers 404, in GoTrue's shape too.

use axum::extract::OriginalUri;
use plinth::accounts::not_implemented;
use plinth::error::{Error, ErrorKind};

/// The first parts of their paths.
const PLACES: &[&str] = &[
    "admin",
    "authorize",
    "callback",
    "factors",
    "invite",
    "magiclink",
    "otp",
    "reauthenticate",
    "recover",
    "resend",
    "user",
    "verify",
];

/// What is not there yet.
#[utoipa::path(method(get, post, put, delete), path = "/{*path}", operation_id = "auth_later", tag = "auth",
    params(("path" = String, Path, description = "What no other operation takes")),
    responses((status = 404, description = "Nothing is at this path"), (status = 501, description = "not_implemented")))]
pub async fn later(OriginalUri(uri): OriginalUri) -> Error {
    let path = uri.path().split_once("/auth/v1/").map_or("", |(_, path)| path);
    let first = path.split('/').next().unwrap_or_default();
    if PLACES.contains(&first) {
        return not_implemented();
    }
    Error::new(
        ErrorKind::NotFound,
        "http/no-such-path",
        "There is nothing at this path",
    )
}

/// Make an end user: not yet.
#[utoipa::path(post, path = "/admin/users", operation_id = "auth_admin_create_user", tag = "auth",
    responses((status = 501, description = "not_implemented")))]
pub async fn create_user() -> Error {
    not_implemented()
}

/// Change an end user: not yet.
#[utoipa::path(put, path = "/admin/users/{userId}", operation_id = "auth_admin_change_user", tag = "auth",
    params(("userId" = Uuid, Path, description = "The user's id")),
    responses((status = 501, description = "not_implemented")))]
pub async fn change_user() -> Error {
    not_implemented()
}
