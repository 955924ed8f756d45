//! The platform's description in OpenAPI 3.1: what every router declares, in one document. Functions know nothing of each
//! other, so it is written to a file that the function which serves it holds.

use plinth::docgen::openapi::platform;
use serde_json::Value;

use crate::router::functions;

/// The description as the routers declare it now.
///
/// # Errors
/// What two functions declare under one name and differently.
pub fn document() -> Result<Value, Vec<String>> {
    let declared = functions().into_iter().map(|(function, routes)| {
        let declared = serde_json::to_value(routes.into_openapi()).unwrap_or_default();
        (format!("{function:?}"), declared)
    });
    platform::merge(declared).map(platform::finish)
}

/// The text of the file: `infra/openapi.json`.
///
/// # Errors
/// As [`document`].
pub fn text() -> Result<String, Vec<String>> {
    let document = document()?;
    serde_json::to_string_pretty(&document)
        .map(|text| text + "\n")
        .map_err(|error| vec![error.to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `UPDATE=1` writes the file anew.
    #[test]
    fn the_file_says_what_the_routers_declare() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi.json");
        let declared = text().unwrap();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &declared).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        let line = declared.lines().zip(kept.lines()).find(|(one, other)| one != other);
        assert!(
            declared == kept,
            "infra/openapi.json is not what the routers declare (first difference: {line:?}); renew it with \
             `UPDATE=1 cargo test -p plinth-local --lib openapi`"
        );
    }
}
