//! Paths that clients of other backends know and this version does not serve.

use plinth::error::{Error, ErrorKind};

fn not_there(what: &'static str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "http/not-implemented",
        format!("{what} is not available yet"),
    )
    .with_hint("This version serves rest/v1 and auth/v1")
}

/// Files.
#[utoipa::path(method(get, head, post, put, delete), path = "/p/{ref}/storage/v1/{*path}",
    responses((status = 501, description = "Not there yet")))]
pub(crate) async fn storage() -> Error {
    not_there("Storage")
}

/// Live updates.
#[utoipa::path(method(get, post), path = "/p/{ref}/realtime/v1/{*path}",
    responses((status = 501, description = "Not there yet")))]
pub(crate) async fn realtime() -> Error {
    not_there("Realtime")
}

/// A project's own functions.
#[utoipa::path(method(get, post, put, patch, delete), path = "/p/{ref}/functions/v1/{*path}",
    responses((status = 501, description = "Not there yet")))]
pub(crate) async fn functions() -> Error {
    not_there("Running functions")
}
