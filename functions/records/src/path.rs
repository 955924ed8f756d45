//! Parts of the raw path: decoded once, and refused where they are not text. (Axum's own extractors refuse in plain text.)

use http::Uri;
use percent_encoding::percent_decode_str;
use plinth::error::{Error, Result};
use plinth::ident::{BackendId, Ref};
use plinth::tenancy::not_found;

/// What the path says behind `marker`, decoded, split at its slashes.
pub(crate) fn behind(uri: &Uri, marker: &str) -> Result<Vec<String>> {
    let rest = uri.path().split_once(marker).map_or("", |(_, rest)| rest);
    rest.trim_start_matches('/')
        .split('/')
        .filter(|part| !part.is_empty())
        .map(decode)
        .collect()
}

/// One part of a path.
pub(crate) fn decode(part: &str) -> Result<String> {
    let text = percent_decode_str(part).decode_utf8().map_err(|_| {
        Error::invalid("http/path", "A part of the path is not valid UTF-8")
            .with_hint("Percent-encode the UTF-8 bytes of names")
    })?;
    if text.contains('\0') {
        return Err(Error::invalid("http/path", "A part of the path holds a NUL character")
            .with_hint("Names have none: leave %00 out"));
    }
    Ok(text.into_owned())
}

/// The project that `/p/{ref}` names. One that cannot exist is not found, as any other.
pub(crate) fn reference(uri: &Uri) -> Result<Ref> {
    uri.path().split('/').nth(2).unwrap_or_default().parse()
}

/// The backend that `/api/database/{id}` names.
pub(crate) fn backend(uri: &Uri) -> Result<BackendId> {
    let id = uri.path().split('/').nth(3).and_then(|id| id.parse().ok());
    id.map(BackendId).ok_or_else(not_found)
}
