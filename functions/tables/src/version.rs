//! What requests carry beside path and body: the version in `If-Match`, and the query.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, header};
use plinth::app::App;
use plinth::error::{Error, Result};
use serde::de::DeserializeOwned;

/// The version a change is made on.
///
/// # Errors
/// `tables/if-match` when it is missing or no version.
pub(crate) fn required(headers: &HeaderMap) -> Result<i64> {
    given(headers)?.ok_or_else(|| wrong("If-Match is missing"))
}

/// The version a change is made on, if one is named.
///
/// # Errors
/// `tables/if-match` when it is no version.
pub(crate) fn given(headers: &HeaderMap) -> Result<Option<i64>> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or(text);
    let version = bare.parse().map_err(|_| wrong("If-Match is not a version"))?;
    Ok(Some(version))
}

fn wrong(message: &'static str) -> Error {
    Error::invalid("tables/if-match", message).with_hint(
        "Read the table and send its ETag, such as If-Match: \"3\": so no change of somebody else's is overwritten",
    )
}

/// A query string.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<App> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self> {
        let query = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        query.map(|query| Self(query.0)).map_err(|error| {
            Error::invalid("http/query", "The query does not have the expected shape").with_details(error.body_text())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn if_match_takes_a_version_bare_or_quoted() {
        for (text, version) in [
            ("\"3\"", Some(3)),
            ("12", Some(12)),
            ("*", None),
            ("\"x\"", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::IF_MATCH, text.parse().unwrap());
            match version {
                Some(version) => assert_eq!(required(&headers).unwrap(), version),
                None => assert_eq!(required(&headers).unwrap_err().code(), "tables/if-match", "{text}"),
            }
        }
        assert_eq!(required(&HeaderMap::new()).unwrap_err().code(), "tables/if-match");
        assert_eq!(given(&HeaderMap::new()).unwrap(), None);
    }
}
